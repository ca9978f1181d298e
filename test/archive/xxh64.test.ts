/** The hash of pieces is the hash of the whole: the runtime's, which other tests hold against the specification. */
import { expect, test } from "bun:test";
import { Xxh64 } from "../../src/platform/xxh64.ts";
import { Random } from "../support/gpu-values.ts";

test("xxHash64 in pieces of any length", () => {
  const random = new Random(11);
  for (let length = 0; length < 200; length += 1) {
    const bytes = Uint8Array.from({ length }, () => random.next());
    for (const pieceBytes of [1, 3, 31, 32, 33, 1000]) {
      const hash = new Xxh64();
      for (let at = 0; at < length; at += pieceBytes) hash.update(bytes.subarray(at, at + pieceBytes));
      expect(hash.digest()).toBe(Bun.hash.xxHash64(bytes, 0n));
    }
  }
});
