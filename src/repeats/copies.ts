/**
 * The list of copies: where in a block bytes were cut out, and where they are to be taken from. Coding it, and reading
 * it back from bytes that may be anything.
 *
 * Files that contain a text twice often contain it with small changes, and then the copies follow each other in the
 * same distance, or in nearly the same one: something was inserted or removed. So a distance is coded as one of the
 * last four, or as the difference to one of the first two of them, or else in full. A mirrored copy (mirror.ts) is read
 * backwards, so the sum of the two places stays the same when it goes on behind a change: its axis.
 */
import { ByteReader, ByteWriter } from "../archive/bytes.ts";
import { CorruptError } from "../archive/errors.ts";
import { type BitCoder, BitDecoder, BitEncoder, BitModels } from "./bits.ts";
import { codeTree, NumberModel } from "./numbers.ts";

/** No copy is shorter, so that a list can never take more memory than the bytes that it stands for. */
export const COPY_BYTES_MIN = 12;

/** Copies in the order of the block. Entry i of each array belongs to copy i. */
export interface Copies {
  readonly count: number;
  /** Bytes of the rest between the end of the copy before and this one. */
  readonly gaps: Uint32Array;
  readonly lengths: Uint32Array;
  /**
   * How far back the copied bytes begin; shorter than the length where a copy repeats itself. Negative for a mirrored
   * copy, whose bytes are read backwards from so far back.
   */
  readonly distances: Int32Array;
}

/** What a decoder knows before it reads the list. */
export interface CopyLimits {
  /** Plain bytes of the block, the copies included. */
  readonly blockBytes: number;
  readonly restBytes: number;
  /** Bytes before the block that copies may reach. */
  readonly windowBytes: number;
  /** false: a list as it was before format version 5, which had no mirrored copies. Default: true. */
  readonly mirrored?: boolean;
}

export const NO_COPIES: Copies = {
  count: 0,
  gaps: new Uint32Array(0),
  lengths: new Uint32Array(0),
  distances: new Int32Array(0),
};

/** Bytes that copies cut out. */
export function copiedBytes({ count, lengths }: Copies): number {
  let sum = 0;
  for (let i = 0; i < count; i += 1) sum += lengths[i] as number;
  return sum;
}

/** The coded list: how many copies, then the bits of all of them. */
export function encodeCopies(copies: Copies): Uint8Array {
  const { count, gaps, lengths, distances } = copies;
  const encoder = new BitEncoder();
  const model = new CopyModel(true);
  for (let i = 0; i < count; i += 1) {
    const distance = distances[i] as number;
    const copy = { gap: gaps[i] as number, length: lengths[i] as number, distance: Math.abs(distance) };
    model.code(encoder, { ...copy, isMirrored: distance < 0 });
  }
  return new ByteWriter().varint(count).raw(encoder.finish()).finish();
}

/**
 * Reads a coded list and checks that it makes a block of the rest, whatever the bytes are. Memory: 12 bytes for each
 * copy, which never is more than the bytes that the copies add to the block.
 *
 * @param baseBytes where `bytes` lies in the archive, for errors
 * @throws CorruptError, TruncatedError
 */
export function decodeCopies(bytes: Uint8Array, limits: CopyLimits, baseBytes = 0): Copies {
  const { blockBytes, restBytes, windowBytes, mirrored = true } = limits;
  if (restBytes > blockBytes) throw corrupt(baseBytes, "the rest", `at most ${blockBytes} bytes`, restBytes);
  const reader = new ByteReader(bytes, 0, baseBytes);
  const countMax = Math.floor((blockBytes - restBytes) / COPY_BYTES_MIN);
  const count = reader.varintWithin("the number of copies", 0, countMax);
  const gaps = new Uint32Array(count);
  const lengths = new Uint32Array(count);
  const distances = new Int32Array(count);
  const decoder = new BitDecoder(bytes.subarray(reader.offset), reader.position);
  const model = new CopyModel(mirrored);
  let position = 0;
  let restLeft = restBytes;
  for (let i = 0; i < count; i += 1) {
    const { gap, length, distance, isMirrored } = model.code(decoder, NOTHING_GIVEN);
    if (gap > restLeft) throw corrupt(baseBytes, "the gap before a copy", `at most ${restLeft}`, gap);
    position += gap;
    restLeft -= gap;
    const lengthMax = blockBytes - position - restLeft;
    if (length > lengthMax) throw corrupt(baseBytes, "the length of a copy", `at most ${lengthMax}`, length);
    // The last byte of a mirrored copy is the one farthest back.
    const distanceMax = windowBytes + position - (isMirrored ? length - 1 : 0);
    if (distance < 1 || distance > distanceMax) {
      throw corrupt(baseBytes, "the distance of a copy", `1 to ${distanceMax}`, distance);
    }
    position += length;
    gaps[i] = gap;
    lengths[i] = length;
    distances[i] = isMirrored ? -distance : distance;
  }
  decoder.finish();
  if (position + restLeft !== blockBytes) {
    throw corrupt(baseBytes, "the block made of rest and copies", `${blockBytes} bytes`, position + restLeft);
  }
  return { count, gaps, lengths, distances };
}

const corrupt = (offset: number, field: string, expected: string, found: number) =>
  new CorruptError(offset, field, expected, `${found}`);

/** How a distance is spelled. 0 to 3: the same as the last, the one before, … */
const RECENT = 4;
const NEAR_LAST = 4;
const FAR = 6;
const MIRRORED = 7;
const KIND_DIGITS = 3;
const KINDS = 2 ** KIND_DIGITS;
/** A distance is near another one if it differs by less than this. */
const NEAR_BYTES = 2 ** 12;

/** How the axis of a mirrored copy is spelled: 0 and 1, as one of the last two; or near the last one; or not at all. */
const RECENT_AXES = 2;
const NEAR_AXIS = 2;
const AXIS_DIGITS = 2;

/** A copy as it is coded. */
interface Copy {
  readonly gap: number;
  readonly length: number;
  readonly distance: number;
  readonly isMirrored: boolean;
}

/** What a decoder says instead of a copy. */
const NOTHING_GIVEN: Copy = { gap: 0, length: 0, distance: 0, isMirrored: false };

/** What encoder and decoder have both learned from the copies so far. */
class CopyModel {
  /** Bytes of the block before the next copy's gap. */
  #position = 0;
  /** Distances in the order of their last use. */
  readonly #recent = [1, 1, 1, 1];
  /** Place and source of mirrored copies added up, in the same order. */
  readonly #axes = [0, 0];
  #kind = FAR;
  #wasGapless = 0;
  readonly #kinds = new BitModels(2 * KINDS * KINDS);
  readonly #gaps = new NumberModel(KINDS);
  readonly #lengths = new NumberModel(KINDS);
  readonly #near = new NumberModel(2);
  readonly #nearSigns = new BitModels(2);
  readonly #far = new NumberModel(1);
  readonly #axisKinds = new BitModels(2 ** AXIS_DIGITS);
  readonly #axisSigns = new BitModels(1);
  readonly #nearAxes = new NumberModel(1);
  readonly #farMirrored = new NumberModel(1);

  /** @param mirrored whether the list may have mirrored copies */
  constructor(readonly mirrored: boolean) {}

  /** Codes one copy, or finds it; a decoder ignores the one that it is given. Hostile distances may be below 1. */
  code(coder: BitCoder, given: Copy): Copy {
    const gap = this.#gaps.code(coder, this.#kind, given.gap);
    const context = (this.#kind * 2 + this.#wasGapless) * KINDS;
    const kindGiven = given.isMirrored ? MIRRORED : this.#kindOf(given.distance);
    const kind = codeTree(coder, this.#kinds, context, KIND_DIGITS, kindGiven);
    const isMirrored = this.mirrored && kind === MIRRORED;
    const place = this.#position + gap;
    const distance = isMirrored
      ? this.#codeMirrored(coder, place, given.distance)
      : this.#codeDistance(coder, kind, given.distance);
    const length = COPY_BYTES_MIN + this.#lengths.code(coder, kind, given.length - COPY_BYTES_MIN);
    this.#kind = kind;
    this.#wasGapless = gap === 0 ? 1 : 0;
    this.#position = place + length;
    if (isMirrored) moveToFront(this.#axes, 2 * place - distance);
    else moveToFront(this.#recent, distance);
    return { gap, length, distance, isMirrored };
  }

  #kindOf(distance: number): number {
    const recent = this.#recent.indexOf(distance);
    if (recent >= 0) return recent;
    for (let i = 0; i < FAR - NEAR_LAST; i += 1) {
      if (Math.abs(distance - (this.#recent[i] as number)) < NEAR_BYTES) return NEAR_LAST + i;
    }
    return FAR;
  }

  #codeDistance(coder: BitCoder, kind: number, distance: number): number {
    if (kind < RECENT) return this.#recent[kind] as number;
    if (kind >= FAR) return 1 + this.#far.code(coder, 0, distance - 1);
    const which = kind - NEAR_LAST;
    const from = this.#recent[which] as number;
    const isNearer = coder.bit(this.#nearSigns, which, distance < from ? 1 : 0);
    const difference = 1 + this.#near.code(coder, which, Math.abs(distance - from) - 1);
    return isNearer ? from - difference : from + difference;
  }

  #codeMirrored(coder: BitCoder, place: number, distance: number): number {
    const axis = 2 * place - distance;
    const kind = codeTree(coder, this.#axisKinds, 0, AXIS_DIGITS, this.#axisKindOf(axis));
    if (kind < RECENT_AXES) return 2 * place - (this.#axes[kind] as number);
    if (kind > NEAR_AXIS) return 1 + this.#farMirrored.code(coder, 0, distance - 1);
    const from = this.#axes[0] as number;
    const isBelow = coder.bit(this.#axisSigns, 0, axis < from ? 1 : 0);
    const difference = 1 + this.#nearAxes.code(coder, 0, Math.abs(axis - from) - 1);
    return 2 * place - (isBelow ? from - difference : from + difference);
  }

  #axisKindOf(axis: number): number {
    const recent = this.#axes.indexOf(axis);
    if (recent >= 0) return recent;
    return Math.abs(axis - (this.#axes[0] as number)) < NEAR_BYTES ? NEAR_AXIS : NEAR_AXIS + 1;
  }
}

/** A value that is not there yet takes the place of the last one. */
function moveToFront(values: number[], value: number): void {
  const at = values.indexOf(value);
  values.splice(at < 0 ? values.length - 1 : at, 1);
  values.unshift(value);
}
