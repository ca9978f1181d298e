/**
 * How soon the program ends when a signal comes, and what it leaves behind: for work that keeps every processor busy in
 * long steps, or waits for somebody who does not come. For the test, and for the longer run of scripts/signals.ts.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CHECK_START, chainCheck } from "../../src/archive/checksum.ts";
import { encodeFrame, encodeStoredFrame } from "../../src/archive/write.ts";
import { encodeCopies } from "../../src/repeats/copies.ts";
import { trainingBytes } from "./text.ts";

/** Work that a signal interrupts. */
export interface Case {
  readonly name: string;
  readonly words: readonly string[];
  /** Standard input: a pipe on which nothing comes. Default: none. */
  readonly hasSilentInput?: boolean;
}

/** In the folder that prepareFolder makes. */
export const CASES = {
  paper: { name: "the model of the paper", words: ["-qf", "--preset", "paper", "--engine", "cpu", "text"] },
  paperWide: {
    name: "the model of the paper with many streams",
    words: ["-qf", "--preset", "paper", "--streams", "2048", "--engine", "cpu", "text"],
  },
  wide: {
    name: "steps of 4096 streams",
    words: ["-qf", "--preset", "network-9", "--streams", "4096", "--engine", "cpu", "text"],
  },
  zerosTested: { name: "testing zeros", words: ["-qt", "zeros.fade"] },
  zeros: { name: "restoring zeros", words: ["-qdf", "zeros.fade"] },
  repeats: { name: "cutting repeats", words: ["-qf1", "-B1G", "repeats"] },
  reference: { name: "the reference engine", words: ["-qf9", "--engine", "reference", "text"] },
  list: { name: "listing an archive of many frames", words: ["-l", "frames.fade"] },
  bench: { name: "a benchmark", words: ["bench", "-b9", "-e9", "--engine", "cpu", "--against", "xz", "text"] },
  pipe: { name: "reading a pipe on which nothing comes", words: ["-q", "-o", "out.fade"], hasSilentInput: true },
  fifo: { name: "opening a pipe that nobody writes", words: ["-q", "-o", "out.fade", "fifo"] },
} as const satisfies Record<string, Case>;

const FRAMES = 200_000;
const REPEATED_BYTES = 1 << 16;
const COPIES_MADE = 1024;

/** Zeros as one byte and a copy of it that repeats itself. */
function archiveOfZeros(sizeBytes: number): Uint8Array {
  const list = encodeCopies({
    count: 1,
    gaps: Uint32Array.of(1),
    lengths: Uint32Array.of(sizeBytes - 1),
    distances: Int32Array.of(1),
  });
  const check = chainCheck(new Uint8Array(sizeBytes), CHECK_START);
  const block = { kind: "stored", plainBytes: sizeBytes, check, payload: new Uint8Array(1) } as const;
  return encodeFrame({ plainBytes: sizeBytes, blockBytes: sizeBytes }, [{ ...block, copies: { restBytes: 1, list } }]);
}

/** A stretch again and again, each time with other bytes changed. */
function repeatedBytes(): Uint8Array {
  const text = trainingBytes(REPEATED_BYTES, 1);
  const bytes = new Uint8Array(REPEATED_BYTES * COPIES_MADE);
  for (let i = 0; i < COPIES_MADE; i++) {
    const at = i * REPEATED_BYTES;
    bytes.set(text, at);
    for (let change = 0; change < REPEATED_BYTES; change += 500 + (i % 97)) bytes[at + change] = i;
  }
  return bytes;
}

/** @param zerosBytes of the archive of zeros @returns a folder with everything that the cases read */
export function prepareFolder(zerosBytes: number): string {
  const folder = mkdtempSync(join(tmpdir(), "fade-answers-"));
  writeFileSync(join(folder, "text"), trainingBytes(1 << 20, 1));
  writeFileSync(join(folder, "zeros.fade"), archiveOfZeros(zerosBytes));
  writeFileSync(join(folder, "repeats"), repeatedBytes());
  const frame = Buffer.from(encodeStoredFrame(new Uint8Array(1)));
  writeFileSync(join(folder, "frames.fade"), Buffer.alloc(frame.length * FRAMES, frame));
  execFileSync("mkfifo", [join(folder, "fifo")]);
  return folder;
}

interface Answer {
  /** From the signal to the end of the process, in ms; infinite if it had to be killed. */
  readonly answerMs: number;
  /** What ended it: a signal, or a code. */
  readonly ended: string;
  /** Files that were not there before. */
  readonly left: readonly string[];
}

/** How a case is run. */
interface Run {
  /** The command line of the program, without its words. */
  readonly program: readonly string[];
  /** Of prepareFolder. */
  readonly folder: string;
  readonly signal: NodeJS.Signals;
  /** The moment of the signal, from the start. */
  readonly afterMs: number;
  /** So long after the signal the program is killed. */
  readonly hangMs: number;
}

/** Starts the work in a folder of its own, sends the signal, and waits for the end. */
export async function answerOf(work: Case, { program, folder, signal, afterMs, hangMs }: Run): Promise<Answer> {
  const names = readdirSync(folder).filter((name) => !name.startsWith("run-"));
  const cwd = mkdtempSync(join(folder, "run-"));
  try {
    for (const name of names) linkSync(join(folder, name), join(cwd, name));
    mkdirSync(join(cwd, "tmp"));
    const child = startIn(cwd, work, program);
    const ended = endOf(child);
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    const sentAtMs = performance.now();
    child.kill(signal);
    const hang = setTimeout(() => child.kill("SIGKILL"), hangMs);
    const { how, atMs } = await ended;
    clearTimeout(hang);
    const answerMs = how === "SIGKILL" ? Number.POSITIVE_INFINITY : Math.max(0, atMs - sentAtMs);
    const left = readdirSync(cwd).filter((name) => name !== "tmp" && !names.includes(name));
    return { answerMs, ended: how, left: [...left, ...readdirSync(join(cwd, "tmp"))] };
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

function startIn(cwd: string, { words, hasSilentInput }: Case, [command = "", ...first]: readonly string[]) {
  return spawn(command, [...first, ...words], {
    cwd,
    env: { ...process.env, TMPDIR: join(cwd, "tmp") },
    stdio: [hasSilentInput ? "pipe" : "ignore", "ignore", "ignore"],
  });
}

function endOf(child: ChildProcess): Promise<{ how: string; atMs: number }> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve({ how: signal ?? `code ${code}`, atMs: performance.now() }));
  });
}
