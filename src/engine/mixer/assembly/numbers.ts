/** What contexts know of numbers: planes through neighbours in images, lines and guesses through samples of sound. */
import { back, time } from "./past";
import { DELTAS, KEPT, stride, TAP_COUNT, TAPS } from "./state";

const TAP_MAX: i32 = 1 << 21;
const SAMPLE_MAX: i32 = 32767;

/** The next sample, if the block is sound; and by how much it was guessed to differ from the one before. */
let guess: i32 = 0;
let guessedDelta: i32 = 0;

export function beginNumbers(): void {
  guess = 0;
  guessedDelta = 0;
  memory.fill(TAPS, 0, TAP_COUNT * 4);
  memory.fill(DELTAS, 0, TAP_COUNT * 4);
}

export function keepNumbers(): void {
  store<i32>(KEPT, guess, 36);
  store<i32>(KEPT, guessedDelta, 40);
}

export function recallNumbers(): void {
  guess = load<i32>(KEPT, 36);
  guessedDelta = load<i32>(KEPT, 40);
}

function byteOf(x: i32): i32 {
  return min(max(x, 0), 255);
}

/** The plane through three neighbours of the byte that lies `at` back; the left one lies `near` before it. */
function gradient(near: u32, at: u32): i32 {
  return byteOf(<i32>back(at + near) + <i32>back(at + stride) - <i32>back(at + stride + near));
}

/** The 16-bit sample whose lower byte lies so many back, and whose higher byte comes behind it. */
// @ts-ignore: decorator
@inline
function sampleBack(o: u32): i32 {
  return <i32>(<i16>(back(o) | (back(o - 1) << 8)));
}

/** Bytes from a sample to the next one of its channel. */
// @ts-ignore: decorator
@inline
function spacing(): u32 {
  return stride == 3 ? 4 : 2;
}

/** Before a sample: what the guess of the last one teaches, and the next guess, by normalised least mean squares. */
export function guessSample(): void {
  if (stride - 2 > 1 || time & 1) return;
  const step = spacing();
  const error = sampleBack(2) - sampleBack(2 + step) - guessedDelta;
  let energy: i32 = 64;
  for (let i: usize = 0; i < TAP_COUNT; i++) energy += abs(load<i32>(DELTAS + i * 4));
  const gain = min(max((error << 14) / energy, -SAMPLE_MAX), SAMPLE_MAX);
  const unit = (energy >> 8) + 1;
  for (let i: usize = 0; i < TAP_COUNT; i++) {
    const w = load<i32>(TAPS + i * 4) + (((gain * load<i32>(DELTAS + i * 4)) / unit + 1) >> 1);
    store<i32>(TAPS + i * 4, min(max(w, -TAP_MAX), TAP_MAX));
  }
  let sum: i32 = 0;
  for (let i: usize = 0; i < TAP_COUNT; i++) {
    const o: u32 = 2 + <u32>i * 2;
    const delta = min(max(sampleBack(o) - sampleBack(o + step), -SAMPLE_MAX), SAMPLE_MAX);
    store<i32>(DELTAS + i * 4, delta);
    sum += (load<i32>(TAPS + i * 4) >> 6) * delta;
  }
  guessedDelta = sum >> 14;
  guess = sampleBack(step) + guessedDelta;
}

/** For a sample's lower byte what is expected of both, for its higher byte what is left of it. */
function sampleValue(expected: i32, shift: i32): u32 {
  if (time & 1) return <u32>((expected - <i32>back(1) + 16) >> 5) & 65535;
  return (<u32>(expected >> shift) & 65535) | 65536;
}

/** Kinds 11 … 23 of PARTS in src/contract/mixer.ts. */
export function numberValue(kind: u32): u32 {
  if (kind == 11) return stride - 2 < 63 ? time % stride : time & 3;
  if (kind == 12) return gradient(1, 0);
  if (kind == 13) return gradient(3, 0);
  if (kind == 14) return byteOf(gradient(3, 0) + <i32>back(1) - gradient(3, 1));
  if (kind == 15) return (back(1) + back(stride)) >> 1;
  if (kind == 16) return (back(3) + back(stride)) >> 1;
  if (kind >= 21) return sampleValue(guess, kind == 21 ? 6 : kind == 22 ? 4 : 2);
  const step = spacing();
  const o = step + (time & 1);
  const a = sampleBack(o);
  const b = sampleBack(o + step);
  if (kind == 17) return sampleValue(a, 4);
  if (kind == 20) return sampleValue(3 * (a - b) + sampleBack(o + 2 * step), 4);
  return sampleValue(2 * a - b, kind == 18 ? 4 : 2);
}
