/**
 * Where the numbers stand that all kernels share: the exponents and control numbers of the buffer `control`, and the
 * dense gradients of all tensors that are no matrices.
 */
import { EXPONENT_COUNT, gradientExponent, hasGradientExponent, weightExponent } from "../../contract/network.ts";
import type { Layout, Tensor } from "../../contract/tensors.ts";

/** Where the numbers of the `control` buffer stand: the exponents that kernels read, and the control numbers. */
export interface ControlPlaces {
  readonly copyShifts: number;
  readonly held: number;
  readonly exponentBits: number;
  readonly scales: number;
  readonly moved: number;
  readonly window: number;
  readonly step: number;
  readonly trained: number;
  readonly chunkStep: number;
  readonly rate: number;
  readonly logitShift: number;
  readonly zero: number;
  readonly count: number;
}

export function controlPlaces(layout: Layout): ControlPlaces {
  const tensors = layout.tensors.length;
  const scales = 4 * EXPONENT_COUNT;
  const control = scales + 3 * tensors;
  return {
    copyShifts: EXPONENT_COUNT,
    held: 2 * EXPONENT_COUNT,
    exponentBits: 3 * EXPONENT_COUNT,
    scales,
    moved: scales + tensors,
    window: scales + 2 * tensors,
    step: control,
    trained: control + 1,
    chunkStep: control + 2,
    rate: control + 3,
    logitShift: control + 4,
    zero: control + 5,
    count: control + 6,
  };
}

/** The dense list: all tensors that are not matrices, which follow the matrices in the layout. */
export function denseRange(layout: Layout): { readonly offset: number; readonly count: number } {
  const { offset } = layout.byName.embedding;
  return { offset, count: layout.parameterCount - offset };
}

interface DenseExponent {
  readonly sign: number;
  readonly place: number;
}

/** The exponent of a dense tensor's accumulated gradient: sign * control[place]. */
export function denseExponent(places: ControlPlaces, { kind, biasOf }: Tensor): DenseExponent {
  if (kind === "embedding") return { sign: -1, place: places.copyShifts + weightExponent("embedding") };
  if (biasOf === undefined) return { sign: 0, place: places.zero };
  return { sign: 1, place: hasGradientExponent(biasOf) ? gradientExponent(biasOf) : places.logitShift };
}
