/**
 * Makes the golden archives of this version in test/golden, from the plain files there; test/archive/golden.test.ts
 * decodes them ever after (test/golden/README.md). Run once per format version or model contract:
 *
 *     bun scripts/golden.ts
 *
 * What is there already is left alone, and the exit code is 1: an archive of a published version must never change. An
 * archive of a version that nobody has yet is removed by hand first.
 */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FORMAT_VERSION } from "../src/archive/format.ts";
import { createCpuEngine } from "../src/engine/cpu/engine.ts";
import { hyperForSize, type Level, levelOf, networkOf } from "../src/model/levels.ts";
import { type CompressOptions, sourceOf } from "../src/pipeline/frames.ts";
import { joined } from "../test/support/bytes.ts";
import { GOLDEN_FOLDER, GOLDEN_PLAIN } from "../test/support/golden-plain.ts";
import { archiveOf, readArchive } from "../test/support/in-memory.ts";

const engine = await createCpuEngine({ threads: 1 });

interface Making extends Partial<CompressOptions> {
  readonly level?: Level;
  readonly lanes?: number;
}

/** Without a block size: one block, whose length is known. */
function compress(bytes: Uint8Array, { level = levelOf(1), lanes, ...options }: Making = {}): Promise<Uint8Array> {
  const hyperFor = (blockBytes: number) => hyperForSize(level, blockBytes, lanes);
  const source = sourceOf(bytes, options.blockBytes === undefined);
  return archiveOf(source, { blockBytes: Math.max(1, bytes.length), hyperFor, ...options }, engine);
}

const withCounters = (bytes: number) => ({ ...hyperForSize(levelOf(9), bytes), mixerCounters: 8 });

/** How they are made; where nothing is said, with level 1 and by themselves. */
const MAKING: Readonly<Record<string, Making>> = {
  "level-5": { level: levelOf(5) },
  "level-9": { level: levelOf(9) },
  counters: { hyperFor: withCounters },
  lanes: { blockBytes: 1000, level: levelOf(2), lanes: 3 },
  network: { level: networkOf(1), lanes: 8 },
  cut: { repeats: { timeUnits: 0, minLength: 20 } },
  fills: { blockBytes: 70_000 },
  blocks: { blockBytes: 1000 },
  run: { blockBytes: 1000 },
  copies: { blockBytes: 2000, repeats: { timeUnits: 0, minLength: 20 } },
  mirrored: { blockBytes: 2000, repeats: { timeUnits: 0 } },
  pixels: { blockBytes: 120_000 },
  film: { blockBytes: 160_000, hyperFor: withCounters },
  colours: { blockBytes: 80_000 },
  panel: { blockBytes: 100_000, hyperFor: withCounters },
};

async function make(name: string, plain: Uint8Array): Promise<Uint8Array> {
  if (name !== "concatenated") return await compress(plain, MAKING[name]);
  const { stored, coded } = GOLDEN_PLAIN as { readonly stored: Uint8Array; readonly coded: Uint8Array };
  return joined(await compress(stored), await compress(new Uint8Array(0)), await compress(coded));
}

let exitCode = 0;
for (const [name, plain] of Object.entries(GOLDEN_PLAIN)) {
  if (name === "patch") continue; // old bytes and new ones: by hand
  const file = `v${FORMAT_VERSION}-${name}.fade`;
  const path = join(GOLDEN_FOLDER, file);
  if (existsSync(path)) {
    console.error(`${file} is there already: it stays as it is`);
    exitCode = 1;
    continue;
  }
  const archive = await make(name, plain);
  const kinds = (await readArchive(archive)).map(({ blocks }) => blocks.map(({ kind }) => kind).join(" "));
  writeFileSync(path, archive, { flag: "wx" });
  console.log(`${file}: ${archive.length} bytes, ${kinds.join(",")}`);
}
await engine.close();
process.exit(exitCode);
