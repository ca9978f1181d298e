/**
 * The npm package as others get it: packed, and unpacked in an empty project. The library in Node and Bun, its types
 * under --strict, the starter with a program of its own. scripts/packages-check.ts does it with the real program.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MAIN, makeMain, pack } from "../../scripts/packages.ts";
import * as fade from "../../src/index.ts";
// Offers drivers, by the environment.
import "../setup/adapters.ts";
import { trainingBytes } from "../support/text.ts";

const TEXT = trainingBytes(3000, 3);
const PATIENCE_MS = 90_000;
/** A software adapter compiles shaders on the processor that other tests use, too. */
const GPU_PATIENCE_MS = 240_000;
let project = "";

function run(command: string[], environment: Readonly<Record<string, string>> = {}) {
  const env = { ...process.env, ...environment };
  const { exitCode, signalCode, stdout, stderr } = Bun.spawnSync(command, { cwd: project, env });
  return { exitCode, signalCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), "fade-test-"));
  const made = join(project, "made");
  await makeMain(made);
  const archive = pack(made, project);
  const folder = join(project, "node_modules", MAIN);
  mkdirSync(folder, { recursive: true });
  expect(run(["tar", "xzf", archive, "--strip-components=1", "-C", folder]).exitCode).toBe(0);
  mkdirSync(join(project, "node_modules", ".bin"));
  symlinkSync(`../${MAIN}/bin/unfade.mjs`, join(project, "node_modules", ".bin", "unfade"));
  rmSync(made, { recursive: true });
  writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
  writeFileSync(join(project, "plain"), TEXT);
}, PATIENCE_MS);

afterAll(() => rmSync(project, { recursive: true, force: true }));

const PROGRAM = `
import { readFileSync, writeFileSync } from "node:fs";
import { compress, decompress, fadeCompress, fadeDecompress, list, TruncatedError } from "${MAIN}";

const all = new Uint8Array(readFileSync("plain"));
for (const options of [{ level: 1, threads: 2 }, {}, { level: 9 }, { preset: "network-1", threads: 2 }]) {
  const plain = all.subarray(0, options.preset ? 1500 : all.length);
  const archive = await compress(plain, options);
  if (Buffer.compare(await decompress(archive), plain) !== 0) throw new Error("other bytes came back");
  writeFileSync(\`\${options.preset ?? options.level ?? 5}.\${process.argv[2]}.fade\`, archive);
}
const plain = all;
const both = new Blob([plain]).stream().pipeThrough(fadeCompress()).pipeThrough(fadeDecompress());
if (Buffer.compare(new Uint8Array(await new Response(both).arrayBuffer()), plain) !== 0) throw new Error("streams");
const cut = (await compress(plain)).slice(0, -3);
const error = await decompress(cut).catch((thrown) => thrown);
console.log(error instanceof TruncatedError, (await list(await compress(plain))).plainBytes === plain.length);
`;

test.each([["node"], [process.execPath]])(
  "the library in %s: the archives of this program, both ways, and an end when all is done",
  async (runtime) => {
    writeFileSync(join(project, "program.mjs"), PROGRAM);
    const name = runtime === "node" ? "node" : "bun";
    expect(run([runtime, "program.mjs", name])).toMatchObject({ exitCode: 0, stdout: "true true\n", stderr: "" });
    for (const options of [{ level: 1 }, { level: 5 }, { level: 9 }, { preset: "network-1" }]) {
      const file = join(project, `${options.preset ?? options.level}.${name}.fade`);
      const plain = TEXT.subarray(0, options.preset ? 1500 : TEXT.length);
      const archive = new Uint8Array(await Bun.file(file).arrayBuffer());
      expect(Buffer.compare(archive, await fade.compress(plain, options))).toBe(0);
    }
  },
);

const ON_GPU = `
import { readFileSync } from "node:fs";
import { compress, decompress, EngineUnavailableError } from "${MAIN}";

const plain = new Uint8Array(readFileSync("plain")).subarray(0, 1500);
const options = { level: 1, builtInPrior: false };
const gpu = { engine: "gpu" };
if (process.argv[2] === "without") {
  const error = await compress(plain, { ...options, ...gpu }).catch((thrown) => thrown);
  console.log(error instanceof EngineUnavailableError, error.message);
} else {
  const archive = await compress(plain, options);
  const same = (a, b) => Buffer.compare(a, b) === 0;
  const made = await compress(plain, { ...options, ...gpu });
  console.log(same(made, archive), same(await decompress(archive, gpu), plain));
  // Threads are not torn away from a driver that works for them, which would end the program.
  const aborted = compress(plain, { preset: "network-1", ...gpu, signal: AbortSignal.timeout(50) });
  console.log(await aborted.catch((error) => error.name), same(await decompress(archive, gpu), plain));
}
`;

test.each([["node"], [process.execPath]])(
  "the library in %s on a GPU, where the project has the package webgpu",
  async (runtime) => {
    writeFileSync(join(project, "on-gpu.mjs"), ON_GPU);
    const webgpu = join(project, "node_modules", "webgpu");
    rmSync(webgpu, { force: true });
    const refused = run([runtime, "on-gpu.mjs", "without"]);
    expect(refused).toMatchObject({ exitCode: 0, stdout: "true WebGPU offers no GPU here\n" });
    symlinkSync(join(import.meta.dir, "..", "..", "node_modules", "webgpu"), webgpu);
    const worked = run([runtime, "on-gpu.mjs"]);
    expect(worked).toMatchObject({ exitCode: 0, stdout: "true true\nTimeoutError true\n" });
  },
  GPU_PATIENCE_MS,
);

const CONSUMER = `
import { compress, type CompressOptions, decompress, fadeDecompress, list, OptionError, type Progress } from "${MAIN}";

const onProgress = (at: Progress) => at.plainBytes;
const options: CompressOptions = { level: 3, signal: AbortSignal.timeout(5), onProgress };
export async function both(bytes: Uint8Array): Promise<number> {
  const archive: Uint8Array = await compress(bytes, options);
  const { frames } = await list(archive);
  const stream: ReadableStream<Uint8Array> = new Blob([]).stream().pipeThrough(fadeDecompress({ outputBytesMax: 5 }));
  await stream.cancel();
  return (await decompress(archive, { checks: true })).length + frames.length;
}
export const why = (error: unknown): string => (error instanceof OptionError ? error.option : "");
// @ts-expect-error levels are numbers
void compress(new Uint8Array(1), { level: "3" });
`;

test("its types under --strict, without anybody else's", () => {
  writeFileSync(join(project, "consumer.ts"), CONSUMER);
  const compiler = join(import.meta.dir, "..", "..", "node_modules", ".bin", "tsc");
  const options = ["--strict", "--noEmit", "--module", "nodenext", "--target", "es2022", "--types", ""];
  const told = run([compiler, ...options, "--lib", "es2022,dom,dom.iterable", "consumer.ts"]);
  expect(told).toMatchObject({ exitCode: 0, stdout: "" });
});

/** In place of a platform's package: says what it is called, and ends as it is told. */
const STAND_IN = `#!/bin/bash
case "$1" in
  exit) exit "$2" ;;
  die) kill -"$2" $$; sleep 5 ;;
  *) echo "$@" ;;
esac
`;

test("the starter: words, exit codes and signals go through; without a program it says what is missing", () => {
  const starter = join("node_modules", MAIN, "bin", "fade.mjs");
  expect(run(["node", starter, "-V"])).toMatchObject({
    exitCode: 4,
    stderr: expect.stringMatching(/^fade: the package fade-compressor-\S+ with the program .* is not installed\n/),
  });
  for (const name of [`${MAIN}-${process.platform}-${process.arch}`, `${MAIN}-linux-x64-musl`]) {
    const folder = join(project, "node_modules", name);
    mkdirSync(join(folder, "bin"), { recursive: true });
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name, version: "1.0.0" }));
    writeFileSync(join(folder, "bin", "fade"), STAND_IN);
    chmodSync(join(folder, "bin", "fade"), 0o755);
  }
  expect(run(["node", starter, "a b", "--c"])).toMatchObject({ exitCode: 0, stdout: "a b --c\n", stderr: "" });
  expect(run([join("node_modules", ".bin", "unfade"), "x"])).toMatchObject({ exitCode: 0, stdout: "x\n" });
  expect(run(["node", starter, "exit", "3"]).exitCode).toBe(3);
  expect(run(["node", starter, "die", "TERM"])).toMatchObject({ signalCode: "SIGTERM" });
});

test("nothing of the package is large, and nothing of the repository is in it", () => {
  const folder = join(project, "node_modules", MAIN);
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const bytes = files.reduce((sum, { parentPath, name }) => sum + Bun.file(join(parentPath, name)).size, 0);
  // Priors are 3.6 MB of it, once for Node and browsers.
  expect(bytes).toBeLessThan(5_000_000);
  expect(readdirSync(folder).sort()).toEqual(["LICENSE", "README.md", "bin", "dist", "package.json"]);
});
