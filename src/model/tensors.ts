/**
 * Every trained tensor and every exponent slot of a model, with shapes and places.
 *
 * One list serves all engines: the reference indexes its arrays with it, the GPU engine sizes its buffers and
 * generates its constants from it, the CPU engine lays out its memory by it. The order of the list is the order in
 * memory and is no part of the numeric contract; the seeds of the initial weights are.
 * Matrices come first, so that each starts at a multiple of four elements, a word of packed int8 copies.
 */
import { ACTIVATION_BITS, ACTIVATION_LIMIT, HIDDEN_BITS, NORM_INPUT_BITS, WIDE_LIMIT } from "./fixed.ts";
import { type HyperParameters, widthOf } from "./hyper.ts";
import { FEATURE_BITS, FEATURES_PER_CONTEXT } from "./recall.ts";

/**
 * How a tensor is used and trained.
 * - matrix: outputs x inputs; the forward pass uses an int8 copy, its gradient is a matmul over all rows
 * - streamMatrix: one matrix per stream, likewise
 * - embedding: 256 x D; the forward pass uses an int16 copy
 * - vector: used straight from the master weights; its gradient is a sum over all rows
 * - streamVector: one row per stream, whose gradient is the stream's own
 */
export type TensorKind = "matrix" | "streamMatrix" | "embedding" | "vector" | "streamVector";

/** How the initial weights are drawn: constants in Q24, a uniform bound 1/sqrt(fanIn), or a normal of sigma 0.01. */
export type Initial =
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "uniform"; readonly fanIn: number }
  | { readonly kind: "normal" };

/** FADE's own matrices. */
export const NETWORK_MATRICES = [
  "newest",
  "global",
  "router",
  "down",
  "up",
  "gate",
  "fine",
  "fineOut",
  "logits",
] as const;
/** Matrices of the recall stream: remembered bytes into the network, and the gates of the boosts. */
export const RECALL_MATRICES = ["feature", "recallGate"] as const;
export const MATRIX_NAMES = [...NETWORK_MATRICES, ...RECALL_MATRICES] as const;
export type MatrixName = (typeof MATRIX_NAMES)[number];

export const NORM_NAMES = ["inputNorm", "localNorm", "coarseNorm", "fineNorm", "lastNorm"] as const;
export type NormName = (typeof NORM_NAMES)[number];

export type VectorName =
  | `${MatrixName}Bias`
  | `${NormName}Scale`
  | `${NormName}Shift`
  | "tap"
  | "tapBias"
  | "globalSkip"
  | "coarseSkip"
  | "fineSkip";

export type TensorName = MatrixName | "memory" | "embedding" | VectorName | "memoryBias";

export interface Tensor {
  readonly name: TensorName;
  readonly kind: TensorKind;
  readonly rows: number;
  readonly columns: number;
  readonly initial: Initial;
  /** Position in the list: the index of its gradient exponent. */
  readonly index: number;
  /** Draws its initial weights; the recall stream's tensors came later and have the last seeds. */
  readonly seed: number;
  /** First element in the arrays of all master weights and moments. */
  readonly offset: number;
  readonly size: number;
}

/** Tensors whose largest magnitude is tracked to choose a power-of-two exponent (docs/NUMERICS.md section 3). */
export const ACTIVATION_SLOTS = [
  "input",
  "cache",
  "coarse",
  "downOut",
  "memoryOut",
  "fineIn",
  "fineHidden",
  "last",
] as const;
export type ActivationSlot = (typeof ACTIVATION_SLOTS)[number];

/** The operand that each matrix multiplies; that of "feature", the recall stream's bytes, has no exponent. */
export const OPERAND_OF: Readonly<Record<MatrixName, ActivationSlot | "feature">> = {
  newest: "input",
  global: "cache",
  router: "input",
  down: "coarse",
  up: "memoryOut",
  gate: "coarse",
  fine: "fineIn",
  fineOut: "fineHidden",
  logits: "last",
  feature: "feature",
  recallGate: "last",
};

export const GRADIENT_SLOTS = [
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
export type GradientSlot = (typeof GRADIENT_SLOTS)[number];

export type WeightSlot = MatrixName | "memory" | "embedding";
export const WEIGHT_SLOTS: readonly WeightSlot[] = [...MATRIX_NAMES, "memory", "embedding"];

export interface Layout {
  readonly hyper: HyperParameters;
  readonly tensors: readonly Tensor[];
  readonly byName: Readonly<Record<TensorName, Tensor>>;
  /** Elements of all tensors together. */
  readonly parameterCount: number;
}

/** Slots are numbered in one sequence: activations, gradients, weights. */
export const SLOT_COUNT = ACTIVATION_SLOTS.length + GRADIENT_SLOTS.length + WEIGHT_SLOTS.length;
export const activationSlot = (name: ActivationSlot): number => ACTIVATION_SLOTS.indexOf(name);
export const gradientSlot = (name: GradientSlot): number => ACTIVATION_SLOTS.length + GRADIENT_SLOTS.indexOf(name);
export const weightSlot = (name: WeightSlot): number =>
  ACTIVATION_SLOTS.length + GRADIENT_SLOTS.length + WEIGHT_SLOTS.indexOf(name);

const ONE: Initial = { kind: "constant", value: 1 << 24 };
const ZERO: Initial = { kind: "constant", value: 0 };
const NORMAL: Initial = { kind: "normal" };

/** Gates of the recall stream: one for each context, then one for each table, up to a multiple of four. */
export function gateCount({ contexts, tables }: Pick<HyperParameters, "contexts" | "tables">): number {
  return contexts + 4 * Math.ceil(tables / 4);
}

type MatrixShape = readonly [rows: number, columns: number];

const MATRIX_SHAPES: Readonly<Record<MatrixName, (hyper: HyperParameters) => MatrixShape>> = {
  newest: (hyper) => [2 * hyper.slot, hyper.embedding],
  global: (hyper) => [widthOf(hyper), hyper.globalHidden],
  router: (hyper) => [widthOf(hyper), widthOf(hyper)],
  down: (hyper) => [hyper.coarseHidden, widthOf(hyper) / 2],
  up: (hyper) => [widthOf(hyper) / 2, hyper.coarseHidden],
  gate: (hyper) => [widthOf(hyper) / 2, widthOf(hyper) / 2],
  fine: (hyper) => [2 * hyper.fineHidden, widthOf(hyper)],
  fineOut: (hyper) => [widthOf(hyper), hyper.fineHidden],
  logits: (hyper) => [256, widthOf(hyper)],
  feature: (hyper) => [widthOf(hyper), FEATURES_PER_CONTEXT * hyper.contexts],
  recallGate: (hyper) => [gateCount(hyper), widthOf(hyper)],
};

/** Outputs x inputs of each matrix. */
export function matrixShape(hyper: HyperParameters, name: MatrixName): MatrixShape {
  return MATRIX_SHAPES[name](hyper);
}

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

/** Formats that differ from Q10 to Q10: GeGLU outputs go in, wide values and inputs of norms come out. */
export const PRODUCT_FORMATS: Readonly<Record<MatrixName | "memory", ProductFormat>> = {
  newest: PLAIN,
  global: { inputBits: HIDDEN_BITS, outputBits: ACTIVATION_BITS, outputLimit: WIDE_LIMIT },
  router: PLAIN,
  down: PLAIN,
  up: PLAIN,
  gate: PLAIN,
  fine: PLAIN,
  fineOut: { inputBits: HIDDEN_BITS, outputBits: NORM_INPUT_BITS, outputLimit: ACTIVATION_LIMIT },
  logits: PLAIN,
  memory: PLAIN,
  feature: { inputBits: FEATURE_BITS, outputBits: ACTIVATION_BITS, outputLimit: ACTIVATION_LIMIT },
  recallGate: PLAIN,
};

/** Elements that each norm averages over, a power of two. */
export function normWidth(hyper: HyperParameters, name: NormName): number {
  const width = widthOf(hyper);
  if (name === "localNorm") return hyper.embedding;
  return name === "coarseNorm" ? width / 2 : width;
}

type Unplaced = Omit<Tensor, "index" | "offset" | "size">;
/** The recall stream's first seed: FADE's own tensors have 0 to 35, and 36 to 39 came later. */
const RECALL_SEED = 2 * NETWORK_MATRICES.length + 18;

/** Initial weights of a matrix and of its bias. */
function initialOf(name: MatrixName, columns: number): readonly [weights: Initial, bias: Initial] {
  if (name === "logits" || name === "recallGate") return [NORMAL, ZERO];
  const uniform: Initial = { kind: "uniform", fanIn: Math.max(1, columns) };
  return [uniform, name === "feature" ? ZERO : uniform];
}

function matrices(hyper: HyperParameters, names: readonly MatrixName[], firstSeed: number): Unplaced[] {
  return names.map((name, i) => {
    const [rows, columns] = matrixShape(hyper, name);
    return { name, kind: "matrix", rows, columns, initial: initialOf(name, columns)[0], seed: firstSeed + i };
  });
}

function biases(hyper: HyperParameters, names: readonly MatrixName[], firstSeed: number): Unplaced[] {
  return names.map((name, i) => {
    const [rows, columns] = matrixShape(hyper, name);
    // A matrix without weights has no bias either.
    const size = columns === 0 ? 0 : rows;
    return vector(`${name}Bias`, size, initialOf(name, columns)[1], firstSeed + i);
  });
}

function vector(name: VectorName, columns: number, initial: Initial, seed: number): Unplaced {
  return { name, kind: "vector", rows: 1, columns, initial, seed };
}

/** All vectors but the biases. */
function vectors(hyper: HyperParameters, firstSeed: number): Unplaced[] {
  const norms = NORM_NAMES.flatMap((name) => [
    [`${name}Scale`, normWidth(hyper, name), ONE] as const,
    [`${name}Shift`, normWidth(hyper, name), ZERO] as const,
  ]);
  const tapInitial: Initial = { kind: "uniform", fanIn: 3 };
  const all = [
    ...norms,
    ["tap", 3 * hyper.embedding, tapInitial] as const,
    ["tapBias", hyper.embedding, tapInitial] as const,
    ["globalSkip", 1, ONE] as const,
    ["coarseSkip", 1, ONE] as const,
    ["fineSkip", 1, ONE] as const,
  ];
  return all.map(([name, columns, initial], i) => vector(name, columns, initial, firstSeed + i));
}

/** The tensors of each stream and the embedding. */
function others(hyper: HyperParameters, firstSeed: number): Unplaced[] {
  const { streams, coarseHidden: C, embedding: D } = hyper;
  const draw = { initial: NORMAL };
  return [
    { name: "memory", kind: "streamMatrix", rows: streams * C, columns: C, ...draw, seed: firstSeed },
    { name: "embedding", kind: "embedding", rows: 256, columns: D, ...draw, seed: firstSeed + 1 },
    { name: "memoryBias", kind: "streamVector", rows: streams, columns: widthOf(hyper), ...draw, seed: firstSeed + 2 },
  ];
}

/** The complete list for one model. */
export function layoutOf(hyper: HyperParameters): Layout {
  const count = NETWORK_MATRICES.length;
  const unplaced: Unplaced[] = [
    ...matrices(hyper, NETWORK_MATRICES, 0),
    ...matrices(hyper, RECALL_MATRICES, RECALL_SEED),
    ...others(hyper, count),
    ...biases(hyper, NETWORK_MATRICES, count + 3),
    ...vectors(hyper, 2 * count + 3),
    ...biases(hyper, RECALL_MATRICES, RECALL_SEED + RECALL_MATRICES.length),
  ];
  let offset = 0;
  const tensors = unplaced.map((shape, index) => {
    const size = shape.rows * shape.columns;
    const tensor: Tensor = { ...shape, index, offset, size };
    offset += size;
    return tensor;
  });
  const byName = Object.fromEntries(tensors.map((tensor) => [tensor.name, tensor])) as Record<TensorName, Tensor>;
  return { hyper, tensors, byName, parameterCount: offset };
}
