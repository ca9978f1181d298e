/**
 * The module trials.wasm, and its one instance: it works on samples that are copied to it, so it takes some megabytes
 * whatever the block. Whoever uses it is done before anybody else is asked.
 */
import { compileAsset } from "../platform/web-assembly.ts";
import wasmPath from "./trials.wasm" with { type: "file" };

/** The exports, documented in assembly/. Addresses and lengths in bytes. */
interface Exports {
  mixtureBytes(digits: number): number;
  beginTrial(contexts: number, isFirst: boolean): number;
  codeRun(from: number, count: number): number;
  compareBursts(burst: number, count: number, apart: number, equal: number): void;
  distances(places: number, placeCount: number, count: number, out: number): void;
  measureSound(
    window: number,
    windowBytes: number,
    skip: number,
    width: number,
    channels: number,
    isBig: boolean,
    sums: number,
  ): void;
}

const PAGE_BYTES = 65536;
/** Bytes that the mixture codes at most, with 8 digits each. */
export const TRIAL_BYTES_MAX = 9 << 12;
/** Contexts of the mixture at most, and offsets that each looks at. */
const CONTEXTS_MAX = 6;
const OFFSETS_MAX = 4;
/** Bytes of a burst. */
export const BURST_BYTES = 48;
/** Distances are taken so many at a time. */
const DISTANCES_STEP = 16;
const SUM_BYTES = 8;

const aligned = (bytes: number) => Math.ceil(bytes / 16) * 16;

class TrialKernels {
  readonly #memory = new WebAssembly.Memory({ initial: 1 });
  readonly #kernels: Exports;
  /** Where samples may be put. */
  readonly #start: number;

  constructor() {
    const module = compileAsset(wasmPath);
    const { exports } = new WebAssembly.Instance(module, { env: { memory: this.#memory } });
    this.#kernels = exports as unknown as Exports;
    this.#start = aligned(this.#kernels.mixtureBytes(8 * TRIAL_BYTES_MAX));
  }

  /**
   * Begins a pass of the mixture over runs.
   *
   * @param contexts what is hashed for each: bytes so far back @param isFirst whether guesses are made, or used
   */
  beginMixture(contexts: readonly (readonly number[])[], isFirst: boolean): void {
    if (contexts.length > CONTEXTS_MAX) throw new RangeError(`${contexts.length} contexts are more than a trial has`);
    this.#room(0);
    const offsets = this.#words(this.#kernels.beginTrial(contexts.length, isFirst), CONTEXTS_MAX * OFFSETS_MAX);
    offsets.fill(0);
    for (const [i, context] of contexts.entries()) offsets.set(context, i * OFFSETS_MAX);
  }

  /** Codes `count` bytes from `start` on. @returns bits of all runs so far @param lead bytes that contexts look back */
  codeRun(bytes: Uint8Array, start: number, count: number, lead: number): number {
    const room = this.#room(lead + count);
    const known = Math.min(lead, start);
    // Before the first byte everything is 0.
    room.fill(0, 0, lead - known);
    room.set(bytes.subarray(start - known, start + count), lead - known);
    return this.#kernels.codeRun(this.#start + lead, count);
  }

  /** How large second differences of samples are, in sum, of each of one or two channels. */
  measureSound(window: Uint8Array, skip: number, width: number, channels: number, isBig: boolean): [number, number] {
    const sums = this.#start + aligned(window.length);
    this.#room(aligned(window.length) + SUM_BYTES).set(window);
    this.#kernels.measureSound(this.#start, window.length, skip, width, channels, isBig, sums);
    const [first = 0, second = 0] = this.#words(sums, 2);
    return [first, second];
  }

  /**
   * How far bytes at some places, at most 257, lie from those at every distance from 0 to `most` before them, in sum.
   *
   * @param places none below `most`
   */
  distances(bytes: Uint8Array, places: Int32Array, most: number): Uint16Array {
    const count = Math.ceil((most + 1) / DISTANCES_STEP) * DISTANCES_STEP;
    // A step may look at some bytes before the first.
    const window = this.#start + DISTANCES_STEP;
    const placesAt = aligned(window + bytes.length);
    const out = aligned(placesAt + 4 * places.length);
    this.#room(out + 2 * count - this.#start).set(bytes, DISTANCES_STEP);
    this.#words(placesAt, places.length).set(places.map((place) => window + place));
    this.#kernels.distances(placesAt, places.length, count, out);
    return new Uint16Array(this.#memory.buffer, out, most + 1).slice();
  }

  /**
   * Compares bursts with what is 1 to `most` bytes before them.
   *
   * @param starts none below `most` @returns for each distance, how far bytes are apart in sum, and how many are equal
   */
  compareBursts(
    bytes: Uint8Array,
    starts: readonly number[],
    most: number,
  ): { apart: Uint32Array; equal: Uint32Array } {
    const apart = aligned(this.#start + most + BURST_BYTES);
    const equal = aligned(apart + 4 * (most + 1));
    const room = this.#room(equal + 4 * (most + 1) - this.#start);
    room.fill(0, apart - this.#start);
    for (const start of starts) {
      room.set(bytes.subarray(start - most, start + BURST_BYTES));
      this.#kernels.compareBursts(this.#start + most, most, apart, equal);
    }
    return { apart: this.#words(apart, most + 1).slice(), equal: this.#words(equal, most + 1).slice() };
  }

  /** Room for samples and for what is made of them, where other samples were. */
  #room(sizeBytes: number): Uint8Array {
    const missing = Math.ceil((this.#start + sizeBytes - this.#memory.buffer.byteLength) / PAGE_BYTES);
    if (missing > 0) this.#memory.grow(missing);
    return new Uint8Array(this.#memory.buffer, this.#start, sizeBytes);
  }

  #words(address: number, count: number): Uint32Array {
    return new Uint32Array(this.#memory.buffer, address, count);
  }
}

let opened: TrialKernels | undefined;

/** The instance. It opens when it is first asked for. */
export function trialKernels(): TrialKernels {
  opened ??= new TrialKernels();
  return opened;
}

/** Leaves the instance to the collector of garbage; whoever asks next gets another one. */
export function closeTrialKernels(): void {
  opened = undefined;
}
