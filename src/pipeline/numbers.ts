/**
 * The predictors' stage, in the pipeline: finds stretches of numbers in a block, tries on each whether its predictor
 * saves anything, and transforms those where it does. The way back needs none of this (src/predict/transform.ts).
 *
 * Found on the plain block, before repeats are cut out of it, because a few bytes that are missing break the order of
 * numbers: the cutter spares what was found, but for long copies, and what those leave is what is transformed.
 */
import { collectAfter } from "../platform/release.ts";
import { type Film, filmFrameBytes, type Numbers, type Pixels, type Sound, type Table } from "../predict/list.ts";
import type { Range } from "../repeats/spare.ts";
import { withDrawings } from "./drawings.ts";
import { costAs, costOf, middleOf, stridesOf, transform, unitOf } from "./number-costs.ts";
import { Pacer } from "./pacer.ts";
import { type FoundPixels, findPixels, frameBytesOf } from "./pixel-trial.ts";
import { type FoundNumbers, firstWithin, overlaps, sharedBy } from "./predicted.ts";
import { type FoundSound, findByteSound, findSound } from "./sound-trial.ts";
import { findStride } from "./stride.ts";
import {
  exponentOf,
  type FoundTable,
  findTables,
  formatsOf,
  leftBits,
  placeBits,
  rawBitsOf,
  shapesOf,
} from "./table-trial.ts";

/** Blocks below this have no stretch that pays. */
const BLOCK_BYTES_MIN = 2 ** 14;
/** Of a run, so many bytes are transformed for a trial. */
const SOUND_TRIAL_BYTES = 2 ** 17;
/** About a window, and whole samples of any number of channels that is looked for. */
const SOUND_END_BYTES = 8184;
const PIXEL_TRIAL_BYTES = 2 ** 16;
/** Ranks and frames must be learned, so more bytes are tried. */
const LONG_TRIAL_BYTES = 2 ** 18;
/** A first look, and at least so many rows: what saves nothing there is not tried in earnest. */
const LOOK_BYTES = 2 ** 14;
const LOOK_ROWS = 16;
/**
 * A predictor must save one part in so many of what the trial takes without it. That is much, because the real model
 * sees more than the trial: it makes of a fourth about a seventh, and of a ninth nothing.
 */
const SOUND_SAVING_SHARE = 7;
const PIXEL_SAVING_SHARE = 10;
/** Sound of bytes is held against records, as one lane would be told of them. */
const ALONE = { streams: 1, history: 0 };
/** Another number of channels than the one that was found must be so much better. */
const CHANNELS_BETTER = 0.995;
/** Pixels whose channels are not all like themselves must save so much by their colours, or they are something else. */
const ODD_SAVING_SHARE = 4;
/** Without foresight, a mixer's contexts of rows are better than what is left of a film, unless that is very little. */
const FILM_SAVING_SHARE = 4;
const TABLE_TRIAL_BYTES = 2 ** 18;
const TABLE_SAVING_SHARE = 20;
/** What is looked at first. */
const TABLE_GLANCE_BYTES = 2 ** 15;
/** Rows and frames, and integers where floats are possible, must save so much; and all of it, before the trial. */
const TABLE_BETTER = 0.99;
const TABLE_PROMISE = 0.9;
/** Of what bytes take by their places, so much may be left without rows, or none are looked for. */
const TABLE_HOPE = 0.93;
const SHORT_TABLE_HOPE = 0.75;
/** What a table or sound of bytes takes the place of must be so much worse. */
const RIVAL_BETTER = 0.98;
/** What a table is until more is known of it. */
const LINE = { row: 0, frame: 0, rawBits: 0, exponent: 0, isDamped: true } as const;

/**
 * The stretches of a block whose predictors save something, in order.
 *
 * @param isForeseen whether lanes will foresee pixels, which saves more; asked only if there are any
 * @throws the abort reason
 */
export async function findNumbers(
  plain: Uint8Array,
  signal?: AbortSignal,
  isForeseen = () => false,
): Promise<FoundNumbers[]> {
  if (plain.length < BLOCK_BYTES_MIN) return [];
  const pacer = new Pacer(signal);
  const found: FoundNumbers[] = [];
  for (const run of findSound(plain)) {
    const sound = (await soundThatSaves(plain, run, pacer)) ?? (await soundThatSaves(plain, innerOf(run), pacer));
    if (sound) found.push(sound);
  }
  collectAfter(plain.length); // views of windows: each of these passes leaves nearly a byte for each byte
  let doneBytes = 0;
  const sounds = [...found];
  for (const run of findPixels(plain, sounds)) {
    // The last frame of a film may have seemed to be something else.
    if (run.start < doneBytes) continue;
    const limit = sounds.find((sound) => sound.start >= run.end)?.start ?? plain.length;
    const pixels = await pixelsThatSave(plain, run, limit, pacer, isForeseen);
    if (!pixels) continue;
    found.push(pixels);
    doneBytes = pixels.end;
  }
  collectAfter(plain.length);
  for (const run of findTables(plain)) {
    const table = await tableThatSaves(plain, run, pacer);
    if (table) await putInPlace(plain, found, table, pacer);
  }
  for (const run of findByteSound(plain)) {
    if (found.some((other) => overlaps(other, run) && !mayBeByteSound(other))) continue;
    const sound = await soundThatSaves(plain, run, pacer);
    if (sound) await putInPlace(plain, found, sound, pacer);
  }
  collectAfter(plain.length);
  const all = await withDrawings(plain, found, pacer, isForeseen);
  return all.sort((a, b) => a.start - b.start);
}

/** Short rows of pixels of one or two channels are like sound of bytes. */
const mayBeByteSound = ({ numbers }: FoundNumbers) => numbers.kind === "pixels" && numbers.channels <= 2;

/** Puts numbers in place of what was found where they lie, unless that is better, or mostly lies elsewhere. */
async function putInPlace(plain: Uint8Array, found: FoundNumbers[], other: FoundNumbers, pacer: Pacer): Promise<void> {
  const rivals = found.filter((rival) => overlaps(rival, other));
  for (const rival of rivals) {
    const shared = sharedBy(rival, other);
    if (!shared) return;
    const cost = await costWithin(plain, shared, other, pacer);
    if (cost > RIVAL_BETTER * (await costWithin(plain, shared, rival, pacer))) return;
  }
  for (const rival of rivals) found.splice(found.indexOf(rival), 1);
  found.push(other);
}

/** What the middle of a range takes, as such numbers. */
async function costWithin(plain: Uint8Array, range: Range, of: FoundNumbers, pacer: Pacer): Promise<number> {
  const { numbers } = of;
  const rowBytes = numbers.kind === "pixels" ? numbers.width * unitOf(numbers) : unitOf(numbers);
  const bytes = plain.subarray(firstWithin(range, of), range.end);
  return await costAs(middleOf(bytes, TABLE_TRIAL_BYTES, rowBytes), numbers, pacer);
}

/** How a run is best read as a table, if that saves anything. */
async function tableThatSaves(plain: Uint8Array, run: FoundTable, pacer: Pacer): Promise<FoundNumbers | undefined> {
  const { start, end, width, isBig, columns } = run;
  const bytes = plain.subarray(start, end);
  const little = middleOf(bytes, TABLE_GLANCE_BYTES, width * columns);
  let best: Table | undefined;
  let least = Number.POSITIVE_INFINITY;
  /** Of two that are nearly as good, the first. */
  const tried = async (sample: Uint8Array, table: Table) => {
    const left = sample.slice();
    await transform(left, [{ gapBytes: 0, lengthBytes: left.length, numbers: table }], pacer);
    const bits = leftBits(left, width, table.rawBits);
    if (best && bits >= least * TABLE_BETTER) return;
    least = bits;
    best = table;
  };
  for (const format of formatsOf(little, run)) {
    const line = { kind: "table", format, isBig, columns, ...LINE } as const;
    await tried(little, { ...line, exponent: exponentOf(little, line), rawBits: rawBitsOf(little, line) });
  }
  if (least > placeBits(little, width) * (width > 2 ? TABLE_HOPE : SHORT_TABLE_HOPE)) return undefined;
  const line = best as unknown as Table;
  const sample = middleOf(bytes, TABLE_TRIAL_BYTES, width * columns);
  least = Number.POSITIVE_INFINITY;
  for (const shape of [{ row: 0, frame: 0 }, ...shapesOf(sample, line)]) await tried(sample, { ...line, ...shape });
  const numbers = best as unknown as Table;
  if (least > placeBits(sample, width) * TABLE_PROMISE) return undefined;
  const before = costOf(sample, ...stridesOf(numbers));
  const after = await costAs(sample, numbers, pacer);
  return before - after > before / TABLE_SAVING_SHARE ? { start, end, numbers } : undefined;
}

/** A run without its ends, which may be of something else for the most part. */
function innerOf({ start, end, sound }: FoundSound): FoundSound {
  return { start: start + SOUND_END_BYTES, end: end - SOUND_END_BYTES, sound };
}

/** How a run is best read as sound, if that saves anything: two channels that are alike may have looked like one. */
async function soundThatSaves(
  plain: Uint8Array,
  { start, end, sound }: FoundSound,
  pacer: Pacer,
): Promise<FoundNumbers | undefined> {
  if (end - start < BLOCK_BYTES_MIN) return undefined;
  const bytes = plain.subarray(start, end);
  const unit = 2 * sound.width;
  const look = middleOf(bytes, LOOK_BYTES, unit);
  const sample = middleOf(bytes, SOUND_TRIAL_BYTES, unit);
  // Bytes may be rows or records: that is told by their stride.
  const before = costOf(sample, sound.width > 1 ? 0 : findStride(sample, ALONE));
  let best: Sound | undefined;
  let least = before - before / SOUND_SAVING_SHARE;
  for (const channels of [sound.channels, 3 - sound.channels]) {
    const reading = { ...sound, channels };
    if (!(await looksLike(look.slice(), reading, pacer))) continue;
    const after = await costAs(sample.slice(), reading, pacer);
    if (after >= (best ? least * CHANNELS_BETTER : least)) continue;
    least = after;
    best = reading;
  }
  return best && { start, end, numbers: best };
}

/** Whether a predictor saves anything of a few bytes. */
async function looksLike(sample: Uint8Array, numbers: Sound | Pixels, pacer: Pacer): Promise<boolean> {
  const stride = numbers.kind === "sound" ? 0 : numbers.width * numbers.channels;
  return costOf(sample, stride) > (await costAs(sample, numbers, pacer));
}

/** How a run is best read as pixels, if that saves anything: where a pixel begins, with ranks or without, as a film. */
async function pixelsThatSave(
  plain: Uint8Array,
  run: FoundPixels,
  limit: number,
  pacer: Pacer,
  isForeseen: () => boolean,
): Promise<FoundNumbers | undefined> {
  const { channels, rowBytes } = run;
  const plainPixels = { kind: "pixels", channels, width: rowBytes / channels, frameBytes: 0, isRanked: false } as const;
  const bytes = plain.subarray(run.start, run.end);
  const look = middleOf(bytes, Math.max(LOOK_BYTES, LOOK_ROWS * rowBytes), rowBytes);
  if (!(await looksLike(look, plainPixels, pacer))) return undefined;
  const sample = middleOf(bytes, PIXEL_TRIAL_BYTES, rowBytes);
  const before = costOf(sample, rowBytes);
  let phase = 0;
  let least = before;
  // A picture that is read a byte too early or late is still one, unless its channels follow from each other exactly.
  let isOdd = false;
  for (let tried = 0; tried < channels; tried += 1) {
    const cost = await costAs(sample.slice(tried), plainPixels, pacer);
    isOdd ||= cost > before;
    if (isOdd && channels < 3) return undefined;
    if (cost >= least) continue;
    least = cost;
    phase = tried;
  }
  let numbers: Numbers = plainPixels;
  let [cost, plainCost] = [least, before];
  const others = othersOf(bytes, run, plainPixels);
  for (const other of others) {
    const isFilm = other.kind === "film";
    const count = Math.max(LONG_TRIAL_BYTES, isFilm ? 3 * filmFrameBytes(other) : 0);
    const longer = middleOf(bytes.subarray(isFilm ? 0 : phase), count, isFilm ? unitOf(other) : rowBytes);
    const otherCost = await costAs(longer.slice(), other, pacer);
    if (otherCost >= (await costAs(longer.slice(), numbers, pacer))) continue;
    numbers = other;
    phase = isFilm ? 0 : phase;
    [cost, plainCost] = [otherCost, costOf(longer, rowBytes)];
  }
  const isFilm = others.some(({ kind }) => kind === "film") && !isForeseen();
  const share = isFilm ? FILM_SAVING_SHARE : isOdd ? ODD_SAVING_SHARE : PIXEL_SAVING_SHARE;
  if (plainCost - cost <= plainCost / share) return undefined;
  const start = run.start + phase;
  return {
    start,
    end: numbers.kind === "film" ? endOfFilm(start, { end: run.end, limit }, numbers) : run.end,
    numbers,
  };
}

/** The last frame is as long as the others, even if it looks otherwise. */
function endOfFilm(start: number, { end, limit }: { end: number; limit: number }, film: Film): number {
  const frameBytes = filmFrameBytes(film);
  return Math.min(limit, start + Math.ceil((end - start) / frameBytes) * frameBytes);
}

/** What else a run may be: of three channels or four, ranked; of one, a film, if frames are found. */
function othersOf(bytes: Uint8Array, run: FoundPixels, plainPixels: Pixels): (Pixels | Film)[] {
  if (plainPixels.channels >= 3) return [{ ...plainPixels, isRanked: true }];
  const frameBytes = plainPixels.channels === 1 ? frameBytesOf(bytes, run) : 0;
  const { width } = plainPixels;
  const height = (2 * frameBytes) / (3 * width);
  const isFilm = frameBytes > 0 && width % 2 === 0 && height % 2 === 0;
  return isFilm ? [{ kind: "film", width, height }] : [];
}
