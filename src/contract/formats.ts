/**
 * The number formats of the contract: how many bits of fraction each kind of value has, and where it saturates.
 *
 * A format is written Qn: the integer v stands for v / 2^n. This table is the only place where these numbers stand:
 * kernels in WebAssembly and in WGSL are compiled with the constants below (constants.ts), and the table of formats in
 * docs/NUMERICS.md is made of it by scripts/generate.ts.
 */

export interface NumberFormat {
  /** Bits of fraction. */
  readonly bits: number;
  /** Where values saturate; undefined if they cannot get so far, or wrap. */
  readonly limit?: number;
  /** How docs/NUMERICS.md calls it. */
  readonly title: string;
  /** Bits that a value takes. */
  readonly width: string;
  /** Said of the limit in place of what follows from `limit`. */
  readonly range?: string;
  readonly usedFor: string;
}

export const NUMBER_FORMATS = {
  activation: {
    title: 'Q10 "activation"',
    bits: 10,
    width: "16 bits",
    limit: 32767,
    usedFor: "activations, biases when used",
  },
  wide: { title: 'Q10 "wide"', bits: 10, width: "i32", limit: 1 << 20, usedFor: "the global stream: U and far" },
  // A few outliers must not take the int8 operand's resolution from all.
  hidden: {
    title: 'Q8 "hidden"',
    bits: 8,
    width: "16 bits",
    limit: 4095,
    usedFor: "outputs of GeGLUs: the cache and J",
  },
  entry: { title: "Q20", bits: 20, width: "i32", range: "none", usedFor: "boosts and entries of the logit tables" },
  // Such values grow as training goes on.
  normInput: {
    title: 'Q7 "norm input"',
    bits: 7,
    width: "16 bits",
    limit: 32767,
    usedFor: "what enters coarseNorm, fineNorm and lastNorm: mixed, K, fineOut's output",
  },
  scale: {
    title: 'Q12 "scale"',
    bits: 12,
    width: "16 bits",
    limit: 32767,
    usedFor: "norm scales, taps, skips when used",
  },
  slope: {
    title: "Q14",
    bits: 14,
    width: "15 bits",
    range: "0 … 16384",
    usedFor: "sigmoid values; slopes of GELU (−2112 … 18496)",
  },
  gradient: {
    title: 'Q22 "gradient"',
    bits: 22,
    width: "i32",
    limit: 1 << 26,
    range: "±2^26 (±16) where clamped",
    usedFor: "gradients between operations",
  },
  weight: { title: 'Q24 "master"', bits: 24, width: "i32", limit: 1 << 30, usedFor: "trained weights" },
} as const satisfies Record<string, NumberFormat>;

const { activation, wide, hidden, entry, normInput, scale, slope, gradient, weight } = NUMBER_FORMATS;

export const ACTIVATION_BITS = activation.bits;
export const NORM_INPUT_BITS = normInput.bits;
export const HIDDEN_BITS = hidden.bits;
export const SCALE_BITS = scale.bits;
export const SLOPE_BITS = slope.bits;
export const GRADIENT_BITS = gradient.bits;
export const WEIGHT_BITS = weight.bits;
/** Of the boosts and of the logit tables' entries. */
export const ENTRY_BITS = entry.bits;

/** Largest magnitudes. */
export const ACTIVATION_LIMIT = activation.limit;
export const HIDDEN_LIMIT = hidden.limit;
export const WIDE_LIMIT = wide.limit;
export const GRADIENT_LIMIT = gradient.limit;
export const WEIGHT_LIMIT = weight.limit;
export const SCALE_LIMIT = scale.limit;

/** Operands of matrix products: largest magnitudes of int8, of int16 copies of the embedding, and of int16 gradients,
 * which two halves of int8 can make: 127 * 256 + 127. */
export const OPERAND_LIMIT = 127;
export const EMBEDDING_LIMIT = 32767;
export const GRADIENT_OPERAND_MAX = 32639;
/** Embedding gradients drop this many bits, so that sums over all positions of a common byte keep clear of 2^31. */
export const EMBEDDING_GRADIENT_SHIFT = 3;

/** Shifts between formats: a master weight as a bias or a scale, a sum of activations as what enters a norm, and a
 * product of two activations as a GeGLU's output. */
export const BIAS_SHIFT = WEIGHT_BITS - ACTIVATION_BITS;
export const SCALE_SHIFT = WEIGHT_BITS - SCALE_BITS;
export const NORM_INPUT_SHIFT = ACTIVATION_BITS - NORM_INPUT_BITS;
export const GEGLU_SHIFT = 2 * ACTIVATION_BITS - HIDDEN_BITS;
/** From a boost or a table's entry to a logit. */
export const ENTRY_SHIFT = ENTRY_BITS - ACTIVATION_BITS;
/** 1 / sqrt of a norm's 16-bit variance is kept times 2^22, its inverse deviation as a mantissa and a shift. */
export const MANTISSA_BITS = 22;
