/**
 * The formats of src/model/fixed.ts that kernels are compiled with. The equality tests fail at the first step if one
 * of them is not the contract's.
 */

/** Fraction bits of activations, of what enters a norm, and of GeGLU outputs. */
export const ACTIVATION_BITS: i32 = 10;
export const NORM_INPUT_BITS: i32 = 7;
export const HIDDEN_BITS: i32 = 8;
/** Saturation of GeGLU outputs, and the shift from a product of two activations to one. */
export const HIDDEN_LIMIT: i32 = 4095;
export const GEGLU_SHIFT: i32 = 2 * ACTIVATION_BITS - HIDDEN_BITS;
/** Fraction bits of scales, of slopes and sigmoid values, and of master weights. */
export const SCALE_BITS: i32 = 12;
export const SLOPE_BITS: i32 = 14;
export const WEIGHT_BITS: i32 = 24;
/** Saturation of gradients. */
export const GRADIENT_LIMIT: i32 = 1 << 26;
/** Saturation of the global stream's values, the only activations that need more than 16 bits. */
export const WIDE_LIMIT: i32 = 1 << 20;
/** Fraction bits of the inverse square root's mantissa. */
export const MANTISSA_BITS: i32 = 22;
/** A master weight as a bias (or a norm's shift) of ACTIVATION_BITS: shifted by this, rounding. */
export const BIAS_SHIFT: i32 = WEIGHT_BITS - ACTIVATION_BITS;
/** From activations to inputs of norms. */
export const NORM_INPUT_SHIFT: i32 = ACTIVATION_BITS - NORM_INPUT_BITS;
