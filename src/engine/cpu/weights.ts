/**
 * Initial weights into the shared memory, and the state back out of it for tests: the only place that knows how the
 * blocks of a matrix map to the contract's row-major order.
 */
import { initialWeights, largestMagnitude } from "../../contract/initial.ts";
import { DIFFERENCES, expNegative, gelu, geluSlope, luts, sigmoid } from "../../contract/luts.ts";
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

const isMatrix = ({ kind }: Tensor) => kind === "matrix" || kind === "streamMatrix";

/**
 * Calls `visit` for each weight of a model, with its place in the contract's order and in words of the memory; from its
 * master to its first moment, and on to its second, are `toMoment` words.
 */
function forEachNumber(at: CpuLayout, visit: (index: number, word: number, toMoment: number) => void): void {
  for (const tensor of at.layout.tensors) {
    const { name, offset, size } = tensor;
    if (isMatrix(tensor)) {
      const first = at.matrices[name as GradientName].state / 4;
      forEachWeight(tensor, (index, word) => visit(offset + index, first + word, BLOCK_WORDS / 3));
    } else {
      const first = at.master(name) / 4;
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
  forEachNumber(at, (index, word) => {
    words[word] = initial[index] as number;
  });
  const largest = new Int32Array(buffer, at.initial, EXPONENT_COUNT);
  for (const name of QUANTISED_WEIGHTS) {
    const { offset, size } = at.layout.byName[name];
    largest[weightExponent(name)] = largestMagnitude(initial, offset, size);
  }
  release(initial);
}

/** The non-linear functions for all int16 arguments, made by the contract's own functions. */
function writeTables(at: CpuLayout, buffer: ArrayBufferLike): void {
  const contract = luts();
  const fill = (address: number, f: (x: number) => number) => {
    const into = new Int16Array(buffer, address - 65536, 65536);
    for (let x = -32768; x < 32768; x++) into[x + 32768] = f(x);
  };
  fill(at.tables.gelu, (x) => gelu(contract, x));
  fill(at.tables.geluSlope, (x) => geluSlope(contract, x));
  fill(at.tables.sigmoid, (x) => sigmoid(contract, x));
  const exponentials = new Uint16Array(buffer, at.tables.exponentials, DIFFERENCES);
  for (let i = 0; i < DIFFERENCES; i++) exponentials[i] = expNegative(contract, i);
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
