// The optimizer's arithmetic for one element: Adam in integers, docs/NUMERICS.md section 7. For kernels that hold an
// accumulated gradient in a register and update master weight and moments in the same pass.

const ALIGNED_LIMIT = (1 << 22u) - 1;
const SQUARE_LIMIT = 1 << 30u;
const WEIGHT_LIMIT = 1 << 30u;
const RATIO_LIMIT = (1 << 14u) - 1;
const INVERSE_ROOT_MAGIC = 0x5f37;

struct Element {
  master: i32,
  moment: i32,
  square: i32,
}

fn magnitude(x: i32) -> u32 { return u32(abs(x)); }

fn align_gradient(accumulated: i32, left: i32) -> i32 {
  if (left <= 0) {
    return clamp(round_shift_any(accumulated, min(-left, 31)), -ALIGNED_LIMIT, ALIGNED_LIMIT);
  }
  let shift = u32(min(left, 31));
  if (magnitude(accumulated) > u32(ALIGNED_LIMIT >> shift)) {
    return select(ALIGNED_LIMIT, -ALIGNED_LIMIT, accumulated < 0);
  }
  return accumulated << shift;
}

fn move_moment(moment: i32, moved: i32) -> i32 {
  if (moved >= 0) { return round_shift_any(moment, min(moved, 31)); }
  return clamp(moment << 1u, -ALIGNED_LIMIT, ALIGNED_LIMIT);
}

fn move_square(square: i32, moved: i32) -> i32 {
  if (moved >= 0) { return square >> u32(min(2 * moved, 31)); }
  return select(square << 2u, SQUARE_LIMIT, square >= (SQUARE_LIMIT >> 2u));
}

// moment / sqrt(square) in Q12: the inverse root of max(square, 1) by the trick on 16-bit float bits.
fn moment_ratio(moment: i32, square: i32) -> i32 {
  let value = max(square, 1);
  let exponent = bit_length(u32(value)) - 1;
  let mantissa = select(value << u32(7 - min(exponent, 7)), value >> u32(max(exponent, 7) - 7), exponent >= 7) & 127;
  let inverse = INVERSE_ROOT_MAGIC - ((((exponent + 127) << 7u) | mantissa) >> 1u);
  let product = round_shift(moment, 6u) * (128 + (inverse & 127));
  return clamp((product << 4u) >> u32(127 - (inverse >> 7u)), -RATIO_LIMIT, RATIO_LIMIT);
}

// What is added before a second moment is shifted down: the step's low 9 bits reversed.
fn square_dither(step: i32) -> i32 { return i32(reverseBits(u32(step)) >> 23u); }

// One update. `left` aligns the gradient to the tensor's unit, `moved` is how far that unit moved since the last step.
fn update(element: Element, accumulated: i32, left: i32, moved: i32, rate: i32, dither: i32) -> Element {
  let gradient = align_gradient(accumulated, left);
  let m = move_moment(element.moment, moved);
  let v = move_square(element.square, moved);
  let top = round_shift(gradient, 8u);
  let moment = m + round_shift(gradient - m, 3u);
  let square = v + ((((top * top) << 2u) - v + dither) >> 9u);
  let step = round_shift(moment_ratio(moment, square) * rate, 12u);
  return Element(clamp(element.master - step, -WEIGHT_LIMIT, WEIGHT_LIMIT), moment, square);
}
