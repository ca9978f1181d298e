#!/usr/bin/env bun
/** The entry of the program: the only place that touches the process and ends it. */
import { killPrograms } from "../bench/process.ts";
import { removeFreshFolders } from "../platform/private-folder.ts";
import { isCompiled } from "../platform/workers.ts";
import { EXIT, systemCode } from "./errors.ts";
import type { Io } from "./io.ts";
import { processIo } from "./process-io.ts";
import { CLEAR, redraws } from "./progress.ts";
import { EXIT_BROKEN_PIPE, run } from "./run.ts";
import { cleanUpOnSignals, dieOfBrokenPipe } from "./signals.ts";

const io = openProcess();
cleanUpOnSignals(io.temporaryFiles, () => {
  killPrograms();
  removeFreshFolders();
  if (redraws(io.stderr)) io.stderr.write(CLEAR);
});

// process.exit, because an engine's threads or device must not keep a finished program alive.
const { env: environment, argv0 } = process;
const self = isCompiled ? [process.execPath] : [process.execPath, import.meta.path];
const exitCode = await run(process.argv.slice(2), io, { environment, argv0, self });
if (exitCode === EXIT_BROKEN_PIPE) {
  removeFreshFolders();
  dieOfBrokenPipe();
}
process.exit(exitCode);

/** Relative names mean nothing where the working directory was deleted. */
function openProcess(): Io {
  try {
    return processIo();
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
    process.stderr.write("fade: the working directory was deleted\nfade: hint: cd to another one\n");
    return process.exit(EXIT.engine);
  }
}
