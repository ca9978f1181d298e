/**
 * What a test of one kernel says: which shape, which inputs from which ranges, and what the reference makes of them.
 */

import { packTables, sharedConstants } from "../../../../src/engine/gpu/buffers.ts";
import type { Constants } from "../../../../src/engine/gpu/kernel.ts";
import { shiftPlaces } from "../../../../src/engine/gpu/places.ts";
import type { KernelName } from "../../../../src/engine/gpu/shaders.ts";
import {
  ACTIVATION_BITS,
  ACTIVATION_LIMIT,
  clamp,
  roundShift,
  SCALE_BITS,
  WEIGHT_BITS,
} from "../../../../src/model/fixed.ts";
import { type HyperParameters, NO_RECALL } from "../../../../src/model/hyper.ts";
import { type Layout, layoutOf } from "../../../../src/model/tensors.ts";
import { CANARY } from "../../../support/gpu-harness.ts";
import type { Field, Random, Words } from "../../../support/gpu-values.ts";

export type Named = Record<string, Words>;

/** An array of a case: drawn by pattern, or made by a function (which may look at nothing but the generator). */
export type Input = Field | ((random: Random) => Words);

export interface KernelCase {
  readonly kernel: KernelName;
  /** What is special about the shape. */
  readonly title: string;
  readonly shared: Constants;
  readonly constants: Constants;
  readonly workgroups: readonly [number, number, number];
  readonly inputs: Readonly<Record<string, Input>>;
  /** Rounds in which each input has a pattern of its own, after those in which all share one. */
  readonly mixedRounds?: number;
  /** Changes the arrays as the kernel should. */
  readonly expect: (arrays: Named) => void;
}

/** An array that the kernel must fill. */
export function output(count: number): Input {
  return () => new Int32Array(count).fill(CANARY);
}

/** A model's shape for kernels that know it: `base` with some fields changed. */
export interface Shape {
  readonly hyper: HyperParameters;
  readonly layout: Layout;
  readonly shared: Constants;
  readonly places: ReturnType<typeof shiftPlaces>;
}

const BASE: HyperParameters = {
  history: 4,
  embedding: 8,
  globalHidden: 32,
  slot: 4,
  fineHidden: 32,
  coarseHidden: 16,
  streams: 5,
  learningRate: 1 << 14,
  ...NO_RECALL,
};

/** Rows in the ring of bytes: more than the longest history, and no power of two. */
export const PAST_ROWS = 70;

export function shapeWith(changes: Partial<HyperParameters>): Shape {
  const hyper = { ...BASE, ...changes };
  const layout = layoutOf(hyper);
  const shared = sharedConstants(hyper, layout, PAST_ROWS);
  return { hyper, layout, shared, places: shiftPlaces(layout) };
}

/** The `shifts` buffer with some numbers in it, zero elsewhere. */
export function shiftsWith(shape: Shape, numbers: Readonly<Record<number, number>>): Words {
  const shifts = new Int32Array(shape.places.count);
  for (const [place, value] of Object.entries(numbers)) shifts[Number(place)] = value;
  return shifts;
}

/** Limits of what kernels are given. */
export const ACTIVATION = 32767;
export const GRADIENT = 1 << 26;
export const WEIGHT = 1 << 30;
export const ANY_I32 = 2 ** 31 - 1;

export const tablesInput: Input = () => packTables();

/** More workgroups than `count`, folded into two dimensions: the last ones have nothing to do. */
export function foldedGroups(count: number): readonly [number, number, number] {
  return [Math.floor(count / 2) + 1, 2, 1];
}

export function scaleOf(master: number): number {
  return clamp(roundShift(master, WEIGHT_BITS - SCALE_BITS), ACTIVATION_LIMIT);
}

export function biasOf(master: number): number {
  return roundShift(master, WEIGHT_BITS - ACTIVATION_BITS);
}
