/** How near bytes lie to those some distance before them, for many distances at once. */

/** Places that are compared, at most: sums of so many differences fit into 16 bits. */
const PLACES_MAX: u32 = 257;
/** Bytes of a burst. */
const BURST_BYTES: usize = 48;

/**
 * For `count` distances, a multiple of 16, from 0 on: the sum of the differences between the bytes at the places and
 * those so far before them, u16 each. Up to 15 bytes before those are read, and not used.
 *
 * @param places u32 each, as addresses; at most 257
 */
export function distances(places: usize, placeCount: u32, count: u32, out: usize): void {
  const end = places + 4 * min<u32>(placeCount, PLACES_MAX);
  for (let back: u32 = 0; back < count; back += 16, out += 32) {
    let low = i16x8.splat(0);
    let high = i16x8.splat(0);
    for (let at = places; at < end; at += 4) {
      const place: usize = load<u32>(at);
      const here = v128.load_splat<u8>(place);
      const there = v128.load(place - back - 15);
      const apart = i8x16.sub(i8x16.max_u(here, there), i8x16.min_u(here, there));
      low = i16x8.add(low, i16x8.extend_low_i8x16_u(apart));
      high = i16x8.add(high, i16x8.extend_high_i8x16_u(apart));
    }
    // The last lane is the least distance.
    const zero = i16x8.splat(0);
    v128.store(out, v128.shuffle<u16>(high, zero, 7, 6, 5, 4, 3, 2, 1, 0));
    v128.store(out, v128.shuffle<u16>(low, zero, 7, 6, 5, 4, 3, 2, 1, 0), 16);
  }
}

// @ts-ignore: decorator
@inline
function sizes(a: v128, b: v128): v128 {
  // The size of -128 is 128, read without a sign.
  return i16x8.extadd_pairwise_i8x16_u(i8x16.abs(i8x16.sub(a, b)));
}

// @ts-ignore: decorator
@inline
function equals(a: v128, b: v128): u32 {
  return popcnt(i8x16.bitmask(i8x16.eq(a, b)));
}

/**
 * Compares a burst of 48 bytes with those at every distance from 1 to `count`, and adds to two arrays of u32, one for
 * each distance from 0 on: how far bytes are apart, modulo 256, in sum, and how many are equal.
 */
export function compareBursts(burst: usize, count: u32, apart: usize, equal: usize): void {
  const a = v128.load(burst);
  const b = v128.load(burst, 16);
  const c = v128.load(burst, BURST_BYTES - 16);
  for (let distance: u32 = 1; distance <= count; distance++) {
    const there = burst - distance;
    const x = v128.load(there);
    const y = v128.load(there, 16);
    const z = v128.load(there, BURST_BYTES - 16);
    const sum = i32x4.extadd_pairwise_i16x8_u(i16x8.add(i16x8.add(sizes(a, x), sizes(b, y)), sizes(c, z)));
    const total = i32x4.add(sum, v128.shuffle<u64>(sum, sum, 1, 0));
    const at: usize = distance << 2;
    store<u32>(apart + at, load<u32>(apart + at) + i32x4.extract_lane(total, 0) + i32x4.extract_lane(total, 1));
    store<u32>(equal + at, load<u32>(equal + at) + equals(a, x) + equals(b, y) + equals(c, z));
  }
}
