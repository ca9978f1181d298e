/**
 * From logits to integer frequencies, and to what the coder wants of them: src/engine/reference/frequency.ts for whole
 * rows. Exponentials are a table of all differences at which they are not 0, made from the contract's own formula.
 */

import { DIFFERENCES } from "./contract";

/** Rows [from, to): 256 int16 logits to 256 u32 frequencies each. */
export function frequencies(exponentials: usize, logits: usize, from: usize, to: usize, into: usize): void {
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
      const difference = min(top - <i32>load<i16>(x + v * 2), DIFFERENCES - 1);
      const e = <u32>load<u16>(exponentials + (<usize>difference << 1));
      store<u32>(y + v * 4, e);
      sum += e;
    }
    const k: u32 = 16 - clz<u32>(sum);
    // Products are below 2^32, so the lower halves are all of them.
    const inverse = i32x4.splat(<i32>((0x80000000 - 0x20000) / ((sum >> k) + 1)));
    const one = i32x4.splat(1);
    for (let v: usize = 0; v < 1024; v += 16) {
      const product = i32x4.mul(v128.load(y + v), inverse);
      v128.store(y + v, i32x4.add(i32x4.shr_u(product, 9 + k), one));
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
