/**
 * The network's boxes: its matrices and norms, with what each reads and writes; and the values between them that are
 * quantised.
 *
 * One table serves all engines: the reference asks it for shapes and formats, the CPU engine lays out its memory by it,
 * and the records by which the GPU engine's fused kernels find their way are made of it. The order in which the boxes
 * run is written out in each engine; src/engine/reference/forward.ts and backward.ts are the ones to read.
 */
import {
  ACTIVATION_BITS,
  ACTIVATION_LIMIT,
  HIDDEN_BITS,
  NORM_INPUT_BITS,
  NORM_INPUT_SHIFT,
  WIDE_LIMIT,
} from "./formats.ts";
import { type HyperParameters, widthOf } from "./hyper.ts";
import { FEATURE_BITS, FEATURES_PER_CONTEXT } from "./recall.ts";

/** How initial weights are drawn: constants in Q24, a uniform bound 1/sqrt(fanIn), or a normal of sigma 0.01. */
export type Initial =
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "uniform"; readonly fanIn: number }
  | { readonly kind: "normal" };

/** A number that follows from the shape of a model. */
type Size = (hyper: HyperParameters) => number;

const H: Size = widthOf;
const half: Size = (hyper) => widthOf(hyper) / 2;

/**
 * Activations that enter a matrix product as int8 operands: their values per stream, and the magnitude that they are
 * taken to have had before the first step, in their own format. Each has a power-of-two exponent, chosen from the
 * largest magnitude of earlier steps (docs/NUMERICS.md section 3).
 */
const ACTIVATIONS = {
  input: { columns: H, before: 1 << 12 },
  cache: { columns: (hyper: HyperParameters) => hyper.globalHidden, before: 1 << 7 },
  coarse: { columns: H, before: 1 << 12 },
  downOut: { columns: (hyper: HyperParameters) => 2 * hyper.coarseHidden, before: 1 << 11 },
  memoryOut: { columns: (hyper: HyperParameters) => 2 * hyper.coarseHidden, before: 1 << 7 },
  fineIn: { columns: H, before: 1 << 12 },
  fineHidden: { columns: (hyper: HyperParameters) => hyper.fineHidden, before: 1 << 8 },
  last: { columns: H, before: 1 << 12 },
} as const;

export type QuantisedActivation = keyof typeof ACTIVATIONS;
export const QUANTISED_ACTIVATIONS = Object.keys(ACTIVATIONS) as readonly QuantisedActivation[];

/** What a matrix multiplies; the recall stream's features are int8 as they are, and have no exponent. */
export type OperandName = QuantisedActivation | "feature";

/** Values of an operand per stream. */
export function operandColumns(hyper: HyperParameters, name: OperandName): number {
  return name === "feature" ? FEATURES_PER_CONTEXT * hyper.contexts : ACTIVATIONS[name].columns(hyper);
}

export const magnitudeBefore = (name: QuantisedActivation): number => ACTIVATIONS[name].before;

/** The fixed-point formats around a matrix product: fraction bits of its operand and of its output, and the limit. */
export interface ProductFormat {
  readonly inputBits: number;
  readonly outputBits: number;
  readonly outputLimit: number;
}

const PLAIN: ProductFormat = {
  inputBits: ACTIVATION_BITS,
  outputBits: ACTIVATION_BITS,
  outputLimit: ACTIVATION_LIMIT,
};
/** The format of the streams' own matrices. */
export const MEMORY_FORMAT = PLAIN;

/** A linear layer that all streams share. */
interface MatrixBox {
  readonly rows: Size;
  readonly columns: Size;
  /** What it multiplies. */
  readonly operand: OperandName;
  /** Whether it sees the operand's part of the newest byte only. */
  readonly isOfNewestByte?: true;
  /** Rows of the operand per stream: 2 for the branches of the coarse refiner. */
  readonly branches: 1 | 2;
  readonly format: ProductFormat;
  readonly weights: "uniform" | "normal";
  readonly bias: "uniform" | "zero";
  /** What the product goes to. */
  readonly output: string;
  /** What the gradient of its input goes to; undefined where nothing before it learns. */
  readonly inputGradient: string | undefined;
  /** Whether that is added to the gradient through another layer with the same input. */
  readonly addsGradient?: true;
  /** From which column on the gradient of its input goes anywhere: 0 if nothing is said. */
  readonly gradientFrom?: Size;
}

const LAYER = { branches: 1, format: PLAIN, weights: "uniform", bias: "uniform" } as const;
const WITHOUT_BIAS = { ...LAYER, bias: "zero" } as const;

const BOXES = {
  newest: {
    ...LAYER,
    rows: (hyper) => 2 * hyper.cacheStep,
    columns: (hyper) => hyper.embedding,
    operand: "input",
    isOfNewestByte: true,
    output: "newest",
    inputGradient: "dNewestIn",
  },
  global: {
    ...LAYER,
    rows: H,
    columns: (hyper) => hyper.globalHidden,
    operand: "cache",
    format: { inputBits: HIDDEN_BITS, outputBits: ACTIVATION_BITS, outputLimit: WIDE_LIMIT },
    output: "global",
    inputGradient: "dCache",
    gradientFrom: (hyper) => hyper.globalHidden - hyper.cacheStep, // the rest of the cache is detached
  },
  router: { ...LAYER, rows: H, columns: H, operand: "input", output: "router", inputGradient: "dInput" },
  down: {
    ...LAYER,
    rows: (hyper) => hyper.coarseHidden,
    columns: half,
    operand: "coarse",
    branches: 2,
    output: "down",
    inputGradient: "dDownIn",
  },
  up: {
    ...LAYER,
    rows: half,
    columns: (hyper) => hyper.coarseHidden,
    operand: "memoryOut",
    branches: 2,
    output: "up",
    inputGradient: "dRecalled",
  },
  gate: {
    ...LAYER,
    rows: half,
    columns: half,
    operand: "coarse",
    branches: 2,
    output: "gatePre",
    inputGradient: "dGateIn",
  },
  fine: {
    ...LAYER,
    rows: (hyper) => 2 * hyper.fineHidden,
    columns: H,
    operand: "fineIn",
    output: "fine",
    inputGradient: "dFine",
  },
  fineOut: {
    ...LAYER,
    rows: H,
    columns: (hyper) => hyper.fineHidden,
    operand: "fineHidden",
    format: { inputBits: HIDDEN_BITS, outputBits: NORM_INPUT_BITS, outputLimit: ACTIVATION_LIMIT },
    output: "fineOut",
    inputGradient: "dHidden",
  },
  logits: {
    ...WITHOUT_BIAS,
    rows: () => 256,
    columns: H,
    operand: "last",
    weights: "normal",
    output: "logits",
    inputGradient: "dLast",
  },
  // Of the recall stream: remembered bytes into the network, and the gates of the boosts.
  feature: {
    ...WITHOUT_BIAS,
    rows: H,
    columns: (hyper) => operandColumns(hyper, "feature"),
    operand: "feature",
    format: { inputBits: FEATURE_BITS, outputBits: ACTIVATION_BITS, outputLimit: ACTIVATION_LIMIT },
    output: "remembered",
    inputGradient: undefined,
  },
  recallGate: {
    ...WITHOUT_BIAS,
    rows: (hyper) => gateCount(hyper),
    columns: H,
    operand: "last",
    weights: "normal",
    output: "recallGate",
    inputGradient: "dLast",
    addsGradient: true,
  },
} as const satisfies Record<string, MatrixBox>;

export type MatrixName = keyof typeof BOXES;
export const MATRICES: Readonly<Record<MatrixName, MatrixBox>> = BOXES;
export const MATRIX_NAMES = Object.keys(BOXES) as readonly MatrixName[];
/** FADE's own matrices, and those of the recall stream, which came later. */
export const RECALL_MATRICES: readonly MatrixName[] = ["feature", "recallGate"];
export const NETWORK_MATRICES = MATRIX_NAMES.filter((name) => !RECALL_MATRICES.includes(name));

/** Outputs x inputs of each matrix. */
export function matrixShape(hyper: HyperParameters, name: MatrixName): readonly [rows: number, columns: number] {
  const { rows, columns } = MATRICES[name];
  return [rows(hyper), columns(hyper)];
}

/** Gates of the recall stream: one for each context, then one for each table, up to a multiple of four. */
export function gateCount({ contexts, tables }: Pick<HyperParameters, "contexts" | "tables">): number {
  return contexts + 4 * Math.ceil(tables / 4);
}

/** Gradients that enter a matrix product as int16 operands, and have an exponent; that of the logits is fixed. */
export const QUANTISED_GRADIENTS = [
  "newest",
  "global",
  "router",
  "down",
  "up",
  "gate",
  "fine",
  "fineOut",
  "memory",
  "feature",
  "recallGate",
] as const;
export type QuantisedGradient = (typeof QUANTISED_GRADIENTS)[number];

/** Operands of gradients: those of all matrices, and of the streams' own. */
export type GradientName = MatrixName | "memory";
export const GRADIENT_NAMES: readonly GradientName[] = [...MATRIX_NAMES, "memory"];
export const hasGradientExponent = (name: GradientName): name is QuantisedGradient =>
  QUANTISED_GRADIENTS.some((each) => each === name);

/** Values of a gradient operand per stream; a matrix without weights has none. */
export function gradientColumns(hyper: HyperParameters, name: GradientName): number {
  if (name === "memory") return 2 * hyper.coarseHidden;
  const [rows, columns] = matrixShape(hyper, name);
  return columns === 0 ? 0 : MATRICES[name].branches * rows;
}

/** Tensors whose quantised copies have an exponent. */
export type QuantisedWeight = MatrixName | "memory" | "embedding";
export const QUANTISED_WEIGHTS: readonly QuantisedWeight[] = [...MATRIX_NAMES, "memory", "embedding"];

/** Exponents are numbered in one sequence: activations, gradients, weights. */
export const EXPONENT_COUNT = QUANTISED_ACTIVATIONS.length + QUANTISED_GRADIENTS.length + QUANTISED_WEIGHTS.length;
export const activationExponent = (name: QuantisedActivation): number => QUANTISED_ACTIVATIONS.indexOf(name);
export const gradientExponent = (name: QuantisedGradient): number =>
  QUANTISED_ACTIVATIONS.length + QUANTISED_GRADIENTS.indexOf(name);
export const weightExponent = (name: QuantisedWeight): number =>
  QUANTISED_ACTIVATIONS.length + QUANTISED_GRADIENTS.length + QUANTISED_WEIGHTS.indexOf(name);

interface NormBox {
  /** Elements that it averages over, a power of two. */
  readonly width: Size;
  /** What enters it, and how much coarser that is than an activation; 0 where the deviation keeps the input's unit. */
  readonly input: string;
  readonly inputShift: number;
  /** The operand that is made of its output. */
  readonly operand?: QuantisedActivation;
  /** Where the gradient of its output comes from, and where that of its input goes. */
  readonly gradient: string;
  readonly inputGradient: string;
}

const COARSER = { inputShift: NORM_INPUT_SHIFT, gradient: "dThroughGelu" } as const;

const NORM_BOXES = {
  inputNorm: {
    width: H,
    input: "embedded",
    inputShift: 0,
    operand: "input",
    gradient: "dGlobal",
    inputGradient: "dEmbedded",
  },
  localNorm: {
    width: (hyper) => hyper.embedding,
    input: "embedded",
    inputShift: 0,
    gradient: "dThroughGelu",
    inputGradient: "dLocal",
  },
  coarseNorm: { ...COARSER, width: half, input: "mixed", operand: "coarse", inputGradient: "dMixed" },
  fineNorm: { ...COARSER, width: H, input: "coarse", operand: "fineIn", inputGradient: "dCoarse" },
  lastNorm: { ...COARSER, width: H, input: "fineOut", inputGradient: "dFineOut" },
} as const satisfies Record<string, NormBox>;

export type NormName = keyof typeof NORM_BOXES;
export const NORMS: Readonly<Record<NormName, NormBox>> = NORM_BOXES;
export const NORM_NAMES = Object.keys(NORM_BOXES) as readonly NormName[];

/** Elements that each norm averages over, a power of two. */
export const normWidth = (hyper: HyperParameters, name: NormName): number => NORMS[name].width(hyper);
/** Rows that each norm makes of a stream. */
export const normRows = (hyper: HyperParameters, name: NormName): number => widthOf(hyper) / normWidth(hyper, name);

/** The scalars by which what a box skips is scaled, in the order in which they lie in memory. */
export const SKIP_NAMES = ["globalSkip", "coarseSkip", "fineSkip"] as const;
export type SkipName = (typeof SKIP_NAMES)[number];
