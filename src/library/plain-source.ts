/** Pieces of any length, as files, pipes and streams give them, as the blocks that the pipeline asks for. */
import { release } from "../platform/release.ts";
import type { CountedSource } from "./compress-from.ts";

/** Room for the first block of an input of unknown length grows in steps from this. */
const PIECE_BYTES = 1 << 18;

/** Where plain bytes come from. */
interface Pieces {
  /** Bytes in all, if that is known. */
  readonly sizeBytes?: number;
  /** The next bytes, as many as there are; none at the end. The next call may overwrite them. */
  read(countMax?: number): Promise<Uint8Array>;
  /** How many of the next bytes are zeros that need not be read. */
  holeAhead?(): number;
  /** Goes on behind so many of them. */
  skip?(count: number): void;
}

/** Turns pieces into blocks: `read(count)` gives exactly `count` bytes until the end. */
export function plainSource(input: Pieces): CountedSource {
  /** Of the last piece, which stays as it is until the next one is asked for. */
  let rest: Uint8Array = new Uint8Array(0);
  let total = 0;
  const read = async (count: number) => {
    // A pipe may hold little: room for its first block grows with what comes.
    const isExpected = input.sizeBytes !== undefined || total > 0;
    let block = new Uint8Array(isExpected ? count : Math.min(count, PIECE_BYTES));
    let filled = 0;
    while (filled < count) {
      const piece: Uint8Array = rest.length > 0 ? rest : await input.read(count - filled);
      if (piece.length === 0) break;
      const taken = piece.subarray(0, count - filled);
      rest = piece.subarray(taken.length);
      if (filled + taken.length > block.length) {
        const larger = new Uint8Array(Math.min(count, Math.max(filled + taken.length, block.length * 2)));
        larger.set(block.subarray(0, filled));
        release(block);
        block = larger;
      }
      block.set(taken, filled);
      filled += taken.length;
    }
    total += filled;
    return block.subarray(0, filled);
  };
  const { sizeBytes } = input;
  const holes = input.holeAhead && {
    zerosAhead: () => (rest.length > 0 ? 0 : (input.holeAhead?.() ?? 0)),
    skip: (count: number) => {
      input.skip?.(count);
      total += count;
    },
  };
  return { read, ...holes, free: release, readBytes: () => total, ...(sizeBytes !== undefined && { sizeBytes }) };
}
