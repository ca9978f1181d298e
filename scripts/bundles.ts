/**
 * What each direction needs by itself: `bun scripts/bundles.ts` bundles the encoder and the decoder apart, and prints
 * their modules and sizes. test/imports.test.ts holds that the decoder has nothing of the encoder.
 *
 * Engines serve both directions, and are chosen when the program runs. A bundle may take one in, without the half of
 * its host coder that the direction never loads.
 */
import { join } from "node:path";

const ROOT = join(import.meta.dir, "..");

/** Where each direction begins, and what it never loads. */
const DIRECTIONS = {
  encoder: { entry: "src/pipeline/frames.ts", without: "*/host-decoder.ts" },
  decoder: { entry: "src/pipeline/restore.ts", without: "*/host-encoder.ts" },
} as const;
const ENGINE = "src/engine/cpu/engine.ts";

interface Bundle {
  /** Sources in it, relative to the repository. */
  readonly modules: readonly string[];
  /** Minified. */
  readonly sizeBytes: number;
}

/** @param wants the direction alone, or with the CPU engine @throws Error with the bundler's words */
export async function bundle(direction: keyof typeof DIRECTIONS, wants: "alone" | "engine"): Promise<Bundle> {
  const { entry, without } = DIRECTIONS[direction];
  const entrypoints = [entry, ...(wants === "engine" ? [ENGINE] : [])].map((path) => join(ROOT, path));
  const { outputs, metafile } = await Bun.build({
    entrypoints,
    external: [without],
    splitting: true,
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
    const alone = await bundle(direction, "alone");
    console.log(
      `${direction} alone: ${alone.modules.length} modules, ${(alone.sizeBytes / 1000).toFixed(1)} kB minified`,
    );
    const { modules, sizeBytes } = await bundle(direction, "engine");
    console.log(
      `${direction} with the CPU engine: ${modules.length} modules, ${(sizeBytes / 1000).toFixed(1)} kB minified`,
    );
    for (const module of modules) console.log(`  ${module}`);
  }
}
