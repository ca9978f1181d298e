/**
 * Measures the coder: its loss against the ideal code length, and its speed. docs/CODER.md holds the results.
 *
 * Usage: bun scripts/coder-figures.ts [FILE]   (FILE: text for adaptive tables; 200 kB of it are used)
 */
import { StepDecoder } from "../src/coder/decode-pool.ts";
import { coderGroupsFor, encodeGroup, shareOfGroup } from "../src/coder/groups.ts";
import { RangeDecoder, RangeEncoder } from "../src/coder/range.ts";
import { FREQUENCY_TOTAL } from "../src/contract/frequency.ts";
import { FakeEngine, tinyHyper } from "../test/support/fake-engine.ts";

/** A fixed sequence of numbers in [0, limit), so that every run measures the same symbols. */
function sequence(): (limit: number) => number {
  let state = 1n;
  return (limit) => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
    return Number(((state >> 32n) * BigInt(limit)) >> 32n);
  };
}

/** A table in which the favourite gets `top` of the total, and each next byte `decay` of the one before. */
function skewedTable(favourite: number, top: number, decay: number): Uint32Array {
  const weights = new Float64Array(256);
  let weight = 1 - top;
  for (let rank = 0; rank < 256; rank += 1) {
    weights[(favourite + rank * 37) % 256] = rank === 0 ? top : weight * (1 - decay);
    if (rank > 0) weight *= decay;
  }
  const sum = weights.reduce((a, b) => a + b, 0);
  let end = 0;
  return Uint32Array.from(weights, (w) => {
    end += 1 + Math.floor((w / sum) * (FREQUENCY_TOTAL - 256));
    return end;
  });
}

interface Symbols {
  readonly tables: Uint32Array;
  readonly bytes: Uint8Array;
  readonly intervals: Uint32Array;
}

/** `count` bytes drawn from 64 tables in turn. */
function drawSymbols(top: number, decay: number, count: number): Symbols {
  const tables = new Uint32Array(64 * 256);
  for (let i = 0; i < 64; i += 1) tables.set(skewedTable((i * 11) % 256, top, decay), i * 256);
  const draw = sequence();
  const bytes = new Uint8Array(count);
  const intervals = new Uint32Array(count * 2);
  for (let i = 0; i < count; i += 1) {
    const table = tables.subarray((i % 64) * 256, (i % 64) * 256 + 256);
    const value = draw(table[255]!);
    const byte = table.findIndex((end) => end > value);
    bytes[i] = byte;
    intervals[2 * i] = byte === 0 ? 0 : table[byte - 1]!;
    intervals[2 * i + 1] = table[byte]! - intervals[2 * i]!;
  }
  return { tables, bytes, intervals };
}

function idealBits(intervals: Uint32Array): number {
  let bits = 0;
  for (let i = 1; i < intervals.length; i += 2) bits -= Math.log2(intervals[i]! / FREQUENCY_TOTAL);
  return bits;
}

function reportLoss(name: string, count: number, ideal: number, codedBytes: number): void {
  const perByte = ideal / count;
  const loss = (codedBytes * 8 - ideal) / count;
  const allowed = perByte * 0.0005 + 0.001;
  const verdict = loss < allowed ? "" : "  TOO MUCH";
  console.log(
    `${name.padEnd(34)} ${perByte.toFixed(5).padStart(8)} ${loss.toFixed(6).padStart(9)}` +
      ` ${((100 * loss) / allowed).toFixed(1).padStart(6)} %${verdict}`,
  );
}

/** The best of several runs, in ns: other work on the machine only ever adds. */
function bestNs(runs: number, work: () => void): number {
  let best = Infinity;
  for (let i = 0; i < runs; i += 1) {
    const from = Bun.nanoseconds();
    work();
    best = Math.min(best, Bun.nanoseconds() - from);
  }
  return best;
}

async function measureLoss(file: string | undefined): Promise<void> {
  console.log(`${"tables".padEnd(34)} bits/byte      loss  of what is allowed`);
  const count = 1_000_000;
  for (const [top, decay] of [
    [0.9999, 0.5],
    [0.99, 0.8],
    [0.9, 0.8],
    [0.6, 0.9],
    [0.3, 0.95],
    [0.004, 0.999],
  ] as const) {
    const { intervals } = drawSymbols(top, decay, count);
    const encoder = new RangeEncoder();
    encoder.encodeRun(intervals, 0, count);
    reportLoss(`drawn, favourite ${top}, ${count} bytes`, count, idealBits(intervals), encoder.finish().length);
  }
  if (file === undefined) return;
  const text = new Uint8Array(await Bun.file(file).arrayBuffer()).subarray(0, 200_000);
  for (const streams of [8, 128, 1024]) {
    const steps = Math.floor(text.length / streams);
    const model = await new FakeEngine().openModel(tinyHyper(streams));
    const intervals = new Uint32Array(steps * streams * 2);
    await model.fillIntervals(text.subarray(0, steps * streams), steps, intervals);
    const groups = coderGroupsFor(streams);
    let codedBytes = 0;
    for (let group = 0; group < groups; group += 1) {
      const encoder = new RangeEncoder();
      const shape = { streams, steps, liveInLastStep: streams };
      encodeGroup(encoder, shareOfGroup(group, groups, streams), intervals, shape);
      codedBytes += encoder.finish().length;
    }
    reportLoss(`text, ${streams} streams, ${groups} groups`, steps * streams, idealBits(intervals), codedBytes);
  }
}

function measureSpeed(): void {
  console.log("\nsymbols/s, millions              encode  decode   sum of the intervals (for the ratio)");
  const count = 1_000_000;
  for (const top of [0.99, 0.6, 0.004]) {
    const { tables, intervals } = drawSymbols(top, top > 0.5 ? 0.9 : 0.999, count);
    let payload = new Uint8Array(0);
    const encodeNs = bestNs(7, () => {
      const encoder = new RangeEncoder();
      encoder.encodeRun(intervals, 0, count);
      payload = encoder.finish() as Uint8Array<ArrayBuffer>;
    });
    const decodeNs = bestNs(7, () => {
      const decoder = new RangeDecoder(payload);
      for (let i = 0; i < count; i += 1) decoder.decode(tables, (i % 64) * 256);
    });
    let sum = 0;
    const sumNs = bestNs(7, () => {
      for (let i = 0; i < intervals.length; i += 1) sum = (sum + intervals[i]!) | 0;
    });
    const rate = (ns: number) => ((count / ns) * 1000).toFixed(1).padStart(7);
    console.log(`favourite ${String(top).padEnd(22)}${rate(encodeNs)} ${rate(decodeNs)} ${rate(sumNs)}`);
  }
}

/** Between two steps the engine works; the decoder's workers sleep meanwhile. */
const ENGINE_STEP_NS = 300_000;

/** Time per step of the decoder with its barrier: tables in shared memory, groups as the rule has it. */
async function measureSteps(): Promise<void> {
  console.log("\nus per decoded step    streams  groups  threads");
  const count = 200_000;
  const runs = 5;
  const { tables, intervals } = drawSymbols(0.6, 0.9, count);
  for (const streams of [64, 512, 1024, 2048, 4096]) {
    const groups = Math.max(2, coderGroupsFor(streams));
    for (const threads of [1, 2]) {
      const decoder = await StepDecoder.open(streams, threads);
      for (let at = 0; at < streams; at += 64) decoder.ends.set(tables, at * 256);
      const steps = Math.floor(count / streams);
      const payloads = Array.from({ length: groups }, (_, group) => {
        const encoder = new RangeEncoder();
        const shape = { streams, steps, liveInLastStep: streams };
        for (let run = 0; run < runs; run += 1) {
          encodeGroup(encoder, shareOfGroup(group, groups, streams), intervals, shape);
        }
        return encoder.finish();
      });
      decoder.openBlock(payloads);
      let best = Infinity;
      for (let run = 0; run < runs; run += 1) {
        let spent = 0;
        for (let step = 0; step < steps; step += 1) {
          const until = Bun.nanoseconds() + ENGINE_STEP_NS;
          while (Bun.nanoseconds() < until);
          const from = Bun.nanoseconds();
          await decoder.decodeStep(streams);
          spent += Bun.nanoseconds() - from;
        }
        best = Math.min(best, spent / steps / 1000);
      }
      await decoder.close();
      console.log(`${best.toFixed(2).padStart(19)} ${String(streams).padStart(10)} ${groups} ${threads}`);
    }
  }
}

await measureLoss(process.argv[2]);
measureSpeed();
await measureSteps();
