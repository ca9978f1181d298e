/**
 * The optimizer on four weights at a time, and its fusion with the weight-gradient product: a tile's accumulators are
 * consumed at once, so gradients of matrices never exist in memory.
 *
 * Weights of matrices lie in blocks of 4 outputs x 8 inputs: 128 bytes of master, then 128 of first moments, then
 * 128 of second moments, blocks of the same four outputs side by side. That is the order in which tiles come.
 */
import { BLOCK_BYTES, HIGH_UNIT, SEEN_GRADIENT, updateFew } from "./adam";
import { update } from "./adam-block";
import { SPLAT_BYTES, groupPanels, tile } from "./matmul";

/** Notes the magnitudes of a block's 32 gradients, and returns them: an OR of all. */
// @ts-ignore: decorator
@inline
function noteGradients(ctx: usize, acc: usize): v128 {
  let seen = i32x4.abs(v128.load(acc));
  let other = i32x4.abs(v128.load(acc, 16));
  seen = v128.or(seen, i32x4.abs(v128.load(acc, 32)));
  other = v128.or(other, i32x4.abs(v128.load(acc, 48)));
  seen = v128.or(seen, i32x4.abs(v128.load(acc, 64)));
  other = v128.or(other, i32x4.abs(v128.load(acc, 80)));
  seen = v128.or(seen, i32x4.abs(v128.load(acc, 96)));
  other = v128.or(other, i32x4.abs(v128.load(acc, 112)));
  seen = v128.or(seen, other);
  v128.store(ctx, v128.or(v128.load(ctx, SEEN_GRADIENT), seen), SEEN_GRADIENT);
  return seen;
}

/** Pairs of two outputs and four inputs: the int16 of `a` below those of `b`, both widened. */
// @ts-ignore: decorator
@inline
function pairOf(a: v128, b: v128, unit: v128): v128 {
  return v128.or(a, i32x4.mul(b, unit));
}

/**
 * Updates one block of 4 outputs x 8 inputs from its accumulators, and both of its copies. No shuffles: JSC makes
 * two rebuilt constants, two byte shuffles and an OR of each. Two inputs of four outputs are brought together by words,
 * so that no vector unit has to move lanes.
 *
 * @param forward where the block's first pair lies in the panels with K along the inputs: 4 vectors, 32 bytes apart
 * @param backward likewise with K along the outputs: 64 bytes
 */
// @ts-ignore: decorator
@inline
function updateBlock(ctx: usize, acc: usize, block: usize, forward: usize, backward: usize): void {
  update(ctx, acc, noteGradients(ctx, acc), block, block + 128, block + 256);
  const unit = v128.load(ctx, HIGH_UNIT);
  v128.store(backward, pairOf(v128.load16x4_u(acc), v128.load16x4_u(acc, 16), unit));
  v128.store(backward, pairOf(v128.load16x4_u(acc, 8), v128.load16x4_u(acc, 24), unit), 16);
  v128.store(backward, pairOf(v128.load16x4_u(acc, 32), v128.load16x4_u(acc, 48), unit), 32);
  v128.store(backward, pairOf(v128.load16x4_u(acc, 40), v128.load16x4_u(acc, 56), unit), 48);
  store<u32>(forward, load<u32>(acc));
  store<u32>(forward, load<u32>(acc, 16), 4);
  store<u32>(forward, load<u32>(acc, 32), 8);
  store<u32>(forward, load<u32>(acc, 48), 12);
  store<u32>(forward, load<u32>(acc, 4), 32);
  store<u32>(forward, load<u32>(acc, 20), 36);
  store<u32>(forward, load<u32>(acc, 36), 40);
  store<u32>(forward, load<u32>(acc, 52), 44);
  store<u32>(forward, load<u32>(acc, 8), 64);
  store<u32>(forward, load<u32>(acc, 24), 68);
  store<u32>(forward, load<u32>(acc, 40), 72);
  store<u32>(forward, load<u32>(acc, 56), 76);
  store<u32>(forward, load<u32>(acc, 12), 96);
  store<u32>(forward, load<u32>(acc, 28), 100);
  store<u32>(forward, load<u32>(acc, 44), 104);
  store<u32>(forward, load<u32>(acc, 60), 108);
}

/** Splats four columns of pair panels: the pairs of outputs 4q to 4q + 3. */
function splatColumns(g: usize, count: usize, into: usize): void {
  for (const end = g + count * 32; g < end; g += 32) {
    v128.store(into, v128.load32_splat(g));
    v128.store(into, v128.load32_splat(g, 4), 16);
    v128.store(into, v128.load32_splat(g, 8), 32);
    v128.store(into, v128.load32_splat(g, 12), 48);
    into += 64;
  }
}

/**
 * Gradients and update of output quads [from, to) of one shared matrix.
 *
 * @param g pair panels of the gradients (columns are outputs), x those of the activations (columns are inputs)
 * @param pairs pairs of rows
 * @param state blocks of the whole matrix
 * @param scratch splats and accumulators, as for the products
 */
export function trainMatrix(
  ctx: usize,
  g: usize,
  x: usize,
  pairs: usize,
  from: usize,
  to: usize,
  outputs: usize,
  inputs: usize,
  state: usize,
  forward: usize,
  backward: usize,
  scratch: usize,
): void {
  const all = inputs >> 3;
  const group = groupPanels(pairs);
  const chunk = SPLAT_BYTES >> 6;
  for (let p0: usize = 0; p0 < all; p0 += group) {
    const p1 = min(all, p0 + group);
    for (let q = from; q < to; q++) {
      const columns = g + (q >> 1) * pairs * 32 + (q & 1) * 16;
      for (let at: usize = 0; at < pairs; at += chunk) {
        const count = min(chunk, pairs - at);
        splatColumns(columns + at * 32, count, scratch);
        for (let p = p0; p < p1; p++) {
          const acc = scratch + SPLAT_BYTES + (p - p0) * 128;
          tile(scratch, x + (p * pairs + at) * 32, count, acc, at == 0);
        }
      }
      for (let p = p0; p < p1; p++) {
        const acc = scratch + SPLAT_BYTES + (p - p0) * 128;
        const intoForward = forward + (q >> 1) * inputs * 16 + p * 128 + (q & 1) * 16;
        const intoBackward = backward + p * outputs * 16 + q * 64;
        updateBlock(ctx, acc, state + (q * all + p) * 384, intoForward, intoBackward);
      }
    }
  }
}

/** Gradients and update of the own matrices of streams [from, to): the sum over their two branches is one dot. */
export function trainStreams(
  ctx: usize,
  g: usize,
  x: usize,
  pairs: usize,
  from: usize,
  to: usize,
  side: usize,
  state: usize,
  forward: usize,
  backward: usize,
  acc: usize,
): void {
  const all = side >> 3;
  for (let s = from; s < to; s++) {
    const block = state + s * side * side * 12;
    const copies = s * side * side * 2;
    for (let q: usize = 0; q < side >> 2; q++) {
      const four = g + ((q >> 1) * pairs + s) * 32 + (q & 1) * 16;
      const a = v128.load32_splat(four);
      const b = v128.load32_splat(four, 4);
      const c = v128.load32_splat(four, 8);
      const d = v128.load32_splat(four, 12);
      for (let p: usize = 0; p < all; p++) {
        const low = v128.load(x + (p * pairs + s) * 32);
        const high = v128.load(x + (p * pairs + s) * 32, 16);
        v128.store(acc, i32x4.dot_i16x8_s(a, low));
        v128.store(acc, i32x4.dot_i16x8_s(a, high), 16);
        v128.store(acc, i32x4.dot_i16x8_s(b, low), 32);
        v128.store(acc, i32x4.dot_i16x8_s(b, high), 48);
        v128.store(acc, i32x4.dot_i16x8_s(c, low), 64);
        v128.store(acc, i32x4.dot_i16x8_s(c, high), 80);
        v128.store(acc, i32x4.dot_i16x8_s(d, low), 96);
        v128.store(acc, i32x4.dot_i16x8_s(d, high), 112);
        const intoForward = forward + copies + (q >> 1) * side * 16 + p * 128 + (q & 1) * 16;
        const intoBackward = backward + copies + p * side * 16 + q * 64;
        updateBlock(ctx, acc, block + (q * all + p) * 384, intoForward, intoBackward);
      }
    }
  }
}

/** Bias gradients of output quads [from, to): the sums of the gradient operands over all rows. */
export function sumRows(g: usize, pairs: usize, from: usize, to: usize, into: usize): void {
  const ones = i16x8.splat(1);
  for (let q = from; q < to; q++) {
    let sum = i32x4.splat(0);
    let at = g + (q >> 1) * pairs * 32 + (q & 1) * 16;
    for (const end = at + pairs * 32; at < end; at += 32) sum = i32x4.add(sum, i32x4.dot_i16x8_s(v128.load(at), ones));
    v128.store(into + q * 16, sum);
  }
}

/**
 * Updates `count` (a multiple of 8) neighbours of a tensor in natural order, whose gradient is the sum over threads.
 *
 * @param gradient i32; `parts` of them, partBytes apart, are added up
 * @param stateBytes from a master to its first moment, and from there to its second
 * @param copy int16 copy to write, or 0
 * @param acc scratch of 128 bytes
 */
export function trainVector(
  ctx: usize,
  gradient: usize,
  parts: usize,
  partBytes: usize,
  count: usize,
  master: usize,
  stateBytes: usize,
  copy: usize,
  acc: usize,
): void {
  for (let i: usize = 0; i < count * 4; i += BLOCK_BYTES) {
    const bytes = min<usize>(BLOCK_BYTES, count * 4 - i);
    let seen = i32x4.splat(0);
    for (let j: usize = 0; j < bytes; j += 16) {
      let sum = v128.load(gradient + i + j);
      for (let part: usize = 1; part < parts; part++) {
        sum = i32x4.add(sum, v128.load(gradient + i + j + part * partBytes));
      }
      seen = v128.or(seen, i32x4.abs(sum));
      v128.store(acc + j, sum);
    }
    v128.store(ctx, v128.or(v128.load(ctx, SEEN_GRADIENT), seen), SEEN_GRADIENT);
    const at = master + i;
    if (bytes == BLOCK_BYTES) {
      update(ctx, acc, seen, at, at + stateBytes, at + 2 * stateBytes);
    } else {
      updateFew(ctx, acc, at, at + stateBytes, at + 2 * stateBytes, bytes);
    }
    for (let j: usize = 0; copy != 0 && j < bytes; j += 32) {
      v128.store(copy + ((i + j) >> 1), v128.load(acc + (j >> 1)));
    }
  }
}
