// The optimizer's arithmetic for one element: Adam in integers, docs/NUMERICS.md section 7. For kernels that bind
// `control`, hold an accumulated gradient in a register and update master weight and moments in the same pass.
//
// What a tensor's exponents decide is worked out once by `adam_of`, so that an element's update has no branch: software
// adapters run both sides of one. Values beyond a limit are cut where a unit shrinks; elsewhere they cannot be beyond.

struct Element {
  master: i32,
  moment: i32,
  square: i32,
}

// A number's way to another unit: (x + half) >> right, then << left, within the limit.
struct Move {
  half: i32,
  right: u32,
  left: u32,
}

// What all elements of a tensor have in common in a step.
struct Adam {
  gradient: Move,
  moment: Move,
  square: Move,
  rate: i32,
  dither: i32,
}

fn move_right(shift: i32) -> Move { return Move(i32((1u << u32(shift)) >> 1u), u32(shift), 0u); }
fn move_left(shift: u32) -> Move { return Move(0, 0u, shift); }

// `exponent` is that of the tensor's accumulated gradients: `left` aligns them to the tensor's unit, and `moved` is how
// far that unit moved since the last step, -1 or more.
fn adam_of(tensor: u32, exponent: i32) -> Adam {
  let left = exponent - control[SCALES + tensor];
  let moved = control[MOVED + tensor];
  let rate = control[AT_RATE];
  let step = control[AT_TRAINED];
  var adam = Adam(move_left(u32(clamp(left, 0, 31))), move_left(1u), move_left(2u), rate, square_dither(step));
  if (left < 0) { adam.gradient = move_right(min(-left, 31)); }
  if (moved >= 0) {
    adam.moment = move_right(min(moved, 31));
    adam.square = Move(0, u32(min(2 * moved, 31)), 0u);   // squares are not rounded
  }
  return adam;
}

fn moved_value(x: i32, to: Move) -> i32 {
  let rounded = (x + to.half) >> to.right;
  let is_inside = magnitude(rounded) <= u32(ALIGNED_LIMIT >> to.left);
  return select(select(ALIGNED_LIMIT, -ALIGNED_LIMIT, rounded < 0), rounded << to.left, is_inside);
}

// The upper 16 bits of a positive number as a float: its exponent plus 127, and seven bits of mantissa. Numbers beyond
// the 24 bits that a float has lose the rest first, so the conversion is exact, and the same everywhere.
fn float_bits(x: i32) -> i32 { return bitcast<i32>(f32(select(x, x & -256, x >= (1 << 24u)))) >> 16u; }

// moment / sqrt(square) in Q12: the inverse root of max(square, 1) by the trick on 16-bit float bits.
fn moment_ratio(moment: i32, square: i32) -> i32 {
  let inverse = INVERSE_ROOT_MAGIC - (float_bits(max(square, 1)) >> 1u);
  let product = round_shift(moment, MOMENT_DROP) * (128 + (inverse & 127));
  return clamp((product << RATIO_GAIN) >> u32(127 - (inverse >> 7u)), -RATIO_LIMIT, RATIO_LIMIT);
}

// What is added before a second moment is shifted down: the step's low 9 bits reversed.
fn square_dither(step: i32) -> i32 { return i32(reverseBits(u32(step)) >> (32u - SQUARE_SHIFT)); }

fn update(element: Element, accumulated: i32, adam: Adam) -> Element {
  let gradient = moved_value(accumulated, adam.gradient);
  let m = moved_value(element.moment, adam.moment);
  let v = min(element.square >> adam.square.right, SQUARE_LIMIT >> adam.square.left) << adam.square.left;
  let top = round_shift(gradient, SQUARE_DROP);
  let moment = m + round_shift(gradient - m, MOMENT_SHIFT);
  let square = v + ((((top * top) << SQUARE_FRACTION) - v + adam.dither) >> SQUARE_SHIFT);
  let step = round_shift(moment_ratio(moment, square) * adam.rate, RATIO_BITS);
  return Element(clamp(element.master - step, -WEIGHT_LIMIT, WEIGHT_LIMIT), moment, square);
}
