/** The host that is Bun: its functions that compare, search and hash megabytes are native. */
import { readFileSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { preferLargePages } from "./c-library.ts";
import { isCompiled } from "./compiled.ts";
import type { Host } from "./host-interface.ts";
import { concatenate } from "./portable.ts";

const viewOf = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

/** What the container (the cgroup) of this process may use, or the machine. */
function memoryBytes(): number {
  const limitBytes = process.constrainedMemory();
  return limitBytes > 0 ? Math.min(limitBytes, totalmem()) : totalmem();
}

export const host: Host = {
  xxHash64: (bytes, seed) => Bun.hash.xxHash64(bytes, seed),
  sha256: () => {
    const hash = new Bun.CryptoHasher("sha256");
    return { update: (bytes) => void hash.update(bytes), digestHex: () => hash.copy().digest("hex") };
  },
  isEqual: (a, b) => Buffer.compare(a, b) === 0,
  concatenate,
  indexOf: (bytes, needle, from) => viewOf(bytes).indexOf(needle, from),
  lastIndexOf: (bytes, needle, from) => viewOf(bytes).lastIndexOf(needle, from),
  repeat: (pattern, lengthBytes) => Buffer.alloc(lengthBytes, pattern),
  collectGarbage: () => Bun.gc(true),
  nanoseconds: () => Bun.nanoseconds(),
  processorCount: availableParallelism,
  memoryBytes,
  preferLargePages: (memory) => void preferLargePages(new Uint8Array(memory.buffer)),
  sharesMemory: true,
  readAsset: (path) => new Uint8Array(readFileSync(path)),
  startWorker: (_name, path, data) => {
    // In the executable, import.meta.url of every module is that of the entry: <root>/fade, or that of the program's
    // thread, which starts all the others: <root>/cli/program.js.
    const url = new URL(isCompiled && isMainThread ? `./${path}` : `../${path}`, import.meta.url);
    return new Worker(url, { workerData: data });
  },
  beginWorker: (begin) =>
    begin({
      data: workerData,
      post: (message, transfer = []) => parentPort?.postMessage(message, transfer),
      onMessage: (handle) => void parentPort?.on("message", handle),
    }),
};
