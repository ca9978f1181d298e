/**
 * `npm ci` shall warn of nothing on the Node that CONTRIBUTING.md names: `bun scripts/lock.ts`, after any change of the
 * dependencies, takes out of package-lock.json what packages say of Node that no Node runs here. npm keeps it so.
 *
 * What `engines` says is about a package's own code. Of @sparticuz/chromium the tests unpack the browser, and run none
 * of its code; naga-wasm is loaded by Bun. Their warnings would be false alarms, on which nobody could act.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The oldest Node that installs and builds fade, as CONTRIBUTING.md and the README say. */
export const NODE_VERSION_MIN = "20.19.0";
const NOT_RUN_BY_NODE: readonly string[] = ["@sparticuz/chromium", "naga-wasm"];
const LOCK = join(import.meta.dir, "..", "package-lock.json");

interface Lock {
  readonly packages: Record<string, { engines?: Readonly<Record<string, string>> }>;
}

const readLock = (): Lock => JSON.parse(readFileSync(LOCK, "utf8"));

/** Packages of the lock that npm would warn of on some Node, with what they want. */
export function refusing(nodeVersion: string, { packages }: Lock = readLock()): string[] {
  return Object.entries(packages).flatMap(([path, { engines }]) => {
    const wanted = engines?.node;
    return wanted === undefined || Bun.semver.satisfies(nodeVersion, wanted) ? [] : [`${path}: Node ${wanted}`];
  });
}

if (import.meta.main) {
  const lock = readLock();
  for (const name of NOT_RUN_BY_NODE) delete lock.packages[`node_modules/${name}`]?.engines;
  writeFileSync(LOCK, `${JSON.stringify(lock, null, 2)}\n`);
  for (const line of refusing(NODE_VERSION_MIN, lock)) console.error(`npm would warn of ${line}`);
}
