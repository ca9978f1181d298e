/** Holes: blocks of zeros that a file system stores as nothing, and that read as zeros. */
import type * as fs from "node:fs/promises";

/** The block of most file systems; smaller holes save nothing. */
const HOLE_BYTES = 4096;
const zeros = new Uint8Array(HOLE_BYTES);

/** Writes `bytes` at `position`, skipping aligned blocks of zeros. The caller sets the file's length at the end. */
export async function writeSparse(file: fs.FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let from = 0;
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + HOLE_BYTES - ((position + at) % HOLE_BYTES));
    if (isZero(bytes.subarray(at, end))) {
      await writeAll(file, bytes.subarray(from, at), position + from);
      from = end;
    }
    at = end;
  }
  await writeAll(file, bytes.subarray(from), position + from);
}

function isZero(bytes: Uint8Array): boolean {
  return Buffer.compare(bytes, zeros.subarray(0, bytes.length)) === 0;
}

/** Writes all of `bytes` at `position`. */
export async function writeAll(file: fs.FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
