/** What the contexts of foreseen bytes are made of, of pixels and of sound: where they lie, hashes, classes. */

/** Contexts of a byte; choices of three weight sets and of a row of the refining map. */
export const CONTEXTS: usize = memory.data(28 * 4);
export const CHOICES: usize = memory.data(4 * 4);

// @ts-ignore: decorator
@inline
export function into(h: u32, v: u32): u32 {
  const x = (h + v + 1) * 0x9e3779b1;
  return x ^ (x >> 15);
}

// @ts-ignore: decorator
@inline
export function choose(i: usize, value: u32): void {
  store<u32>(CHOICES + (i << 2), min<u32>(value, 255));
}

/** Classes that widen: 2^bits of them for each doubling. */
// @ts-ignore: decorator
@inline
export function classOf(x: u32, bits: u32): u32 {
  if (x < <u32>2 << bits) return x;
  const e = 31 - clz(x) - bits;
  return (e << bits) + (x >> e);
}

// @ts-ignore: decorator
@inline
export function within(x: i32, limit: i32): u32 {
  return <u32>(min(max(x, -limit), limit) + limit);
}
