/**
 * The constants of the optimizer, Adam in integers: docs/NUMERICS.md section 7.
 */

/** Magnitude bits that weight gradients are aligned to before the optimizer sees them, with one bit of headroom. */
export const ALIGNED_BITS = 21;
/** Aligned gradients, and first moments, are below 2^22. */
export const ALIGNED_LIMIT = (1 << (ALIGNED_BITS + 1)) - 1;
/** First moment: m += (g - m) / 8. */
export const MOMENT_SHIFT = 3;
/** Second moment: v += (g^2 - v) / 512. */
export const SQUARE_SHIFT = 9;
/** Squares are taken of the gradient's top bits: 2^14 at most. */
export const SQUARE_DROP = 8;
/** Second moments are in Q2 of those squares. */
export const SQUARE_FRACTION = 2;
/** A second moment is never above 2^30. */
export const SQUARE_LIMIT = 1 << 30;
/** The ratio uses the moment's top bits: 2^16 at most, so that 24 bits hold their product with an inverse root. */
export const MOMENT_DROP = 6;
/** The ratio m / sqrt(v) is Q12 and saturates at ±4 (Adam's own bound for one spike is 2.9). */
export const RATIO_BITS = 12;
export const RATIO_LIMIT = (1 << 14) - 1;
/** Bits of the ratio's fraction that its product gains over its inverse root's. */
export const RATIO_GAIN = 4;
/** The bits of 0x5F3759DF >> 16: the constant of the inverse square root on 16-bit floating-point numbers. */
export const INVERSE_ROOT_MAGIC = 0x5f37;

/** Steps between two falls of a gradient's exponent. */
export const FALL_STEPS = 64;
/** Needs of bits are kept plus this, so that 0 is none. */
export const NEED_BIAS = 256;
