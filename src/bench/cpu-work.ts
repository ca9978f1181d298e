/**
 * What a call of a CPU kernel must do, from its parameters (kernels.ts names them). A kernel that is not here is timed
 * all the same, and shown as having no case.
 */
import type { KernelWork } from "./kernel-results.ts";

export interface CpuCall {
  readonly kernel: string;
  readonly parameters: readonly number[];
}

interface Case {
  readonly shape: string;
  readonly work: KernelWork;
}

/** Moments, master and both int16 copies of a weight: the first three are read and written. */
const TRAINED_WEIGHT_BYTES = 2 * 12 + 2 * 2;
const INT16 = 2;
const INT32 = 4;

/** rows x inputs x outputs with int16 operands. */
function product(rows: number, inputs: number, outputs: number, bytes: number): Case {
  return { shape: `${rows} x ${inputs} x ${outputs}`, work: { multiplyAdds: rows * inputs * outputs, bytes } };
}

/** `bytes` for each of `count` values. */
const values = (count: number, bytes: number): Case => ({
  shape: `${count} values`,
  work: { multiplyAdds: 0, bytes: count * bytes },
});

type Parameters = readonly number[];
const at = (parameters: Parameters, index: number) => parameters[index] ?? 0;
/** The n-th parameter counts values. */
const counted = (index: number, bytes: number) => (p: Parameters) => values(at(p, index), bytes);

const CASES: Readonly<Record<string, (parameters: Parameters) => Case>> = {
  multiplyForward(p) {
    const [rows, inputs, outputs] = [at(p, 3) - at(p, 2), at(p, 5), at(p, 6)];
    const outBytes = at(p, 10) === 1 ? INT32 : INT16;
    return product(rows, inputs, outputs, INT16 * (rows + outputs) * inputs + rows * outputs * outBytes);
  },
  multiplyBackward(p) {
    const [rows, outputs, inputs] = [at(p, 2) - at(p, 1), at(p, 4), 8 * (at(p, 6) - at(p, 5))];
    return product(rows, outputs, inputs, INT16 * (rows + inputs) * outputs + INT32 * rows * inputs);
  },
  multiplyStreams(p) {
    const [streams, side] = [at(p, 2) - at(p, 1), at(p, 4)];
    return product(2 * streams, side, side, INT16 * streams * side * (side + 4));
  },
  trainMatrix(p) {
    const [rows, outputs, inputs] = [2 * at(p, 3), 4 * (at(p, 5) - at(p, 4)), at(p, 7)];
    return product(rows, inputs, outputs, outputs * inputs * TRAINED_WEIGHT_BYTES + INT16 * rows * (inputs + outputs));
  },
  trainStreams(p) {
    const [streams, side] = [at(p, 5) - at(p, 4), at(p, 6)];
    return product(2 * streams, side, side, streams * side * (side * TRAINED_WEIGHT_BYTES + 4 * INT16));
  },
  packPairs: (p) => values(2 * (at(p, 4) - at(p, 3)) * at(p, 2), 2 * INT16),
  quantiseActivation: counted(1, 2 * INT16),
  quantiseGradient: counted(1, INT32 + INT16),
  throughSlope: counted(2, 2 * INT32 + INT16),
  lookUp: counted(2, 2 * INT16),
  lookUpWide: counted(2, INT32 + INT16),
  addTwo: counted(2, 3 * INT32),
  addThree: counted(3, 4 * INT32),
  mix: counted(3, INT32 + 3 * INT16),
  frequencies: (p) => values(256 * (at(p, 3) - at(p, 2)), INT16 + INT32),
};

/** undefined for kernels that have no case here. */
export function cpuWorkOf({ kernel, parameters }: CpuCall): KernelWork | undefined {
  return CASES[kernel]?.(parameters).work;
}

export function cpuShapeOf({ kernel, parameters }: CpuCall): string {
  return CASES[kernel]?.(parameters).shape ?? "";
}
