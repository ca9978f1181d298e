/** Hashes that pin numbers which must never change by accident. */
import { createHash } from "node:crypto";

/** The first 16 hexadecimal digits of the SHA-256 of the arrays' bytes, one after the other. */
export function hashOf(...arrays: readonly ArrayBufferView[]): string {
  const hash = createHash("sha256");
  for (const { buffer, byteOffset, byteLength } of arrays) hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  return hash.digest("hex").slice(0, 16);
}
