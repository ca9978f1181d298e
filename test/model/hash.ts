/** Hashes that pin numbers which must never change by accident. */
import { createHash } from "node:crypto";
import type { Layout } from "../../src/contract/tensors.ts";

/** The first 16 hexadecimal digits of the SHA-256 of the arrays' bytes, one after the other. */
export function hashOf(...arrays: readonly ArrayBufferView[]): string {
  const hash = createHash("sha256");
  for (const { buffer, byteOffset, byteLength } of arrays) hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  return hash.digest("hex").slice(0, 16);
}

/**
 * All weights in the order in which they were pinned, the streams' biases behind the embedding: where tensors lie in
 * memory is no part of the contract, and has changed since.
 */
export function inPinnedOrder({ byName }: Layout, weights: Int32Array): Int32Array {
  const { embedding, memoryBias } = byName;
  const end = embedding.offset + embedding.size;
  const biases = weights.subarray(memoryBias.offset, memoryBias.offset + memoryBias.size);
  const out = new Int32Array(weights.length);
  out.set(weights.subarray(0, end));
  out.set(biases, end);
  out.set(weights.subarray(end, memoryBias.offset), end + biases.length);
  return out;
}
