/** What was before: the bytes of the block so far. */
import { data, KEPT } from "./state";

/** Bytes of the block so far. */
export let time: u32 = 0;
/** The last four bytes, the newest lowest. */
export let last: u32 = 0;

// @ts-ignore: decorator
@inline
export function back(o: u32): u32 {
  return o <= time ? <u32>load<u8>(data + time - o) : 0;
}

export function beginPast(): void {
  time = 0;
  last = 0;
}

export function keepPast(): void {
  store<u32>(KEPT, time);
  store<u32>(KEPT, last, 4);
}

export function recallPast(): void {
  time = load<u32>(KEPT);
  last = load<u32>(KEPT, 4);
}

/** A byte more, which lies in the data already. */
// @ts-ignore: decorator
@inline
export function pass(y: u32): void {
  last = (last << 8) | y;
  time++;
}

/** One value more into a hash. */
// @ts-ignore: decorator
@inline
export function into(h: u32, v: u32): u32 {
  const x = (h + v + 1) * 0x9e3779b1;
  return x ^ (x >> 15);
}

/** Mixes all bits of a hash. */
// @ts-ignore: decorator
@inline
export function finish(h: u32): u32 {
  let x = h ^ (h >> 16);
  x *= 0x7feb352d;
  x ^= x >> 15;
  x *= 0x846ca68b;
  return x ^ (x >> 16);
}
