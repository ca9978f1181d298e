/**
 * What each part of the bit mixer is worth: by how much archives grow without it.
 *
 *     bun scripts/mixer-ablation.ts FILE… [--level 5] [--bytes 60000] [--parts match,runs]
 *
 * The first --bytes of each file go through the pipeline, without built-in priors, once as they do and once more for
 * each part in a copy of the program whose source lacks it. A part is taken away by replacing some source text;
 * a text that is not there any more is an error, so no part is measured that was not taken away. Nothing is retuned for
 * the lack of a part. Prints a Markdown table in percent.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { headOf, optionsAndWords, ROOT, row, run } from "./shared.ts";

interface Part {
  readonly name: string;
  /** File below src, what stands there, and what stands in its place. */
  readonly changes: readonly (readonly [file: string, from: string, to: string])[];
}

const BITS = "engine/mixer/assembly/bits.ts";
const oneChange = (name: string, file: string, from: string, to: string): Part => ({
  name,
  changes: [[file, from, to]],
});
/** All choices of a weight set are one. */
const undivided = (name: string, set: number, number: string, first: number | string): Part =>
  oneChange(name, BITS, `chooseSet(${set}, ${number});`, `chooseSet(${set}, ${first});`);

export const PARTS: readonly Part[] = [
  oneChange(
    "runs",
    "engine/mixer/assembly/runs.ts",
    "    if (length > 0) going += 4;",
    "    if (length > 255) going += 4;",
  ),
  oneChange("match", BITS, "const takesPart = expected > 0 &&", "const takesPart = false && expected > 0 &&"),
  oneChange("order 0, or what is foreseen", BITS, "store<i16>(x, stretched(likelihood));", "store<i16>(x, 0);"),
  oneChange("code as contexts", "engine/mixer/assembly/code.ts", "return score >= SCORE_OF_BINARY;", "return false;"),
  undivided("sets: by node", 0, "bitNode", 0),
  undivided("by the byte before", 1, "256 + (isForeseen ? setChoice : b1) * 8 + k", 256),
  undivided("by match and known", 2, "2304 + (long * 8 + k) * 8 + known", 2304),
  undivided("by shape", 3, "2816 + (isForeseen ? setChoice3 * 8 + k : shape & (stride > 0 ? 255 : 4095))", 2816),
  undivided("by two bytes, or what is above", 4, "6912 + (isForeseen ? setChoice2 * 8 : fifth) + k", 6912),
  undivided("by what the match expects", 5, "8960 + (matchKind < 0 ? 0 : expected)", 8960),
  // Where there are counters: levels 6 to 9, above 64 KiB.
  oneChange(
    "counters",
    "engine/mixer/assembly/counters.ts",
    "cell == 0 ? 0 : load<i16>(STRETCH + ((cell >> 20) << 1))",
    "0 * <i16>cell",
  ),
  undivided("by the two bytes before", 6, "SEVENTH_SET + pairChoice", "SEVENTH_SET"),
  undivided("by the word's length", 7, "EIGHTH_SET + lengthChoice", "EIGHTH_SET"),
  {
    name: "second layer's choices",
    changes: [
      [BITS, "final = finals + ((long * 8 + k) * 8 + known) * finalBytes;", "final = finals;"],
      [BITS, "final2 = finals + (FINAL_FIRST + node) * finalBytes;", "final2 = finals + FINAL_FIRST * finalBytes;"],
    ],
  },
  oneChange(
    "refining map",
    BITS,
    "min(max((between + refined + 1) >> 1, PROBABILITY_MIN)",
    "min(max(between + 0 * refined, PROBABILITY_MIN)",
  ),
  oneChange("maps that adapt", BITS, "if (state == 0) continue;", "continue;"),
  oneChange(
    "strides",
    "pipeline/stride.ts",
    "  const { streams } = hyper;\n",
    "  const { streams } = hyper;\n  if (streams > 0) return 0;\n",
  ),
  oneChange("predictors", "pipeline/numbers.ts", "if (plain.length < BLOCK_BYTES_MIN) return [];", "return [];"),
  oneChange("repeats", "pipeline/frames.ts", "if (!policy) return undefined;", "return undefined;"),
];

/** Runs in a copy of the program: prints the bytes of each file's archive. */
const MEASURE = `
import { readFileSync } from "node:fs";
import { buildAssembly } from "./src/engine/cpu/assembly/build.ts";
await buildAssembly();
const { createCpuEngine } = await import("./src/engine/cpu/engine.ts");
const { hyperForSize, levelOf } = await import("./src/model/levels.ts");
const { compressStream, sourceOf } = await import("./src/pipeline/frames.ts");
const { MIXER_POLICY } = await import("./src/repeats/policy.ts");
const [level, bytes, ...paths] = process.argv.slice(2);
const engine = await createCpuEngine({ threads: 1 });
const hyperFor = (size) => hyperForSize(levelOf(Number(level)), size);
const limits = { workers: 1, memoryBytesMax: 2 ** 32, blockBytes: 2 ** 26 };
const options = { ...limits, hyperFor, repeats: MIXER_POLICY };
const sizes = [];
for (const path of paths) {
  let archiveBytes = 0;
  const sink = async (part) => void (archiveBytes += part.length);
  const plain = new Uint8Array(readFileSync(path)).subarray(0, Number(bytes));
  await compressStream(sourceOf(plain), sink, async () => engine, options);
  sizes.push(archiveBytes);
}
console.log(JSON.stringify(sizes));
process.exit();
`;

/** Takes a part away from a copy of src. @throws Error if its text is not there, or more than once */
export function takeAway({ name, changes }: Part, src: string): void {
  for (const [file, from, to] of changes) {
    const path = join(src, file);
    const text = readFileSync(path, "utf8");
    if (text.split(from).length !== 2) throw new Error(`${name}: ${file} does not have once: ${from}`);
    writeFileSync(
      path,
      text.replace(from, () => to),
    );
  }
}

/** The sizes of all archives without a part. @throws Error if its text is not there, or the copy fails */
function sizesWithout({ name, changes }: Part, level: string, bytes: string, paths: readonly string[]): number[] {
  const folder = mkdtempSync(join(tmpdir(), "fade-ablation-"));
  try {
    for (const part of ["src", "tools", "shaders", "package.json", "priors"]) {
      cpSync(join(ROOT, part), join(folder, part), { recursive: true, preserveTimestamps: true });
    }
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
    takeAway({ name, changes }, join(folder, "src"));
    writeFileSync(join(folder, "measure.js"), MEASURE);
    const cmd = [process.execPath, join(folder, "measure.js"), level, bytes, ...paths];
    return JSON.parse(run(cmd, { cwd: folder }).stdout.toString()) as number[];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function main(): void {
  const { values, positionals } = optionsAndWords({ level: "5", bytes: "60000" }, ["parts"]);
  const paths = positionals.map((path) => resolve(path));
  const wanted = values.parts?.split(",");
  const measure = (part: Part) => sizesWithout(part, values.level, values.bytes, paths);
  const total = (sizes: readonly number[]) => sizes.reduce((sum, size) => sum + size, 0);
  const all = measure({ name: "nothing", changes: [] });
  const percent = (size: number, of: number) => String(Math.round((1000 * (size - of)) / of) / 10).replace("-", "−");
  console.log(headOf(["without", "total", ...paths.map((path) => basename(path))]));
  console.log(row(["nothing, bytes", total(all), ...all]));
  for (const part of PARTS) {
    if (wanted && !wanted.includes(part.name)) continue;
    const sizes = measure(part);
    const cells = sizes.map((size, i) => percent(size, all[i] as number));
    console.log(row([part.name, percent(total(sizes), total(all)), ...cells]));
  }
}

if (import.meta.main) main();
