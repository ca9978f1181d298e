/**
 * Finds what was drawn rather than measured: pixels of few colours, and bytes that rise in even steps, as gradients do.
 * Both are told by counts that nothing else passes; then the small model says whether they save anything.
 */
import { colourAt, paletteOf } from "../predict/exact.ts";
import { type Colours, type Differences, PALETTE_MAX } from "../predict/list.ts";
import type { Range } from "../repeats/spare.ts";
import { LANE_BYTES, laneBytes, laneBytesAs } from "./lane-trial.ts";
import { integerLog2, LOG_BITS } from "./logarithm.ts";
import { costAs, costOf, middleOf, transform } from "./number-costs.ts";
import type { Pacer } from "./pacer.ts";
import { overlaps } from "./predicted.ts";
import { byteBits, steadyDistances } from "./steady.ts";
import { findRecords } from "./stride.ts";
import { BURST_BYTES, TRIAL_BYTES_MAX, trialKernels } from "./trial-kernels.ts";
import { WINDOW_BYTES } from "./window-runs.ts";

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
/** What takes so many times as much without a stride will not do. */
const STRIDE_HOPE = 3;
/** Pixels at the ends of a run whose colour does not come again in so many are a header, or what is behind. */
const END_PIXELS = 64;
const NEAR_PIXELS = 2 ** 12;
/** A stride must save so much. */
const STRIDE_BETTER = 0.95;
/** What a copy costs, with another stretch behind it, in which the model learns anew what it has learnt before. */
const COPY_BITS = 1000;
/** Runs that are tried: so many, or one in so many bytes of a block. */
const TRIED_MIN = 6;
const TRIED_BYTES = 2 ** 17;
/** What takes so many times as much as another reading of the same bytes is not tried by a lane. */
const MUCH_WORSE = 1.2;
/** By counts alone, which know nothing of order, much more. */
const FAR_WORSE = 2;
const PIXEL_CHANNELS = [3, 4, 2] as const;
/** What is counted of a run. */
const GLANCE_BYTES = 2 ** 14;
/** Pixels of a drawing say a half to a fourth of what their channels say one by one; letters, or records, all of it. */
const TOGETHER_MAX = 0.65;
/** Pixels of two bytes have fewer colours, or they are something else. */
const NARROW_PALETTE_MAX = 64;

/** Runs of few colours, and of even steps, that save something. @throws the abort reason */
export async function findExact(bytes: Uint8Array, pacer: Pacer): Promise<FoundExact[]> {
  const found: FoundExact[] = [];
  const runs = PIXEL_CHANNELS.flatMap((channels) => colourRuns(bytes, channels));
  const readings: ColourReading[] = [];
  for (const run of ofColours(bytes, longest(runs, bytes.length))) {
    const reading = await readingOfColours(bytes, run, pacer);
    if (reading) readings.push(reading);
  }
  for (const reading of readings) {
    if (readings.some((other) => other.cost * MUCH_WORSE < reading.cost && overlaps(other.run, reading.run))) continue;
    found.push(await coloursThatSave(bytes, reading, pacer));
  }
  for (const run of longest(steadyRuns(bytes), bytes.length / 4)) {
    const differences = await differencesThatSave(bytes, run, pacer);
    if (differences) found.push(differences);
  }
  return bestApart(found);
}

/** The longest, for so many bytes of a block. */
function longest<R extends Range>(runs: readonly R[], sizeBytes: number): R[] {
  const count = Math.max(TRIED_MIN, Math.floor(sizeBytes / TRIED_BYTES));
  return [...runs].sort((a, b) => b.end - b.start - (a.end - a.start)).slice(0, count);
}

/** Trials take their time: what cannot save so much of a block is not tried. */
const SAVING_SHARE_MIN = 1 / 512;
const isWorthTime = (savedBytes: number, block: Uint8Array) => savedBytes >= SAVING_SHARE_MIN * block.length;

/** Runs whose pixels say much less than their channels by themselves, and of those over each other the best. */
function ofColours(bytes: Uint8Array, runs: readonly ColourRun[]): ColourRun[] {
  const bits = runs.map((run) => {
    const sample = middleOf(bytes.subarray(run.start, run.end), GLANCE_BYTES, run.channels);
    const { ofPixels, ofChannels } = pixelBits(sample, run);
    const savedBytes = ((ofChannels - ofPixels) / 8 / sample.length) * (run.end - run.start);
    if (ofPixels > TOGETHER_MAX * ofChannels || !isWorthTime(savedBytes, bytes)) return Number.POSITIVE_INFINITY;
    return ofPixels / sample.length;
  });
  const isBetter = (a: number, b: number) => FAR_WORSE * (bits[a] as number) < (bits[b] as number);
  return runs.filter((run, i) => {
    if (bits[i] === Number.POSITIVE_INFINITY) return false;
    return !runs.some((other, j) => overlaps(run, other) && isBetter(j, i));
  });
}

/** Bits by how often each value occurs: of pixels, and of their channels one by one. */
function pixelBits(sample: Uint8Array, { channels }: ColourRun): { ofPixels: number; ofChannels: number } {
  const pixels = Math.floor(sample.length / channels);
  const counts = new Map<number, number>();
  const byChannel = new Uint32Array(256 * channels);
  for (let i = 0; i < pixels; i += 1) {
    const at = i * channels;
    const colour = colourAt(sample, at, channels);
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
    for (let channel = 0; channel < channels; channel += 1) {
      const entry = 256 * channel + (sample[at + channel] as number);
      byChannel[entry] = (byChannel[entry] as number) + 1;
    }
  }
  const most = integerLog2(Math.max(1, pixels));
  const bitsOf = (sum: number, count: number) =>
    count > 0 ? sum + (count * (most - integerLog2(count))) / 2 ** LOG_BITS : sum;
  return { ofPixels: [...counts.values()].reduce(bitsOf, 0), ofChannels: byChannel.reduce(bitsOf, 0) };
}

interface ColourRun extends Range {
  readonly channels: number;
  readonly colours: number;
}

/** A run that the small model approves of. */
interface ColourReading {
  readonly run: ColourRun;
  /** Of what is left. */
  readonly stride: number;
  /** Bits of the small model, for a sample. */
  readonly cost: number;
  readonly sampleBytes: number;
}

/** Runs of whole pixels of few colours; of those that begin elsewhere in a pixel, the one of the fewest colours. */
function colourRuns(bytes: Uint8Array, channels: number): ColourRun[] {
  const runs: ColourRun[] = [];
  for (let phase = 0; phase < channels; phase += 1) {
    for (const run of runsAt(bytes, channels, phase)) {
      const rivals = runs.filter((other) => overlaps(other, run));
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
    if (!best.some((other) => overlaps(other, run))) best.push(run);
  }
  return best;
}

/** A table of colours that is cleared by counting on. */
class ColourSet {
  readonly #slots = new Float64Array(4 * PALETTE_MAX);
  readonly #times = new Uint32Array(4 * PALETTE_MAX);
  readonly #most: number;
  #time = 1;
  size = 0;

  /** @param most colours that it has room for */
  constructor(most: number) {
    this.#most = most;
  }

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
    if (this.size === this.#most) return false;
    this.#slots[slot] = colour;
    this.#times[slot] = this.#time;
    this.size += 1;
    return true;
  }
}

/**
 * Each run begins as early as it can. Whether one does at `start` is asked from behind: the pixel with one colour too
 * many is in all runs that begin before it, so that little is looked at where there are none.
 */
function runsAt(bytes: Uint8Array, channels: number, phase: number): ColourRun[] {
  const runs: ColourRun[] = [];
  const colours = new ColourSet(channels > 2 ? PALETTE_MAX : NARROW_PALETTE_MAX);
  const isRoomAt = (at: number) => colours.add(colourAt(bytes, at, channels));
  const leastBytes = Math.ceil(RUN_BYTES_MIN / channels) * channels;
  for (let start = phase; start + leastBytes <= bytes.length; ) {
    colours.clear();
    let end = start + leastBytes;
    let from = end;
    while (from > start && isRoomAt(from - channels)) from -= channels;
    if (from > start) {
      start = from;
      continue;
    }
    while (end + channels <= bytes.length && isRoomAt(end)) end += channels;
    const [first, last] = endsOf(bytes, { start, end }, channels);
    if (last - first >= RUN_BYTES_MIN) runs.push({ start: first, end: last, channels, colours: colours.size });
    start = end;
  }
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

async function readingOfColours(bytes: Uint8Array, found: ColourRun, pacer: Pacer): Promise<ColourReading | undefined> {
  const { start, end, channels, colours } = found;
  const run = bytes.subarray(start, end);
  const numbers = { kind: "colours", channels, isRelative: false } as const;
  const sample = middleOf(run, TRIAL_BYTES_MAX, channels);
  const costs = new Map([[0, await costAs(sample.slice(), numbers, pacer, 0)]]);
  if ((costs.get(0) as number) > costOf(sample, 0)) return undefined;
  const rawStride = findRecords(middleOf(run, STRIDE_BYTES, channels), ALONE);
  const left = await numbersLeft(middleOf(run, channels * STRIDE_BYTES, channels), numbers, pacer);
  const strides = [findRecords(left, ALONE), rawStride % channels === 0 ? rawStride / channels : 0, rowOf(left)];
  for (const stride of strides) {
    if (!costs.has(stride)) costs.set(stride, await costAs(sample.slice(), numbers, pacer, stride));
  }
  const stride = cheapest(costs);
  const cost = costs.get(stride) as number;
  // Of the palette, the sample's share.
  const paletteBits = (8 * channels * colours * sample.length) / run.length;
  if (cost + paletteBits > COLOURS_BETTER * costOf(sample, rawStride)) return undefined;
  return { run: found, stride, cost, sampleBytes: sample.length };
}

async function coloursThatSave(
  bytes: Uint8Array,
  { run, stride, cost, sampleBytes }: ColourReading,
  pacer: Pacer,
): Promise<FoundExact> {
  const { start, end, channels } = run;
  const sample = middleOf(bytes.subarray(start, end), LANE_BYTES, channels);
  const best = await bestColours(sample, { kind: "colours", channels, isRelative: false }, stride, pacer);
  return { start, end, ...best, copyBytesMin: copyBytesFor(cost, sampleBytes) };
}

/** The numbers of a sample's colours, and the palette. */
async function numbersLeft(sample: Uint8Array, numbers: Colours, pacer: Pacer): Promise<Uint8Array> {
  const { channels } = numbers;
  const paletteBytes = (paletteOf(sample, channels)?.length ?? 0) * channels;
  await transform(sample, [{ gapBytes: 0, lengthBytes: sample.length, numbers }], pacer);
  return sample.subarray(0, Math.floor(sample.length / channels) + paletteBytes);
}

/** How colours are numbered best, by a lane. @param stride of numbers, which may be worth nothing */
async function bestColours(
  sample: Uint8Array,
  numbers: Colours,
  stride: number,
  pacer: Pacer,
): Promise<Pick<FoundExact, "numbers" | "stride" | "taken">> {
  let best: Pick<FoundExact, "numbers" | "stride" | "taken"> | undefined;
  for (const isRelative of [false, true]) {
    const left = await numbersLeft(sample.slice(), { ...numbers, isRelative }, pacer);
    for (const tried of new Set([0, stride])) {
      const taken = await laneBytes(left, tried, pacer);
      if (!best || taken < best.taken) best = { numbers: { ...numbers, isRelative }, stride: tried, taken };
    }
  }
  return best as NonNullable<typeof best>;
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
  return runs.filter(({ start, end }) => {
    if (end - start < RUN_BYTES_MIN) return false;
    return isWorthTime((end - start) * (byteBits(middleOf(bytes.subarray(start, end), WINDOW_BYTES, 1)) / 8), bytes);
  });
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
  const bitsMax = DIFFERENCES_BITS_MAX * TRIAL_BYTES_MAX;
  let best: Reading | undefined;
  for (const distance of distances) {
    const left = sample.slice();
    if ((await costAs(left, { kind: "differences", distances: [distance] }, pacer)) > STRIDE_HOPE * bitsMax) continue;
    const reading = await readingOf(sample, [distance], pacer);
    if (!best || reading.cost < best.cost) best = reading;
  }
  if (!best) return undefined;
  const rawStride = findRecords(sample, ALONE);
  const [first] = best.distances as [number];
  let second: Reading | undefined;
  for (const distance of new Set([first, 1, best.stride])) {
    if (distance === 0) continue;
    const reading = await readingOf(sample, [first, distance], pacer);
    if (!second || reading.cost < second.cost) second = reading;
  }
  const cost = Math.min(best.cost, second?.cost ?? best.cost);
  if (cost > Math.min(DIFFERENCES_BETTER * costOf(sample, rawStride), bitsMax)) return undefined;
  // The first rows teach what the others follow.
  const beginning = run.subarray(0, LANE_BYTES);
  let least = Number.POSITIVE_INFINITY;
  let found: FoundExact | undefined;
  for (const { distances, stride } of second ? [best, second] : [best]) {
    const numbers = { kind: "differences", distances } as const;
    const taken = await laneBytesAs(beginning.slice(), numbers, stride, pacer);
    if (taken >= least) continue;
    least = taken;
    found = { taken, start, end, numbers, stride, copyBytesMin: copyBytesFor(cost, TRIAL_BYTES_MAX) };
  }
  return found;
}

async function readingOf(sample: Uint8Array, distances: readonly number[], pacer: Pacer): Promise<Reading> {
  const left = sample.slice();
  const numbers = { kind: "differences", distances } as const;
  await transform(left, [{ gapBytes: 0, lengthBytes: left.length, numbers }], pacer);
  const strides = new Set([0, findRecords(left, ALONE), rowOf(left)]);
  const costs = new Map([...strides].map((stride) => [stride, costOf(left, stride)]));
  const stride = cheapest(costs);
  return { distances, stride, cost: costs.get(stride) as number };
}
