/**
 * What kernels must know of each matrix of the network, those that all streams share and the streams' own: its shape,
 * where its operands lie, which exponents it has. All of it follows from the contract's table of boxes.
 */
import type { HyperParameters } from "../../contract/hyper.ts";
import {
  activationExponent,
  type GradientName,
  gradientExponent,
  hasGradientExponent,
  MATRICES,
  MATRIX_NAMES,
  MEMORY_FORMAT,
  matrixShape,
  type OperandName,
  operandColumns,
  type ProductFormat,
  weightExponent,
} from "../../contract/network.ts";
import type { Layout } from "../../contract/tensors.ts";
import type { ArenaPlaces } from "./arena.ts";
import type { ControlPlaces } from "./places.ts";

/** A model as far as kernels need to know it before there are buffers. */
export interface ModelFacts {
  readonly hyper: HyperParameters;
  readonly layout: Layout;
  readonly places: ControlPlaces;
  /** Undefined on devices that cannot hold all of it in one buffer. */
  readonly arena: ArenaPlaces | undefined;
}

export interface MatrixFacts {
  /** Of one matrix. */
  readonly outputs: number;
  readonly inputs: number;
  readonly rowsPerStream: number;
  /** Rows of all operands, and how many of them meet one matrix: all, or those of a stream. */
  readonly rows: number;
  readonly matrixRows: number;
  /** The parts of the arena with the int8 operand and with the int16 operand of the gradient. */
  readonly operand: string;
  readonly gradient: string;
  /** Words of packed operand from row to row, and before the first. */
  readonly operandPitch: number;
  readonly operandStart: number;
  /** Places of exponents among the control numbers. */
  readonly activationPlace: number;
  readonly gradientPlace: number;
  readonly weightExponent: number;
  /** First element of the weights, and of the bias if there is one. */
  readonly offset: number;
  readonly biasOffset: number | undefined;
  readonly tensor: number;
  readonly format: ProductFormat;
}

/** Shape and operand of the streams' own matrices, and of those that all streams share. */
function boxOf(hyper: HyperParameters, name: GradientName) {
  const { coarseHidden: C } = hyper;
  if (name === "memory") {
    return { shape: [C, C], operand: "downOut", branches: 2, format: MEMORY_FORMAT, isOfNewestByte: false } as const;
  }
  return { ...MATRICES[name], shape: matrixShape(hyper, name) };
}

/** Where the exponent of an operand stands; features have none. */
const operandPlace = (places: ControlPlaces, name: OperandName) =>
  name === "feature" ? places.zero : activationExponent(name);

export function matrixFacts({ hyper, layout, places }: ModelFacts, name: GradientName): MatrixFacts {
  const { shape, operand, branches, format, isOfNewestByte } = boxOf(hyper, name);
  const [outputs, inputs] = shape;
  const pitch = operandColumns(hyper, operand) / branches;
  const rows = hyper.streams * branches;
  return {
    outputs,
    inputs,
    rowsPerStream: branches,
    rows,
    matrixRows: name === "memory" ? branches : rows,
    operand: `operand.${operand}`,
    gradient: `gradient.${name}`,
    operandPitch: pitch / 4,
    operandStart: isOfNewestByte ? (pitch - inputs) / 4 : 0,
    activationPlace: operandPlace(places, operand),
    gradientPlace: hasGradientExponent(name) ? gradientExponent(name) : places.logitShift,
    weightExponent: weightExponent(name),
    offset: layout.byName[name].offset,
    biasOffset: name === "memory" ? undefined : layout.byName[`${name}Bias`].offset,
    tensor: layout.byName[name].index,
    format,
  };
}

/** Products that a fused kernel makes in a step, for those who measure. */
export function multiplyAdds(model: ModelFacts, kernel: "forward" | "backward"): number {
  const { hyper } = model;
  let products = 2 * hyper.streams * hyper.coarseHidden ** 2; // the streams' own matrices
  for (const name of MATRIX_NAMES) {
    const { rows, outputs, inputs } = matrixFacts(model, name);
    products += rows * outputs * (kernel === "backward" ? inputs - gradientStart(hyper, name) : inputs);
  }
  return products;
}

/** The first column of a matrix's inputs whose gradient goes anywhere; all of them, if none does. */
export function gradientStart(hyper: HyperParameters, name: (typeof MATRIX_NAMES)[number]): number {
  const { inputGradient, gradientFrom } = MATRICES[name];
  if (inputGradient === undefined) return matrixShape(hyper, name)[1];
  return gradientFrom?.(hyper) ?? 0;
}
