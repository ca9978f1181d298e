/** Sounds that nobody recorded and pictures that nobody took, for tests of predictors: of integers, + - and * alone. */
import { Random } from "./gpu-values.ts";

export interface SoundShape {
  readonly channels: number;
  /** Bytes of a sample. */
  readonly width: number;
  readonly isBig: boolean;
  readonly isUnsigned?: boolean;
}

/** Resonances that noise keeps awake; every channel has half of the one before it. */
export function soundOf(frames: number, shape: SoundShape, seed = 1): Uint8Array {
  const { channels, width, isBig, isUnsigned = false } = shape;
  const random = new Random(seed);
  const bytes = new Uint8Array(frames * channels * width);
  const past = Array.from({ length: channels }, () => [0, 0]);
  const limit = 2 ** (8 * width - 1);
  for (let t = 0, at = 0; t < frames; t += 1) {
    let before = 0;
    for (const state of past) {
      const [one = 0, two = 0] = state;
      const noise = random.between(-limit / 200, limit / 200);
      const now = 1.9 * one - 0.96 * two + noise + before / 16;
      state[0] = Math.max(-limit, Math.min(limit - 1, Math.round(now)));
      state[1] = one;
      before = state[0];
      const value = state[0] + (isUnsigned ? limit : 0);
      for (let i = 0; i < width; i += 1, at += 1) bytes[at] = value >> (8 * (isBig ? width - 1 - i : i));
    }
  }
  return bytes;
}
