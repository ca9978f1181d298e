/**
 * The total that all frequency tables share.
 *
 * It stands here, at the bottom of the layers, because the coder must not depend on the engines that feed it, and
 * both must agree on it for ever: it is part of the archive format.
 */

/** log2 of the total; the range coder divides by it with an exact multiplication by a power of two. */
export const FREQUENCY_BITS = 22;
export const FREQUENCY_TOTAL = 1 << FREQUENCY_BITS;

/** Symbols are bytes: entries of one table of cumulative frequencies. */
export const SYMBOLS = 256;
