/**
 * The list of a block's stretches of numbers: where they lie among the bytes that the model sees, and what they are.
 * Writing it, and reading it back from bytes that may be anything.
 */
import { ByteReader, ByteWriter } from "../archive/bytes.ts";
import { CorruptError } from "../archive/errors.ts";

/** Samples of sound, the channels in turn. */
export interface Sound {
  readonly kind: "sound";
  /** 1 to SOUND_CHANNELS_MAX. */
  readonly channels: number;
  /** Bytes of a sample, 1 to SOUND_WIDTH_MAX. */
  readonly width: number;
  /** Whether a sample's high byte comes first. */
  readonly isBig: boolean;
  /** Whether silence is the middle of an unsigned range. */
  readonly isUnsigned: boolean;
  /** Whether a panel of predictors goes along with the lane, where lanes foresee; absent: no. */
  readonly isByPanel?: boolean;
}

/** Pixels of one byte a channel, in rows. */
export interface Pixels {
  readonly kind: "pixels";
  /** Bytes of a pixel, 1 to PIXEL_CHANNELS_MAX. */
  readonly channels: number;
  /** Pixels of a row; with all channels at most ROW_BYTES_MAX bytes. */
  readonly width: number;
  /** Bytes from a pixel to the same one of the next frame of a film; 0: there are no frames. */
  readonly frameBytes: number;
  /** Whether ranks are left of the second and third channel; three or four channels only. */
  readonly isRanked: boolean;
}

/** Frames of a film: a plane of luminance, then two of colour of half its width and height. */
export interface Film {
  readonly kind: "film";
  /** Of the first plane, both even. */
  readonly width: number;
  readonly height: number;
}

/** Numbers of 2, 4 or 8 bytes in columns that take turns, maybe in rows and frames. */
export interface Table {
  readonly kind: "table";
  readonly format: TableFormat;
  readonly isBig: boolean;
  /** Numbers after which the same column comes again, 1 to TABLE_COLUMNS_MAX. */
  readonly columns: number;
  /** Numbers of a row, a multiple of the columns, up to TABLE_ROW_MAX; 0: there are no rows. */
  readonly row: number;
  /** Numbers of a frame, a multiple of the row and at least four times it, up to TABLE_FRAME_MAX; 0: there are none. */
  readonly frame: number;
  /** Lowest bits that are left as they are, up to all but one. */
  readonly rawBits: number;
  /** Numbers are scaled by 2^exponent for prediction, within TABLE_EXPONENT_MAX. */
  readonly exponent: number;
  /** Whether the predictor makes less of moments that are far out (since version 9); absent: no. */
  readonly isDamped?: boolean;
}

/** Their place is how they are coded. */
export const TABLE_FORMATS = ["int16", "int32", "int64", "float16", "float32", "float64", "bfloat16"] as const;
export type TableFormat = (typeof TABLE_FORMATS)[number];

/** Bytes of a number. */
export function numberBytes(format: TableFormat): number {
  return format.endsWith("16") ? 2 : format.endsWith("32") ? 4 : 8;
}

/** Pixels of few colours, which become numbers of a palette. */
export interface Colours {
  readonly kind: "colours";
  /** Bytes of a pixel, 2 to PIXEL_CHANNELS_MAX. */
  readonly channels: number;
  /** Whether 0 stands for the colour of the pixel before, and colours below that for one more. */
  readonly isRelative: boolean;
}

/** Bytes of which those so far before are taken away, one distance after the other. */
export interface Differences {
  readonly kind: "differences";
  /** 1 to DISTANCES_MAX of them, of 1 to DISTANCE_MAX bytes. */
  readonly distances: readonly number[];
}

export type Numbers = Sound | Pixels | Film | Table | Colours | Differences;

export interface Stretch {
  /** Bytes between the stretch before, or the beginning, and this one. */
  readonly gapBytes: number;
  readonly lengthBytes: number;
  readonly numbers: Numbers;
}

const SOUND_CHANNELS_MAX = 8;
const SOUND_WIDTH_MAX = 3;
export const PIXEL_CHANNELS_MAX = 4;
export const ROW_BYTES_MAX = 2 ** 15;
/** In narrower rows, what is above and to the right would not be known yet. */
const PIXEL_WIDTH_MIN = 4;
/** A stretch is so long, at least and at most: longer ones would take a decoder's memory. */
export const STRETCH_BYTES_MIN = 2 ** 12;
export const STRETCH_BYTES_MAX = 2 ** 23;

const TAG_SOUND = 0;
const TAG_PIXELS = 1;
const TAG_FILM = 2;
const TAG_TABLE = 3;
const TAG_COLOURS = 4;
const TAG_DIFFERENCES = 5;
/** Colours of a palette, at most. */
export const PALETTE_MAX = 256;
const COLOURS_CHANNELS_MIN = 2;
const DISTANCES_MAX = 4;
export const DISTANCE_MAX = 2 ** 15;
export const TABLE_COLUMNS_MAX = 16;
/** In shorter rows, what is above and to the right would not be known yet. */
const TABLE_ROW_TUPLES_MIN = 8;
export const TABLE_ROW_MAX = 2 ** 14;
export const TABLE_FRAME_MAX = 2 ** 18;
export const TABLE_EXPONENT_MAX = 1000;
/** Beside the raw bits, which are below 64. */
const TABLE_DAMPED = 0x80;
/** Of a film: the smallest sides, and the largest width. */
const FILM_SIDE_MIN = 8;
const FILM_WIDTH_MAX = 2 ** 14;

/** The coded list. @throws RangeError for a stretch that no reader would accept */
export function encodeStretches(stretches: readonly Stretch[]): Uint8Array {
  const writer = new ByteWriter();
  for (const { gapBytes, lengthBytes, numbers } of stretches) {
    if (lengthBytes < STRETCH_BYTES_MIN || lengthBytes > STRETCH_BYTES_MAX) {
      throw new RangeError(`a stretch of ${lengthBytes} bytes`);
    }
    writer.varint(gapBytes).varint(lengthBytes);
    if (numbers.kind === "sound") writeSound(writer, numbers);
    else if (numbers.kind === "pixels") writePixels(writer, numbers);
    else if (numbers.kind === "film") writeFilm(writer, numbers);
    else if (numbers.kind === "table") writeTable(writer, numbers);
    else if (numbers.kind === "colours") writeColours(writer, numbers);
    else writeDifferences(writer, numbers);
  }
  return writer.finish();
}

function writeSound(writer: ByteWriter, { channels, width, isBig, isUnsigned, isByPanel }: Sound): void {
  const isPossible = channels >= 1 && channels <= SOUND_CHANNELS_MAX && width >= 1 && width <= SOUND_WIDTH_MAX;
  if (!isPossible) throw new RangeError(`sound of ${channels} channels and ${width} bytes`);
  const flags = (isBig ? 0x20 : 0) | (isUnsigned ? 0x40 : 0) | (isByPanel ? 0x80 : 0);
  writer.u8(TAG_SOUND).u8((channels - 1) | ((width - 1) << 3) | flags);
}

/** What is below and to the right in the frame before must be known already. */
const frameBytesMin = (channels: number, width: number) => (width + 2) * channels;

function writePixels(writer: ByteWriter, { channels, width, frameBytes, isRanked }: Pixels): void {
  const isChannelled = channels >= (isRanked ? 3 : 1) && channels <= PIXEL_CHANNELS_MAX;
  const isWide = width >= PIXEL_WIDTH_MIN && width * channels <= ROW_BYTES_MAX;
  const isFilm =
    frameBytes >= frameBytesMin(channels, width) && frameBytes <= STRETCH_BYTES_MAX && frameBytes % channels === 0;
  if (!isChannelled || !isWide || !(frameBytes === 0 || isFilm)) {
    throw new RangeError(`pixels of ${channels} channels in rows of ${width} and frames of ${frameBytes} bytes`);
  }
  writer.u8(TAG_PIXELS).u8((channels - 1) | (isRanked ? 4 : 0));
  writer.varint(width).varint(frameBytes);
}

function writeFilm(writer: ByteWriter, { width, height }: Film): void {
  const isEven = width % 2 === 0 && height % 2 === 0;
  const isWide = width >= FILM_SIDE_MIN && width <= FILM_WIDTH_MAX && height >= FILM_SIDE_MIN;
  if (!isEven || !isWide || filmFrameBytes({ width, height }) > STRETCH_BYTES_MAX) {
    throw new RangeError(`a film of ${width} x ${height}`);
  }
  writer.u8(TAG_FILM);
  writer.varint(width / 2).varint(height / 2);
}

function writeTable(writer: ByteWriter, table: Table): void {
  const { format, isBig, columns, row, frame, rawBits, exponent, isDamped } = table;
  const isShaped = columns >= 1 && columns <= TABLE_COLUMNS_MAX && isRow(row, columns) && isFrame(frame, row);
  const isScaled = rawBits >= 0 && rawBits < 8 * numberBytes(format) && Math.abs(exponent) <= TABLE_EXPONENT_MAX;
  if (!isShaped || !isScaled) throw new RangeError(`a table of ${JSON.stringify(table)}`);
  writer.u8(TAG_TABLE).u8(TABLE_FORMATS.indexOf(format) | (isBig ? 8 : 0) | ((columns - 1) << 4));
  writer.varint(row / columns).varint(row > 0 ? frame / row : 0);
  writer.u8(rawBits | (isDamped ? TABLE_DAMPED : 0)).varint(exponent + TABLE_EXPONENT_MAX);
}

function writeColours(writer: ByteWriter, { channels, isRelative }: Colours): void {
  if (channels < COLOURS_CHANNELS_MIN || channels > PIXEL_CHANNELS_MAX) {
    throw new RangeError(`colours of ${channels} channels`);
  }
  writer.u8(TAG_COLOURS).u8((channels - 1) | (isRelative ? 4 : 0));
}

/** Each distance says whether another one follows. */
function writeDifferences(writer: ByteWriter, { distances }: Differences): void {
  const isPossible = distances.every((distance) => distance >= 1 && distance <= DISTANCE_MAX);
  if (!isPossible || distances.length < 1 || distances.length > DISTANCES_MAX) {
    throw new RangeError(`differences at ${distances}`);
  }
  writer.u8(TAG_DIFFERENCES);
  distances.forEach((distance, i) => void writer.varint(2 * (distance - 1) + (i + 1 < distances.length ? 1 : 0)));
}

function isRow(row: number, columns: number): boolean {
  return row === 0 || (row % columns === 0 && row >= TABLE_ROW_TUPLES_MIN * columns && row <= TABLE_ROW_MAX);
}

/** A frame of less than four rows would not be far enough. */
const TABLE_FRAME_ROWS_MIN = 4;

function isFrame(frame: number, row: number): boolean {
  if (frame === 0) return true;
  return row > 0 && frame % row === 0 && frame >= TABLE_FRAME_ROWS_MIN * row && frame <= TABLE_FRAME_MAX;
}

/** Bytes of all planes of a frame. */
export const filmFrameBytes = ({ width, height }: Pick<Film, "width" | "height">) => (width * height * 3) / 2;

/**
 * Reads a coded list.
 *
 * @param seenBytes that the model sees of the block
 * @param isForeseen whether lanes foresee numbers of the block: only then sound may be by a panel
 * @param baseBytes where `list` lies in the archive, for errors
 * @throws CorruptError
 */
export function decodeStretches(list: Uint8Array, seenBytes: number, isForeseen: boolean, baseBytes = 0): Stretch[] {
  const reader = new ByteReader(list, 0, baseBytes);
  const stretches: Stretch[] = [];
  let leftBytes = seenBytes;
  while (reader.remainingBytes > 0) {
    const at = reader.position;
    try {
      const stretch = readStretch(reader, leftBytes, isForeseen);
      stretches.push(stretch);
      leftBytes -= stretch.gapBytes + stretch.lengthBytes;
    } catch (error) {
      // All of the list is there.
      if (error instanceof CorruptError || !(error instanceof Error) || error.name !== "TruncatedError") throw error;
      throw new CorruptError(at, "a list of stretches", "a whole stretch", "its end");
    }
  }
  return stretches;
}

function readStretch(reader: ByteReader, leftBytes: number, isForeseen: boolean): Stretch {
  const gapBytes = reader.varintWithin("the gap before a stretch", 0, Math.max(0, leftBytes - STRETCH_BYTES_MIN));
  const lengthMax = Math.min(STRETCH_BYTES_MAX, leftBytes - gapBytes);
  const lengthBytes = reader.varintWithin("the length of a stretch", STRETCH_BYTES_MIN, lengthMax);
  const at = reader.position;
  const tag = reader.u8("the kind of a stretch");
  if (tag === TAG_SOUND) return { gapBytes, lengthBytes, numbers: readSound(reader, isForeseen) };
  if (tag === TAG_PIXELS) return { gapBytes, lengthBytes, numbers: readPixels(reader) };
  if (tag === TAG_FILM) return { gapBytes, lengthBytes, numbers: readFilm(reader) };
  if (tag === TAG_TABLE) return { gapBytes, lengthBytes, numbers: readTable(reader) };
  if (tag === TAG_COLOURS) return { gapBytes, lengthBytes, numbers: readColours(reader) };
  if (tag === TAG_DIFFERENCES) return { gapBytes, lengthBytes, numbers: readDifferences(reader) };
  throw new CorruptError(at, "the kind of a stretch", `${TAG_SOUND} to ${TAG_DIFFERENCES}`, `${tag}`);
}

function readColours(reader: ByteReader): Colours {
  const at = reader.position;
  const bits = reader.u8("the kind of colours");
  const channels = (bits & 3) + 1;
  if (bits > 7 || channels < COLOURS_CHANNELS_MIN) throw new CorruptError(at, "the kind of colours", "one", `${bits}`);
  return { kind: "colours", channels, isRelative: (bits & 4) !== 0 };
}

function readDifferences(reader: ByteReader): Differences {
  const distances: number[] = [];
  for (let isMore = true; isMore; ) {
    const at = reader.position;
    const stated = reader.varintWithin("the distance of differences", 0, 2 * DISTANCE_MAX - 1);
    distances.push(Math.floor(stated / 2) + 1);
    isMore = stated % 2 === 1;
    if (isMore && distances.length === DISTANCES_MAX) {
      throw new CorruptError(at, "the distance of differences", `at most ${DISTANCES_MAX} of them`, "more");
    }
  }
  return { kind: "differences", distances };
}

function readSound(reader: ByteReader, isForeseen: boolean): Sound {
  const at = reader.position;
  const bits = reader.u8("the kind of a sound");
  const width = ((bits >> 3) & 3) + 1;
  if (width > SOUND_WIDTH_MAX) throw new CorruptError(at, "the kind of a sound", "one", `${bits}`);
  const isByPanel = (bits & 0x80) !== 0;
  if (isByPanel && !isForeseen) {
    throw new CorruptError(at, "the kind of a sound", "no panel in a block without foresight", `${bits}`);
  }
  return {
    kind: "sound",
    channels: (bits & 7) + 1,
    width,
    isBig: (bits & 0x20) !== 0,
    isUnsigned: (bits & 0x40) !== 0,
    ...(isByPanel && { isByPanel }),
  };
}

function readPixels(reader: ByteReader): Pixels {
  const at = reader.position;
  const bits = reader.u8("the kind of pixels");
  const channels = (bits & 3) + 1;
  const isRanked = (bits & 4) !== 0;
  if (bits > 7 || (isRanked && channels < 3)) throw new CorruptError(at, "the kind of pixels", "one", `${bits}`);
  const width = reader.varintWithin("the width of a row", PIXEL_WIDTH_MIN, Math.floor(ROW_BYTES_MAX / channels));
  const frameAt = reader.position;
  const frameBytes = reader.varintWithin("the length of a frame", 0, STRETCH_BYTES_MAX);
  const least = frameBytesMin(channels, width);
  if (frameBytes > 0 && (frameBytes < least || frameBytes % channels !== 0)) {
    const expected = `0, or a multiple of ${channels} from ${least} on`;
    throw new CorruptError(frameAt, "the length of a frame", expected, `${frameBytes}`);
  }
  return { kind: "pixels", channels, width, frameBytes, isRanked };
}

function readFilm(reader: ByteReader): Film {
  const sideMin = FILM_SIDE_MIN / 2;
  const width = 2 * reader.varintWithin("the width of a film", sideMin, FILM_WIDTH_MAX / 2);
  const heightMax = Math.floor(STRETCH_BYTES_MAX / (3 * width));
  const height = 2 * reader.varintWithin("the height of a film", sideMin, heightMax);
  return { kind: "film", width, height };
}

function readTable(reader: ByteReader): Table {
  const at = reader.position;
  const bits = reader.u8("the kind of a table");
  const format = TABLE_FORMATS[bits & 7];
  if (format === undefined) throw new CorruptError(at, "the kind of a table", "one", `${bits}`);
  const columns = (bits >> 4) + 1;
  const rowAt = reader.position;
  const row = columns * reader.varintWithin("the row of a table", 0, Math.floor(TABLE_ROW_MAX / columns));
  if (!isRow(row, columns)) throw new CorruptError(rowAt, "the row of a table", "0 or a longer one", `${row}`);
  const frameAt = reader.position;
  const frameRowsMax = row > 0 ? Math.floor(TABLE_FRAME_MAX / row) : 0;
  const frame = row * reader.varintWithin("the frame of a table", 0, frameRowsMax);
  if (!isFrame(frame, row)) throw new CorruptError(frameAt, "the frame of a table", "0 or a longer one", `${frame}`);
  const rawAt = reader.position;
  const rawByte = reader.u8("the raw bits of a table");
  const isDamped = (rawByte & TABLE_DAMPED) !== 0;
  const rawBits = rawByte & ~TABLE_DAMPED;
  const bitsMax = 8 * numberBytes(format) - 1;
  if (rawBits > bitsMax) throw new CorruptError(rawAt, "the raw bits of a table", `0 to ${bitsMax}`, `${rawBits}`);
  const exponent = reader.varintWithin("the scale of a table", 0, 2 * TABLE_EXPONENT_MAX) - TABLE_EXPONENT_MAX;
  const shape = { columns, row, frame, rawBits, exponent };
  return { kind: "table", format, isBig: (bits & 8) !== 0, ...shape, ...(isDamped && { isDamped }) };
}
