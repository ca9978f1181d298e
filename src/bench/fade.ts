/**
 * Measures fade itself in this process, through the pipeline that the command line uses: bytes in memory to an archive
 * in memory and back, with the time split up and, if wanted, the learning curve.
 */
import type { CoderObserver, Engine } from "../engine/engine.ts";
import { type CompressOptions, compressStream, type FrameOptions, sourceOf } from "../pipeline/frames.ts";
import { type RestoreOptions, restore } from "../pipeline/restore.ts";
import { LearningCurve } from "./curve.ts";
import { coderObserver, meteredEngine, TimeMeter } from "./meter.ts";
import type { CurvePoint, TimeSplit } from "./results.ts";

/** Opens a new engine: opening is part of what is measured. */
export type EngineOpener = () => Promise<Engine>;

interface Measured {
  readonly bytes: Uint8Array;
  readonly elapsedMs: number;
  readonly split: TimeSplit;
  /** undefined if all was stored: then no engine was opened. */
  readonly engine?: { readonly name: string; readonly description: string };
  readonly curve?: readonly CurvePoint[];
}

/** @throws what compressStream throws */
export async function measureCompression(
  plain: Uint8Array,
  openEngine: EngineOpener,
  options: CompressOptions & { readonly wantsCurve?: boolean },
): Promise<Measured> {
  const { wantsCurve, ...others } = options;
  const curve = wantsCurve ? new LearningCurve(plain.length) : undefined;
  const measured = await measure(openEngine, async (source, observer, sink) => {
    const both = { ...observer, ...(curve && { intervals: curve.add, coded: curve.addCoded }) };
    await compressStream(sourceOf(plain), sink, source, { ...others, observer: both });
  });
  return { ...measured, ...(curve && { curve: curve.finish() }) };
}

/** @throws what restore throws, also if the checksums are wrong */
export async function measureDecompression(
  archive: Uint8Array,
  openEngine: EngineOpener,
  options: Omit<FrameOptions, "onProgress"> & Pick<RestoreOptions, "priors">,
): Promise<Measured> {
  return await measure(openEngine, async (source, observer, sink) => {
    let rest = archive;
    const pull = async () => {
      const all = rest;
      rest = rest.subarray(rest.length);
      return all;
    };
    // What restore gives is its own again when the sink is done.
    await restore(pull, (bytes) => sink(bytes.slice()), source, { ...options, observer });
  });
}

type Work = (
  source: EngineOpener,
  observer: CoderObserver,
  sink: (bytes: Uint8Array) => Promise<void>,
) => Promise<void>;

/** Runs `work` with an engine of its own, which is closed afterwards (and after the clock has stopped). */
async function measure(openEngine: EngineOpener, work: Work): Promise<Measured> {
  const parts: Uint8Array[] = [];
  const startedAtMs = performance.now();
  const meter = new TimeMeter();
  let engine: Engine | undefined;
  const source = async () => {
    engine ??= meteredEngine(await openEngine(), meter);
    return engine;
  };
  const sink = async (bytes: Uint8Array) => {
    parts.push(bytes.slice());
  };
  try {
    await work(source, coderObserver(meter), sink);
    const elapsedMs = performance.now() - startedAtMs;
    const split = meter.split();
    const { name, description } = engine ?? {};
    const facts = name === undefined || description === undefined ? {} : { engine: { name, description } };
    return { bytes: new Uint8Array(Buffer.concat(parts)), elapsedMs, split, ...facts };
  } finally {
    await engine?.close();
  }
}
