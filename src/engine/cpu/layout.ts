/**
 * Where everything lies in the one shared memory of a model: a pure function of hyper-parameters and threads, so that
 * every thread computes the same addresses and none need be sent.
 *
 * Rows are streams, padded to a multiple of four; operands of padded rows stay 0 for ever, so that products may run
 * over them and gradients not notice. All addresses are multiples of 64. What grows with the input, tables and slots,
 * comes last: models that differ only in the sizes of these fit into one memory one after the other (rewind.ts).
 */
import { type HyperParameters, widthOf } from "../../contract/hyper.ts";
import { DIFFERENCES } from "../../contract/luts.ts";
import {
  EXPONENT_COUNT,
  GRADIENT_NAMES,
  type GradientName,
  gradientColumns,
  MATRIX_NAMES,
  type MatrixName,
  matrixShape,
  NORM_NAMES,
  type NormName,
  normWidth,
  type OperandName,
  operandColumns,
  QUANTISED_ACTIVATIONS,
  QUANTISED_GRADIENTS,
} from "../../contract/network.ts";
import { OWNER_BITS } from "../../contract/recall.ts";
import { type Layout, layoutOf, type Tensor, type TensorName } from "../../contract/tensors.ts";
import { EngineLimitError } from "../engine.ts";
import { CONTROL_WORDS } from "./control.ts";
import { gateColumns, placeRecall, type RecallPlace } from "./recall-layout.ts";

/** Most bytes that a WebAssembly memory may have. */
const MEMORY_LIMIT_BYTES = 2 ** 32;
const PAGE_BYTES = 65536;
/** Entries of a table over all int16 values. */
const TABLE_BYTES = 2 * 65536;
/** Splat scratch and accumulators of one thread: SPLAT_BYTES + GROUP_PANELS_MAX * 128 of assembly/matmul.ts. */
const SCRATCH_BYTES = 512 * 64 + 64 * 128;
/** Of the optimizer's context: assembly/adam.ts says what stands in it. */
const CONTEXT_BYTES = 448;
/** Work rows of the norms and the convolution: at most 12 bytes times the widest row, or 16 times an embedding's. */
const WORK_BYTES = 16 * 1024;
/** A bit for each owner of slots (OWNER_BITS of src/contract/recall.ts), and a word for what goes nowhere. */
const TAKEN_BYTES = 2 ** (OWNER_BITS - 3) + 4;
/** Steps whose bytes and intervals one call of the workers can take. */
export const CHUNK_STEPS = 64;

/** One trained matrix: blocks of masters and moments, and its two copies as pair panels. */
interface MatrixPlace {
  readonly state: number;
  readonly forward: number;
  readonly backward: number;
}

/** An int16 operand: row-major, and as pair panels with the rows as K. */
interface OperandPlace {
  readonly rows: number;
  readonly panels: number;
  readonly columns: number;
}

/** What one norm keeps: int16 values before and after scale and shift, 8 bytes of deviation per row. */
interface NormPlace {
  readonly normalised: number;
  readonly out: number;
  readonly deviations: number;
}

/** What is one thread's own. */
interface ThreadPlace {
  readonly scratch: number;
  readonly context: number;
  readonly work: number;
  /** Bits that are 0 between calls: slots that have their owner. */
  readonly taken: number;
  /** i32 sums of the gradients of all vectors and the embedding, in the order of `vectorOffset`. */
  readonly sums: number;
}

/** Values per row of the int16 arrays of the forward pass (B rows; those of the coarse refiner count two branches). */
function activationColumns(hyper: HyperParameters) {
  const H = widthOf(hyper);
  return {
    embedded: H,
    newest: 2 * hyper.cacheStep,
    ring: hyper.globalHidden,
    aged: hyper.globalHidden,
    local: H,
    near: H,
    alpha: H,
    mixed: H,
    down: 2 * hyper.coarseHidden,
    recalled: 2 * hyper.coarseHidden,
    up: H,
    gate: H,
    coarse: H,
    fine: 2 * hyper.fineHidden,
    hidden: hyper.fineHidden,
    fineOut: H,
    last: H,
    logits: 256,
    slopes: H,
    remembered: hyper.contexts > 0 ? H : 0,
    recallGate: gateColumns(hyper),
  };
}

/** Values per row of the i32 arrays of the backward pass; a, b, c, d are reused from box to box. */
function backwardColumns(hyper: HyperParameters) {
  const H = widthOf(hyper);
  return {
    a: H,
    b: H,
    c: H,
    d: H,
    coarse: H,
    hidden: hyper.fineHidden,
    fine: 2 * hyper.fineHidden,
    branches: 2 * hyper.coarseHidden,
    cache: hyper.cacheStep + 8,
    newest: 2 * hyper.cacheStep,
    newestIn: hyper.embedding,
    recallGate: gateColumns(hyper),
  };
}

type ActivationArray = keyof ReturnType<typeof activationColumns>;
type GradientArray = keyof ReturnType<typeof backwardColumns>;

/** Columns of each gradient operand, per stream; products make eight gates at once. */
const placedColumns = (hyper: HyperParameters, name: GradientName) =>
  name === "recallGate" ? gateColumns(hyper) : gradientColumns(hyper, name);

const OPERANDS: readonly OperandName[] = [...QUANTISED_ACTIVATIONS, "feature"];

/** Outputs x inputs of a matrix as it lies here: outputs in eights, of which the last ones may be 0 for ever. */
function placedShape(hyper: HyperParameters, name: MatrixName): readonly [outputs: number, inputs: number] {
  const [outputs, inputs] = matrixShape(hyper, name);
  return [padded(outputs, 8), inputs];
}

const padded = (count: number, to: number) => Math.ceil(count / to) * to;

/** Hands out addresses in ascending order; numbers are doubles, so a sum beyond 4 GiB is noticed. */
class Allocator {
  end = 0;
  take(bytes: number): number {
    const start = this.end;
    this.end += padded(bytes, 64);
    return start;
  }
}

export class CpuLayout {
  readonly layout: Layout;
  /** placedShape of each matrix: asked some thirty times a step, where it would leave as many arrays of garbage. */
  readonly shapes: Readonly<Record<MatrixName, readonly [outputs: number, inputs: number]>>;
  /** B padded to a multiple of 4. */
  readonly rows: number;
  readonly pages: number;

  readonly control: number;
  /** 2 x threads x seenCount i32: magnitudes of exponents, then gradient needs of tensors; two steps take turns. */
  readonly seen: number;
  readonly seenCount: number;
  /** Largest initial magnitudes of all exponents, i32. */
  readonly initial: number;
  readonly tables: {
    readonly gelu: number;
    readonly geluSlope: number;
    readonly sigmoid: number;
    /** e^-difference of two logits in Q16, u16. */
    readonly exponentials: number;
    /** All of them together. */
    readonly start: number;
    readonly end: number;
  };
  readonly threads: readonly ThreadPlace[];
  readonly matrices: Readonly<Record<GradientName, MatrixPlace>>;
  /** Masters of tensors in natural order (all but the matrices), Q24; moments and squares follow. */
  readonly masters: number;
  /** From a master in natural order to its first moment, and from there to its second. */
  readonly stateBytes: number;
  /** i32 gradients of the biases, in the order of the masters. */
  readonly biasGradients: number;
  /** Bytes of one thread's sums. */
  readonly sumsBytes: number;
  /** int16 copy of the embedding. */
  readonly embedding: number;
  /** B x T bytes at the plan's positions. */
  readonly history: number;
  readonly activations: Readonly<Record<ActivationArray, number>>;
  /** The global stream's i32 values, B x H: before the GELU, and after it with the skip. */
  readonly wide: { readonly global: number; readonly far: number };
  readonly norms: Readonly<Record<NormName, NormPlace>>;
  readonly operands: Readonly<Record<OperandName, OperandPlace>>;
  readonly gradientOperands: Readonly<Record<GradientName, OperandPlace>>;
  readonly gradients: Readonly<Record<GradientArray, number>>;
  readonly recall: RecallPlace;
  /** u32 frequencies, B x 256; once the bytes are known, i32 differences from them. */
  readonly frequencies: number;
  /** u32 cumulative ends, B x 256. */
  readonly ends: number;
  /** CHUNK_STEPS x B bytes and as many pairs of u32. */
  readonly bytes: number;
  readonly intervals: number;

  /** Byte offset of each natural tensor from `masters`, by tensor index; -1 for matrices. */
  readonly #offsets: Int32Array;

  constructor(
    readonly hyper: HyperParameters,
    threadCount: number,
  ) {
    this.layout = layoutOf(hyper);
    this.shapes = mapRecord(record(MATRIX_NAMES), (_, name) => placedShape(hyper, name));
    this.rows = padded(hyper.streams, 4);
    const memory = new Allocator();
    memory.take(64); // nothing lies at address 0, so that 0 can mean "none"
    this.control = memory.take(CONTROL_WORDS * 4);
    this.seenCount = EXPONENT_COUNT + this.layout.tensors.length;
    this.seen = memory.take(2 * threadCount * this.seenCount * 4);
    this.initial = memory.take(EXPONENT_COUNT * 4);
    this.#offsets = new Int32Array(this.layout.tensors.length).fill(-1);
    const { naturalBytes, sumsBytes } = this.#placeNatural();
    this.sumsBytes = sumsBytes;
    this.stateBytes = naturalBytes;
    this.masters = memory.take(3 * naturalBytes);
    this.biasGradients = memory.take(naturalBytes);
    const table = () => memory.take(TABLE_BYTES) + TABLE_BYTES / 2;
    const start = memory.end;
    const functions = { gelu: table(), geluSlope: table(), sigmoid: table() };
    this.tables = { ...functions, exponentials: memory.take(2 * DIFFERENCES), start, end: memory.end };
    this.threads = Array.from({ length: threadCount }, () => ({
      scratch: memory.take(SCRATCH_BYTES),
      context: memory.take(CONTEXT_BYTES),
      work: memory.take(WORK_BYTES),
      taken: memory.take(TAKEN_BYTES),
      sums: memory.take(sumsBytes),
    }));
    this.embedding = memory.take(256 * hyper.embedding * 2);
    this.history = memory.take(this.rows * hyper.history);
    this.matrices = this.#placeMatrices(memory);
    const rowArrays = <K extends string>(columns: Record<K, number>, bytes: number) =>
      mapRecord(columns, (count) => memory.take(this.rows * count * bytes));
    this.activations = rowArrays(activationColumns(hyper), 2);
    this.wide = rowArrays({ global: widthOf(hyper), far: widthOf(hyper) }, 4);
    this.gradients = rowArrays(backwardColumns(hyper), 4);
    this.norms = mapRecord(record(NORM_NAMES), (_, name) => this.#placeNorm(memory, name));
    const operand = (columns: number): OperandPlace => {
      const bytes = this.rows * columns * 2;
      return { rows: memory.take(bytes), panels: memory.take(bytes), columns };
    };
    this.operands = mapRecord(record(OPERANDS), (_, name) => operand(operandColumns(hyper, name)));
    this.gradientOperands = mapRecord(record(GRADIENT_NAMES), (_, name) => operand(placedColumns(hyper, name)));
    this.frequencies = memory.take(this.rows * 1024);
    this.ends = memory.take(this.rows * 1024);
    this.bytes = memory.take(CHUNK_STEPS * hyper.streams);
    this.intervals = memory.take(CHUNK_STEPS * hyper.streams * 8);
    this.recall = placeRecall(hyper, this.rows, (bytes) => memory.take(bytes), {
      features: this.operands.feature.rows,
      gates: this.activations.recallGate,
    });
    if (memory.end > MEMORY_LIMIT_BYTES) {
      const gigabytes = (memory.end / 2 ** 30).toFixed(1);
      throw new EngineLimitError("cpu", `the model needs ${gigabytes} GiB, and WebAssembly has 4 GiB at most`);
    }
    this.pages = Math.ceil(memory.end / PAGE_BYTES);
  }

  /** Address of a natural tensor's first master. */
  master(name: TensorName): number {
    return this.masters + this.#offset(name);
  }

  /** Address of a natural tensor's bias gradients. */
  biasGradient(name: TensorName): number {
    return this.biasGradients + this.#offset(name);
  }

  /** Address of a vector's or the embedding's sums of one thread. */
  sums(name: TensorName, thread: number): number {
    return (this.threads[thread] as ThreadPlace).sums + this.#offset(name);
  }

  #offset(name: TensorName): number {
    return this.#offsets[this.layout.byName[name].index] as number;
  }

  /** Vectors summed by threads come first, then biases, then the streams' own vectors. */
  #placeNatural(): { naturalBytes: number; sumsBytes: number } {
    const natural = new Allocator();
    const place = (tensor: Tensor) => {
      this.#offsets[tensor.index] = natural.take(tensor.size * 4);
    };
    const { tensors } = this.layout;
    const isNatural = ({ kind }: Tensor) => kind !== "matrix" && kind !== "streamMatrix";
    tensors.filter(isSummed).forEach(place);
    const sumsBytes = natural.end;
    tensors.filter((tensor) => isNatural(tensor) && !isSummed(tensor)).forEach(place);
    return { naturalBytes: natural.end, sumsBytes };
  }

  #placeMatrices(memory: Allocator): Record<GradientName, MatrixPlace> {
    return mapRecord(record(GRADIENT_NAMES), (_, name) => {
      const [outputs, inputs] = name === "memory" ? [this.layout.byName.memory.size, 1] : this.shapes[name];
      const size = outputs * inputs;
      return { state: memory.take(size * 12), forward: memory.take(size * 2), backward: memory.take(size * 2) };
    });
  }

  #placeNorm(memory: Allocator, name: NormName): NormPlace {
    const values = this.rows * widthOf(this.hyper);
    return {
      normalised: memory.take(values * 2),
      out: memory.take(values * 2),
      deviations: memory.take((values / normWidth(this.hyper, name)) * 8),
    };
  }
}

/** Whether each thread sums a tensor's gradients: vectors that are no matrix's bias, and the embedding. */
export const isSummed = ({ kind, biasOf }: Tensor) => kind === "embedding" || (kind === "vector" && !biasOf);

function record<K extends string>(names: readonly K[]): Record<K, null> {
  return Object.fromEntries(names.map((name) => [name, null])) as Record<K, null>;
}

function mapRecord<K extends string, A, B>(from: Record<K, A>, change: (value: A, key: K) => B): Record<K, B> {
  const entries = Object.entries(from) as [K, A][];
  return Object.fromEntries(entries.map(([key, value]) => [key, change(value, key)])) as Record<K, B>;
}

/** Exponents by name, so that no step searches a list. */
export const ACTIVATION_INDEX = mapRecord(record(QUANTISED_ACTIVATIONS), (_, name) =>
  QUANTISED_ACTIVATIONS.indexOf(name),
);
export const GRADIENT_INDEX = mapRecord(
  record(QUANTISED_GRADIENTS),
  (_, name) => QUANTISED_ACTIVATIONS.length + QUANTISED_GRADIENTS.indexOf(name),
);
