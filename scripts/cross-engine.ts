/**
 * The promise, tried out with the executable: every engine writes the same archive, and each decodes it.
 *
 *     bun scripts/cross-engine.ts [--bytes 65536] [--models 1,5,9,network-1] [--streams 64] [--engines A,B]
 *         [--only NAME,NAME] [--no-prior] [--prior FILE] [--patch-from FILE] FOLDER
 *
 * Takes every file of FOLDER but Markdown, by name, or those that --only names, cut to --bytes, and edge lengths of the
 * one whose name begins with "text" (repeated if it is shorter): bytes that look random would be stored, and no engine
 * asked. Each engine compresses all of them in one run, since a driver compiles shaders for seconds; SHA-256 is
 * compared; each decompresses the archives of the first, and the bytes are compared. Prints a line per input and model;
 * exits with 1 at the first difference. A level, or a narrow network (--models network-1 --streams 64), keeps the
 * reference's share to minutes; on software adapters a mixer takes about half a millisecond for a byte of a lane. Needs
 * bin/fade (npm run build), or another one with --fade. With --prior all begin behind that one, with --patch-from
 * behind an old file; without them, behind a built-in prior where one suits, as ever, or with --no-prior behind none.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { testAdapterName, testAdapters } from "../test/setup/adapters.ts";
import { FADE, optionsAndWords, run } from "./shared.ts";

const { values, positionals } = optionsAndWords({ bytes: 65536, models: "1", "no-prior": false, fade: FADE }, [
  "streams",
  "engines",
  "only",
  "prior",
  "patch-from",
]);

/** From here on levels 6 to 9 have counters; the text is repeated so far, and copies are cut out: few are coded. */
const COUNTED_BYTES = 65537;
const EDGES = [0, 1, 2, 7, 8, 9, 31, 32, 33, 63, 64, 65, 127, 128, 129, 1000, 4095, 4096, 4097, COUNTED_BYTES];

const ENGINES: Readonly<Record<string, readonly string[]>> = {
  reference: ["--engine", "reference"],
  cpu1: ["--engine", "cpu", "-T1"],
  cpu2: ["--engine", "cpu", "-T2"],
  cpu3: ["--engine", "cpu", "-T3"],
  ...Object.fromEntries(testAdapters.map((which) => [which, ["--adapter", testAdapterName(which)]])),
};

interface Input {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What inputs begin behind, both ways. */
const BEHIND = [
  ...(values.prior === undefined ? [] : ["-D", resolve(values.prior)]),
  ...(values["patch-from"] === undefined ? [] : [`--patch-from=${resolve(values["patch-from"])}`]),
];
const SUFFIX = ".fade";

/** All inputs through one run of the program, in a folder of their own; what came out, in their order. */
function fade(options: readonly string[], inputs: readonly Input[], outputOf: (name: string) => string): Buffer[] {
  const folder = mkdtempSync(join(work, "run-"));
  for (const { name, bytes } of inputs) writeFileSync(join(folder, name), bytes);
  const names = inputs.map(({ name }) => name);
  // Forced, since some inputs are archives themselves.
  run([values.fade, ...options, ...BEHIND, "-q", "-k", "-f", "--", ...names], { cwd: folder });
  const outputs = names.map((name) => readFileSync(join(folder, outputOf(name))));
  rmSync(folder, { recursive: true });
  return outputs;
}

const sha = (bytes: Uint8Array) => new Bun.CryptoHasher("sha256").update(bytes).digest("hex");

/** All inputs with one model through all engines both ways. @throws Error at the first difference */
function cross(model: string, inputs: readonly Input[]): void {
  const modelOptions = [
    /^\d$/.test(model) ? `-${model}` : `--preset=${model}`,
    ...(values.streams === undefined ? [] : ["--streams", values.streams]),
    ...(values["no-prior"] ? ["--no-prior"] : []),
  ];
  let archives: Buffer[] | undefined;
  for (const [engine, options] of chosen) {
    const startedAtMs = performance.now();
    const made = fade([...options, ...modelOptions], inputs, (name) => name + SUFFIX);
    archives ??= made;
    for (const [i, archive] of archives.entries()) {
      if (sha(made[i] as Buffer) === sha(archive)) continue;
      throw new Error(`${inputs[i]?.name}, ${model}: the archive of ${engine} differs from that of ${first}`);
    }
    console.log(`${model}: ${engine} compresses, ${seconds(startedAtMs)} s`);
  }
  const archived = inputs.map(({ name }, i) => ({ name: name + SUFFIX, bytes: archives?.[i] as Buffer }));
  for (const [engine, options] of chosen) {
    const startedAtMs = performance.now();
    const back = fade([...options, "-d"], archived, (name) => name.slice(0, -SUFFIX.length));
    for (const [i, { name, bytes }] of inputs.entries()) {
      if (!back[i]?.equals(bytes)) throw new Error(`${name}, ${model}: ${engine} decodes other bytes`);
    }
    console.log(`${model}: ${engine} restores, ${seconds(startedAtMs)} s`);
  }
  for (const [i, { name, bytes }] of inputs.entries()) {
    const archive = archives?.[i] as Buffer;
    const size = `${bytes.length} => ${archive.length}`;
    console.log(`${name}, ${model}: ${size}, sha256 ${sha(archive).slice(0, 16)}, ${chosen.length} engines`);
  }
}

const seconds = (startedAtMs: number) => ((performance.now() - startedAtMs) / 1000).toFixed(0);

const wanted = values.engines?.split(",") ?? Object.keys(ENGINES);
const chosen = wanted.map((name) => {
  const options = ENGINES[name];
  if (options === undefined) throw new Error(`there is no engine ${name}; there is ${Object.keys(ENGINES).join(", ")}`);
  return [name, options] as const;
});
const first = chosen[0]?.[0];
const corpus = positionals[0];
if (corpus === undefined) throw new Error("name a folder of files");
const all = readdirSync(corpus, { withFileTypes: true })
  .filter((entry) => entry.isFile() && !entry.name.endsWith(".md"))
  .map(({ name }) => name)
  .sort();
const textName = all.find((name) => name.startsWith("text"));
if (textName === undefined) throw new Error(`there is no file in ${corpus} whose name begins with "text"`);
const only = values.only?.split(",");
const names = all.filter((name) => !only || only.includes(name));
const work = mkdtempSync(join(tmpdir(), "fade-cross-"));
try {
  console.log(`engines: ${wanted.join(", ")}`);
  const text = readFileSync(join(corpus, textName));
  if (text.length === 0) throw new Error(`${textName} is empty`);
  const edges = Buffer.alloc(Math.max(...EDGES), text);
  const inputs: Input[] = [
    ...(only ? [] : EDGES.map((length) => ({ name: `length-${length}`, bytes: edges.subarray(0, length) }))),
    ...names.map((name) => ({ name, bytes: readFileSync(join(corpus, name)).subarray(0, values.bytes) })),
  ];
  for (const model of values.models.split(",")) cross(model, inputs);
  console.log("all equal");
} finally {
  rmSync(work, { recursive: true });
}
