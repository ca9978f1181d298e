/**
 * Runs another program and tells how long it took and how much memory was resident.
 *
 * The kernel's own figure for a child (maxrss of wait4) is at least what its parent had resident when it started it,
 * because the child is a copy of the parent until it becomes the other program. So that figure counts only where it is
 * larger; otherwise /proc is asked while the child runs, without pause at its start, and what a short-lived child
 * allocates at its very end may be missed.
 */
import { readFileSync } from "node:fs";

interface ProcessRequest {
  readonly command: readonly string[];
  readonly cwd: string;
  /** File that gets standard output; by default it is handed back. */
  readonly stdoutPath?: string;
  readonly stdin?: Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
}

interface ProcessOutcome {
  readonly elapsedMs: number;
  readonly peakMemoryBytes?: number;
  readonly stdout: string;
}

/** The program could not do it. */
export class ProgramError extends Error {
  constructor(
    readonly program: string,
    readonly exitCode: number,
    readonly says: string,
  ) {
    super(`${program} ended with code ${exitCode}${says === "" ? "" : `: ${says}`}`);
    this.name = "ProgramError";
  }
}

/** Process ids of the programs that run now. */
const running = new Set<number>();

/** A signal that ends this process does not reach them, unless it came from a terminal: somebody must know them. */
interface ProgramWatch {
  /** Told which programs run, whenever that changes. */
  onChange(ids: readonly number[]): void;
  /** Does `work` in which no signal ends this process. */
  uninterrupted<T>(work: () => Promise<T>): Promise<T>;
}

let watch: ProgramWatch = { onChange: () => {}, uninterrupted: (work) => work() };

/** For all programs that start from now on. */
export function watchPrograms(watcher: ProgramWatch): void {
  watch = watcher;
}

async function startProgram<T extends { readonly pid: number }>(spawn: () => T): Promise<T> {
  return await watch.uninterrupted(async () => {
    const child = spawn();
    running.add(child.pid);
    watch.onChange([...running]);
    return child;
  });
}

/** The kernel counts pages for each processor on its own, and adds them up now and then. */
const COUNTER_SLACK_BYTES = 4e6;
const CLOSE_WATCH_MS = 30;
const POLL_MS_MIN = 1;
const POLL_MS_MAX = 50;
/** Of what a program says when it fails; the end says most. */
const SAYS_LENGTH_MAX = 300;

/** @throws ProgramError if it ends with another code than 0, system errors if it cannot be started */
export async function runProcess({ command, cwd, stdoutPath, stdin, env }: ProcessRequest): Promise<ProcessOutcome> {
  const startedAtMs = performance.now();
  const child = await startProgram(() =>
    Bun.spawn([...command], {
      cwd,
      stdin: stdin ?? "ignore",
      stdout: stdoutPath === undefined ? "pipe" : Bun.file(stdoutPath),
      stderr: "pipe",
      ...(env && { env: { ...process.env, ...env } }),
    }),
  );
  const polled = pollPeak(child.pid, child.exited);
  const stdout = child.stdout instanceof ReadableStream ? new Response(child.stdout).text() : Promise.resolve("");
  const stderr = new Response(child.stderr).text();
  const exitCode = await child.exited;
  running.delete(child.pid);
  watch.onChange([...running]);
  const elapsedMs = performance.now() - startedAtMs;
  if (exitCode !== 0) {
    throw new ProgramError(command[0] ?? "", exitCode, (await stderr).trim().slice(-SAYS_LENGTH_MAX));
  }
  const exactBytes = child.resourceUsage()?.maxRSS ?? 0;
  // Asked afterwards: what this process had when the child began is no more than that.
  const ownPeakBytes = (ownPeakMemoryBytes() ?? 0) + COUNTER_SLACK_BYTES;
  const peakMemoryBytes = exactBytes > ownPeakBytes ? exactBytes : await polled;
  return { elapsedMs, stdout: await stdout, ...(peakMemoryBytes !== undefined && { peakMemoryBytes }) };
}

/** The high-water mark that /proc showed last; undefined where there is no /proc, or the child was too quick. */
async function pollPeak(pid: number, exited: Promise<number>): Promise<number | undefined> {
  let isRunning = true;
  const ended = exited.then(() => {
    isRunning = false;
  });
  let peakBytes: number | undefined;
  const own = commandLineOf("self");
  if (own === undefined) return undefined;
  const look = () => {
    // Until the child has become the other program, it is this one and has its memory. Asked in this order, because
    // it may become it in between.
    if (commandLineOf(String(pid)) === own) return;
    const seenBytes = residentPeakBytes(String(pid));
    if (seenBytes !== undefined) peakBytes = Math.max(peakBytes ?? 0, seenBytes);
  };
  for (const endMs = performance.now() + CLOSE_WATCH_MS; isRunning && performance.now() < endMs; ) {
    look();
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (let waitMs = POLL_MS_MIN; isRunning; waitMs = Math.min(POLL_MS_MAX, waitMs * 1.2)) {
    look();
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, waitMs))]);
  }
  return peakBytes;
}

/** The most that this process had resident so far; undefined where the system does not tell. */
export function ownPeakMemoryBytes(): number | undefined {
  return residentPeakBytes("self");
}

/** What /proc tells of a process, if there is /proc, and the process. @param who its id, or self */
function procFile(who: string, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${who}/${name}`, "latin1");
  } catch {
    return undefined;
  }
}

function commandLineOf(who: string): string | undefined {
  return procFile(who, "cmdline");
}

function residentPeakBytes(who: string): number | undefined {
  const kibibytes = /^VmHWM:\s*(\d+) kB$/m.exec(procFile(who, "status") ?? "")?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}
