/**
 * From logits to integer frequencies, and to what the coder wants of them:
 * src/model/reference/frequency.ts for whole rows. Scalar: 256 table look-ups a row are under 2 % of a step.
 */
import { ACTIVATION_BITS } from "./contract";

/** log2(e) in Q12. */
const LOG2_E: u32 = 5909;
/** Fraction bits of a logit times that. */
const POWER_BITS: u32 = 12 + ACTIVATION_BITS;

/** e^-difference of Q10, 0 to 65534, as Q16. */
// @ts-ignore: decorator
@inline
function expNegative(exp2: usize, difference: u32): u32 {
  const power = difference * LOG2_E;
  const whole = power >> POWER_BITS;
  if (whole > 16) return 0;
  return (load<u32>(exp2 + (((power >> (POWER_BITS - 8)) & 255) << 2)) + ((1 << whole) >> 1)) >> whole;
}

/** Rows [from, to): 256 int16 logits to 256 u32 frequencies each. */
export function frequencies(exp2: usize, logits: usize, from: usize, to: usize, into: usize): void {
  for (let row = from; row < to; row++) {
    const x = logits + row * 512;
    const y = into + row * 1024;
    let best = i16x8.splat(-32768);
    for (let v: usize = 0; v < 512; v += 16) best = i16x8.max_s(best, v128.load(x + v));
    let top = -32768;
    const wide = i32x4.max_s(i32x4.extend_low_i16x8_s(best), i32x4.extend_high_i16x8_s(best));
    top = max(top, max(i32x4.extract_lane(wide, 0), i32x4.extract_lane(wide, 1)));
    top = max(top, max(i32x4.extract_lane(wide, 2), i32x4.extract_lane(wide, 3)));
    let sum: u32 = 0;
    for (let v: usize = 0; v < 256; v++) {
      const e = expNegative(exp2, <u32>(top - <i32>load<i16>(x + v * 2)));
      store<u32>(y + v * 4, e);
      sum += e;
    }
    const k: u32 = 16 - clz<u32>(sum);
    const inverse: u64 = (0x80000000 - 0x20000) / ((sum >> k) + 1);
    const shift: u64 = 9 + k;
    for (let v: usize = 0; v < 256; v++) {
      store<u32>(y + v * 4, 1 + <u32>((<u64>load<u32>(y + v * 4) * inverse) >> shift));
    }
  }
}

/** Cumulative ends of rows [from, to). */
export function cumulate(table: usize, from: usize, to: usize, ends: usize): void {
  for (let row = from; row < to; row++) {
    let end: u32 = 0;
    for (let at = row * 1024; at < (row + 1) * 1024; at += 4) {
      end += load<u32>(table + at);
      store<u32>(ends + at, end);
    }
  }
}

/** Start and frequency of the byte of each row [from, to). */
export function intervals(table: usize, bytes: usize, from: usize, to: usize, into: usize): void {
  for (let row = from; row < to; row++) {
    const last = table + row * 1024 + <usize>load<u8>(bytes + row) * 4;
    let start: u32 = 0;
    for (let at = table + row * 1024; at < last; at += 4) start += load<u32>(at);
    store<u32>(into + row * 8, start);
    store<u32>(into + row * 8 + 4, load<u32>(last));
  }
}
