/** What a reader of figures must know of the machine on which they were taken. */
import { cpus, loadavg, totalmem } from "node:os";
import type { MachineFacts } from "./results.ts";

export function machineFacts(fadeVersion: string, threads: number): MachineFacts {
  const processors = cpus();
  return {
    kind: "machine",
    fadeVersion,
    processor: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memoryBytes: totalmem(),
    platform: `${process.platform}-${process.arch}`,
    runtime: `Bun ${Bun.version}`,
    threads,
    load: loadavg()[0] ?? 0,
    startedAtSeconds: Math.floor(Date.now() / 1000),
  };
}
