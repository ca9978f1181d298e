/**
 * What a test of one kernel says: which shape, which inputs from which ranges, and what the reference makes of them.
 */

import { clamp, roundShift } from "../../../../src/contract/fixed.ts";
import { ACTIVATION_BITS, ACTIVATION_LIMIT, SCALE_BITS, WEIGHT_BITS } from "../../../../src/contract/formats.ts";
import type { HyperParameters } from "../../../../src/contract/hyper.ts";
import { type Layout, layoutOf } from "../../../../src/contract/tensors.ts";
import { packLuts, sharedConstants } from "../../../../src/engine/gpu/buffers.ts";
import type { Constants } from "../../../../src/engine/gpu/kernel.ts";
import { controlPlaces } from "../../../../src/engine/gpu/places.ts";
import type { KernelName } from "../../../../src/engine/gpu/shaders.ts";
import { tinyHyper } from "../../../support/fake-engine.ts";
import { CANARY } from "../../../support/gpu-harness.ts";
import type { Field, Random, Words } from "../../../support/gpu-values.ts";

export type Named = Record<string, Words>;

/** An array of a case: drawn by pattern, or made by a function (which may look at nothing but the generator). */
export type Input = Field | ((random: Random) => Words);

export interface KernelCase {
  readonly kernel: KernelName;
  /** What is special about the shape. */
  readonly title: string;
  /** Of the smallest model if not said. */
  readonly shared?: Constants;
  readonly constants?: Constants;
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

/** A model's shape for kernels that know it: the smallest with some fields changed. */
export interface Shape {
  readonly hyper: HyperParameters;
  readonly layout: Layout;
  readonly shared: Constants;
  readonly places: ReturnType<typeof controlPlaces>;
}

/** Rows in the ring of bytes: more than the longest history, and no power of two. */
export const PAST_ROWS = 70;

export function shapeWith(changes: Partial<HyperParameters>): Shape {
  const hyper = { ...tinyHyper(5), ...changes };
  const layout = layoutOf(hyper);
  const shared = sharedConstants(hyper, layout, PAST_ROWS);
  return { hyper, layout, shared, places: controlPlaces(layout) };
}

/** The `control` buffer with some numbers in it, zero elsewhere. */
export function controlWith(shape: Shape, numbers: Readonly<Record<number, number>>): Words {
  const control = new Int32Array(shape.places.count);
  for (const [place, value] of Object.entries(numbers)) control[Number(place)] = value;
  return control;
}

/** Limits of what kernels are given. */
export const ACTIVATION = 32767;
export const GRADIENT = 1 << 26;
export const WEIGHT = 1 << 30;
export const ANY_I32 = 2 ** 31 - 1;

export const lutsInput: Input = () => packLuts();

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
