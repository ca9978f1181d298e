/**
 * Tells bytes that no model can shrink: what is compressed or encrypted already. Such blocks are stored without asking
 * the model, which saves the time, keeps them out of what it has learned, and lets a decoder skip them too. It must
 * never give up a block that could shrink, so it asks two witnesses: the byte counts, and a fast dictionary coder.
 */
import { byteCounts } from "../repeats/byte-statistics.ts";

/** Blocks below this have too few bytes to judge by their counts. */
const JUDGED_BYTES_MIN = 1 << 12;
/** Entropy in bits a byte from which counts look like chance; random blocks of 4 KiB reach 7.95, of 64 KiB 7.997. */
const ENTROPY_MIN = 7.9;
/** Random bytes fall short of 8 bits by 255 / (2 n ln 2) on average; this much more is still chance. */
const ENTROPY_SLACK = 0.004;
/** zstd stores what it cannot shrink, at a cost of a few bytes. */
const ZSTD_LEVEL = 1;
/** What zstd looks at a time: a copy of a whole block would be garbage of that size for every block. */
const PORTION_BYTES = 1 << 20;
/** A saving of less than one byte in this many is no saving. */
const SAVING_SHARE = 512;

/** Whether storing `plain` loses nothing. */
export function looksIncompressible(plain: Uint8Array): boolean {
  if (plain.length < JUDGED_BYTES_MIN) return false;
  const bias = 255 / (2 * plain.length * Math.LN2);
  if (entropyOf(plain) < Math.max(ENTROPY_MIN, 8 - bias - Math.max(ENTROPY_SLACK, bias / 4))) return false;
  const enoughBytes = plain.length - plain.length / SAVING_SHARE;
  let packedBytes = 0;
  for (let at = 0; at < plain.length; at += PORTION_BYTES) {
    const portion = plain.subarray(at, at + PORTION_BYTES);
    packedBytes += Bun.zstdCompressSync(portion, { level: ZSTD_LEVEL }).length;
    if (packedBytes + plain.length - at - portion.length <= enoughBytes) return false;
  }
  return packedBytes > enoughBytes;
}

/** Bits a byte by the counts of the bytes alone. */
function entropyOf(bytes: Uint8Array): number {
  let bits = 0;
  for (const count of byteCounts(bytes)) if (count > 0) bits -= count * Math.log2(count / bytes.length);
  return bits / Math.max(1, bytes.length);
}
