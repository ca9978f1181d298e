/**
 * The look-up tables of the non-linear functions: GELU with its slope, the sigmoid, and powers of two.
 *
 * No two platforms agree on exp or erf, so these values are computed here, once per process, with arbitrary-precision
 * integers, and handed to every engine as data. test/model/luts.test.ts pins their hash: a table that changed
 * would change every archive.
 */

import { roundShift, squareRoot } from "./fixed.ts";
import { ACTIVATION_BITS, SLOPE_BITS } from "./formats.ts";

/** Tables of x in Q10 have one node every 2^-6: the low 4 bits of x are interpolated with the slope. */
export const NODE_SHIFT = 4;
/** Nodes cover -8 to +8; beyond them the functions are flat or linear to the last bit. */
const RANGE = 8;
const NODES_PER_UNIT = 1 << (ACTIVATION_BITS - NODE_SHIFT);
const UNIT = BigInt(NODES_PER_UNIT);
/** Nodes per table: -8 to +8 with both ends. */
export const NODES = 2 * RANGE * NODES_PER_UNIT + 1;
/** Index of the node of 0. */
export const NODE_ZERO = RANGE * NODES_PER_UNIT;

/** Bits of fraction while the tables are computed: what a thousand roundings lose leaves a hundred bits to spare. */
const WORK_BITS = 128n;
const ONE = 1n << WORK_BITS;

/** e^(numerator/denominator) by its Taylor series, in WORK_BITS. */
function exponential(numerator: bigint, denominator: bigint): bigint {
  let term = ONE;
  let sum = ONE;
  for (let k = 1n; term !== 0n; k++) {
    term = (term * numerator) / (denominator * k);
    sum += term;
  }
  return sum;
}

/** pi by Machin's formula, in WORK_BITS. */
function machinPi(): bigint {
  const arctangentOfInverse = (x: bigint) => {
    let power = ONE / x;
    let sum = power;
    for (let k = 3n, sign = -1n; power !== 0n; k += 2n, sign = -sign) {
      power /= x * x;
      sum += (sign * power) / k;
    }
    return sum;
  };
  return 4n * (4n * arctangentOfInverse(5n) - arctangentOfInverse(239n));
}

/** A WORK_BITS number rounded to Q`bits`, as a plain number. */
function toFixed(x: bigint, bits: number): number {
  const shift = WORK_BITS - BigInt(bits);
  return Number((x + (1n << (shift - 1n))) >> shift);
}

/**
 * The normal distribution's density at x = node / 64 for nodes 0 to NODE_ZERO, in WORK_BITS. From node to node it falls
 * by a ratio, e^-((2 node + 1) / 8192), which itself falls by the same ratio every time.
 */
function normalDensities(): bigint[] {
  const inverseRootTwoPi = (ONE * ONE) / squareRoot(2n * machinPi() * ONE, ONE);
  const twoSquares = 2n * UNIT * UNIT;
  const fall = exponential(-2n, twoSquares);
  let ratio = exponential(-1n, twoSquares);
  let density = inverseRootTwoPi;
  return Array.from({ length: NODE_ZERO + 1 }, () => {
    const here = density;
    density = (density * ratio) >> WORK_BITS;
    ratio = (ratio * fall) >> WORK_BITS;
    return here;
  });
}

/**
 * The normal distribution between two nodes, from `node` on: the Taylor series of its integral, whose k-th term is
 * d_k = density^(k)(x) h^(k+1) / (k+1)! with h = 1/64. Derivatives follow from density^(k+1) = -x density^(k) - k
 * density^(k-1), and so do the terms: d_(k+1) = -(node (k+1) d_k + k d_(k-1)) / (4096 (k+1) (k+2)).
 */
function normalStep(node: bigint, density: bigint): bigint {
  let before = 0n;
  let term = density / UNIT;
  let sum = term;
  for (let k = 0n; term !== 0n || before !== 0n; k++) {
    const next = -(node * (k + 1n) * term + k * before) / (UNIT * UNIT * (k + 1n) * (k + 2n));
    before = term;
    term = next;
    sum += term;
  }
  return sum;
}

/** Both sides of 0 at once: Phi(-x) = 1 - Phi(x), and the density is the same. */
function buildGelu(): { value: Int16Array; slope: Int16Array } {
  const value = new Int16Array(NODES);
  const slope = new Int16Array(NODES);
  const put = (node: bigint, phi: bigint, density: bigint) => {
    const index = NODE_ZERO + Number(node);
    value[index] = toFixed((node * phi) / UNIT, ACTIVATION_BITS);
    slope[index] = toFixed(phi + (node * density) / UNIT, SLOPE_BITS);
  };
  let phi = ONE >> 1n;
  for (const [index, density] of normalDensities().entries()) {
    const node = BigInt(index);
    put(node, phi, density);
    put(-node, ONE - phi, density);
    phi += normalStep(node, density);
  }
  return { value, slope };
}

/** Again both sides of 0: sigmoid(-x) = 1 - sigmoid(x). */
function buildSigmoid(): Int16Array {
  const table = new Int16Array(NODES);
  const ratio = exponential(-1n, UNIT);
  for (let node = 0, falling = ONE; node <= NODE_ZERO; node++) {
    const y = (ONE * ONE) / (ONE + falling);
    table[NODE_ZERO + node] = toFixed(y, SLOPE_BITS);
    table[NODE_ZERO - node] = toFixed(ONE - y, SLOPE_BITS);
    falling = (falling * ratio) >> WORK_BITS;
  }
  return table;
}

/** 2^(16 - f/256) for f = 0 to 255, at most 65535. Roots by repeated square root: 2^(1/256) is sqrt eight times. */
function buildExp2(): Int32Array {
  let root = ONE >> 1n;
  for (let k = 0; k < 8; k++) root = squareRoot(root * ONE, root);
  const table = new Int32Array(256);
  let power = ONE;
  for (let f = 0; f < 256; f++) {
    table[f] = Math.min(65535, toFixed(power, 16));
    power = (power * root) >> WORK_BITS;
  }
  return table;
}

/** Where the sigmoid and the powers of two stand when all are packed in words, behind GELU. */
export const SIGMOID_LUT = NODES;
export const EXP2_LUT = 2 * NODES;

export interface Luts {
  /** GELU at the nodes, Q10. */
  readonly gelu: Int16Array;
  /** The derivative of GELU at the nodes, Q14. */
  readonly geluSlope: Int16Array;
  /** The sigmoid at the nodes, Q14. */
  readonly sigmoid: Int16Array;
  /** 2^(-f/256), f = 0 to 255, Q16, at most 65535. */
  readonly exp2: Int32Array;
}

let built: Luts | undefined;

/** The look-up tables, computed at the first call (some milliseconds). */
export function luts(): Luts {
  if (built === undefined) {
    const { value, slope } = buildGelu();
    built = { gelu: value, geluSlope: slope, sigmoid: buildSigmoid(), exp2: buildExp2() };
  }
  return built;
}

/** The node nearest to x (Q10): 0 to NODES - 1, saturating at both ends. */
function nodeOf(x: number): number {
  const node = roundShift(x, NODE_SHIFT) + NODE_ZERO;
  return node < 0 ? 0 : node > NODES - 1 ? NODES - 1 : node;
}

/** x minus the position of `node`, Q10. */
const beyondNode = (x: number, node: number) => x - ((node - NODE_ZERO) << NODE_SHIFT);

/** The derivative of GELU at the node nearest to x: Q10 to Q14. */
export function geluSlope(lut: Luts, x: number): number {
  return lut.geluSlope[nodeOf(x)] as number;
}

/**
 * GELU, Q10 to Q10, for |x| <= 2^20: the nearest node plus its slope times the rest. From +8 on it is x itself, below
 * -8 it is 0, both to the last bit.
 */
export function gelu(lut: Luts, x: number): number {
  const end = RANGE << ACTIVATION_BITS;
  if (x >= end) return x;
  if (x <= -end) return 0;
  const node = nodeOf(x);
  return (lut.gelu[node] as number) + roundShift(beyondNode(x, node) * (lut.geluSlope[node] as number), SLOPE_BITS);
}

/** The derivative of the sigmoid from its value: y (1 - y), both Q14. */
export function sigmoidSlope(y: number): number {
  return roundShift(y * ((1 << SLOPE_BITS) - y), SLOPE_BITS);
}

/** The sigmoid, Q10 to Q14: the nearest node plus its slope times the rest; flat beyond ±8. */
export function sigmoid(lut: Luts, x: number): number {
  const node = nodeOf(x);
  const y = lut.sigmoid[node] as number;
  const limit = 1 << NODE_SHIFT;
  const rest = beyondNode(x, node);
  const near = rest < -limit ? -limit : rest > limit ? limit : rest;
  return y + roundShift(near * sigmoidSlope(y), ACTIVATION_BITS);
}

/** Entries that a table of exponentials needs: from the last of these differences (Q10) on, they are 0. */
export const DIFFERENCES = 1 << 14;
/** log2(e) in Q12. */
export const LOG2_E = 5909;

/** e^(-difference) for a difference in Q10, 0 to 65535: Q16, at most 65535, 0 beyond 2^-17. */
export function expNegative(lut: Luts, difference: number): number {
  const power = difference * LOG2_E; // Q22, below 2^29
  const whole = power >> 22;
  if (whole > 16) return 0;
  return ((lut.exp2[(power >> 14) & 255] as number) + ((1 << whole) >> 1)) >> whole;
}
