/**
 * The predictors' inverse on random and forged stretches: `bun scripts/fuzz-predict.ts [--count N] [--seed N]`.
 *
 * Each stretch is of a random kind and shape, and holds chance, silence, extremes, or floats with NaN, infinities and
 * denormals, or some of each. What predictors leave must become the stretch again, and bytes that no predictor left,
 * turned back, must be what predictors make them of. Prints the first failure, and exits with 1.
 */
import { buildPredictors } from "../src/predict/assembly/build.ts";
import {
  decodeStretches,
  encodeStretches,
  type Numbers,
  numberBytes,
  STRETCH_BYTES_MIN,
  TABLE_FORMATS,
} from "../src/predict/list.ts";
import { Random } from "../test/support/gpu-values.ts";
import { optionsOf } from "./shared.ts";

buildPredictors();
const { Foresight, isForeseeable } = await import("../src/predict/foresight.ts");
const { transformed } = await import("../test/support/transformed.ts");

const values = optionsOf({ count: 100000, seed: 20261127 });
const random = new Random(values.seed);
const below = (limit: number) => random.between(0, limit - 1);

const SPECIAL = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 5e-324, -1e-310, 1e308, -1e38, 1];

/** Bytes of one kind. */
function piece(bytes: Uint8Array): void {
  const kind = below(5);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (kind === 0) for (let i = 0; i < bytes.length; i += 1) bytes[i] = random.next() >>> 24;
  if (kind === 1) bytes.fill(below(2) * 255);
  if (kind === 2) for (let i = 0; i < bytes.length; i += 1) bytes[i] = i & 4 ? 0x7f : 0x80;
  if (kind < 3) return;
  const [width, isLittle] = [kind === 3 ? 4 : 8, below(2) === 0];
  for (let at = 0; at + width <= bytes.length; at += width) {
    const value = below(3) === 0 ? (SPECIAL[below(SPECIAL.length)] as number) : random.between(-1000, 1000) / 7;
    if (width === 4) view.setFloat32(at, value, isLittle);
    else view.setFloat64(at, value, isLittle);
  }
}

function stretch(): Uint8Array {
  const bytes = new Uint8Array(random.between(1, 900));
  for (let at = 0; at < bytes.length; ) {
    const length = Math.min(bytes.length - at, random.between(1, 600));
    piece(bytes.subarray(at, at + length));
    at += length;
  }
  return bytes;
}

function numbers(): Numbers {
  const kind = below(8);
  const isBig = below(2) === 0;
  if (kind === 6) return { kind: "colours", channels: random.between(2, 4), isRelative: below(2) === 0 };
  if (kind === 7) {
    const distances = Array.from({ length: random.between(1, 4) }, () => 1 + below(below(2) === 0 ? 12 : 1000));
    return { kind: "differences", distances };
  }
  if (kind === 0) {
    const [channels, width] = [random.between(1, 8), random.between(1, 3)];
    const isByPanel = below(2) === 0 && { isByPanel: true };
    return { kind: "sound", channels, width, isBig, isUnsigned: below(2) === 0, ...isByPanel };
  }
  if (kind === 1) {
    const [channels, width] = [random.between(1, 4), random.between(4, 40)];
    const frameBytes = below(2) * channels * (width + 2) * random.between(1, 4);
    return { kind: "pixels", channels, width, frameBytes, isRanked: channels > 2 && below(2) === 0 };
  }
  if (kind === 2) return { kind: "film", width: 2 * random.between(4, 8), height: 2 * random.between(4, 8) };
  const format = TABLE_FORMATS[below(TABLE_FORMATS.length)] ?? "int16";
  const columns = random.between(1, 16);
  const row = below(2) * columns * random.between(8, 20);
  const frame = below(2) * row * random.between(4, 6);
  const [rawBits, exponent] = [below(8 * numberBytes(format)), random.between(-1000, 1000)];
  const isDamped = below(2) === 1;
  const scaled = { rawBits, exponent: below(2) * exponent, ...(isDamped && { isDamped }) };
  return { kind: "table", format, isBig, columns, row, frame, ...scaled };
}

/** Goes along with any bytes as a lane does; what is said of each must be what a lane can use. */
function isUsable(left: Uint8Array, numbers: Numbers): boolean {
  if (!isForeseeable(numbers)) return true;
  const foresight = new Foresight([{ start: 0, lengthBytes: left.length, numbers }]);
  const { kernels } = foresight;
  for (let at = 0; at < left.length; ) {
    const { end, likelihoods } = foresight.at(at);
    for (; at < Math.min(end, left.length); at += 1) {
      if (likelihoods === 0) continue;
      kernels.foresee();
      const isChosen = [0, 1, 2, 3].every((i) => kernels.choiceAt(i) >= 0 && kernels.choiceAt(i) < 256);
      const byte = left[at] as number;
      for (let k = 0; k < 8; k++) {
        const first = kernels.likelihoodAt((256 | byte) >> (8 - k));
        const all = [first, ...Array.from({ length: likelihoods - 1 }, (_, i) => kernels.likelihood(i + 1))];
        if (!all.every((likelihood) => likelihood >= 0 && likelihood < 2 ** 16)) return false;
      }
      if (!isChosen) return false;
      kernels.tell(byte);
    }
  }
  return true;
}

/** Random numbers of pixels and a palette are some picture, which has fewer colours than pixels. */
function paintedFrom(some: Uint8Array, kind: Numbers): Uint8Array {
  if (kind.kind !== "colours") return some;
  const bytes = new Uint8Array(some.length + 40);
  bytes.set(some);
  const numbers = bytes.map((byte, i) => (i < bytes.length / kind.channels ? byte % (1 + (bytes.length >> 4)) : byte));
  return transformed(numbers, kind, true, false);
}

/** Whether a kind is written and read as it is; a film of few frames may be longer than its stretch. */
function isWritten(kind: Numbers): boolean {
  const stretches = [{ gapBytes: 0, lengthBytes: STRETCH_BYTES_MIN, numbers: kind }];
  const [read] = decodeStretches(encodeStretches(stretches), STRETCH_BYTES_MIN, true);
  return JSON.stringify(read?.numbers) === JSON.stringify(kind);
}

let done = 0;
for (; done < values.count; done += 1) {
  const kind = numbers();
  const bytes = paintedFrom(stretch(), kind);
  const isSame = (a: Uint8Array) => Buffer.compare(a, bytes) === 0;
  const isForeseen = below(2) === 0;
  const left = transformed(bytes, kind, false, isForeseen);
  const isThere = isSame(transformed(left, kind, true, isForeseen));
  // A picture of few colours may have been left in several ways, of which one is written.
  const isBack =
    kind.kind === "colours" || isSame(transformed(transformed(bytes, kind, true, isForeseen), kind, false, isForeseen));
  const isKnown = !isForeseen || (isUsable(left, kind) && isUsable(bytes, kind));
  if (isThere && isBack && isKnown && isWritten(kind)) continue;
  console.log(
    `stretch ${done} of seed ${values.seed} does not come back: ${bytes.length} bytes, ${JSON.stringify(kind)}`,
  );
  process.exitCode = 1;
  break;
}
console.log(`${done} stretches came back, seed ${values.seed}`);
