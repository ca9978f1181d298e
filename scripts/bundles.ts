/**
 * What each direction needs by itself: `bun scripts/bundles.ts` bundles the encoder and the decoder apart, and prints
 * their modules and sizes. test/imports.test.ts holds that the decoder has nothing of the encoder.
 *
 * Engines serve both directions, and are chosen when the program runs, so they are not in these bundles.
 */
import { join } from "node:path";

const ROOT = join(import.meta.dir, "..");

/** Where each direction begins. */
export const DIRECTIONS = { encoder: "src/pipeline/frames.ts", decoder: "src/pipeline/restore.ts" } as const;

export interface Bundle {
  /** Sources in it, relative to the repository. */
  readonly modules: readonly string[];
  /** Minified. */
  readonly sizeBytes: number;
}

/** @throws Error with the bundler's words */
export async function bundle(direction: keyof typeof DIRECTIONS): Promise<Bundle> {
  const entrypoints = [join(ROOT, DIRECTIONS[direction])];
  const { outputs, metafile } = await Bun.build({
    entrypoints,
    target: "bun",
    minify: true,
    metafile: true,
    root: ROOT,
  });
  if (!metafile) throw new Error("the bundler tells no modules");
  const modules = Object.keys(metafile.inputs).map((path) => path.replace(/^.*?(?=src\/)/, ""));
  return { modules: modules.sort(), sizeBytes: outputs.reduce((sum, { size }) => sum + size, 0) };
}

if (import.meta.main) {
  for (const direction of Object.keys(DIRECTIONS) as (keyof typeof DIRECTIONS)[]) {
    const { modules, sizeBytes } = await bundle(direction);
    console.log(`${direction}: ${modules.length} modules, ${(sizeBytes / 1000).toFixed(1)} kB minified`);
    for (const module of modules) console.log(`  ${module}`);
  }
}
