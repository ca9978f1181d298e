/**
 * Initial weights: the same for every archive, so that they need not be stored.
 *
 * Each weight is a pure function of (tensor, position), so any engine may draw any part of them in any order. The
 * distributions are those of the published FADE code (PyTorch's defaults, and normals of sigma 0.01 for embedding,
 * logits and the per-stream matrices).
 */
import { mix32 } from "./fixed.ts";
import { WEIGHT_BITS } from "./formats.ts";
import type { Layout, Tensor } from "./tensors.ts";

/** What is mixed into the positions of the tensor with this seed. */
const saltOf = (seed: number): number => Math.imul(seed + 1, 0x9e3779b9);

/** The random word number `position` of a tensor: 32 uniform bits. */
const randomWord = (salt: number, position: number): number => mix32(mix32(position) ^ salt);

/** floor(2^24 / sqrt(fanIn)), exactly. */
function uniformBound(fanIn: number): number {
  const square = (1n << BigInt(2 * WEIGHT_BITS)) / BigInt(fanIn);
  let root = 1n << BigInt(WEIGHT_BITS + 1);
  for (;;) {
    const next = (root + square / root) >> 1n;
    if (next >= root) return Number(root);
    root = next;
  }
}

/**
 * Four uniform bytes, centred and added, have a standard deviation of 147.8; times 1135 that is 0.01 in Q24. Their
 * sum is close enough to a normal distribution for a starting point.
 */
const NORMAL_SCALE = 1135;

function normalWeight(word: number): number {
  const sum = (word & 255) + ((word >>> 8) & 255) + ((word >>> 16) & 255) + (word >>> 24);
  return (sum - 510) * NORMAL_SCALE;
}

/** Fills `master` (Q24) from `tensor.offset` on with the tensor's initial weights. */
function drawTensor(tensor: Tensor, master: Int32Array): void {
  const { initial, offset, size, seed } = tensor;
  const values = master.subarray(offset, offset + size);
  if (initial.kind === "constant") values.fill(initial.value);
  else if (initial.kind === "normal") drawNormal(values, saltOf(seed));
  else drawUniform(values, saltOf(seed), uniformBound(initial.fanIn));
}

function drawNormal(values: Int32Array, salt: number): void {
  for (let i = 0; i < values.length; i++) values[i] = normalWeight(randomWord(salt, i));
}

function drawUniform(values: Int32Array, salt: number, bound: number): void {
  for (let i = 0; i < values.length; i++) {
    // (2 * 16 random bits - 65535) / 65536 spreads over -1 to 1; the product is below 2^41, exact in a double.
    values[i] = Math.floor((((randomWord(salt, i) >>> 16) * 2 - 65535) * bound) / 65536);
  }
}

/** All initial weights of a model in Q24, in the order of the layout. */
export function initialWeights(layout: Layout): Int32Array {
  const master = new Int32Array(layout.parameterCount);
  for (const tensor of layout.tensors) drawTensor(tensor, master);
  return master;
}

/** The largest magnitude in one tensor. */
export function largestMagnitude(values: Int32Array, offset: number, size: number): number {
  let largest = 0;
  for (let i = offset; i < offset + size; i++) {
    const magnitude = Math.abs(values[i] as number);
    if (magnitude > largest) largest = magnitude;
  }
  return largest;
}
