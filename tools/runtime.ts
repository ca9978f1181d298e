/**
 * The runtime that goes into the executable: a copy of Bun that does not obey Bun's environment variables.
 *
 * They act before the program's first line: BUN_BE_BUN=1 turns fade into bun, BUN_OPTIONS=--preload=x.js runs x.js,
 * and BUN_INSPECT=ws://…?wait=1, which an editor's terminal leaves behind, makes even `fade -V` wait for a debugger.
 * Bun has no option of the build against that. So in the copy all names that begin with BUN_ begin with $UN_ instead:
 * no shell can set such a variable, and in the JavaScript inside the runtime it is a name like any other. The same for
 * NODE_CHANNEL_…, by which a parent process offers a pipe for messages, and for single names that end the program or
 * make it slow or loud. BUN_JSC_…, the options of the JavaScript engine, are compared letter by letter in machine code,
 * and the names of the memory allocator's (MIMALLOC_…) are made of a constant there: both are changed in the code.
 *
 * Each kind of change must be found as often as in the version that package.json pins: with another, the build fails
 * here, and somebody looks. test/security/environment.test.ts tries the variables on the result.
 */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

/** Baseline runs on processors without AVX2; musl is for Linux without glibc, and on any processor, too. */
export const TARGETS = [
  "linux-x64",
  "linux-x64-baseline",
  "linux-x64-musl",
  "linux-arm64",
  "windows-x64",
  "darwin-x64",
  "darwin-arm64",
] as const;
export type Target = (typeof TARGETS)[number];

const CACHE = join(import.meta.dir, "..", "node_modules", ".cache", "fade", "runtimes");
const VERSION = Bun.version;

/** npm's packages with one runtime each. */
const PACKAGES: Readonly<Record<Target, string>> = {
  "linux-x64": "@oven/bun-linux-x64",
  "linux-x64-baseline": "@oven/bun-linux-x64-baseline",
  "linux-x64-musl": "@oven/bun-linux-x64-musl-baseline",
  "linux-arm64": "@oven/bun-linux-aarch64",
  "windows-x64": "@oven/bun-windows-x64",
  "darwin-x64": "@oven/bun-darwin-x64",
  "darwin-arm64": "@oven/bun-darwin-aarch64",
};

/**
 * What compares the bytes 4, 5 and 6 of a text with J, S and C. On x86-64: 80 /7 compares a byte of memory (41 before
 * it names other registers), 75 jumps. On arm64: ldrb w, [x, #4]; cmp w, #'J'; b.ne, and so on, four bytes each; there
 * the letter is in two bytes of the instruction, and becomes a line break. Bytes as Latin-1 text, not as literals,
 * because they are full of control characters.
 */
const bytesLike = (...parts: readonly string[]) => new RegExp(parts.join(""), "g");
const LETTER_BY_LETTER: Readonly<Record<"x64" | "arm64", RegExp>> = {
  x64: bytesLike("(\\x80[x-\\x7f]\\x04)J(?=u[^]A?\\x80[x-\\x7f]\\x05Su[^]A?\\x80[x-\\x7f]\\x06Cu)"),
  arm64: bytesLike(
    "([^][\\x10-\\x13]@9[^][\\x28-\\x2b])\\x01(?=q[^]{3}T",
    "[^][\\x14-\\x17]@9[^][\\x4c-\\x4f]\\x01q[^]{3}T[^][\\x18-\\x1b]@9[^][\\x0c-\\x0f]\\x01q)",
  ),
};
/** "mimalloc", as a constant of an instruction or, on arm64, in a table of constants: what follows it is no text. */
const ALLOCATOR: Readonly<Record<"x64" | "arm64", RegExp>> = {
  x64: bytesLike("([HI][\\xb8-\\xbf])m(?=imalloc)"),
  arm64: bytesLike("()m(?=imalloc[\\x01-\\x1f])"),
};
const X64: readonly Target[] = TARGETS.filter((target) => target.includes("x64"));
const ARM64: readonly Target[] = TARGETS.filter((target) => target.includes("arm64"));
/** Windows has no signals. */
const SIGNALS: readonly Target[] = TARGETS.filter((target) => !target.startsWith("windows"));

interface Change {
  readonly what: string;
  readonly pattern: RegExp;
  readonly to: string;
  /** Fewer, and the runtime has another make-up than the one that this was written for. */
  readonly timesMin: number;
  /** More would be something else, too. */
  readonly timesMax?: number;
  /** Where it is to be found; absent: everywhere. */
  readonly targets?: readonly Target[];
}

/** Bytes as Latin-1 text. A version symbol, BUN_1.2, stays: the dynamic linker compares it. */
const CHANGES: readonly Change[] = [
  { what: "BUN_BE_BUN", pattern: /BUN_(?=BE_BUN)/g, to: "$UN_", timesMin: 1 },
  { what: "BUN_OPTIONS", pattern: /BUN_(?=OPTIONS)/g, to: "$UN_", timesMin: 2 },
  { what: "BUN_INSPECT", pattern: /BUN_(?=INSPECT)/g, to: "$UN_", timesMin: 6 },
  { what: "other variables of Bun", pattern: /BUN_(?=[A-Z])/g, to: "$UN_", timesMin: 150 },
  { what: "NODE_CHANNEL", pattern: /NODE_(?=CHANNEL_[A-Z])/g, to: "$ODE_", timesMin: 4 },
  // C strings, handed to getenv: certificates, warnings and caches of Node; without its compiler, JavaScript is a
  // hundred times slower; a wrong signal or an unknown instruction set ends the program before its first line.
  { what: "other variables of Node", pattern: /(?<=\0)NODE_(?=[A-Z][A-Z_]+\0)/g, to: "$ODE_", timesMin: 8 },
  { what: "JavaScriptCoreUseJIT", pattern: /(?<=\0)J(?=avaScriptCoreUseJIT\0)/g, to: "$$", timesMin: 1 },
  { what: "SIMDUTF_…", pattern: /(?<=\0)S(?=IMDUTF_FORCE_IMPLEMENTATION\0)/g, to: "$$", timesMin: 1, targets: X64 },
  { what: "JSC_SIGNAL_FOR_GC", pattern: /(?<=\0)J(?=SC_SIGNAL_FOR_GC\0)/g, to: "$$", timesMin: 1, targets: SIGNALS },
  {
    what: "BUN_JSC_, letter by letter",
    pattern: LETTER_BY_LETTER.x64,
    to: "$1$$",
    timesMin: 1,
    timesMax: 1,
    targets: X64,
  },
  // cmp w, #0x4a (J) becomes cmp w, #0x0a: the immediate is in bits 10 to 21. No name has a line break.
  {
    what: "BUN_JSC_, letter by letter",
    pattern: LETTER_BY_LETTER.arm64,
    to: "$1\0",
    timesMin: 1,
    timesMax: 1,
    targets: ARM64,
  },
  { what: "MIMALLOC_", pattern: ALLOCATOR.x64, to: "$1$$", timesMin: 1, timesMax: 1, targets: X64 },
  { what: "MIMALLOC_", pattern: ALLOCATOR.arm64, to: "$1$$", timesMin: 1, timesMax: 1, targets: ARM64 },
];

/**
 * The path of the changed runtime; made once per version.
 *
 * @param isHost whether it is the runtime that runs this, or another platform's, which npm brings
 * @throws Error if something that is to be changed is not there
 */
export function deafRuntime(target: Target, isHost: boolean): string {
  const rules = Bun.hash.xxHash64(CHANGES.map(({ pattern, to }) => `${pattern}${to}`).join("\n")).toString(16);
  const path = join(CACHE, `bun-${target}-${VERSION}-${rules}`);
  if (existsSync(path)) return path;
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(`${path}.`);
  try {
    const original = isHost ? process.execPath : fetchRuntime(target, folder);
    const changed = join(folder, "changed");
    writeFileSync(changed, changeNames(readFileSync(original), target));
    chmodSync(changed, 0o755);
    renameSync(changed, path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return path;
}

/** @throws Error if something is found less often than expected */
export function changeNames(runtime: Uint8Array, target: Target): Uint8Array {
  let text = Buffer.from(runtime.buffer, runtime.byteOffset, runtime.length).toString("latin1");
  for (const { what, pattern, to, timesMin, timesMax = Number.POSITIVE_INFINITY, targets } of CHANGES) {
    if (targets && !targets.includes(target)) continue;
    const times = text.match(pattern)?.length ?? 0;
    if (times < timesMin || times > timesMax) {
      throw new Error(`Bun ${VERSION} for ${target}: ${what} is there ${times} times, not ${timesMin}`);
    }
    text = text.replace(pattern, to);
  }
  const changed = Buffer.from(text, "latin1");
  if (changed.length !== runtime.length) throw new Error("a change moved what lies behind it");
  return changed;
}

function fetchRuntime(target: Target, folder: string): string {
  const run = (command: string, ...words: string[]) => {
    const { status } = spawnSync(command, words, { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
    if (status !== 0) throw new Error(`${command} ${words.join(" ")} failed`);
  };
  run("npm", "pack", `${PACKAGES[target]}@${VERSION}`, "--silent");
  const archive = readdirSync(folder).find((name) => name.endsWith(".tgz"));
  if (archive === undefined) throw new Error(`npm gave no package for ${target}`);
  run("tar", "xzf", archive);
  return join(folder, "package", "bin", target.startsWith("windows") ? "bun.exe" : "bun");
}
