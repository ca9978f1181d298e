/**
 * Small files beside other compressors: the first 1,000, 4,000, 20,000 and 100,000 bytes of files, by fade with and
 * without its built-in priors, brotli -q 11, xz -9e and zstd --ultra -22. Every archive is decoded again.
 *
 *     bun scripts/compare-small.ts [--level N] [--sizes N,N…] [--each] FILE…
 *
 * --each also prints a line for every file. Needs brotli, xz and zstd.
 */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { pullFrom } from "../src/archive/stream.ts";
import { createCpuEngine } from "../src/engine/cpu/engine.ts";
import { buildMixer } from "../src/engine/mixer/assembly/build.ts";
import { hyperForSize, levelOf } from "../src/model/levels.ts";
import { type CompressOptions, compressStream, sourceOf } from "../src/pipeline/frames.ts";
import { restore } from "../src/pipeline/restore.ts";
import { chooseBuiltIn } from "../src/prior/choose.ts";
import { MIXER_POLICY } from "../src/repeats/policy.ts";

const OTHERS = [
  ["brotli", "-q", "11", "-w", "24", "-c"],
  ["xz", "-9e", "-c"],
  ["zstd", "--ultra", "-22", "-q", "-c"],
];
const LIMITS = { workers: 2, memoryBytesMax: 2 ** 32 };

buildMixer();
const engine = await createCpuEngine({ threads: 2 });

async function fadeBytes(plain: Uint8Array, level: number, builtInBytesMax: number): Promise<number> {
  const parts: Uint8Array[] = [];
  const hyperFor = (bytes: number) => hyperForSize(levelOf(level), bytes);
  const options: CompressOptions = {
    ...LIMITS,
    blockBytes: 2 ** 26,
    hyperFor,
    repeats: MIXER_POLICY,
    builtInBytesMax,
  };
  await compressStream(
    sourceOf(plain),
    async (bytes) => void parts.push(bytes.slice()),
    async () => engine,
    options,
  );
  const archive = new Uint8Array(Buffer.concat(parts));
  const back: Uint8Array[] = [];
  await restore(
    pullFrom(archive),
    async (bytes) => void back.push(bytes.slice()),
    async () => engine,
    LIMITS,
  );
  if (!Buffer.concat(back).equals(plain)) throw new Error("an archive came back as something else");
  return archive.length;
}

function otherBytes(plain: Uint8Array, command: readonly string[]): number {
  return Bun.spawnSync([...command], { stdin: plain }).stdout.length;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    level: { type: "string", default: "5" },
    sizes: { type: "string", default: "1000,4000,20000,100000" },
    each: { type: "boolean", default: false },
  },
});
const level = Number(values.level);
const { builtInBytesMax } = levelOf(level);
console.log("bytes of each | without | fade | prior | brotli | xz | zstd | file");
for (const size of values.sizes.split(",").map(Number)) {
  const sums = [0, 0, 0, 0, 0];
  for (const path of positionals) {
    const plain = new Uint8Array(readFileSync(path)).subarray(0, size);
    const fade = [await fadeBytes(plain, level, 0), await fadeBytes(plain, level, builtInBytesMax)];
    const all = [...fade, ...OTHERS.map((command) => otherBytes(plain, command))];
    for (const [i, bytes] of all.entries()) sums[i] = (sums[i] as number) + bytes;
    const prior = fade[0] === fade[1] ? "-" : `${chooseBuiltIn(plain)}`;
    if (values.each) console.log([size, ...all.slice(0, 2), prior, ...all.slice(2), basename(path)].join(" | "));
  }
  console.log([size, ...sums.slice(0, 2), "", ...sums.slice(2), "all"].join(" | "));
}
