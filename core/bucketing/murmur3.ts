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
 * MurmurHash3 x86 32 (Austin Appleby, public domain) of the UTF-8 bytes of `seed/unit`, an unsigned 32-bit integer.
 *
 * The unit is read straight from its UTF-16 code units, with no string joined and no bytes allocated. Lone surrogates
 * count as U+FFFD, as TextEncoder writes them.
 */
export function hashUnit(seed: Seed, unit: string): number {
  const { start, tail, filled, length } = seed;
  const end = unit.length;
  const words = end - (end & 3);
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
    // word >>> (32 - filled), but shifts count modulo 32 and one of 32 bits would be none.
    block = (word >>> 1) >>> (31 - filled);
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
  // ASCII is what nearly every unit is; for the others it is begun again.
  if (seen > 0x7f) return hashText(unit, start, tail, filled, length);
  return finish(shift === 0 ? hash : hash ^ scramble(block), length + end);
}

/** One code point at a time. */
function hashText(unit: string, start: number, tail: number, filled: number, length: number): number {
  const end = unit.length;
  let hash = start;
  let block = tail;
  let shift = filled;
  let bytes = length;
  let at = 0;
  while (at < end) {
    const code = unit.charCodeAt(at);
    at += 1;
    let encoded = code;
    let size = 1;
    if (code > 0x7f) {
      const low = at < end ? unit.charCodeAt(at) : 0;
      if (isHigh(code) && isLow(low)) {
        at += 1;
        encoded = encode4(0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00));
        size = 4;
      } else if (code > 0x7ff) {
        encoded = encode3(isHigh(code) || isLow(code) ? 0xfffd : code);
        size = 3;
      } else {
        encoded = encode2(code);
        size = 2;
      }
    }
    bytes += size;
    block |= encoded << shift;
    shift += size * 8;
    if (shift >= 32) {
      hash = mix(hash, block);
      shift -= 32;
      block = shift === 0 ? 0 : encoded >>> (size * 8 - shift);
    }
  }
  return finish(shift === 0 ? hash : hash ^ scramble(block), bytes);
}

function isHigh(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}

function isLow(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}

// UTF-8, the first byte lowest.
function encode2(point: number): number {
  return 0xc0 | (point >> 6) | ((0x80 | (point & 0x3f)) << 8);
}

function encode3(point: number): number {
  return 0xe0 | (point >> 12) | ((0x80 | ((point >> 6) & 0x3f)) << 8) | ((0x80 | (point & 0x3f)) << 16);
}

function encode4(point: number): number {
  return (
    0xf0 |
    (point >> 18) |
    ((0x80 | ((point >> 12) & 0x3f)) << 8) |
    ((0x80 | ((point >> 6) & 0x3f)) << 16) |
    ((0x80 | (point & 0x3f)) << 24)
  );
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
