/**
 * Ctrl-C and its relatives: temporary files go away, then the signal is raised again with its default effect, so that
 * the parent sees what really ended the program (a shell loop stops at Ctrl-C, a script gets 130 and not 1).
 */
import { readFileSync, rmSync } from "node:fs";
import { constants } from "node:os";

const FATAL = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** @param temporaryFiles deleted when a signal arrives; the set may change meanwhile */
export function cleanUpOnSignals(temporaryFiles: ReadonlySet<string>, onSignal: () => void): void {
  const ignored = inheritedIgnores();
  for (const signal of FATAL) {
    // nohup and background jobs of scripts ignore signals on behalf of their children.
    if (ignored & (1n << BigInt(constants.signals[signal] - 1))) continue;
    process.once(signal, () => {
      onSignal();
      for (const file of temporaryFiles) rmSync(file, { force: true });
      for (const each of FATAL) process.removeAllListeners(each);
      process.kill(process.pid, signal);
    });
  }
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
