/**
 * What kernels must know of each matrix of the network: its shape, where its operands lie, which exponents they have.
 */
import type { HyperParameters } from "../../model/hyper.ts";
import { widthOf } from "../../model/hyper.ts";
import {
  activationSlot,
  gradientSlot,
  type Layout,
  MATRIX_NAMES,
  type MatrixName,
  matrixShape,
  OPERAND_OF,
  PRODUCT_FORMATS,
  type ProductFormat,
  weightSlot,
} from "../../model/tensors.ts";
import type { ArenaPlaces } from "./arena.ts";
import type { ShiftPlaces } from "./places.ts";

/** A model as far as kernels need to know it before there are buffers. */
export interface ModelFacts {
  readonly hyper: HyperParameters;
  readonly layout: Layout;
  readonly places: ShiftPlaces;
  /** Undefined on devices that cannot hold all of it in one buffer. */
  readonly arena: ArenaPlaces | undefined;
}

/** Rows that each matrix product of the network has per stream: 2 for the branches of the coarse refiner. */
const ROWS_PER_STREAM: Readonly<Record<MatrixName, number>> = {
  newest: 1,
  global: 1,
  router: 1,
  down: 2,
  up: 2,
  gate: 2,
  fine: 1,
  fineOut: 1,
  logits: 1,
  feature: 1,
  recallGate: 1,
};

export interface MatrixFacts {
  readonly outputs: number;
  readonly inputs: number;
  readonly rowsPerStream: number;
  readonly rows: number;
  /** The parts of the arena with the int8 operand and with the int16 operand of the gradient. */
  readonly operand: string;
  readonly gradient: string;
  /** Words of packed operand from row to row, and before the first. */
  readonly operandStride: number;
  readonly operandStart: number;
  /** Places of exponents among the control numbers. */
  readonly activationPlace: number;
  readonly gradientPlace: number;
  readonly weightSlot: number;
  /** First element of the weights and of the bias. */
  readonly offset: number;
  readonly biasOffset: number;
  readonly tensor: number;
  readonly format: ProductFormat;
}

export function matrixFacts({ hyper, layout, places }: ModelFacts, name: MatrixName): MatrixFacts {
  const [outputs, inputs] = matrixShape(hyper, name);
  const slot = OPERAND_OF[name];
  const isNewest = name === "newest"; // it sees the last byte's part of a row
  return {
    outputs,
    inputs,
    rowsPerStream: ROWS_PER_STREAM[name],
    rows: hyper.streams * ROWS_PER_STREAM[name],
    operand: `operand.${slot}`,
    gradient: `gradient.${name}`,
    operandStride: (isNewest ? widthOf(hyper) : inputs) / 4,
    operandStart: isNewest ? (widthOf(hyper) - hyper.embedding) / 4 : 0,
    activationPlace: slot === "feature" ? places.zero : activationSlot(slot),
    gradientPlace: name === "logits" ? places.logitShift : gradientSlot(name),
    weightSlot: weightSlot(name),
    offset: layout.byName[name].offset,
    biasOffset: layout.byName[`${name}Bias`].offset,
    tensor: layout.byName[name].index,
    format: PRODUCT_FORMATS[name],
  };
}

/** Products that a fused kernel makes in a step, for those who measure. */
export function multiplyAdds(model: ModelFacts, kernel: "forward" | "backward" | "weights"): number {
  const { hyper } = model;
  let products = 2 * hyper.streams * hyper.coarseHidden ** 2; // the streams' own matrices
  for (const name of MATRIX_NAMES) {
    const { rows, outputs, inputs } = matrixFacts(model, name);
    // Of the cache's gradient only the newest slot goes anywhere; features are not trained.
    const useful = name === "global" ? hyper.slot : name === "feature" ? 0 : inputs;
    products += rows * outputs * (kernel === "backward" ? useful : inputs);
  }
  return products;
}
