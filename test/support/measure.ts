/**
 * Runs a program and says what the system counted: `bun measure.ts REPORT PROGRAM ARGUMENTS…`. A process of its own,
 * because the system counts as a child's memory what its parent had when it started it, and tests have much.
 */
import { writeFileSync } from "node:fs";

export interface Measured {
  readonly exitCode: number;
  readonly peakBytes: number;
  /** Of processor time. */
  readonly seconds: number;
}

if (import.meta.main) {
  const [report = "", ...command] = process.argv.slice(2);
  const child = Bun.spawn(command, { stdin: "inherit", stdout: "inherit", stderr: "inherit" });
  const exitCode = await child.exited;
  const usage = child.resourceUsage();
  if (!usage) throw new Error("the system did not count");
  const seconds = Number(usage.cpuTime.total) / 1e6;
  const measured: Measured = { exitCode, peakBytes: usage.maxRSS, seconds };
  writeFileSync(report, JSON.stringify(measured));
}
