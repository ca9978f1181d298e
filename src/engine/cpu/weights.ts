/**
 * Initial weights into the shared memory, and the state back out of it for tests: the only place that knows how the
 * blocks of a matrix map to the contract's row-major order.
 */
import { ACTIVATION_BITS } from "../../model/fixed.ts";
import { initialWeights, largestMagnitude } from "../../model/initial.ts";
import { expNegative } from "../../model/reference/frequency.ts";
import { gelu, geluSlope, NODE_SHIFT, sigmoid, tables } from "../../model/tables.ts";
import { SLOT_COUNT, type Tensor, WEIGHT_SLOTS, weightSlot } from "../../model/tensors.ts";
import { release } from "../../platform/release.ts";
import { type CpuLayout, DIFFERENCES } from "./layout.ts";
import { writeRecall } from "./recall-layout.ts";

/** From here on GELU is x or 0, and its slope and the sigmoid do not change any more: 8 in Q10, and a node. */
const FLAT_FROM = (8 << ACTIVATION_BITS) + (1 << NODE_SHIFT);

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

/** First word of a tensor's masters, and the words from there to its first moments. */
function placeOf(at: CpuLayout, tensor: Tensor): { readonly master: number; readonly toMoment: number } {
  if (!isMatrix(tensor)) return { master: at.master(tensor.name) / 4, toMoment: at.stateBytes / 4 };
  return { master: at.matrices[tensor.name as keyof typeof at.matrices].state / 4, toMoment: 32 };
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
    const { master } = placeOf(at, tensor);
    if (isMatrix(tensor)) {
      forEachWeight(tensor, (index, word) => {
        words[master + word] = initial[tensor.offset + index] as number;
      });
    } else {
      words.set(initial.subarray(tensor.offset, tensor.offset + tensor.size), master);
    }
  }
  const largest = new Int32Array(buffer, at.initial, SLOT_COUNT);
  for (const name of WEIGHT_SLOTS) {
    const { offset, size } = at.layout.byName[name];
    largest[weightSlot(name)] = largestMagnitude(initial, offset, size);
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

/** A function of an int16, entry x + 32768 for x; from x = ±FLAT_FROM on it is `beyond`. */
function tableOf(f: (x: number) => number, beyond: (x: number) => number): Int16Array {
  const table = new Int16Array(65536);
  for (let x = -FLAT_FROM; x < FLAT_FROM; x++) table[x + 32768] = f(x);
  for (let x = FLAT_FROM; x < 32768; x++) table[x + 32768] = beyond(x);
  table.fill(beyond(-FLAT_FROM), 0, 32768 - FLAT_FROM);
  return table;
}

/** Made once by the contract's own functions, for all models: making them takes longer than many a small input. */
export function wideTables(): WideTables {
  if (wide) return wide;
  const contract = tables();
  const [slopes, sigmoids] = [contract.geluSlope, contract.sigmoid];
  const end = (table: Int16Array) => (x: number) => table[x < 0 ? 0 : table.length - 1] as number;
  const exponentials = new Uint16Array(DIFFERENCES);
  for (let i = 0; i < DIFFERENCES; i++) exponentials[i] = expNegative(contract, i);
  wide = {
    gelu: tableOf(
      (x) => gelu(contract, x),
      (x) => Math.max(0, x),
    ),
    geluSlope: tableOf((x) => geluSlope(contract, x), end(slopes)),
    sigmoid: tableOf((x) => sigmoid(contract, x), end(sigmoids)),
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
  const copy = (into: number, from: number, toMoment: number) => {
    state.master[into] = words[from] as number;
    state.moment[into] = words[from + toMoment] as number;
    state.square[into] = words[from + 2 * toMoment] as number;
  };
  for (const tensor of at.layout.tensors) {
    const { master, toMoment } = placeOf(at, tensor);
    if (isMatrix(tensor)) {
      forEachWeight(tensor, (index, word) => copy(tensor.offset + index, master + word, toMoment));
    } else {
      for (let i = 0; i < tensor.size; i++) copy(tensor.offset + i, master + i, toMoment);
    }
  }
  return state;
}
