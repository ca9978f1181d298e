/**
 * Times the bit mixer, which has no kernels to be timed one by one: bytes go through all of its lanes, coder included,
 * and back. Before, some bytes must come out of it as they come out of the reference.
 */
import type { HyperParameters } from "../contract/hyper.ts";
import type { Engine, Model } from "../engine/engine.ts";
import { createReferenceEngine } from "../engine/reference/engine.ts";
import type { KernelBenchResult, KernelSubject, MixerResult, ModelSubject } from "./kernel-results.ts";

/** For the check: lanes, bytes of each, and lines of each context. */
const CHECK_LANES = 3;
const CHECK_BYTES = 256;
const CHECK_LINE_BITS = 12;
/** Bytes of a lane that are coded at a time; first a few, which compile and touch what there is. */
const CHUNK_BYTES = 512;
const WARM_UP_BYTES = 16;
const MEASURE_MS = 1000;
/** Nothing is told from fewer chunks. */
const CHUNKS_MIN = 3;
/** Of the text that lanes go through. */
const WORD_COUNT = 2000;

interface MixerBenchRequest {
  readonly engine: Engine;
  readonly subject: KernelSubject;
  readonly models: readonly { readonly setting: string; readonly hyper: HyperParameters }[];
  readonly onResult: (result: KernelBenchResult) => Promise<void>;
}

/** One result of the check and one of the times for each model. @throws the engine's errors */
export async function benchMixers({ engine, subject, models, onResult }: MixerBenchRequest): Promise<void> {
  for (const { setting, hyper } of models) {
    const model: ModelSubject = { ...subject, setting, streams: hyper.streams };
    const difference = await mixerDifference(engine, hyper);
    const checked = { kind: "check", ...model, steps: CHECK_BYTES, isMixer: true } as const;
    await onResult({ ...checked, ...(difference !== undefined && { difference }) });
    await onResult({ kind: "mixer", ...model, ...(await timesOf(engine, hyper)) });
  }
}

/** How an engine's payloads of some bytes differ from the reference's, in words; undefined if they are equal. */
export async function mixerDifference(engine: Engine, hyper: HyperParameters): Promise<string | undefined> {
  const small = { ...hyper, streams: CHECK_LANES, mixerBits: CHECK_LINE_BITS };
  const rows = benchText(CHECK_BYTES * CHECK_LANES, CHECK_LANES);
  const [found, wanted] = [
    await payloadsOf(engine, small, rows),
    await payloadsOf(createReferenceEngine(), small, rows),
  ];
  for (const [lane, payload] of wanted.entries()) {
    const other = found[lane] as Uint8Array;
    const at = payload.findIndex((byte, i) => byte !== other[i]);
    if (at >= 0) return `byte ${at} of lane ${lane} is ${other[at]}, the reference has ${payload[at]}`;
    if (other.length !== payload.length)
      return `lane ${lane} has ${other.length} bytes, the reference ${payload.length}`;
  }
  return undefined;
}

async function payloadsOf(engine: Engine, hyper: HyperParameters, rows: Uint8Array): Promise<Uint8Array[]> {
  const model = await engine.openModel(hyper);
  try {
    await model.beginPayloads(hyper.streams, { workers: 1 });
    await model.encodeSteps(rows, rows.length / hyper.streams, hyper.streams);
    return await model.takePayloads();
  } finally {
    await model.close();
  }
}

type Times = Omit<MixerResult, "kind" | keyof ModelSubject>;

async function timesOf(engine: Engine, hyper: HyperParameters): Promise<Times> {
  const { streams, mixerContexts: contexts, mixerBits: lineBits, mixerCounters: counters } = hyper;
  const openedAtMs = performance.now();
  const encoder = await engine.openModel(hyper);
  const openMs = performance.now() - openedAtMs;
  const chunkBytes = Math.min(encoder.chunkSteps, CHUNK_BYTES);
  const encoded = await encodeFor(encoder, chunkBytes).finally(() => encoder.close());
  const decoder = await engine.openModel(hyper);
  const decodeMs = await decodeAll(decoder, encoded, chunkBytes).finally(() => decoder.close());
  const microseconds = (encoded.leastMs * 1000) / chunkBytes;
  const restoreMicroseconds = (decodeMs * 1000) / chunkBytes;
  const rates = {
    bytesPerSecond: (streams * 1e6) / microseconds,
    restoredPerSecond: (streams * 1e6) / restoreMicroseconds,
  };
  return { contexts, counters, lineBits, openMs, microseconds, restoreMicroseconds, ...rates };
}

interface Encoded {
  readonly payloads: readonly Uint8Array[];
  readonly chunks: number;
  readonly leastMs: number;
}

async function encodeFor(model: Model, chunkBytes: number): Promise<Encoded> {
  const { streams } = model.hyper;
  await model.beginPayloads(streams, { workers: 1 });
  await model.encodeSteps(benchText(WARM_UP_BYTES * streams, streams), WARM_UP_BYTES, streams);
  let [chunks, elapsedMs, leastMs] = [0, 0, Infinity];
  for (; elapsedMs < MEASURE_MS || chunks < CHUNKS_MIN; chunks += 1) {
    const rows = benchText(chunkBytes * streams, streams, chunks + 1);
    const startedAtMs = performance.now();
    await model.encodeSteps(rows, chunkBytes, streams);
    const tookMs = performance.now() - startedAtMs;
    [elapsedMs, leastMs] = [elapsedMs + tookMs, Math.min(leastMs, tookMs)];
  }
  return { payloads: await model.takePayloads(), chunks, leastMs };
}

/** The least time of a chunk. */
async function decodeAll(model: Model, { payloads, chunks }: Encoded, chunkBytes: number): Promise<number> {
  const { streams } = model.hyper;
  await model.openPayloads(payloads, { workers: 1 });
  await model.decodeSteps(new Uint8Array(WARM_UP_BYTES * streams), WARM_UP_BYTES, streams);
  const rows = new Uint8Array(chunkBytes * streams);
  let leastMs = Infinity;
  for (let chunk = 0; chunk < chunks; chunk += 1) {
    const startedAtMs = performance.now();
    await model.decodeSteps(rows, chunkBytes, streams);
    leastMs = Math.min(leastMs, performance.now() - startedAtMs);
  }
  await model.finishPayloads();
  return leastMs;
}

/**
 * Words of chance, some far more frequent than others, as bytes of lanes step by step; each lane has others.
 *
 * @param part of a lane's text, from 0 on
 */
function benchText(count: number, lanes: number, part = 0): Uint8Array {
  const rows = new Uint8Array(count);
  for (let lane = 0; lane < lanes; lane += 1) {
    let state = (lane * 2654435761 + part * 40503 + 1) >>> 0;
    const next = (below: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    for (let at = lane; at < count; ) {
      // The square of an even number between 0 and 1 is small more often than not.
      const word = Math.floor(next(WORD_COUNT) * (next(1000) / 1000));
      for (const byte of wordOf(word)) {
        if (at < count) rows[at] = byte;
        at += lanes;
      }
    }
  }
  return rows;
}

/** Syllables that say which word it is, and a space. */
function wordOf(number: number): number[] {
  const [vowels, consonants] = ["aeiou", "bdfglmnprst"];
  const letters: number[] = [];
  for (let rest = number + 1; rest > 0; rest = Math.floor(rest / 55)) {
    letters.push(consonants.charCodeAt(rest % 11), vowels.charCodeAt(Math.floor(rest / 11) % 5));
  }
  return [...letters, 32];
}
