import fc from "fast-check";
import { expect, test } from "vitest";
import { bucketBy, compileBucketing } from "../../../core/bucketing/bucket.ts";
import { hashUnit, prepareSeed, type Seed } from "../../../core/bucketing/murmur3.ts";
import { BUCKETS } from "../../../core/bucketing/split.ts";
import vectors from "../../conformance/vectors/bucketing.json" with { type: "json" };

test("hashUnit() and bucketOf() equal the vectors", () => {
  for (const { seed, unit, hash, bucket100k } of vectors) {
    expect(hashUnit(prepareSeed(seed), unit), `${seed}/${unit}`).toBe(hash);
    expect(bucketBy(compileBucketing({ algorithm: "murmur3-v1", seed, buckets: BUCKETS }), unit)).toBe(bucket100k);
  }
});

/** MurmurHash3_x86_32 as published, over bytes: slow, and nothing like ours inside. */
function reference(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const rotate = (x: number, by: number) => (x << by) | (x >>> (32 - by));
  const scramble = (k: number) => Math.imul(rotate(Math.imul(k, 0xcc9e2d51), 15), 0x1b873593);
  let h = 0;
  let at = 0;
  for (; at + 4 <= bytes.length; at += 4)
    h = (Math.imul(rotate(h ^ scramble(view.getInt32(at, true)), 13), 5) + 0xe6546b64) | 0;
  let tail = 0;
  for (let left = bytes.length - 1; left >= at; left -= 1) tail = (tail << 8) | (bytes[left] as number);
  h ^= scramble(tail) ^ bytes.length;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

test("the reference equals the vectors, so that it may be compared with", () => {
  for (const { seed, unit, hash } of vectors) expect(reference(new TextEncoder().encode(`${seed}/${unit}`))).toBe(hash);
});

test("hashUnit() equals the reference for any text, lone surrogates too", () => {
  const anyText = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) });
  const mixed = fc.oneof(fc.string({ unit: "grapheme" }), fc.string(), anyText);
  fc.assert(
    fc.property(mixed, mixed, (seed, unit) => {
      expect(hashUnit(prepareSeed(seed), unit)).toBe(reference(new TextEncoder().encode(`${seed}/${unit}`)));
    }),
    { numRuns: 20_000 },
  );
});

test("hashUnit() is the same whether a unit comes once or several times in a row, and for long ones", () => {
  const seeds = ["", "a", "ab", "abc", "abcd", "é"];
  const units = fc.oneof(fc.string({ unit: "grapheme" }), fc.string(), fc.string({ minLength: 150, maxLength: 700 }));
  fc.assert(
    fc.property(fc.array(units, { minLength: 1, maxLength: 4 }), (some) => {
      const told = (unit: string) => seeds.map((seed) => reference(new TextEncoder().encode(`${seed}/${unit}`)));
      const prepared = seeds.map(prepareSeed);
      for (const unit of some) expect(prepared.map((seed) => hashUnit(seed, unit))).toEqual(told(unit));
      for (const unit of some) expect(hashUnit(prepared[3] as Seed, unit)).toBe(told(unit)[3]);
    }),
    { numRuns: 2000 },
  );
});
