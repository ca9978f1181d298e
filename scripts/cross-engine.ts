/**
 * The promise, tried out with the executable: every engine writes the same archive, and each decodes it.
 *
 *     bun scripts/cross-engine.ts [--bytes 65536] [--model 1|network-1] [--streams 64] [--engines A,B] FOLDER
 *
 * Takes every file of FOLDER but Markdown, by name, cut to --bytes, and edge lengths of the one whose name begins with
 * "text" (repeated if it is shorter): bytes that look random would be stored, and no engine asked. Compresses with each
 * engine, compares SHA-256, decompresses with each engine, compares the bytes. Prints a line per input; exits with 1 at
 * the first difference. A level, or a narrow network (--model network-1 --streams 64), keeps the reference's share to
 * minutes. Needs bin/fade (npm run build), or
 * another one with --fade.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { testAdapterName, testAdapters } from "../test/setup/adapters.ts";

const { values, positionals } = parseArgs({
  options: {
    bytes: { type: "string", default: "65536" },
    model: { type: "string", default: "1" },
    streams: { type: "string" },
    engines: { type: "string" },
    fade: { type: "string", default: join(import.meta.dir, "..", "bin", "fade") },
  },
  allowPositionals: true,
});

const EDGES = [0, 1, 2, 7, 8, 9, 31, 32, 33, 63, 64, 65, 127, 128, 129, 1000, 4095, 4096, 4097];

const ENGINES: Readonly<Record<string, readonly string[]>> = {
  reference: ["--engine", "reference"],
  cpu1: ["--engine", "cpu", "-T1"],
  cpu2: ["--engine", "cpu", "-T2"],
  cpu3: ["--engine", "cpu", "-T3"],
  ...Object.fromEntries(testAdapters.map((which) => [which, ["--adapter", testAdapterName(which)]])),
};

function fade(options: readonly string[], input: Uint8Array): Buffer {
  const path = join(folder, "input");
  writeFileSync(path, input);
  const { stdout, stderr, exitCode } = Bun.spawnSync([values.fade, ...options, "-q", "-c", path], { env: process.env });
  if (exitCode !== 0) throw new Error(`fade ${options.join(" ")}: exit code ${exitCode}: ${stderr.toString()}`);
  return stdout;
}

const sha = (bytes: Uint8Array) => new Bun.CryptoHasher("sha256").update(bytes).digest("hex");

/** One input through all engines both ways. @throws Error at the first difference */
function cross(name: string, plain: Uint8Array): void {
  const started = performance.now();
  let archive: Buffer | undefined;
  for (const [engine, options] of chosen) {
    const made = fade([...options, ...model], plain);
    archive ??= made;
    if (sha(made) !== sha(archive)) throw new Error(`${name}: the archive of ${engine} differs from that of ${first}`);
  }
  for (const [engine, options] of chosen) {
    const back = fade([...options, "-d"], archive ?? new Uint8Array(0));
    if (!back.equals(plain)) throw new Error(`${name}: ${engine} decodes other bytes`);
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  const size = `${plain.length} => ${archive?.length ?? 0}`;
  console.log(`${name}: ${size}, sha256 ${sha(archive ?? plain).slice(0, 16)}, ${chosen.length} engines, ${seconds} s`);
}

const model = [
  /^\d$/.test(values.model) ? `-${values.model}` : `--preset=${values.model}`,
  ...(values.streams === undefined ? [] : ["--streams", values.streams]),
];
const wanted = values.engines?.split(",") ?? Object.keys(ENGINES);
const chosen = wanted.map((name) => {
  const options = ENGINES[name];
  if (options === undefined) throw new Error(`there is no engine ${name}; there is ${Object.keys(ENGINES).join(", ")}`);
  return [name, options] as const;
});
const first = chosen[0]?.[0];
const corpus = positionals[0];
if (corpus === undefined) throw new Error("name a folder of files");
const names = readdirSync(corpus, { withFileTypes: true })
  .filter((entry) => entry.isFile() && !entry.name.endsWith(".md"))
  .map(({ name }) => name)
  .sort();
const textName = names.find((name) => name.startsWith("text"));
if (textName === undefined) throw new Error(`there is no file in ${corpus} whose name begins with "text"`);
const folder = mkdtempSync(join(tmpdir(), "fade-cross-"));
try {
  console.log(`engines: ${wanted.join(", ")}`);
  const text = readFileSync(join(corpus, textName));
  if (text.length === 0) throw new Error(`${textName} is empty`);
  const edges = Buffer.alloc(Math.max(...EDGES), text);
  for (const length of EDGES) cross(`${textName}, length ${length}`, edges.subarray(0, length));
  for (const name of names) cross(name, readFileSync(join(corpus, name)).subarray(0, Number(values.bytes)));
  console.log("all equal");
} finally {
  rmSync(folder, { recursive: true });
}
