/**
 * The yardstick of the benchmark: dots and additions on registers only, as fast as this machine can do them here.
 */

/** `rounds` x 8 dots of 8 products; returns a number that depends on all of them. */
export function peakDots(rounds: i32): i32 {
  let a = i32x4.splat(rounds);
  let b = i32x4.splat(rounds + 77777);
  let c0 = a;
  let c1 = a;
  let c2 = a;
  let c3 = a;
  let c4 = a;
  let c5 = a;
  let c6 = a;
  let c7 = a;
  for (let i = 0; i < rounds; i++) {
    c0 = i32x4.add(c0, i32x4.dot_i16x8_s(a, b));
    c1 = i32x4.add(c1, i32x4.dot_i16x8_s(a, c0));
    c2 = i32x4.add(c2, i32x4.dot_i16x8_s(a, c4));
    c3 = i32x4.add(c3, i32x4.dot_i16x8_s(a, c5));
    c4 = i32x4.add(c4, i32x4.dot_i16x8_s(b, c6));
    c5 = i32x4.add(c5, i32x4.dot_i16x8_s(b, c7));
    c6 = i32x4.add(c6, i32x4.dot_i16x8_s(b, c1));
    c7 = i32x4.add(c7, i32x4.dot_i16x8_s(b, c2));
  }
  a = i32x4.add(i32x4.add(c0, c1), i32x4.add(c2, c3));
  b = i32x4.add(i32x4.add(c4, c5), i32x4.add(c6, c7));
  return i32x4.extract_lane(i32x4.add(a, b), 0);
}
