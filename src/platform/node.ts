/**
 * The host that is Node, or whatever has Node's modules, for the npm package's library: scripts/packages.ts bundles it
 * with the rest into one folder, in which files and workers lie side by side.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { bunAndNode } from "./bun-and-node.ts";
import type { Host } from "./host-interface.ts";
import { portable } from "./portable.ts";

/** Only where somebody started Node with --expose-gc; a library must not do that to others. */
const { gc } = globalThis as { gc?: () => void };

export const host: Host = {
  ...portable,
  ...bunAndNode,
  sha256: () => {
    const hash = createHash("sha256");
    return { update: (bytes) => void hash.update(bytes), digestHex: () => hash.copy().digest("hex") };
  },
  collectGarbage: () => gc?.(),
  preferLargePages: () => {},
  emptyPages: () => false,
  readAsset: (url) => new Uint8Array(readFileSync(new URL(url))),
  startWorker: (name, _path, data) => new Worker(new URL(`./${name}-worker.js`, import.meta.url), { workerData: data }),
};
