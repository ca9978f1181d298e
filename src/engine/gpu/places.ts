/**
 * Where the numbers stand that all kernels share: the exponents and control numbers of the buffer `shifts`, and the
 * dense gradients of all tensors that are no matrices.
 */
import { gradientSlot, type Layout, SLOT_COUNT, weightSlot } from "../../model/tensors.ts";

/** Where the numbers of the `shifts` buffer stand: the exponents that kernels read, and the control numbers. */
export interface ShiftPlaces {
  readonly copyShifts: number;
  readonly held: number;
  readonly slotBits: number;
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

export function shiftPlaces(layout: Layout): ShiftPlaces {
  const tensors = layout.tensors.length;
  const scales = 4 * SLOT_COUNT;
  const control = scales + 3 * tensors;
  return {
    copyShifts: SLOT_COUNT,
    held: 2 * SLOT_COUNT,
    slotBits: 3 * SLOT_COUNT,
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

export interface DenseExponent {
  readonly sign: number;
  readonly place: number;
}

/** The exponent of a dense tensor's accumulated gradient: sign * shifts[place]. */
export function denseExponent(layout: Layout, places: ShiftPlaces, name: string): DenseExponent {
  if (name === "embedding") return { sign: -1, place: places.copyShifts + weightSlot("embedding") };
  if (name === "logitsBias") return { sign: 1, place: places.logitShift };
  const matrix = name.endsWith("Bias") ? name.slice(0, -4) : "";
  const found = layout.tensors.find((tensor) => tensor.name === matrix && tensor.kind === "matrix");
  if (found === undefined) return { sign: 0, place: places.zero };
  return { sign: 1, place: gradientSlot(found.name as Parameters<typeof gradientSlot>[0]) };
}
