/** A seed whose blocks are mixed: what is left to do is the unit. */
export interface Seed {
  readonly start: number;
  /** The first `filled` bits of the next block. */
  readonly tail: number;
  readonly filled: number;
  /** Bytes. */
  readonly length: number;
}

/** The slash between seed and unit counts as the seed's. */
export function prepareSeed(seed: string): Seed {
  const prefix = new TextEncoder().encode(`${seed}/`);
  const blocks = prefix.length & ~3;
  let start = 0;
  for (let at = 0; at < blocks; at += 4)
    start = mix(
      start,
      byte(prefix, at) | (byte(prefix, at + 1) << 8) | (byte(prefix, at + 2) << 16) | (byte(prefix, at + 3) << 24),
    );
  let tail = 0;
  for (let at = blocks; at < prefix.length; at += 1) tail |= byte(prefix, at) << ((at - blocks) * 8);
  return { start, tail, filled: (prefix.length - blocks) * 8, length: prefix.length };
}

function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] as number;
}

/**
 * MurmurHash3 x86 32 (Austin Appleby, public domain) of the UTF-8 bytes of `seed/unit`, an unsigned 32-bit integer. Lone
 * surrogates count as U+FFFD, as TextEncoder writes them.
 *
 * Many features ask about one user: the bytes of a unit that comes twice in a row are kept until another one comes.
 */
export function hashUnit(seed: Seed, unit: string): number {
  if (unit !== latest) return hashText(seed, unit);
  if (size === UNREAD) keep(unit);
  return hashBytes(seed);
}

/** The unit hashed last, and its bytes once they are kept, filled up with zeros to a whole word. */
let latest: string | null = null;
let bytes = new DataView(new ArrayBuffer(0));
const UNREAD = -1;
let size = UNREAD;
const USUAL = new Uint8Array(512);
const encoder = new TextEncoder();

function keep(unit: string): void {
  const room = unit.length * 3 + 4;
  const buffer = room <= USUAL.length ? USUAL : new Uint8Array(room);
  size = encoder.encodeInto(unit, buffer).written;
  buffer.fill(0, size, size + 4);
  bytes = new DataView(buffer.buffer);
}

/** Straight from the UTF-16 code units, with no string joined and no bytes allocated. */
function hashText(seed: Seed, unit: string): number {
  latest = unit;
  size = UNREAD;
  const { start, tail, filled, length } = seed;
  const end = unit.length;
  const words = end & ~3;
  let hash = start;
  let block = tail;
  let seen = 0;
  let at = 0;
  for (; at < words; at += 4) {
    const a = unit.charCodeAt(at);
    const b = unit.charCodeAt(at + 1);
    const c = unit.charCodeAt(at + 2);
    const d = unit.charCodeAt(at + 3);
    seen |= a | b | c | d;
    const word = a | (b << 8) | (c << 16) | (d << 24);
    hash = mix(hash, block | (word << filled));
    block = carry(word, filled);
  }
  let shift = filled;
  for (; at < end; at += 1) {
    const code = unit.charCodeAt(at);
    seen |= code;
    block |= code << shift;
    shift += 8;
    if (shift === 32) {
      hash = mix(hash, block);
      block = 0;
      shift = 0;
    }
  }
  // ASCII is what nearly every unit is; the others are written out as bytes.
  if (seen > 0x7f) return hashUnit(seed, unit);
  return finish(hash ^ scramble(block), length + end);
}

function hashBytes({ start, tail, filled, length }: Seed): number {
  const kept = bytes;
  const words = size & ~3;
  let hash = start;
  let block = tail;
  for (let at = 0; at < words; at += 4) {
    const word = kept.getInt32(at, true);
    hash = mix(hash, block | (word << filled));
    block = carry(word, filled);
  }
  const rest = kept.getInt32(words, true);
  block |= rest << filled;
  if (filled + (size & 3) * 8 >= 32) {
    hash = mix(hash, block);
    block = carry(rest, filled);
  }
  return finish(hash ^ scramble(block), length + size);
}

/** What of a word does not fit beside the first `filled` bits of its block. */
function carry(word: number, filled: number): number {
  // word >>> (32 - filled), but shifts count modulo 32 and one of 32 bits would be none.
  return (word >>> 1) >>> (31 - filled);
}

function scramble(block: number): number {
  const scrambled = Math.imul(block, 0xcc9e2d51);
  return Math.imul((scrambled << 15) | (scrambled >>> 17), 0x1b873593);
}

function mix(hash: number, block: number): number {
  const mixed = hash ^ scramble(block);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

function finish(hash: number, bytes: number): number {
  let mixed = hash ^ bytes;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
