/** Pieces of any length as blocks of the lengths that are asked for, where a piece is overwritten by the next one. */
import { describe, expect, test } from "bun:test";
import { plainSource } from "../../src/library/plain-source.ts";
import { noise } from "../support/bytes.ts";

describe("blocks of pieces", () => {
  const plain = noise(5000);

  /** As a file gives them: all pieces in one room, which a read clears first. */
  function pieces(lengths: readonly number[]) {
    const room = new Uint8Array(Math.max(...lengths));
    let at = 0;
    let turn = 0;
    return async () => {
      room.fill(0);
      const length = lengths[turn++ % lengths.length] as number;
      const piece = plain.subarray(at, at + length);
      at += piece.length;
      room.set(piece);
      return room.subarray(0, piece.length);
    };
  }

  for (const lengths of [[1], [5000], [7, 900, 33], [1024, 1]]) {
    for (const sizeBytes of [undefined, plain.length]) {
      test(`of ${lengths} bytes, ${sizeBytes ?? "unknown"} in all`, async () => {
        const source = plainSource({ read: pieces(lengths), ...(sizeBytes !== undefined && { sizeBytes }) });
        const blocks: Uint8Array[] = [];
        for (const count of [1, 100, 3, 1500, 0, 640, 2000, 4000]) {
          const block = await source.read(count);
          blocks.push(block.slice());
          // Whoever has it may do with it what he likes.
          block.fill(255);
          source.free?.(block);
        }
        expect(blocks.map(({ length }) => length)).toEqual([1, 100, 3, 1500, 0, 640, 2000, 756]);
        expect(Buffer.compare(Buffer.concat(blocks), plain)).toBe(0);
        expect(source.readBytes()).toBe(plain.length);
      });
    }
  }
});
