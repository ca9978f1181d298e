/**
 * Ctrl-C and its relatives: temporary files go away, then the signal is raised again with its default effect, so that
 * the parent sees what really ended the program (a shell loop stops at Ctrl-C, a script gets 130 and not 1).
 */
import { readFileSync } from "node:fs";
import { constants } from "node:os";

/**
 * Every signal that would end the program and that Bun hands over. Not among them: SIGPIPE, which Bun ignores, so that
 * writing fails with EPIPE (run.ts); SIGSEGV and its like, after which nothing can be trusted; SIGPWR, with which Bun
 * stops its threads; SIGSTKFLT, which nothing sends.
 */
export const FATAL = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGTRAP",
  "SIGABRT",
  "SIGUSR2",
  "SIGALRM",
  "SIGTERM",
  "SIGXCPU",
  "SIGXFSZ",
  "SIGVTALRM",
  "SIGPROF",
  "SIGIO",
  "SIGSYS",
] as const;

export type FatalSignal = (typeof FATAL)[number];

/** The signals that ask how far the work is: SIGINFO is Ctrl-T on BSD and macOS. */
const STATUS = ["SIGUSR1", "SIGINFO"] as const;

/** @param cleanUp called when a signal arrives, before it ends the program; must not throw */
export function cleanUpOnSignals(cleanUp: (signal: FatalSignal) => void): void {
  const ignored = inheritedIgnores();
  for (const signal of FATAL) {
    const number = constants.signals[signal];
    // Windows has few of them.
    if (number === undefined) continue;
    // nohup and background jobs of scripts ignore signals on behalf of their children; SIGXFSZ the runtime itself.
    if (signal !== "SIGXFSZ" && ignored & (1n << BigInt(number - 1))) continue;
    process.once(signal, () => {
      cleanUp(signal);
      for (const each of FATAL) process.removeAllListeners(each);
      process.kill(process.pid, signal);
    });
  }
}

/** Calls `listener` at each SIGUSR1. */
export function answerStatusRequests(listener: () => void): void {
  const known: Partial<Record<string, number>> = constants.signals;
  for (const signal of STATUS) if (known[signal] !== undefined) process.on(signal, listener);
}

/** The signals that were ignored when the program started, one bit each; none where the system does not tell. */
function inheritedIgnores(): bigint {
  try {
    const status = readFileSync("/proc/self/status", "latin1");
    return BigInt(`0x${/^SigIgn:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  } catch {
    return 0n;
  }
}
