/**
 * What golden archives hold that is put together from the files in test/golden, for scripts/golden.ts, which makes the
 * archives, and for the test that decodes them.
 */

/** Parts of one text and of another, some of them again, within a block of 2000 bytes and beyond it. */
export function withRepeats(mixed: Uint8Array, text: Uint8Array): Uint8Array {
  return new Uint8Array(
    Buffer.concat([
      mixed.subarray(0, 4000),
      mixed.subarray(2500, 4000),
      text.subarray(0, 1500),
      mixed.subarray(3000),
      ...Array.from({ length: 4 }, () => mixed.subarray(-1300)),
    ]),
  );
}
