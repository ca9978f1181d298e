/**
 * Measures whether memory stays flat while a long input passes through fade, as a pipe, under a limit.
 *
 *     bun scripts/memory.ts [--gigabytes 2] [--limit-megabytes 1024] [--seconds 600] [--noise] [-- FADE-OPTIONS]
 *
 * Repeats a file (--seed-file), or with --noise gives random bytes, which are stored without the model and so reach
 * gigabytes soon; pipes that through bin/fade (default options: -1), throws the archive away, and samples the resident
 * memory every half second. A limit of address space would say little: JavaScriptCore and Dawn reserve tens of
 * gigabytes that they never touch. So --limit-megabytes is of resident memory, and the run ends when a sample is above
 * it; for a hard limit, run it in a scope: systemd-run --scope -p MemoryMax=1G bun scripts/memory.ts. Ends after
 * --seconds, whatever is done. Prints the peak and the slope of the second half, in MB per GB of input.
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  options: {
    gigabytes: { type: "string", default: "2" },
    "limit-megabytes": { type: "string", default: "1024" },
    seconds: { type: "string", default: "600" },
    noise: { type: "boolean", default: false },
    "seed-file": { type: "string", default: join(import.meta.dir, "..", "docs", "NUMERICS.md") },
    fade: { type: "string", default: join(import.meta.dir, "..", "bin", "fade") },
  },
  allowPositionals: true,
});

const SAMPLE_MS = 500;
const MB = 1e6;
const totalBytes = Number(values.gigabytes) * 1e9;
const limitBytes = Number(values["limit-megabytes"]) * 2 ** 20;
const options = positionals.length > 0 ? positionals : ["-1", "-q"];
const seed = readFileSync(values["seed-file"]);

const child = spawn(values.fade, [...options, "-c"], { stdio: ["pipe", "pipe", "inherit"] });
let codedBytes = 0;
child.stdout.on("data", (bytes: Uint8Array) => {
  codedBytes += bytes.length;
});
child.stdin.on("error", () => {}); // the child has ended; its exit code tells
const exited = once(child, "exit");

let sentBytes = 0;
let isOver = false;
const samples: { sentBytes: number; residentBytes: number }[] = [];
const startMs = performance.now();

/** From /proc, in bytes; undefined when the process has gone. */
function residentBytes(): number | undefined {
  try {
    const status = readFileSync(`/proc/${child.pid}/status`, "latin1");
    return Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1] ?? Number.NaN) * 1024;
  } catch {
    return undefined;
  }
}

function stop(why: string): void {
  isOver = true;
  clearInterval(timer);
  console.log(why);
  child.kill("SIGTERM");
}

const timer = setInterval(() => {
  const resident = residentBytes();
  if (resident === undefined || Number.isNaN(resident)) return;
  samples.push({ sentBytes, residentBytes: resident });
  if (resident > limitBytes) stop(`above the limit: ${(resident / MB).toFixed(0)} MB resident`);
  else if (performance.now() - startMs > Number(values.seconds) * 1000) stop(`cut after ${values.seconds} s`);
}, SAMPLE_MS);

/** Resolves, too, when the reader has gone. */
function drained(): Promise<void> {
  const events = ["drain", "error", "close"];
  return new Promise((resolve) => {
    const done = () => {
      for (const event of events) child.stdin.off(event, done);
      resolve();
    };
    for (const event of events) child.stdin.once(event, done);
  });
}

/** A number in front of each copy, so that no copy is quite like the others. */
for (let copy = 0; sentBytes < totalBytes && !isOver; copy += 1) {
  const content = values.noise ? randomBytes(seed.length) : Buffer.concat([Buffer.from(`${copy}\n`), seed]);
  const piece = content.subarray(0, totalBytes - sentBytes);
  if (!child.stdin.write(piece)) await Promise.race([drained(), exited]);
  sentBytes += piece.length;
  if (child.exitCode !== null) break;
}
child.stdin.end();
const [code, signal] = (await exited) as [number | null, string | null];
clearInterval(timer);

/** Least squares over the second half of the samples: bytes resident per byte of input. */
function slope(): number {
  const half = samples.slice(samples.length >> 1);
  const mean = (of: (sample: (typeof half)[number]) => number) =>
    half.reduce((sum, sample) => sum + of(sample), 0) / Math.max(1, half.length);
  const [x, y] = [mean((sample) => sample.sentBytes), mean((sample) => sample.residentBytes)];
  let [over, under] = [0, 0];
  for (const sample of half) {
    over += (sample.sentBytes - x) * (sample.residentBytes - y);
    under += (sample.sentBytes - x) ** 2;
  }
  return under === 0 ? 0 : over / under;
}

const seconds = (performance.now() - startMs) / 1000;
const peak = Math.max(0, ...samples.map((sample) => sample.residentBytes));
console.log(
  `fade ${options.join(" ")}: ${(sentBytes / MB).toFixed(1)} MB sent, ${(codedBytes / MB).toFixed(2)} MB back`,
);
console.log(`${seconds.toFixed(0)} s, ${(sentBytes / MB / seconds).toFixed(3)} MB/s, exit ${code ?? signal}`);
console.log(`resident: peak ${(peak / MB).toFixed(0)} MB, limit ${(limitBytes / MB).toFixed(0)} MB`);
console.log(`slope of the second half: ${((slope() * 1e9) / MB).toFixed(1)} MB per GB of input`);
process.exit(peak > limitBytes ? 1 : 0);
