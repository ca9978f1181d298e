/** What hosts without functions of their own compute is what Bun's compute: every function, on any bytes. */
import { describe, expect, test } from "bun:test";
import { host as browser } from "../../src/platform/browser.ts";
import { host as bun } from "../../src/platform/bun.ts";
import { host as node } from "../../src/platform/node.ts";
import { Random } from "../support/gpu-values.ts";

const random = new Random(7);
/** Of few letters, so that there is something to find. */
const bytesOf = (length: number) => Uint8Array.from({ length }, () => random.next() & 3);
const LENGTHS = [0, 1, 3, 4, 7, 8, 31, 32, 33, 55, 56, 63, 64, 65, 119, 120, 127, 128, 1000, 5003];

describe.each([
  ["node", node],
  ["browser", browser],
])("the host that is %s", (_, host) => {
  test("xxHash64 with any seed", () => {
    for (const length of LENGTHS) {
      const bytes = bytesOf(length);
      for (const seed of [0n, 1n, 0x9e3779b185ebca87n, 0xffff_ffff_ffff_ffffn]) {
        expect(host.xxHash64(bytes, seed)).toBe(bun.xxHash64(bytes, seed));
      }
    }
  });

  test("SHA-256 in pieces, asked for in between, of bytes and of doubles", () => {
    for (const length of LENGTHS) {
      const [ours, theirs] = [host.sha256(), bun.sha256()];
      for (let piece = 0; piece < 3; piece += 1) {
        const bytes = bytesOf(length + piece);
        const doubles = Float64Array.of(length, 2 ** 52 + piece);
        for (const hash of [ours, theirs]) {
          hash.update(bytes);
          hash.update(doubles);
        }
        expect(ours.digestHex()).toBe(theirs.digestHex());
      }
    }
  });

  test("searching from any place, forward and backward", () => {
    for (const length of [0, 1, 5, 40]) {
      const bytes = bytesOf(length);
      for (const needleBytes of [1, 2, 3]) {
        const needle = bytesOf(needleBytes);
        expect(host.lastIndexOf(bytes, needle)).toBe(bun.lastIndexOf(bytes, needle));
        for (let from = 0; from <= length + 1; from += 1) {
          expect(host.indexOf(bytes, needle, from)).toBe(bun.indexOf(bytes, needle, from));
          expect(host.lastIndexOf(bytes, needle, from)).toBe(bun.lastIndexOf(bytes, needle, from));
        }
      }
    }
  });

  test("comparing, joining, repeating", () => {
    const [a, b] = [bytesOf(100), bytesOf(100)];
    for (const [one, other] of [
      [a, a.slice()],
      [a, b],
      [a, a.subarray(1)],
      [a.subarray(0, 0), b.subarray(0, 0)],
    ]) {
      expect(host.isEqual(one!, other!)).toBe(bun.isEqual(one!, other!));
    }
    expect(host.concatenate([a, b.subarray(3), a.subarray(0, 0)])).toEqual(
      bun.concatenate([a, b.subarray(3), a.subarray(0, 0)]),
    );
    for (const length of LENGTHS) {
      for (const patternBytes of [1, 3, 7]) {
        const pattern = bytesOf(patternBytes);
        expect(Uint8Array.from(host.repeat(pattern, length))).toEqual(Uint8Array.from(bun.repeat(pattern, length)));
      }
    }
  });

  test("a clock that goes on, threads, memory", () => {
    const before = host.nanoseconds();
    expect(host.nanoseconds()).toBeGreaterThanOrEqual(before);
    expect(host.processorCount()).toBeGreaterThanOrEqual(1);
    expect(host.memoryBytes()).toBeGreaterThan(2 ** 28);
  });
});
