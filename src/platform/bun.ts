/** The host that is Bun: its functions that compare, search and hash megabytes are native. */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import type { Host } from "./host-interface.ts";

const viewOf = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

export const bunHost: Host = {
  xxHash64: (bytes, seed) => Bun.hash.xxHash64(bytes, seed),
  sha256: () => {
    const hash = new Bun.CryptoHasher("sha256");
    return { update: (bytes) => void hash.update(bytes), digestHex: () => hash.copy().digest("hex") };
  },
  isEqual: (a, b) => Buffer.compare(a, b) === 0,
  concatenate: (parts) => new Uint8Array(Buffer.concat(parts)),
  indexOf: (bytes, needle, from) => viewOf(bytes).indexOf(needle, from),
  lastIndexOf: (bytes, needle, from) => viewOf(bytes).lastIndexOf(needle, from),
  repeat: (pattern, lengthBytes) => Buffer.alloc(lengthBytes, pattern),
  collectGarbage: () => Bun.gc(true),
  nanoseconds: () => Bun.nanoseconds(),
  processorCount: availableParallelism,
  readAsset: (path) => new Uint8Array(readFileSync(path)),
  workerEnd: () => ({
    data: workerData,
    post: (message) => parentPort?.postMessage(message),
    onMessage: (handle) => void parentPort?.on("message", handle),
  }),
};
