/**
 * The two checksums of an archive, both xxHash64 (docs/FORMAT.md names the algorithm for other implementers): the
 * chained 64-bit check of plain bytes, and the 32-bit check that guards the bytes of headers and blocks.
 */
import { host } from "../platform/host.ts";

/** The check of an empty input, and the seed of the first block. */
export const CHECK_START = 0n;

/**
 * The check of a block's plain bytes. Seeding with the check of the block before makes the last block's check one of
 * the whole frame, and notices blocks that change places; for a frame of one block it is the usual xxHash64.
 */
export function chainCheck(plain: Uint8Array, checkBefore: bigint): bigint {
  return host.xxHash64(plain, checkBefore);
}

/** The check of a run of blocks: that of its last piece. @param pieceBytes the frame's block size */
export function chainRun(plain: Uint8Array, checkBefore: bigint, pieceBytes: number): bigint {
  const step = Math.max(1, pieceBytes);
  let check = checkBefore;
  for (let at = 0; at < plain.length; at += step) check = chainCheck(plain.subarray(at, at + step), check);
  return check;
}

/** The low 32 bits of xxHash64 with seed 0. */
export function guardOf(bytes: Uint8Array): number {
  return Number(lowCheck(host.xxHash64(bytes, 0n)));
}

export const guardText = (guard: number) => guard.toString(16).padStart(8, "0");

/** The low 32 bits of a check, all that a small frame has. */
export function lowCheck(check: bigint): bigint {
  return check & 0xffff_ffffn;
}

/** The form in which messages and lists show a check: 16 hexadecimal digits, or 8 for the check of a small frame. */
export function checkText(check: bigint, isSmall = false): string {
  return check.toString(16).padStart(isSmall ? 8 : 16, "0");
}
