/**
 * Finds pixels in bytes: runs of windows in which bytes lie near those of the pixel before and near those of the row
 * above, both nearer than any two bytes do. This only proposes; numbers.ts tries in earnest. Integers alone, so that
 * all machines propose the same.
 */
import { PIXEL_CHANNELS_MAX, ROW_BYTES_MAX } from "../predict/list.ts";
import type { Range } from "../repeats/spare.ts";
import { trialKernels } from "./trial-kernels.ts";

export interface FoundPixels extends Range {
  readonly channels: number;
  readonly rowBytes: number;
}

const WINDOW_BYTES = 2 ** 16;
/** Smaller windows, where the input is small. */
const WINDOW_BYTES_MIN = 2 ** 14;
/** By so many bytes runs are extended to both sides. */
const STEP_BYTES = 2 ** 11;
/** Places of a window that are compared. */
const PLACES = 256;
/** What may lie between two runs that are one. */
const GAP_BYTES_MAX = 2 ** 16;
/** Rows below this are no picture. */
const ROW_BYTES_MIN = 32;
/** A frame has so many rows at least, and at most so many bytes. */
const FRAME_ROWS_MIN = 16;
const FRAME_BYTES_MAX = 2 ** 22;
/** In 100ths of how far any two bytes are apart: bytes of the pixel before, and of the row above. */
const PIXEL_SHARE = 70;
const ROW_SHARE = 62;
/** The same of each channel by itself, unless its bytes are never far apart, by so much. */
const CHANNEL_SHARE = 85;
const NOISE = 8;
/** In 100ths of the distance with fewer channels. */
const MORE_SHARE = 92;
/** In 100ths of the least distance: a shorter row that is as near is the row; longer ones are several. */
const SHORTER_SHARE = 112;
/** In 100ths of the distance of a window's own layout, what that of the run before may have. */
const GO_ON_SHARE = 135;
/** In 100ths of a run's mean distance to the row above, what bytes beside it may have. */
const EXTEND_SHARE = 160;

/** Runs that look like pixels, in order. @param taken what is something else already, in order */
export function findPixels(bytes: Uint8Array, taken: readonly Range[]): FoundPixels[] {
  const found: FoundPixels[] = [];
  const windowBytes = Math.min(WINDOW_BYTES, bytes.length);
  if (windowBytes < WINDOW_BYTES_MIN) return found;
  for (let start = 0; start + windowBytes <= bytes.length; start += windowBytes) {
    if (overlaps(taken, start, start + windowBytes)) continue;
    const own = layoutOf(bytes, start, windowBytes);
    if (!own) continue;
    const last = found.at(-1);
    const isNext = last !== undefined && start - last.end <= GAP_BYTES_MAX;
    const layout = isNext && goesOn(bytes, start, windowBytes, last, own) ? layoutIn(last) : own;
    // Not far beyond the window: what the next one says of itself goes before.
    const limit = Math.min(taken.find((range) => range.start >= start)?.start ?? bytes.length, start + 2 * windowBytes);
    const before = taken.filter((range) => range.end <= start).at(-1)?.end ?? 0;
    const floor = Math.max(before, Math.min(start, found.at(-1)?.end ?? 0));
    addRun(found, { ...extended(bytes, { start, end: start + windowBytes }, layout, floor, limit), ...layout }, taken);
  }
  return found;
}

const layoutIn = ({ channels, rowBytes }: Layout): Layout => ({ channels, rowBytes });

/** Whether a window may well have the layout of the run before it, though another seems a little better. */
function goesOn(bytes: Uint8Array, start: number, windowBytes: number, last: Layout, own: Layout): boolean {
  const back = Math.max(last.rowBytes, own.rowBytes);
  if (3 * back > windowBytes || last.channels !== own.channels) return false;
  const places = placesOf(start + back, start + windowBytes);
  return distanceAt(bytes, places, last.rowBytes) * 100 <= distanceAt(bytes, places, own.rowBytes) * GO_ON_SHARE;
}

/** A run of the same layout shortly behind another goes on with it, and one of another layout ends it. */
function addRun(found: FoundPixels[], run: FoundPixels, taken: readonly Range[]): void {
  const last = found.at(-1);
  const isSame = last !== undefined && last.channels === run.channels && last.rowBytes === run.rowBytes;
  if (isSame && run.start - last.end <= GAP_BYTES_MAX && !overlaps(taken, last.end, run.start)) {
    found[found.length - 1] = { ...last, end: Math.max(last.end, run.end) };
    return;
  }
  if (last) found[found.length - 1] = { ...last, end: Math.min(last.end, run.start) };
  found.push(run);
}

const overlaps = (taken: readonly Range[], start: number, end: number) =>
  taken.some((range) => range.start < end && range.end > start);

interface Layout {
  readonly channels: number;
  readonly rowBytes: number;
}

/** How a window's bytes may be read as pixels, if at all. */
function layoutOf(bytes: Uint8Array, start: number, windowBytes: number): Layout | undefined {
  const rowMax = Math.min(ROW_BYTES_MAX, Math.floor(windowBytes / 3));
  const places = placesOf(start + rowMax, start + windowBytes);
  const apart = meanApart(bytes, places);
  if (apart === 0) return undefined;
  const window = bytes.subarray(start, start + windowBytes);
  const distances = trialKernels().distances(
    window,
    places.map((place) => place - start),
    rowMax,
  );
  const distance = (back: number) => distances[back] as number;
  let channels = 0;
  let nearest = Number.POSITIVE_INFINITY;
  for (let back = 1; back <= PIXEL_CHANNELS_MAX; back += 1) {
    const found = distance(back);
    // More channels must say more.
    if (found * 100 >= nearest * MORE_SHARE) continue;
    nearest = found;
    channels = back;
  }
  if (nearest * 100 > apart * PIXEL_SHARE || !areAllNear(bytes, places, channels)) return undefined;
  const rowBytes = rowOf(distance, channels, rowMax, apart);
  return rowBytes > 0 ? { channels, rowBytes } : undefined;
}

/** Whether each channel is like itself in the pixel before: the low bytes of wide numbers are not. */
function areAllNear(bytes: Uint8Array, places: Int32Array, channels: number): boolean {
  for (let channel = 0; channel < channels; channel += 1) {
    const own = places.map((place) => place - (place % channels) + channel);
    const apart = meanApart(bytes, own);
    if (distanceAt(bytes, own, channels) * 100 > apart * CHANNEL_SHARE && apart > PLACES * NOISE) return false;
  }
  return true;
}

/** The distance, of whole pixels, at which bytes are nearest; 0 if they are not near. */
function rowOf(distance: (back: number) => number, channels: number, rowMax: number, apart: number): number {
  const first = Math.ceil(ROW_BYTES_MIN / channels) * channels;
  // Pixels farther back in the same row are near, too, in a smooth picture: rows begin where bytes come nearer again.
  let isAway = false;
  let least = Number.POSITIVE_INFINITY;
  let best = 0;
  let before = distance(first - channels);
  for (let back = first; back <= rowMax; back += channels) {
    const found = distance(back);
    if (found > before) isAway = true;
    if (isAway && found * SHORTER_SHARE < least * 100) {
      least = found;
      best = back;
    } else if (isAway && found < least && back <= best + 2 * channels) {
      least = found;
      best = back;
    }
    before = found;
  }
  return least * 100 <= apart * ROW_SHARE ? best : 0;
}

/**
 * How far the frames of a film lie apart: the distance, of half rows, at which a run is nearest to itself; 0 if it is
 * no longer than a frame.
 */
export function frameBytesOf(bytes: Uint8Array, { channels, rowBytes }: Layout): number {
  // Of whole pixels: planes of half the width and height follow in many films.
  const step = rowBytes % (2 * channels) === 0 ? rowBytes / 2 : rowBytes;
  const frameMax = Math.min(FRAME_BYTES_MAX, Math.floor(bytes.length / 2));
  if (frameMax < FRAME_ROWS_MIN * rowBytes) return 0;
  const places = placesOf(frameMax, bytes.length);
  const first = FRAME_ROWS_MIN * rowBytes;
  const found: number[] = [];
  for (let back = first; back <= frameMax; back += step) found.push(distanceAt(bytes, places, back));
  // Several frames may lie a little nearer than one.
  const least = found.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  return first + step * found.findIndex((distance) => distance * 100 <= least * SHORTER_SHARE);
}

/** Places all over a range, which do not fall into step with rows. */
function placesOf(from: number, end: number): Int32Array {
  const places = new Int32Array(PLACES);
  let state = 1;
  for (let i = 0; i < PLACES; i += 1) {
    state = (Math.imul(state, 0x9e3779b1) + 0x7f4a7c15) | 0;
    const share = (end - from) / PLACES;
    places[i] = from + Math.floor(share * i + (share * (state >>> 8)) / 2 ** 24);
  }
  return places;
}

function distanceAt(bytes: Uint8Array, places: Int32Array, back: number): number {
  let sum = 0;
  for (let i = 0; i < PLACES; i += 1) {
    const at = places[i] as number;
    sum += Math.abs((bytes[at] as number) - (bytes[at - back] as number));
  }
  return sum;
}

/** The same of bytes that have nothing to do with each other. */
function meanApart(bytes: Uint8Array, places: Int32Array): number {
  let sum = 0;
  for (let i = 0; i < PLACES; i += 1) {
    const other = places[(i * 97 + 31) % PLACES] as number;
    sum += Math.abs((bytes[places[i] as number] as number) - (bytes[other] as number));
  }
  return sum;
}

/** A run with what is beside it, as far as that has the same rows. */
function extended(bytes: Uint8Array, run: Range, { rowBytes }: Layout, floor: number, limit: number): Range {
  const meanOf = (start: number, end: number) => {
    let sum = 0;
    for (let at = Math.max(start, rowBytes); at < end; at += 1) {
      sum += Math.abs((bytes[at] as number) - (bytes[at - rowBytes] as number));
    }
    return sum / Math.max(1, end - start);
  };
  const most = (meanOf(run.start + rowBytes, run.end) * EXTEND_SHARE) / 100;
  let { start, end } = run;
  while (end + STEP_BYTES <= limit && meanOf(end, end + STEP_BYTES) <= most) end += STEP_BYTES;
  if (limit - end < Math.max(STEP_BYTES, 2 * rowBytes) && limit === bytes.length) end = limit;
  // Backwards, a step is compared with the row below it.
  const below = (from: number) => meanOf(from + rowBytes, from + rowBytes + STEP_BYTES) <= most;
  while (start - STEP_BYTES >= floor && below(start - STEP_BYTES)) start -= STEP_BYTES;
  return { start, end };
}
