/**
 * The program's own thread: one run of the command line, while the main thread (main.ts) waits for signals. What it
 * says to the main thread goes by messages, and what must be known at any moment by the board.
 */
import { parentPort, workerData } from "node:worker_threads";
import { watchPrograms } from "../bench/process.ts";
import { removeFreshFolders, trackFreshFolders } from "../platform/private-folder.ts";
import { ProgramBoard } from "./board.ts";
import { EXIT, systemCode } from "./errors.ts";
import type { Io, ProgressFacts } from "./io.ts";
import { processIo } from "./process-io.ts";
import { run } from "./run.ts";

/** What the main thread knows and a worker does not. */
export interface ProgramSetup {
  /** The command line without the program's name. */
  readonly words: readonly string[];
  readonly argv0: string;
  /** A command line that runs this program again. */
  readonly self: readonly string[];
  readonly board: SharedArrayBuffer;
}

export type ProgramMessage =
  | { readonly kind: "progress"; readonly label: string; readonly facts: ProgressFacts; readonly elapsedMs: number }
  | { readonly kind: "done"; readonly exitCode: number };

const { words, argv0, self, board: memory } = workerData as ProgramSetup;
const say = (message: ProgramMessage) => parentPort?.postMessage(message);
const board = new ProgramBoard(memory);
watchPrograms({
  onChange: (ids) => {
    board.programs = ids;
  },
  uninterrupted: (work) => board.uninterrupted(work),
});
trackFreshFolders({ paths: board.temporaryFiles, uninterrupted: (work) => board.uninterruptedNow(work) });
const io = openProcess();
const exitCode = io ? await run(words, io, { environment: process.env, argv0, self }) : EXIT.engine;
removeFreshFolders();
say({ kind: "done", exitCode });

/** Relative names mean nothing where the working directory was deleted. */
function openProcess(): Io | undefined {
  try {
    return processIo(board, (label, facts, elapsedMs) => say({ kind: "progress", label, facts, elapsedMs }));
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
    process.stderr.write("fade: the working directory was deleted\nfade: hint: cd to another one\n");
    return undefined;
  }
}
