/**
 * Finds what was drawn rather than measured: pixels of few colours, and bytes that rise in even steps, as gradients do.
 * Both are told by counts that nothing else passes; then the small model says whether they save anything.
 */
import { colourAt, paletteOf } from "../predict/exact.ts";
import { type Colours, type Differences, PALETTE_MAX } from "../predict/list.ts";
import type { Range } from "../repeats/spare.ts";
import { laneBytes } from "./lane-trial.ts";
import { integerLog2, LOG_BITS } from "./logarithm.ts";
import { costAs, costOf, middleOf, transform } from "./number-costs.ts";
import type { Pacer } from "./pacer.ts";
import { findRecords } from "./stride.ts";
import { BURST_BYTES, TRIAL_BYTES_MAX, trialKernels } from "./trial-kernels.ts";

/** A stretch of either kind, and in which distance what is left of it resembles itself. */
interface FoundExact extends Range {
  readonly numbers: Colours | Differences;
  readonly stride: number;
  /** Shorter copies of its bytes would save less than they cost. */
  readonly copyBytesMin: number;
  /** Bytes that a lane takes for LANE_BYTES of the run, or for all of it. */
  readonly taken: number;
}

/** Shorter runs are not worth a stretch. */
const RUN_BYTES_MIN = 2 ** 14;
/** Strides are looked for in so much of what is left. */
const STRIDE_BYTES = 2 ** 16;
const ALONE = { streams: 1, history: 0 };
/** What is left must take so much less than the bytes themselves, in the way that suits them best. */
const COLOURS_BETTER = 0.95;
const DIFFERENCES_BETTER = 0.8;
/** And so many bits of a byte, at most: of what is measured rather than drawn, a predictor leaves less. */
const DIFFERENCES_BITS_MAX = 0.25;
/** What a lane takes is held against each other in so many bytes, and must be so much less. */
const LANE_BYTES = 3 * 2 ** 15;
const LANE_BETTER = 0.99;
/** And so many bytes less: a stretch takes some, and zeros behind a palette. */
const STRETCH_BYTES = 24;
/** Pixels at the ends of a run whose colour does not come again in so many are a header, or what is behind. */
const END_PIXELS = 64;
const NEAR_PIXELS = 2 ** 12;
/** A stride, and a second distance, must save so much. */
const STRIDE_BETTER = 0.95;
const SECOND_BETTER = 0.8;
/** What a copy costs, with another stretch behind it, in which the model learns anew what it has learnt before. */
const COPY_BITS = 1000;
/** Runs that are tried, of each kind: the longest. */
const TRIED_MAX = 16;
const PIXEL_CHANNELS = [3, 4, 2] as const;

/** Runs of few colours, and of even steps, that save something. @throws the abort reason */
export async function findExact(bytes: Uint8Array, pacer: Pacer): Promise<FoundExact[]> {
  const found: FoundExact[] = [];
  const runs = PIXEL_CHANNELS.flatMap((channels) => colourRuns(bytes, channels));
  for (const run of longest(runs)) {
    const colours = await coloursThatSave(bytes, run, pacer);
    if (colours) found.push(colours);
  }
  for (const run of longest(steadyRuns(bytes))) {
    const differences = await differencesThatSave(bytes, run, pacer);
    if (differences) found.push(differences);
  }
  return bestApart(found);
}

const longest = <R extends Range>(runs: readonly R[]) =>
  [...runs].sort((a, b) => b.end - b.start - (a.end - a.start)).slice(0, TRIED_MAX);

interface ColourRun extends Range {
  readonly channels: number;
  readonly colours: number;
}

/** Runs of whole pixels of few colours; of those that begin elsewhere in a pixel, the one of the fewest colours. */
function colourRuns(bytes: Uint8Array, channels: number): ColourRun[] {
  const runs: ColourRun[] = [];
  for (let phase = 0; phase < channels; phase += 1) {
    for (const run of runsAt(bytes, channels, phase)) {
      const rivals = runs.filter((other) => other.start < run.end && other.end > run.start);
      if (rivals.some(({ colours }) => colours <= run.colours)) continue;
      for (const rival of rivals) runs.splice(runs.indexOf(rival), 1);
      runs.push(run);
    }
  }
  return runs;
}

/** Of those that lie over each other, the one that takes least. */
function bestApart(found: readonly FoundExact[]): FoundExact[] {
  const best: FoundExact[] = [];
  for (const run of [...found].sort((a, b) => a.taken - b.taken)) {
    if (!best.some((other) => other.start < run.end && other.end > run.start)) best.push(run);
  }
  return best;
}

/** A table of colours that is cleared by counting on. */
class ColourSet {
  readonly #slots = new Float64Array(4 * PALETTE_MAX);
  readonly #times = new Uint32Array(4 * PALETTE_MAX);
  #time = 1;
  size = 0;

  clear(): void {
    this.#time += 1;
    this.size = 0;
  }

  /** @returns false if it is not there, and there is no room for it */
  add(colour: number): boolean {
    let slot = (Math.imul(colour, 0x9e3779b1) >>> 22) & (4 * PALETTE_MAX - 1);
    while (this.#times[slot] === this.#time) {
      if (this.#slots[slot] === colour) return true;
      slot = (slot + 1) & (4 * PALETTE_MAX - 1);
    }
    if (this.size === PALETTE_MAX) return false;
    this.#slots[slot] = colour;
    this.#times[slot] = this.#time;
    this.size += 1;
    return true;
  }
}

function runsAt(bytes: Uint8Array, channels: number, phase: number): ColourRun[] {
  const runs: ColourRun[] = [];
  const colours = new ColourSet();
  let start = phase;
  let last = -1;
  let at = phase;
  const end = () => {
    if (at - start >= RUN_BYTES_MIN) {
      // What came before may have some of the same colours.
      const floor = runs.at(-1)?.end ?? phase;
      while (start - channels >= floor && colours.add(colourAt(bytes, start - channels, channels))) start -= channels;
      const [first, last] = endsOf(bytes, { start, end: at }, channels);
      if (last - first >= RUN_BYTES_MIN) runs.push({ start: first, end: last, channels, colours: colours.size });
    }
    colours.clear();
    start = at;
  };
  for (; at + channels <= bytes.length; at += channels) {
    const colour = colourAt(bytes, at, channels);
    if (colour === last) continue;
    last = colour;
    if (colours.add(colour)) continue;
    end();
    colours.add(colour);
  }
  end();
  return runs;
}

/** A run without a few pixels at its ends whose colours do not come again nearby. */
function endsOf(bytes: Uint8Array, { start, end }: Range, channels: number): [start: number, end: number] {
  const pixels = Math.min(NEAR_PIXELS, Math.floor((end - start) / channels));
  const isOnce = (from: number) => {
    const counts = new Map<number, number>();
    for (let i = 0; i < pixels; i += 1) {
      const colour = colourAt(bytes, from + i * channels, channels);
      counts.set(colour, (counts.get(colour) ?? 0) + 1);
    }
    return (i: number) => counts.get(colourAt(bytes, from + i * channels, channels)) === 1;
  };
  const [isFirstOnce, isLastOnce] = [isOnce(start), isOnce(end - pixels * channels)];
  let [first, last] = [0, 0];
  for (let i = 0; i < Math.min(END_PIXELS, pixels); i += 1) {
    if (isFirstOnce(i)) first = i + 1;
    if (isLastOnce(pixels - 1 - i)) last = i + 1;
  }
  return [start + first * channels, end - last * channels];
}

async function coloursThatSave(
  bytes: Uint8Array,
  { start, end, channels, colours }: ColourRun,
  pacer: Pacer,
): Promise<FoundExact | undefined> {
  const run = bytes.subarray(start, end);
  const numbers = { kind: "colours", channels, isRelative: false } as const;
  const sample = middleOf(run, TRIAL_BYTES_MAX, channels);
  const rawStride = findRecords(middleOf(run, STRIDE_BYTES, channels), ALONE);
  const left = await numbersLeft(middleOf(run, channels * STRIDE_BYTES, channels), numbers, pacer);
  const strides = [findRecords(left, ALONE), rawStride % channels === 0 ? rawStride / channels : 0, rowOf(left)];
  const costs = new Map<number, number>();
  for (const stride of new Set([0, ...strides]))
    costs.set(stride, await costAs(sample.slice(), numbers, pacer, stride));
  const stride = cheapest(costs);
  const cost = costs.get(stride) as number;
  // Of the palette, the sample's share.
  const paletteBits = (8 * channels * colours * sample.length) / run.length;
  if (cost + paletteBits > COLOURS_BETTER * costOf(sample, rawStride)) return undefined;
  const best = await bestColours(middleOf(run, LANE_BYTES, channels), numbers, [rawStride, stride], pacer);
  return best && { start, end, ...best, copyBytesMin: copyBytesFor(cost, sample.length) };
}

/** The numbers of a sample's colours, and the palette. */
async function numbersLeft(sample: Uint8Array, numbers: Colours, pacer: Pacer): Promise<Uint8Array> {
  const { channels } = numbers;
  const paletteBytes = (paletteOf(sample, channels)?.length ?? 0) * channels;
  await transform(sample, [{ gapBytes: 0, lengthBytes: sample.length, numbers }], pacer);
  return sample.subarray(0, Math.floor(sample.length / channels) + paletteBytes);
}

/** How colours are numbered best, by a lane; undefined if their bytes are. @param strides of bytes, and of numbers */
async function bestColours(
  sample: Uint8Array,
  numbers: Colours,
  [rawStride, stride]: readonly [number, number],
  pacer: Pacer,
): Promise<Pick<FoundExact, "numbers" | "stride" | "taken"> | undefined> {
  let least = LANE_BETTER * (await laneBytes(sample, rawStride, pacer)) - STRETCH_BYTES;
  let best: Pick<FoundExact, "numbers" | "stride" | "taken"> | undefined;
  for (const isRelative of [false, true]) {
    const left = await numbersLeft(sample.slice(), { ...numbers, isRelative }, pacer);
    for (const tried of new Set([0, stride])) {
      const taken = await laneBytes(left, tried, pacer);
      if (taken >= least) continue;
      least = taken;
      best = { numbers: { ...numbers, isRelative }, stride: tried, taken };
    }
  }
  return best;
}

/** @param bits that so many bytes take */
const copyBytesFor = (bits: number, sizeBytes: number) => Math.ceil((COPY_BITS * sizeBytes) / Math.max(1, bits));

/** The stride that takes least; none, if it saves little. */
function cheapest(costs: ReadonlyMap<number, number>): number {
  const without = costs.get(0) as number;
  const [[stride, cost] = [0, without]] = [...costs].sort((a, b) => a[1] - b[1]);
  return cost < STRIDE_BETTER * without ? stride : 0;
}

/** Bytes that are compared for a row, in bursts all over. */
const ROW_BURSTS = 48;
const ROW_MIN = 16;
const ROW_MAX = 2 ** 12 - 1;

/** The distance at which most bytes are equal, at least ROW_MIN; 0 if there are too few bytes. */
function rowOf(bytes: Uint8Array): number {
  const most = Math.min(ROW_MAX, Math.floor(bytes.length / 4));
  const span = bytes.length - most - BURST_BYTES;
  if (most <= ROW_MIN || span <= 0) return 0;
  const starts = Array.from({ length: ROW_BURSTS }, (_, i) => most + Math.floor((span * i) / (ROW_BURSTS - 1)));
  const { equal } = trialKernels().compareBursts(bytes, starts, most);
  let best = ROW_MIN;
  for (let distance = ROW_MIN; distance <= most; distance += 1) {
    if ((equal[distance] as number) > (equal[best] as number)) best = distance;
  }
  return best;
}

const WINDOW_BYTES = 2 ** 13;
/** Of a window, so many bytes are counted. */
const COUNTED_BYTES = 2 ** 11;
/** Bytes from a sample to the next one of its channel. */
const STEADY_DISTANCES = [1, 2, 3, 4, 6, 8] as const;
/** Bits of a byte that may be left, and how many times as many there must have been. */
const STEADY_BITS_MAX = 2;
const STEADY_FACTOR = 2;

interface SteadyRun extends Range {
  /** Each is one of some windows. */
  readonly distances: ReadonlySet<number>;
}

/** Runs of windows in which differences at a short distance are few, and much fewer than bytes. */
function steadyRuns(bytes: Uint8Array): SteadyRun[] {
  const runs: SteadyRun[] = [];
  for (let start = 0; start < bytes.length; start += WINDOW_BYTES) {
    const end = Math.min(bytes.length, start + WINDOW_BYTES);
    const distances = steadyDistances(bytes.subarray(start, end));
    if (distances.length === 0) continue;
    const last = runs.at(-1);
    if (last?.end !== start) runs.push({ start, end, distances: new Set(distances) });
    else runs[runs.length - 1] = { start: last.start, end, distances: new Set([...last.distances, ...distances]) };
  }
  return runs.filter(({ start, end }) => end - start >= RUN_BYTES_MIN);
}

function steadyDistances(window: Uint8Array): number[] {
  const from = Math.max(Math.max(...STEADY_DISTANCES), Math.floor((window.length - COUNTED_BYTES) / 2));
  const bits = entropyOf(window, from, 0);
  return STEADY_DISTANCES.filter((distance) => {
    const left = entropyOf(window, from, distance);
    return left <= STEADY_BITS_MAX && left * STEADY_FACTOR <= bits;
  });
}

/** Bits of a byte, by how often each occurs; of differences at a distance, if that is not 0. */
function entropyOf(bytes: Uint8Array, from: number, distance: number): number {
  const counts = new Uint32Array(256);
  const end = Math.min(bytes.length, from + COUNTED_BYTES);
  for (let i = from; i < end; i += 1) {
    const before = distance > 0 ? (bytes[i - distance] as number) : 0;
    const difference = ((bytes[i] as number) - before) & 255;
    counts[difference] = (counts[difference] as number) + 1;
  }
  const all = Math.max(1, end - from);
  const bits = counts.reduce((sum, n) => (n > 0 ? sum + n * (integerLog2(all) - integerLog2(n)) : sum), 0);
  return bits / all / 2 ** LOG_BITS;
}

interface Reading {
  readonly distances: readonly number[];
  readonly stride: number;
  readonly cost: number;
}

async function differencesThatSave(
  bytes: Uint8Array,
  { start, end, distances }: SteadyRun,
  pacer: Pacer,
): Promise<FoundExact | undefined> {
  const run = bytes.subarray(start, end);
  const sample = middleOf(run, STRIDE_BYTES, 1);
  const rawStride = findRecords(sample, ALONE);
  const before = costOf(sample, rawStride);
  let best: Reading | undefined;
  for (const distance of distances) {
    const reading = await readingOf(sample, [distance], pacer);
    if (!best || reading.cost < best.cost) best = reading;
  }
  if (!best) return undefined;
  for (const second of new Set([...best.distances, 1, best.stride])) {
    if (second === 0) continue;
    const reading = await readingOf(sample, [...best.distances.slice(0, 1), second], pacer);
    if (reading.cost < SECOND_BETTER * best.cost) best = reading;
  }
  const { stride, cost } = best;
  if (cost > Math.min(DIFFERENCES_BETTER * before, DIFFERENCES_BITS_MAX * TRIAL_BYTES_MAX)) return undefined;
  const numbers = { kind: "differences", distances: best.distances } as const;
  const long = middleOf(run, LANE_BYTES, 1);
  const least = DIFFERENCES_BETTER * (await laneBytes(long, rawStride, pacer)) - STRETCH_BYTES;
  await transform(long, [{ gapBytes: 0, lengthBytes: long.length, numbers }], pacer);
  const taken = await laneBytes(long, stride, pacer);
  if (taken > least) return undefined;
  return { taken, start, end, numbers, stride, copyBytesMin: copyBytesFor(cost, TRIAL_BYTES_MAX) };
}

async function readingOf(sample: Uint8Array, distances: readonly number[], pacer: Pacer): Promise<Reading> {
  const left = sample.slice();
  await transform(
    left,
    [{ gapBytes: 0, lengthBytes: left.length, numbers: { kind: "differences", distances } }],
    pacer,
  );
  const strides = new Set([0, findRecords(left, ALONE), rowOf(left)]);
  const costs = new Map([...strides].map((stride) => [stride, costOf(left, stride)]));
  const stride = cheapest(costs);
  return { distances, stride, cost: costs.get(stride) as number };
}
