/** Zeros behind an archive: tapes and block devices fill up with them what a file leaves of their last block. */

const ZEROS = Buffer.alloc(1 << 16);

/** How many zeros `bytes` begins with. */
export function zerosAtStart(bytes: Uint8Array): number {
  let done = 0;
  while (done < bytes.length) {
    const piece = bytes.subarray(done, done + ZEROS.length);
    if (Buffer.compare(piece, ZEROS.subarray(0, piece.length)) !== 0) break;
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
    if (Buffer.compare(piece, ZEROS.subarray(0, piece.length)) !== 0) break;
    end -= piece.length;
  }
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  return bytes.length - end;
}
