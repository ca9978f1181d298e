/**
 * Initial weights into the shared memory, and the state back out of it for tests: the only place that knows how the
 * blocks of a matrix map to the contract's row-major order.
 */
import { roundShift } from "../../contract/fixed.ts";
import { ACTIVATION_BITS, SLOPE_BITS } from "../../contract/formats.ts";
import { initialWeights, largestMagnitude } from "../../contract/initial.ts";
import {
  DIFFERENCES,
  expNegative,
  type Luts,
  luts,
  NODE_SHIFT,
  NODE_ZERO,
  NODES,
  sigmoidSlope,
} from "../../contract/luts.ts";
import { EXPONENT_COUNT, type GradientName, QUANTISED_WEIGHTS, weightExponent } from "../../contract/network.ts";
import type { Tensor } from "../../contract/tensors.ts";
import { release } from "../../platform/release.ts";
import type { CpuLayout } from "./layout.ts";
import { writeRecall } from "./recall-layout.ts";

/** Values in one block of 4 outputs x 8 inputs: masters, moments, squares. */
const BLOCK_WORDS = 96;

/** Calls `visit` with the row-major index and the word address (from the matrix's state) of each weight's master. */
function forEachWeight(tensor: Tensor, visit: (index: number, word: number) => void): void {
  const { rows, columns } = tensor;
  const blocks = columns / 8;
  for (let row = 0; row < rows; row++) {
    const quad = (row >> 2) * blocks;
    for (let column = 0; column < columns; column++) {
      const word = (quad + (column >> 3)) * BLOCK_WORDS + (row & 3) * 8 + (column & 7);
      visit(row * columns + column, word);
    }
  }
}

/** Writes a matrix's masters: forEachWeight without its calls, which would take longer than many a small input. */
function placeMatrix({ rows, columns, offset }: Tensor, initial: Int32Array, words: Int32Array, master: number): void {
  let from = offset;
  for (let row = 0; row < rows; row++) {
    let to = master + (row >> 2) * (columns / 8) * BLOCK_WORDS + (row & 3) * 8;
    for (let column = 0; column < columns; column += 8, to += BLOCK_WORDS) {
      for (let i = 0; i < 8; i++, from++) words[to + i] = initial[from] as number;
    }
  }
}

const isMatrix = ({ kind }: Tensor) => kind === "matrix" || kind === "streamMatrix";

/** The word of a tensor's first master. */
function firstMaster(at: CpuLayout, tensor: Tensor): number {
  return (isMatrix(tensor) ? at.matrices[tensor.name as GradientName].state : at.master(tensor.name)) / 4;
}

/**
 * Calls `visit` for each weight of a model, with its place in the contract's order and in words of the memory; from its
 * master to its first moment, and on to its second, are `toMoment` words.
 */
function forEachNumber(at: CpuLayout, visit: (index: number, word: number, toMoment: number) => void): void {
  for (const tensor of at.layout.tensors) {
    const { offset, size } = tensor;
    const first = firstMaster(at, tensor);
    if (isMatrix(tensor)) {
      forEachWeight(tensor, (index, word) => visit(offset + index, first + word, BLOCK_WORDS / 3));
    } else {
      for (let i = 0; i < size; i++) visit(offset + i, first + i, at.stateBytes / 4);
    }
  }
}

/** All that is not 0 in the memory of a model before its first step. */
export function writeInitialState(at: CpuLayout, buffer: ArrayBufferLike): void {
  writeTables(at, buffer);
  writeInitialWeights(at, buffer);
  writeRecall(at.recall, at.hyper, buffer);
}

/** Writes the initial masters and their largest magnitudes. */
function writeInitialWeights(at: CpuLayout, buffer: ArrayBufferLike): void {
  const words = new Int32Array(buffer);
  const initial = initialWeights(at.layout);
  for (const tensor of at.layout.tensors) {
    const master = firstMaster(at, tensor);
    if (isMatrix(tensor)) {
      placeMatrix(tensor, initial, words, master);
    } else {
      words.set(initial.subarray(tensor.offset, tensor.offset + tensor.size), master);
    }
  }
  const largest = new Int32Array(buffer, at.initial, EXPONENT_COUNT);
  for (const name of QUANTISED_WEIGHTS) {
    const { offset, size } = at.layout.byName[name];
    largest[weightExponent(name)] = largestMagnitude(initial, offset, size);
  }
  release(initial);
}

/** The non-linear functions for all int16 arguments. */
interface WideTables {
  readonly gelu: Int16Array;
  readonly geluSlope: Int16Array;
  readonly sigmoid: Int16Array;
  readonly exponentials: Uint16Array;
}

let wide: WideTables | undefined;

/** Fills in the arguments from -8 to 8 (Q10), each from its nearest node and how far behind that it is. */
function fillNodes(table: Int16Array, valueAt: (node: number, beyond: number) => number): void {
  for (let node = 0, x = FIRST_X; node < NODES; node++) {
    for (let beyond = -HALF_NODE; beyond < HALF_NODE; beyond++, x++) table[x + 32768] = valueAt(node, beyond);
  }
}

/** Nodes are 2^NODE_SHIFT apart, and the first argument that is nearest to the first of them is this. */
const HALF_NODE = 1 << (NODE_SHIFT - 1);
const FIRST_X = -(NODE_ZERO << NODE_SHIFT) - HALF_NODE;
const END_X = FIRST_X + (NODES << NODE_SHIFT);

/** The contract's GELU, by node. */
function wideGelu({ gelu, geluSlope }: Luts): Int16Array {
  const table = new Int16Array(65536);
  fillNodes(table, (node, beyond) => {
    return (gelu[node] as number) + roundShift(beyond * (geluSlope[node] as number), SLOPE_BITS);
  });
  for (let x = END_X - HALF_NODE; x < 32768; x++) table[x + 32768] = x;
  return table.fill(0, 0, FIRST_X + HALF_NODE + 32768);
}

/** A function that is the same from the ends of its table on. */
function wideFlat(ends: Int16Array, valueAt: (node: number, beyond: number) => number): Int16Array {
  const table = new Int16Array(65536);
  fillNodes(table, valueAt);
  table.fill(ends[0] as number, 0, FIRST_X + 32768);
  return table.fill(ends[NODES - 1] as number, END_X + 32768);
}

/** Made once for all models, and without a call for each argument: that would take longer than many a small input. */
export function wideTables(): WideTables {
  if (wide) return wide;
  const contract = luts();
  const { geluSlope, sigmoid } = contract;
  const slopes = Int32Array.from(sigmoid, sigmoidSlope);
  const exponentials = new Uint16Array(DIFFERENCES);
  for (let i = 0; i < DIFFERENCES; i++) exponentials[i] = expNegative(contract, i);
  wide = {
    gelu: wideGelu(contract),
    geluSlope: wideFlat(geluSlope, (node) => geluSlope[node] as number),
    sigmoid: wideFlat(sigmoid, (node, beyond) => {
      return (sigmoid[node] as number) + roundShift(beyond * (slopes[node] as number), ACTIVATION_BITS);
    }),
    exponentials,
  };
  return wide;
}

function writeTables(at: CpuLayout, buffer: ArrayBufferLike): void {
  const { gelu, geluSlope, sigmoid, exponentials } = wideTables();
  const put = (address: number, table: Int16Array) => new Int16Array(buffer, address - 65536, 65536).set(table);
  put(at.tables.gelu, gelu);
  put(at.tables.geluSlope, geluSlope);
  put(at.tables.sigmoid, sigmoid);
  new Uint16Array(buffer, at.tables.exponentials, DIFFERENCES).set(exponentials);
}

/** Masters and moments in the contract's order. */
export interface TrainedState {
  readonly master: Int32Array;
  readonly moment: Int32Array;
  readonly square: Int32Array;
}

/** Everything that training changed, for tests. */
export function readState(at: CpuLayout, buffer: ArrayBufferLike): TrainedState {
  const words = new Int32Array(buffer);
  const count = at.layout.parameterCount;
  const state = { master: new Int32Array(count), moment: new Int32Array(count), square: new Int32Array(count) };
  forEachNumber(at, (index, word, toMoment) => {
    state.master[index] = words[word] as number;
    state.moment[index] = words[word + toMoment] as number;
    state.square[index] = words[word + 2 * toMoment] as number;
  });
  return state;
}

/** The same back into the memory, for tests; the quantised copies stay as they are. */
export function writeState(at: CpuLayout, buffer: ArrayBufferLike, state: TrainedState): void {
  const words = new Int32Array(buffer);
  forEachNumber(at, (index, word, toMoment) => {
    words[word] = state.master[index] as number;
    words[word + toMoment] = state.moment[index] as number;
    words[word + 2 * toMoment] = state.square[index] as number;
  });
}
