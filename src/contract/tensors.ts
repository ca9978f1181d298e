/**
 * Every trained tensor of a model, with its shape, its place and its initial weights.
 *
 * One list serves all engines: the reference indexes its arrays with it, the GPU engine sizes its buffers and
 * generates its constants from it, the CPU engine lays out its memory by it. The order of the list is the order in
 * memory and is no part of the numeric contract; the seeds of the initial weights are.
 * Matrices come first, so that each starts at a multiple of four elements, a word of packed int8 copies; the streams'
 * biases come last, so that of what lies behind the matrices nothing else moves with the number of streams.
 */
import { type HyperParameters, widthOf } from "./hyper.ts";
import {
  type Initial,
  MATRICES,
  type MatrixName,
  matrixShape,
  NETWORK_MATRICES,
  NORM_NAMES,
  type NormName,
  normWidth,
  RECALL_MATRICES,
  SKIP_NAMES,
  type SkipName,
} from "./network.ts";

/**
 * How a tensor is used and trained.
 * - matrix: outputs x inputs; the forward pass uses an int8 copy, its gradient is a matmul over all rows
 * - streamMatrix: one matrix per stream, likewise
 * - embedding: 256 x D; the forward pass uses an int16 copy
 * - vector: used straight from the master weights; its gradient is a sum over all rows
 * - streamVector: one row per stream, whose gradient is the stream's own
 */
type TensorKind = "matrix" | "streamMatrix" | "embedding" | "vector" | "streamVector";

type VectorName = `${MatrixName}Bias` | `${NormName}Scale` | `${NormName}Shift` | "tap" | "tapBias" | SkipName;

export type TensorName = MatrixName | "memory" | "embedding" | VectorName | "memoryBias";

export interface Tensor {
  readonly name: TensorName;
  readonly kind: TensorKind;
  readonly rows: number;
  readonly columns: number;
  readonly initial: Initial;
  /** The matrix whose bias this is: they have their gradients' exponent in common. */
  readonly biasOf?: MatrixName;
  /** Position in the list: the index of its gradient exponent. */
  readonly index: number;
  /** Draws its initial weights; the recall stream's tensors came later and have the last seeds. */
  readonly seed: number;
  /** First element in the arrays of all master weights and moments. */
  readonly offset: number;
  readonly size: number;
}

export interface Layout {
  readonly hyper: HyperParameters;
  readonly tensors: readonly Tensor[];
  readonly byName: Readonly<Record<TensorName, Tensor>>;
  /** Elements of all tensors together. */
  readonly parameterCount: number;
}

const ONE: Initial = { kind: "constant", value: 1 << 24 };
const ZERO: Initial = { kind: "constant", value: 0 };
const NORMAL: Initial = { kind: "normal" };

type Unplaced = Omit<Tensor, "index" | "offset" | "size">;
/** The recall stream's first seed: FADE's own tensors have 0 to 35, and 36 to 39 came later. */
const RECALL_SEED = 2 * NETWORK_MATRICES.length + 18;

/** Initial weights of a matrix and of its bias. */
function initialOf(name: MatrixName, columns: number): readonly [weights: Initial, bias: Initial] {
  const uniform: Initial = { kind: "uniform", fanIn: Math.max(1, columns) };
  const { weights, bias } = MATRICES[name];
  return [weights === "normal" ? NORMAL : uniform, bias === "zero" ? ZERO : uniform];
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
    const bias = vector(`${name}Bias`, size, initialOf(name, columns)[1], firstSeed + i);
    return { ...bias, biasOf: name };
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
    ...SKIP_NAMES.map((name) => [name, 1, ONE] as const),
  ];
  return all.map(([name, columns, initial], i) => vector(name, columns, initial, firstSeed + i));
}

/** The matrices of each stream and the embedding. */
function others(hyper: HyperParameters, firstSeed: number): Unplaced[] {
  const { streams, coarseHidden: C, embedding: D } = hyper;
  const draw = { initial: NORMAL };
  return [
    { name: "memory", kind: "streamMatrix", rows: streams * C, columns: C, ...draw, seed: firstSeed },
    { name: "embedding", kind: "embedding", rows: 256, columns: D, ...draw, seed: firstSeed + 1 },
  ];
}

function streamBiases(hyper: HyperParameters, seed: number): Unplaced {
  const columns = widthOf(hyper);
  return { name: "memoryBias", kind: "streamVector", rows: hyper.streams, columns, initial: NORMAL, seed };
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
    streamBiases(hyper, count + 2),
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
