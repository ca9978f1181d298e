#!/usr/bin/env bun
/**
 * The entry of the program: the only place that ends the process. The work is done in another thread (program.ts); this
 * one only waits, for its end or for a signal, and so answers signals whatever the work is.
 */
import { existsSync, rmSync } from "node:fs";
import { isatty } from "node:tty";
import { isCompiled, startWorker } from "../platform/workers.ts";
import { MainBoard } from "./board.ts";
import { STDERR, tell } from "./descriptors.ts";
import { EXIT } from "./errors.ts";
import type { ProgramMessage, ProgramSetup } from "./program.ts";
import { CLEAR, progressText } from "./progress.ts";
import { EXIT_BROKEN_PIPE } from "./run.ts";
import { answerStatusRequests, cleanUpOnSignals, dieOfBrokenPipe } from "./signals.ts";

/** A folder may get another file from a program that dies meanwhile. */
const REMOVALS_MAX = 5;
const isTerminal = isatty(STDERR);
/** Removes a progress line that may be there. */
const clear = isTerminal && process.env.TERM !== "dumb" ? CLEAR : "";

const board = new MainBoard();
let progress: { readonly message: ProgramMessage & { kind: "progress" }; readonly atMs: number } | undefined;

/** What fails does not keep the program alive. */
function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // The signal must end the program all the same.
  }
}

function remove(path: string): void {
  for (let tries = 0; tries < REMOVALS_MAX; tries += 1) {
    attempt(() => rmSync(path, { recursive: true, force: true }));
    if (!existsSync(path)) return;
  }
}

cleanUpOnSignals((signal) => {
  attempt(() => {
    const { files, programs } = board.end();
    for (const id of programs) attempt(() => process.kill(id, "SIGKILL"));
    for (const file of files) remove(file);
  });
  tell(clear);
  // Other programs die without a word; but few people know of this limit.
  if (signal === "SIGXFSZ") tell("fade: an output would be larger than this shell lets files be (ulimit -f)\n");
});

answerStatusRequests(() => {
  if (!progress) return tell("fade: no file is being worked on\n");
  const { label, facts, elapsedMs } = progress.message;
  tell(`${clear}${progressText(label, facts, elapsedMs + performance.now() - progress.atMs)}\n`);
});

if (isTerminal) {
  const measure = () => {
    board.columns = process.stderr.columns ?? 0;
  };
  measure();
  process.on("SIGWINCH", measure);
}

/** What the system refuses here, it would refuse an engine's threads, too. */
function startProgram(): ReturnType<typeof startWorker> {
  try {
    return startWorker("program", setup);
  } catch (error) {
    tell(`fade: ${error instanceof Error ? error.message : String(error)}\n`);
    tell("fade: hint: raise the limit of processes (ulimit -u), or the container's\n");
    process.exit(EXIT.engine);
  }
}

const setup: ProgramSetup = {
  words: process.argv.slice(2),
  argv0: process.argv0,
  self: isCompiled ? [process.execPath] : [process.execPath, import.meta.path],
  board: board.memory,
};
const program = startProgram();
// process.exit, because an engine's threads or device must not keep a finished program alive.
program.on("message", (message: ProgramMessage) => {
  if (message.kind === "done") {
    if (message.exitCode === EXIT_BROKEN_PIPE) dieOfBrokenPipe();
    process.exit(message.exitCode);
  }
  progress = { message, atMs: performance.now() };
});
program.on("error", (error: unknown) => {
  tell(`${clear}fade: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(EXIT.failed);
});
program.on("exit", (code: number) => process.exit(code === 0 ? EXIT.failed : code));
