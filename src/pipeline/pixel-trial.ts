/**
 * Finds pixels in bytes: runs of windows in which bytes lie near those of the pixel before and near those of the row
 * above, both nearer than any two bytes do. This only proposes; numbers.ts tries in earnest. Integers alone, so that
 * all machines propose the same.
 */
import { PIXEL_CHANNELS_MAX, ROW_BYTES_MAX } from "../predict/list.ts";
import type { Range } from "../repeats/spare.ts";

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
/** In 100ths of the least distance: a shorter row that is as near is the row; longer ones are several. */
const SHORTER_SHARE = 112;
/** In 100ths of a run's mean distance to the row above, what bytes beside it may have. */
const EXTEND_SHARE = 160;

/** Runs that look like pixels, in order. @param taken what is something else already, in order */
export function findPixels(bytes: Uint8Array, taken: readonly Range[]): FoundPixels[] {
  const found: FoundPixels[] = [];
  const windowBytes = Math.min(WINDOW_BYTES, bytes.length);
  if (windowBytes < WINDOW_BYTES_MIN) return found;
  let floor = 0;
  for (let start = 0; start + windowBytes <= bytes.length; start += windowBytes) {
    if (start < floor || overlaps(taken, start, start + windowBytes)) continue;
    const layout = layoutOf(bytes, start, windowBytes);
    if (!layout) continue;
    const limit = taken.find((range) => range.start >= start)?.start ?? bytes.length;
    const before = taken.filter((range) => range.end <= start).at(-1)?.end ?? 0;
    const run = extended(bytes, { start, end: start + windowBytes }, layout, Math.max(floor, before), limit);
    addRun(found, { ...run, ...layout }, taken);
    floor = run.end;
  }
  return found;
}

/** A run of the same layout shortly behind another goes on with it. */
function addRun(found: FoundPixels[], run: FoundPixels, taken: readonly Range[]): void {
  const last = found.at(-1);
  const isSame = last !== undefined && last.channels === run.channels && last.rowBytes === run.rowBytes;
  if (isSame && run.start - last.end <= GAP_BYTES_MAX && !overlaps(taken, last.end, run.start)) {
    found[found.length - 1] = { ...last, end: run.end };
  } else found.push(run);
}

const overlaps = (taken: readonly Range[], start: number, end: number) =>
  taken.some((range) => range.start < end && range.end > start);

export interface Layout {
  readonly channels: number;
  readonly rowBytes: number;
}

/** How a window's bytes may be read as pixels, if at all. */
function layoutOf(bytes: Uint8Array, start: number, windowBytes: number): Layout | undefined {
  const rowMax = Math.min(ROW_BYTES_MAX, Math.floor(windowBytes / 3));
  const places = placesOf(start + rowMax, start + windowBytes);
  const apart = meanApart(bytes, places);
  if (apart === 0) return undefined;
  const distance = (back: number) => distanceAt(bytes, places, back);
  let channels = 0;
  let nearest = Number.POSITIVE_INFINITY;
  for (let back = 1; back <= PIXEL_CHANNELS_MAX; back += 1) {
    const found = distance(back);
    // More channels must say more.
    if (found * 100 >= nearest * 97) continue;
    nearest = found;
    channels = back;
  }
  if (nearest * 100 > apart * PIXEL_SHARE) return undefined;
  const rowBytes = rowOf(distance, channels, rowMax, apart);
  return rowBytes > 0 ? { channels, rowBytes } : undefined;
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
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let back = FRAME_ROWS_MIN * rowBytes; back <= frameMax; back += step) {
    const found = distanceAt(bytes, places, back);
    if (found >= least) continue;
    least = found;
    best = back;
  }
  return best;
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
  if (limit - end < STEP_BYTES && limit === bytes.length) end = limit;
  // Backwards, a step is compared with the row below it.
  const below = (from: number) => meanOf(from + rowBytes, from + rowBytes + STEP_BYTES) <= most;
  while (start - STEP_BYTES >= floor && below(start - STEP_BYTES)) start -= STEP_BYTES;
  return { start, end };
}
