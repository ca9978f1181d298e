/**
 * Ctrl-C and its relatives: temporary files go away, then the signal is raised again with its default effect, so that
 * the parent sees what really ended the program (a shell loop stops at Ctrl-C, a script gets 130 and not 1).
 */
import { constants } from "node:os";
import { ignoredSignals } from "../platform/process-facts.ts";

/**
 * Every signal that would end the program and that Bun hands over. Not among them: SIGPIPE, which Bun ignores, so that
 * writing fails with EPIPE (dieOfBrokenPipe below); SIGSEGV and its like, after which nothing can be trusted; SIGPWR,
 * with which Bun stops its threads; SIGSTKFLT, which nothing sends.
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

type FatalSignal = (typeof FATAL)[number];

/** The signals that ask how far the work is: SIGINFO is Ctrl-T on BSD and macOS. */
const STATUS = ["SIGUSR1", "SIGINFO"] as const;

/** @param cleanUp called when a signal arrives, before it ends the program; must not throw */
export function cleanUpOnSignals(cleanUp: (signal: FatalSignal) => void): void {
  const ignored = ignoredSignals("self");
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

/**
 * Dies of SIGPIPE, as other filters do: tar and shells forgive a program that the signal has ended, and no exit code.
 * Returns where there is no such signal, or it is blocked.
 */
export function dieOfBrokenPipe(): void {
  if (constants.signals.SIGPIPE === undefined) return;
  // When the last listener goes, the runtime gives the signal its default action, which it had taken away at start.
  const listener = () => {};
  process.on("SIGPIPE", listener);
  process.off("SIGPIPE", listener);
  process.kill(process.pid, "SIGPIPE");
}

/**
 * Whether SIGPIPE was ignored when the program started. The runtime ignores it before anybody can look, so this goes by
 * the parent: shells (trap '' PIPE) and service managers hand on what they ignore. Language runtimes that ignore it for
 * themselves (Python, Node) give their children the default; they ignore SIGXFSZ, too, and so are told apart.
 */
export function ignoresBrokenPipe(): boolean {
  const { SIGPIPE, SIGXFSZ } = constants.signals;
  const bit = (signal: number) => 1n << BigInt(signal - 1);
  const ignored = ignoredSignals(process.ppid);
  return SIGPIPE !== undefined && (ignored & bit(SIGPIPE)) !== 0n && (ignored & bit(SIGXFSZ)) === 0n;
}
