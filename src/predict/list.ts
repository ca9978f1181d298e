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

export type Numbers = Sound | Pixels | Film;

export interface Stretch {
  /** Bytes between the stretch before, or the beginning, and this one. */
  readonly gapBytes: number;
  readonly lengthBytes: number;
  readonly numbers: Numbers;
}

export const SOUND_CHANNELS_MAX = 8;
export const SOUND_WIDTH_MAX = 3;
export const PIXEL_CHANNELS_MAX = 4;
export const ROW_BYTES_MAX = 2 ** 15;
/** In narrower rows, what is above and to the right would not be known yet. */
export const PIXEL_WIDTH_MIN = 4;
/** A stretch is so long, at least and at most: longer ones would take a decoder's memory. */
export const STRETCH_BYTES_MIN = 2 ** 12;
export const STRETCH_BYTES_MAX = 2 ** 23;

const TAG_SOUND = 0;
const TAG_PIXELS = 1;
const TAG_FILM = 2;
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
    else writeFilm(writer, numbers);
  }
  return writer.finish();
}

function writeSound(writer: ByteWriter, { channels, width, isBig, isUnsigned }: Sound): void {
  const isPossible = channels >= 1 && channels <= SOUND_CHANNELS_MAX && width >= 1 && width <= SOUND_WIDTH_MAX;
  if (!isPossible) throw new RangeError(`sound of ${channels} channels and ${width} bytes`);
  writer.u8(TAG_SOUND).u8((channels - 1) | ((width - 1) << 3) | (isBig ? 0x20 : 0) | (isUnsigned ? 0x40 : 0));
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

/** Bytes of all planes of a frame. */
export const filmFrameBytes = ({ width, height }: Pick<Film, "width" | "height">) => (width * height * 3) / 2;

/**
 * Reads a coded list.
 *
 * @param seenBytes that the model sees of the block
 * @param baseBytes where `list` lies in the archive, for errors
 * @throws CorruptError
 */
export function decodeStretches(list: Uint8Array, seenBytes: number, baseBytes = 0): Stretch[] {
  const reader = new ByteReader(list, 0, baseBytes);
  const stretches: Stretch[] = [];
  let leftBytes = seenBytes;
  while (reader.remainingBytes > 0) {
    const at = reader.position;
    try {
      const stretch = readStretch(reader, leftBytes);
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

function readStretch(reader: ByteReader, leftBytes: number): Stretch {
  const gapBytes = reader.varintWithin("the gap before a stretch", 0, Math.max(0, leftBytes - STRETCH_BYTES_MIN));
  const lengthMax = Math.min(STRETCH_BYTES_MAX, leftBytes - gapBytes);
  const lengthBytes = reader.varintWithin("the length of a stretch", STRETCH_BYTES_MIN, lengthMax);
  const at = reader.position;
  const tag = reader.u8("the kind of a stretch");
  if (tag === TAG_SOUND) return { gapBytes, lengthBytes, numbers: readSound(reader) };
  if (tag === TAG_PIXELS) return { gapBytes, lengthBytes, numbers: readPixels(reader) };
  if (tag === TAG_FILM) return { gapBytes, lengthBytes, numbers: readFilm(reader) };
  throw new CorruptError(at, "the kind of a stretch", `${TAG_SOUND} to ${TAG_FILM}`, `${tag}`);
}

function readSound(reader: ByteReader): Sound {
  const at = reader.position;
  const bits = reader.u8("the kind of a sound");
  const width = ((bits >> 3) & 3) + 1;
  if (width > SOUND_WIDTH_MAX || bits > 0x7f) throw new CorruptError(at, "the kind of a sound", "one", `${bits}`);
  return {
    kind: "sound",
    channels: (bits & 7) + 1,
    width,
    isBig: (bits & 0x20) !== 0,
    isUnsigned: (bits & 0x40) !== 0,
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
