/**
 * Measures whether memory stays flat while a long input passes through fade, as a pipe, under a limit.
 *
 *     bun scripts/memory.ts [--gigabytes 2] [--limit-megabytes 1024] [--seconds 600] [--noise | --fresh-megabytes N |
 *         --input FILE] [--output FILE] [-- FADE-OPTIONS]
 *
 * Repeats a file (--seed-file); or with --noise gives random bytes, which are stored without the model and so reach
 * gigabytes soon; or with --fresh-megabytes gives so much text in which only words repeat (a phrase from here, a phrase
 * from there of the file), and then the later half of that text again and again, which is cut out before the model: so
 * a run that fills the model's memories with its first block passes many more in minutes; or gives --input, once. Pipes
 * that through bin/fade (default options: -1), throws away what comes out (or keeps it in --output), and samples the
 * resident memory every half second; the peak is the kernel's own. A limit of address space would say little:
 * JavaScriptCore and Dawn reserve tens of gigabytes that they never touch. So --limit-megabytes is of resident memory,
 * and the run ends when a sample is above it; for a hard limit, run it in a scope: systemd-run --scope -p MemoryMax=1G
 * bun scripts/memory.ts. Ends after --seconds, whatever is done. Prints the peak, and the slope over the second half of
 * the input, in MB per GB.
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { FADE, optionsAndWords, ROOT } from "./shared.ts";

const { values, positionals } = optionsAndWords(
  {
    gigabytes: 2,
    "limit-megabytes": 1024,
    seconds: 600,
    noise: false,
    "seed-file": join(ROOT, "docs", "NUMERICS.md"),
    fade: FADE,
  },
  ["fresh-megabytes", "input", "output"],
);

const SAMPLE_MS = 500;
const MB = 1e6;
const input = values.input === undefined ? undefined : readFileSync(values.input);
const totalBytes = input?.length ?? values.gigabytes * 1e9;
const limitBytes = values["limit-megabytes"] * 2 ** 20;
const options = positionals.length > 0 ? positionals : ["-1", "-q"];
const seed = readFileSync(values["seed-file"]);

const child = spawn(values.fade, [...options, "-c"], { stdio: ["pipe", "pipe", "inherit"] });
const output = values.output === undefined ? undefined : openSync(values.output, "w");
let codedBytes = 0;
child.stdout.on("data", (bytes: Uint8Array) => {
  codedBytes += bytes.length;
  if (output !== undefined) writeSync(output, bytes);
});
child.stdin.on("error", () => {}); // the child has ended; its exit code tells
const exited = once(child, "exit");

let sentBytes = 0;
let isOver = false;
let peakBytes = 0;
const samples: { sentBytes: number; residentBytes: number }[] = [];
const startMs = performance.now();

/** From /proc, in bytes, with the peak noted; undefined when the process has gone. */
function residentBytes(): number | undefined {
  try {
    const status = readFileSync(`/proc/${child.pid}/status`, "latin1");
    const bytesOf = (field: string) => Number(new RegExp(`^${field}:\\s*(\\d+)`, "m").exec(status)?.[1] ?? 0) * 1024;
    peakBytes = Math.max(peakBytes, bytesOf("VmHWM"));
    return bytesOf("VmRSS") || undefined; // none: it has ended, and nobody has asked how
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
  if (resident === undefined) return;
  samples.push({ sentBytes, residentBytes: resident });
  if (resident > limitBytes) stop(`above the limit: ${(resident / MB).toFixed(0)} MB resident`);
  else if (performance.now() - startMs > values.seconds * 1000) stop(`cut after ${values.seconds} s`);
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

const PHRASE_BYTES_MAX = 24;
const PIECE_BYTES = 1 << 16;

/** Phrases of the seed; the same number gives the same text. */
function phrases(number: number): Buffer {
  let state = number + 1;
  const random = (count: number) => {
    state = (Math.imul(state, 0x41c64e6d) + 0x3039) >>> 0;
    return Math.floor((state / 2 ** 32) * count);
  };
  const piece = Buffer.alloc(PIECE_BYTES);
  for (let at = 0; at < piece.length; ) {
    const from = random(seed.length - PHRASE_BYTES_MAX);
    at += seed.copy(piece, at, from, from + 1 + random(PHRASE_BYTES_MAX));
  }
  return piece;
}

function contentOf(copy: number): Buffer {
  if (input) return input;
  if (values.noise) return randomBytes(seed.length);
  // A number in front of each copy, so that no copy is quite like the others.
  if (values["fresh-megabytes"] === undefined) return Buffer.concat([Buffer.from(`${copy}\n`), seed]);
  const fresh = Math.ceil((Number(values["fresh-megabytes"]) * MB) / PIECE_BYTES);
  const again = Math.ceil(fresh / 2);
  return phrases(copy < fresh ? copy : fresh - again + ((copy - fresh) % again));
}

for (let copy = 0; sentBytes < totalBytes && !isOver; copy += 1) {
  const content = contentOf(copy);
  const piece = content.subarray(0, totalBytes - sentBytes);
  if (!child.stdin.write(piece)) await Promise.race([drained(), exited]);
  sentBytes += piece.length;
  if (child.exitCode !== null) break;
}
child.stdin.end();
const [code, signal] = (await exited) as [number | null, string | null];
clearInterval(timer);
if (output !== undefined) closeSync(output);

/** Least squares over the second half of what was sent: bytes resident per byte of input. */
function slope(): number {
  const half = samples.filter((sample) => 2 * sample.sentBytes >= sentBytes);
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
console.log(
  `fade ${options.join(" ")}: ${(sentBytes / MB).toFixed(1)} MB sent, ${(codedBytes / MB).toFixed(2)} MB back`,
);
console.log(`${seconds.toFixed(0)} s, ${(sentBytes / MB / seconds).toFixed(3)} MB/s, exit ${code ?? signal}`);
const endBytes = samples.at(-1)?.residentBytes ?? 0;
const megabytes = (bytes: number) => `${(bytes / MB).toFixed(0)} MB`;
console.log(`resident: peak ${megabytes(peakBytes)}, last ${megabytes(endBytes)}, limit ${megabytes(limitBytes)}`);
console.log(`slope of the second half: ${((slope() * 1e9) / MB).toFixed(1)} MB per GB of input`);
process.exit(peakBytes > limitBytes ? 1 : 0);
