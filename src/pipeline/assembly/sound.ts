/** How large the differences of samples from the line through the two before them are: ../sound-trial.ts. */

/** Samples of a burst, and bursts of a window. */
const BURST_SAMPLES: u32 = 32;
const BURSTS: u32 = 8;
/** Sizes are in so many parts of a bit. */
const SIZE_UNITS: u32 = 4;

// @ts-ignore: decorator
@inline
function sampleAt(at: usize, width: u32, isBig: bool): u32 {
  let value: u32 = 0;
  for (let i: u32 = 0; i < width; i++) value = (value << 8) | load<u8>(isBig ? at + i : at + width - 1 - i);
  return value;
}

/** Bits of a number and its sign, about, in SIZE_UNITS of a bit. */
// @ts-ignore: decorator
@inline
function sizeOf(difference: i32): u32 {
  const size: u32 = 2 * <u32>abs<i32>(difference) + 1;
  const bits: u32 = 31 - clz(size);
  const fraction: u32 = bits >= 2 ? (size >> (bits - 2)) & 3 : 0;
  return SIZE_UNITS * bits + fraction + SIZE_UNITS / 2;
}

/**
 * Sums of the sizes of second differences, of each of one or two channels, in two u32 at `sums`. Bursts of samples lie
 * all over a window of `windowBytes`, whose first sample begins `skip` bytes in.
 */
export function measureSound(
  window: usize,
  windowBytes: u32,
  skip: u32,
  width: u32,
  channels: u32,
  isBig: bool,
  sums: usize,
): void {
  const unit = width * channels;
  const stride = (windowBytes - (BURST_SAMPLES + 2 * channels + 1) * width - skip) / (BURSTS - 1);
  const shift = 32 - 8 * width;
  let first: u32 = 0;
  let second: u32 = 0;
  for (let burst: u32 = 0; burst < BURSTS; burst++) {
    const from = window + skip + ((stride * burst) / unit) * unit;
    for (let i: u32 = 2 * channels; i < BURST_SAMPLES + 2 * channels; i++) {
      const at = from + i * width;
      const here = sampleAt(at, width, isBig);
      const before = sampleAt(at - unit, width, isBig);
      const earlier = sampleAt(at - 2 * unit, width, isBig);
      const size = sizeOf(<i32>((here - 2 * before + earlier) << shift) >> shift);
      if (i % channels == 0) first += size;
      else second += size;
    }
  }
  store<u32>(sums, first);
  store<u32>(sums + 4, second);
}
