/**
 * What many small files cost in one run of the built program: `bun scripts/many-files.ts [--count N] [--levels 1,5]
 * [--threads N] [--against FILE]`.
 *
 * Files of each kind are compressed, listed, tested and restored in one run each, and what a run over a single tiny
 * file takes is taken off, as the program's start. Files of 40 bytes tell what a file costs beyond its bytes: they
 * take five steps of the model. Times are of the processors, user and system, since other programs that run meanwhile
 * stretch those least; the wall's stand beside them. With --against another build does the same, turn by turn, over a
 * tenth of the files.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { trainingBytes } from "../test/support/text.ts";
import { FADE, headOf, optionsOf, row, run } from "./shared.ts";

const values = optionsOf({ program: FADE, count: 1000, levels: "1,5", threads: 1 }, ["against"]);
/** The other build works on one of so many files. */
const AGAINST_SHARE = 10;
const PROGRAMS = [values.program, ...(values.against === undefined ? [] : [values.against])].map((path) =>
  resolve(path),
);

const TEXT = trainingBytes(1 << 18, 1);

/** Words of uneven frequency, from different places of one text. */
const text = (bytes: number, seed: number) => TEXT.slice((seed * 7919) % (TEXT.length - bytes)).slice(0, bytes);

/** Bytes without any pattern, the same at every call. */
function noise(bytes: number, seed: number): Uint8Array {
  let state = seed * 2 + 1;
  return Uint8Array.from({ length: bytes }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

/** Records as a service writes them. */
function json(bytes: number, seed: number): Uint8Array {
  const numbers = noise(bytes, seed);
  let records = "[";
  for (let i = 0; records.length < bytes; i += 4) {
    const [a = 0, b = 0, c = 0, d = 0] = numbers.subarray(i, i + 4);
    records += `{"id":${a * 256 + b},"name":"item ${c}","price":${d}.${b % 100},"active":${a % 2 === 0}},`;
  }
  return new TextEncoder().encode(records).subarray(0, bytes);
}

interface Kind {
  readonly name: string;
  /** How many there are, for each of the tiny ones. */
  readonly share: number;
  readonly make: (seed: number) => Uint8Array;
}

const KINDS: readonly Kind[] = [
  { name: "text, 40 bytes", share: 1, make: (seed) => text(40, seed) },
  { name: "noise, 3 kB", share: 1, make: (seed) => noise(3000, seed) },
  { name: "JSON, 1 to 4 kB", share: 0.2, make: (seed) => json(1000 + ((seed * 619) % 3000), seed) },
  { name: "text, 20 kB", share: 0.02, make: (seed) => text(20_000, seed) },
];

type Times = Omit<ReturnType<typeof run>, "stdout">;

/** Runs that do something to all files of a folder, one after the other. */
const STAGES: readonly [name: string, words: readonly string[]][] = [
  ["compressed", []],
  ["listed", ["-l"]],
  ["tested", ["-t"]],
  ["restored", ["-df"]],
];

function measure(program: string, folder: string, files: readonly Uint8Array[], level: string): Times[] {
  mkdirSync(folder);
  const width = `${files.length}`.length;
  for (const [i, bytes] of files.entries()) writeFileSync(join(folder, `${i}`.padStart(width, "0")), bytes);
  const times = STAGES.map(([, words]) => run([program, ...words, `-q${level}`, `-T${values.threads}`, "-r", folder]));
  const left = readdirSync(folder).length;
  if (left !== 2 * files.length) throw new Error(`${left} files are there instead of ${2 * files.length}`);
  rmSync(folder, { recursive: true });
  return times;
}

/** "processor / wall" in ms a file for each stage, without the program's start. */
function costs(program: string, root: string, { share, make }: Kind, level: string, count: number): string[] {
  const files = Array.from({ length: Math.max(1, Math.round(count * share)) }, (_, i) => make(i + 1));
  const start = measure(program, join(root, "one"), [text(40, 1)], level);
  const all = measure(program, join(root, "all"), files, level);
  return STAGES.map((_, i) => {
    const [one, many] = [start[i], all[i]];
    if (!one || !many) throw new Error("a stage is missing");
    const of = (key: keyof Times) => ((many[key] - one[key]) / files.length).toFixed(2);
    return `${files.length} files: ${of("processorMs")} / ${of("wallMs")}`;
  });
}

const root = mkdtempSync(join(tmpdir(), "fade-many-"));
try {
  console.log(headOf(["files of", "level", "", ...PROGRAMS]));
  for (const kind of KINDS) {
    for (const level of values.levels.split(",")) {
      const columns = PROGRAMS.map((program, i) => {
        return costs(program, root, kind, level, values.count / (i === 0 ? 1 : AGAINST_SHARE));
      });
      for (const [i, [stage]] of STAGES.entries()) {
        console.log(row([kind.name, level, stage, ...columns.map((column) => column[i] ?? "")]));
      }
    }
  }
} finally {
  rmSync(root, { recursive: true });
}
