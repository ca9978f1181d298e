/** The host that is Bun: its functions that compare, search and hash megabytes are native. */
import { readFileSync } from "node:fs";
import { isMainThread, Worker } from "node:worker_threads";
import { bunAndNode } from "./bun-and-node.ts";
import { emptyPages, preferLargePages } from "./c-library.ts";
import { isCompiled } from "./compiled.ts";
import type { Host } from "./host-interface.ts";
import { concatenate } from "./portable.ts";

/** Code that was dropped is compiled again: of many collections in a row, each would cost some ten milliseconds. */
const SHRINK_MS = 3000;
let shrunkAtMs = Number.NEGATIVE_INFINITY;

/**
 * In the program, what the collector has found goes back to the system, too, and code that was compiled for what is
 * seldom done now: together 2 MB at level 1 and 6 at level 5, of long inputs. A caller's code is not ours to drop.
 */
function collectGarbage(): void {
  const nowMs = performance.now();
  if (!isCompiled || nowMs - shrunkAtMs < SHRINK_MS) {
    Bun.gc(true);
    return;
  }
  shrunkAtMs = nowMs;
  Bun.shrink();
}

export const host: Host = {
  ...bunAndNode,
  xxHash64: (bytes, seed) => Bun.hash.xxHash64(bytes, seed),
  sha256: () => {
    const hash = new Bun.CryptoHasher("sha256");
    return { update: (bytes) => void hash.update(bytes), digestHex: () => hash.copy().digest("hex") };
  },
  concatenate,
  collectGarbage,
  nanoseconds: () => Bun.nanoseconds(),
  emptyPages,
  preferLargePages: (memory) => void preferLargePages(new Uint8Array(memory.buffer)),
  readAsset: (path) => new Uint8Array(readFileSync(path)),
  startWorker: (_name, path, data) => {
    // In the executable, import.meta.url of every module is that of the entry: <root>/fade, or that of the program's
    // thread, which starts all the others: <root>/cli/program.js.
    const url = new URL(isCompiled && isMainThread ? `./${path}` : `../${path}`, import.meta.url);
    return new Worker(url, { workerData: data });
  },
};
