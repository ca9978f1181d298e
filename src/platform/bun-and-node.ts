/** What Bun and Node do in the same way, by modules of Node. */
import { availableParallelism, totalmem } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import type { Host } from "./host-interface.ts";

type Shared = Pick<
  Host,
  | "isEqual"
  | "indexOf"
  | "lastIndexOf"
  | "repeat"
  | "processorCount"
  | "memoryBytes"
  | "sharesMemory"
  | "mayTearDrivers"
  | "beginWorker"
>;

const viewOf = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

/** What the container (the cgroup) of this process may use, or the machine. */
function memoryBytes(): number {
  const limitBytes = process.constrainedMemory?.() ?? 0;
  return limitBytes > 0 ? Math.min(limitBytes, totalmem()) : totalmem();
}

export const bunAndNode: Shared = {
  isEqual: (a, b) => Buffer.compare(a, b) === 0,
  indexOf: (bytes, needle, from) => viewOf(bytes).indexOf(needle, from),
  lastIndexOf: (bytes, needle, from) => viewOf(bytes).lastIndexOf(needle, from),
  repeat: (pattern, lengthBytes) => Buffer.alloc(lengthBytes, pattern),
  processorCount: availableParallelism,
  memoryBytes,
  sharesMemory: true,
  mayTearDrivers: false,
  beginWorker: (begin) =>
    begin({
      data: workerData,
      post: (message, transfer = []) => parentPort?.postMessage(message, transfer),
      onMessage: (handle) => void parentPort?.on("message", handle),
    }),
};
