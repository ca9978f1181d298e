/** Rows of an image that nobody painted, for tests of strides: only the row above says what comes, about. */
import { Random } from "./gpu-values.ts";

/** @param rowBytes the stride @param count of rows */
export function rowsOf(rowBytes: number, count: number): Uint8Array {
  const random = new Random(rowBytes);
  const bytes = new Uint8Array(rowBytes * count);
  for (let at = 0; at < bytes.length; at += 1) {
    const above = at < rowBytes ? random.next() >>> 27 : (bytes[at - rowBytes] as number);
    bytes[at] = (above + random.between(-1, 1)) & 31;
  }
  return bytes;
}
