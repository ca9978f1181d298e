/**
 * The host that is Node, or whatever has Node's modules, for the npm package's library: scripts/packages.ts bundles it
 * with the rest into one folder, in which files and workers lie side by side.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { parentPort, Worker, workerData } from "node:worker_threads";
import type { Host } from "./host-interface.ts";
import { portable } from "./portable.ts";

const viewOf = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

/** What the container (the cgroup) of this process may use, or the machine. */
function memoryBytes(): number {
  const limitBytes = process.constrainedMemory?.() ?? 0;
  return limitBytes > 0 ? Math.min(limitBytes, totalmem()) : totalmem();
}

/** Only where somebody started Node with --expose-gc; a library must not do that to others. */
const { gc } = globalThis as { gc?: () => void };

export const host: Host = {
  ...portable,
  sha256: () => {
    const hash = createHash("sha256");
    return { update: (bytes) => void hash.update(bytes), digestHex: () => hash.copy().digest("hex") };
  },
  isEqual: (a, b) => Buffer.compare(a, b) === 0,
  indexOf: (bytes, needle, from) => viewOf(bytes).indexOf(needle, from),
  lastIndexOf: (bytes, needle, from) => viewOf(bytes).lastIndexOf(needle, from),
  repeat: (pattern, lengthBytes) => Buffer.alloc(lengthBytes, pattern),
  collectGarbage: () => gc?.(),
  processorCount: availableParallelism,
  memoryBytes,
  preferLargePages: () => {},
  sharesMemory: true,
  mayTearDrivers: false,
  readAsset: (url) => new Uint8Array(readFileSync(new URL(url))),
  startWorker: (name, _path, data) => new Worker(new URL(`./${name}-worker.js`, import.meta.url), { workerData: data }),
  beginWorker: (begin) =>
    begin({
      data: workerData,
      post: (message, transfer = []) => parentPort?.postMessage(message, transfer),
      onMessage: (handle) => void parentPort?.on("message", handle),
    }),
};
