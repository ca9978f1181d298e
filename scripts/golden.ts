/**
 * Makes the golden archives of this version in test/golden, from the plain files there; test/archive/golden.test.ts
 * decodes them ever after (test/golden/README.md). Run once per format version or model contract:
 *
 *     bun scripts/golden.ts
 *
 * What is there already is left alone, and the exit code is 1: an archive of a published version must never change. An
 * archive of a version that nobody has yet is removed by hand first.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FORMAT_VERSION } from "../src/archive/format.ts";
import { readArchive } from "../src/archive/whole.ts";
import { createCpuEngine } from "../src/engine/cpu/engine.ts";
import { hyperForSize, type Level, levelOf, networkOf } from "../src/model/levels.ts";
import { type CompressOptions, compressStream, sourceOf } from "../src/pipeline/frames.ts";
import {
  genomeOf,
  withFills,
  withFilm,
  withHeader,
  withPixels,
  withRepeats,
  withSound,
  withSounds,
  withTable,
} from "../test/support/golden-plain.ts";
import { rowsOf } from "../test/support/rows.ts";

const DIRECTORY = join(import.meta.dir, "..", "test", "golden");

const plain = (name: string) => new Uint8Array(readFileSync(join(DIRECTORY, name)));
const [text, mixed, chance] = [plain("text.bin"), plain("mixed.bin"), plain("chance.bin")];
const hello = new TextEncoder().encode("hello");
const again = withRepeats(mixed, text);

const engine = await createCpuEngine({ threads: 1 });

/** @param options without a block size: one block, whose length is known */
async function compress(
  bytes: Uint8Array,
  options: Partial<CompressOptions> = {},
  level: Level = levelOf(1),
  lanes?: number,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const hyperFor = (blockBytes: number) => hyperForSize(level, blockBytes, lanes);
  const common = { workers: 1, memoryBytesMax: 2 ** 30, blockBytes: Math.max(1, bytes.length), hyperFor };
  const source = sourceOf(bytes, options.blockBytes === undefined);
  await compressStream(
    source,
    async (part) => void parts.push(part),
    async () => engine,
    { ...common, ...options },
  );
  return new Uint8Array(Buffer.concat(parts));
}

const MADE: Readonly<Record<string, () => Promise<Uint8Array>>> = {
  stored: () => compress(hello),
  pattern: () => compress(new Uint8Array(Buffer.alloc(1000, "ab"))),
  "level-5": () => compress(text, {}, levelOf(5)),
  "level-9": () => compress(text, {}, levelOf(9)),
  counters: () => compress(text, { hyperFor: (bytes) => ({ ...hyperForSize(levelOf(9), bytes), mixerCounters: 8 }) }),
  lanes: () => compress(mixed, { blockBytes: 1000 }, levelOf(2), 3),
  network: () => compress(text, {}, networkOf(1), 8),
  cut: () => compress(again, { repeats: { timeUnits: 0, minLength: 20 } }),
  fills: () => compress(withFills(text, mixed), { blockBytes: 70_000 }),
  coded: () => compress(text),
  blocks: () => compress(mixed, { blockBytes: 1000 }),
  run: () => compress(chance, { blockBytes: 1000 }),
  copies: () => compress(again, { blockBytes: 2000, repeats: { timeUnits: 0, minLength: 20 } }),
  mirrored: () => compress(genomeOf(text), { blockBytes: 2000, repeats: { timeUnits: 0 } }),
  stride: () => compress(rowsOf(200, 90)),
  sound: () => compress(withSound(text)),
  pixels: () => compress(withPixels(text), { blockBytes: 120_000 }),
  film: () =>
    compress(withFilm(text), {
      blockBytes: 160_000,
      hyperFor: (bytes) => ({ ...hyperForSize(levelOf(9), bytes), mixerCounters: 8 }),
    }),
  panel: () =>
    compress(withSounds(text), {
      blockBytes: 100_000,
      hyperFor: (bytes) => ({ ...hyperForSize(levelOf(9), bytes), mixerCounters: 8 }),
    }),
  table: () => compress(withTable(text)),
  damped: () => compress(withHeader(text)),
  concatenated: async () =>
    Buffer.concat([await compress(hello), await compress(new Uint8Array(0)), await compress(text)]),
};

let exitCode = 0;
for (const [name, make] of Object.entries(MADE)) {
  const file = `v${FORMAT_VERSION}-${name}.fade`;
  const path = join(DIRECTORY, file);
  if (existsSync(path)) {
    console.error(`${file} is there already: it stays as it is`);
    exitCode = 1;
    continue;
  }
  const archive = await make();
  const kinds = readArchive(archive).map(({ blocks }) => blocks.map(({ kind }) => kind).join(" "));
  writeFileSync(path, archive, { flag: "wx" });
  console.log(`${file}: ${archive.length} bytes, ${kinds.join(",")}`);
}
await engine.close();
process.exit(exitCode);
