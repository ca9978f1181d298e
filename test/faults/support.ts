/**
 * Real processes for tests of faults: fade from source in a directory of its own, as a parent process sees it. A run
 * that takes too long is killed and shows as SIGKILL: nothing here may hang.
 */
import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { runFade } from "../cli/harness.ts";

export { inDirectory, testInDirectory, testWithin } from "../cli/harness.ts";

export const MAIN = join(import.meta.dir, "../../src/cli/main.ts");
/** The program, for a shell. */
export const FADE = `'${process.execPath}' '${MAIN}'`;
const HANG_MS = 60_000;

export interface Ran {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a script of bash, in which FADE stands for the program. */
export function shell(cwd: string, script: string): Ran {
  const ran = spawnSync("bash", ["-c", script.replace(/\bFADE\b/g, FADE)], {
    cwd,
    encoding: "utf8",
    timeout: HANG_MS,
    killSignal: "SIGKILL",
  });
  return { status: ran.status, signal: ran.signal, stdout: ran.stdout, stderr: ran.stderr };
}

export interface Running {
  kill(signal: NodeJS.Signals): void;
  /** What it has said so far. */
  stderr(): string;
  readonly ended: Promise<{ status: number | null; signal: NodeJS.Signals | null; stderr: string }>;
}

/** Starts fade without waiting for it. */
export function start(cwd: string, argv: readonly string[]): Running {
  const child = spawn(process.execPath, [MAIN, ...argv], { cwd, stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (text: Buffer) => {
    stderr += text.toString();
  });
  const hang = setTimeout(() => child.kill("SIGKILL"), HANG_MS);
  const ended = new Promise<Awaited<Running["ended"]>>((resolve) => {
    child.once("close", (status, signal) => {
      clearTimeout(hang);
      resolve({ status, signal, stderr });
    });
  });
  return { kill: (signal) => child.kill(signal), stderr: () => stderr, ended };
}

export const namesIn = (cwd: string) => readdirSync(cwd).sort();

/** An archive that decodes in no time, because nothing in it is coded: for faults of files, not of engines. */
export async function storedArchive(plain: Uint8Array): Promise<Uint8Array> {
  const { stdout } = await runFade(["-qc", "--preset=network-1"], { cwd: "/", stdin: plain });
  return stdout;
}

export const noise = (bytes: number) => new Uint8Array(randomBytes(bytes));
