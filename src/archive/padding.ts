/** Zeros behind an archive: tapes and block devices fill up with them what a file leaves of their last block. */
import { host } from "../platform/host.ts";

const ZEROS = new Uint8Array(1 << 16);

/** How many zeros `bytes` begins with. */
export function zerosAtStart(bytes: Uint8Array): number {
  let done = 0;
  while (done < bytes.length) {
    const piece = bytes.subarray(done, done + ZEROS.length);
    if (!host.isEqual(piece, ZEROS.subarray(0, piece.length))) break;
    done += piece.length;
  }
  while (done < bytes.length && bytes[done] === 0) done += 1;
  return done;
}

/** How many zeros `bytes` ends with. */
export function zerosAtEnd(bytes: Uint8Array): number {
  let end = bytes.length;
  while (end > 0) {
    const piece = bytes.subarray(Math.max(0, end - ZEROS.length), end);
    if (!host.isEqual(piece, ZEROS.subarray(0, piece.length))) break;
    end -= piece.length;
  }
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  return bytes.length - end;
}
