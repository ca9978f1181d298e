/**
 * The buffers of one model on the GPU, and the constants by which kernels find their way in them.
 *
 * Weights, moments and copies never leave the device. Sizes follow from the layout; names are those that the list of
 * dispatches in step.ts uses.
 */

import { CONTEXT_RECORD_WORDS, packPlan, REACH } from "../../contract/contexts.ts";
import { gradientBits, gradientOperandLimit } from "../../contract/exponents.ts";
import { ceilLog2 } from "../../contract/fixed.ts";
import { GRADIENT_BITS } from "../../contract/formats.ts";
import type { HyperParameters } from "../../contract/hyper.ts";
import { EXP2_LUT, luts, NODES, SIGMOID_LUT } from "../../contract/luts.ts";
import { EXPONENT_COUNT, gateCount, QUANTISED_ACTIVATIONS, weightExponent } from "../../contract/network.ts";
import { boostShift, OWNER_BITS } from "../../contract/recall.ts";
import { State } from "../../contract/state.ts";
import type { Layout } from "../../contract/tensors.ts";
import { EngineLimitError } from "../engine.ts";
import { type ArenaPlaces, arenaPlaces, intermediateWords, type Places, placesOf, type Slice } from "./arena.ts";
import { type FusedPlan, fusedPlan } from "./fused-plan.ts";
import type { Constants } from "./kernel.ts";
import { type ControlPlaces, controlPlaces, denseExponent, denseRange } from "./places.ts";
import { sumWords, type WeightsPlans, weightsPlans, withSecondCopies } from "./weights-plan.ts";

const STORAGE = 0x80;
const COPY_SOURCE = 0x04;
const COPY_TARGET = 0x08;

/** Words in one row of packed bytes: one byte of each stream. */
function rowWordsOf(hyper: HyperParameters): number {
  return Math.ceil(hyper.streams / 4);
}

/** Rows of bytes that stay on the device: all that contexts reach, and a chunk that is uploaded ahead of its steps. */
function pastRowsFor(chunkSteps: number): number {
  return REACH + chunkSteps;
}

/** What the recall stream's kernels see: sizes, and places in the plan. */
function recallConstants(hyper: HyperParameters): Constants {
  const { contexts, tables, slotBits, tableBits } = hyper;
  return {
    CONTEXTS: contexts,
    LOGIT_TABLES: tables,
    GATES: gateCount(hyper),
    SLOT_LOG2: slotBits,
    TABLE_LOG2: tableBits,
    OWNERS: 1 << OWNER_BITS,
    BOOST_RIGHT: boostShift(hyper),
    PLAN_POSITIONS: (contexts + tables) * CONTEXT_RECORD_WORDS,
  };
}

/** Constants that every kernel of a model sees. */
export function sharedConstants(hyper: HyperParameters, layout: Layout, pastRows: number): Constants {
  const places = controlPlaces(layout);
  const dense = layout.tensors.filter((tensor) => tensor.offset >= denseRange(layout).offset);
  const exponents = dense.map((tensor) => denseExponent(places, tensor));
  return {
    STREAMS: hyper.streams,
    STREAMS_LOG2: ceilLog2(hyper.streams),
    HISTORY: hyper.history,
    EMBEDDING: hyper.embedding,
    COARSE: hyper.coarseHidden,
    CACHE: hyper.globalHidden,
    CACHE_STEP: hyper.cacheStep,
    ROW_WORDS: rowWordsOf(hyper),
    PAST_ROWS: pastRows,
    ...recallConstants(hyper),
    GRADIENT_OPERAND_LIMIT: gradientOperandLimit(hyper.streams),
    EXPONENTS: EXPONENT_COUNT,
    ACTIVATION_EXPONENTS: QUANTISED_ACTIVATIONS.length,
    TENSORS: layout.tensors.length,
    COPY_SHIFTS: places.copyShifts,
    HELD: places.held,
    EXPONENT_BITS: places.exponentBits,
    SCALES: places.scales,
    MOVED: places.moved,
    WINDOW: places.window,
    AT_STEP: places.step,
    AT_TRAINED: places.trained,
    AT_CHUNK_STEP: places.chunkStep,
    AT_RATE: places.rate,
    AT_LOGIT_SHIFT: places.logitShift,
    AT_ZERO: places.zero,
    DENSE_AT: denseRange(layout).offset,
    DENSE_COUNT: denseRange(layout).count,
    DENSE_TENSORS: dense.length,
    DENSE_FIRST_TENSOR: dense[0]?.index ?? 0,
    DENSE_STARTS: dense.map((tensor) => tensor.offset - denseRange(layout).offset),
    DENSE_SIGNS: exponents.map(({ sign }) => sign),
    DENSE_EXPONENTS: exponents.map(({ place }) => place),
    EMBEDDING_TENSOR: layout.byName.embedding.index,
    EMBEDDING_EXPONENT: weightExponent("embedding"),
    EMBEDDING_DENSE: 0,
    // Kernels that do one box bind look-up tables and plan by themselves.
    LUTS_AT: 0,
    PLAN_AT: 0,
  };
}

/** All buffers of one model, by name. */
export class ModelBuffers {
  readonly layout: Layout;
  readonly places: ControlPlaces;
  readonly rowWords: number;
  readonly pastRows: number;
  /** Undefined on devices that cannot hold all of it in one buffer: then its parts are buffers. */
  readonly arena: ArenaPlaces | undefined;
  readonly weights: WeightsPlans;
  readonly fused: FusedPlan;
  /** Where look-up tables, plan and records stand in the buffer "constants". */
  readonly constantPlaces: Places;
  readonly #buffers = new Map<string, GPUBuffer>();
  readonly #slices = new Map<string, Slice>();

  constructor(
    readonly device: GPUDevice,
    readonly hyper: HyperParameters,
    chunkSteps: number,
  ) {
    const state = new State(hyper);
    this.layout = state.layout;
    this.places = controlPlaces(state.layout);
    this.rowWords = rowWordsOf(hyper);
    this.pastRows = pastRowsFor(chunkSteps);
    const arena = arenaPlaces(hyper);
    this.arena = 4 * arena.words <= device.limits.maxBufferSize ? arena : undefined;
    this.weights = weightsPlans(this);
    this.fused = fusedPlan(this);
    const constants = {
      luts: packLuts(),
      plan: packPlan(state.recall.plan, hyper.streams),
      // Those behind it are longer with more streams: what is in front of them stays where it is.
      fused: this.fused.numbers,
      whole: this.weights.whole.numbers,
      slices: this.weights.slices.numbers,
      summed: this.weights.summed.numbers,
    };
    this.constantPlaces = placesOf(Object.fromEntries(Object.entries(constants).map(([n, v]) => [n, v.length])));
    try {
      this.#createAll(state, chunkSteps);
      this.#uploadConstants(constants);
    } catch (error) {
      this.destroy(); // the caller may go on with another engine, and needs the memory
      throw error;
    }
  }

  #createAll(state: State, chunkSteps: number): void {
    const { hyper } = this;
    this.#createParts(intermediateWords(hyper));
    this.#create("bytes", this.pastRows * this.rowWords);
    this.#create("intervals", 2 * chunkSteps * hyper.streams);
    this.#create("owners", hyper.contexts << OWNER_BITS);
    this.#create("slots", hyper.contexts << hyper.slotBits);
    this.#create("entries", hyper.tables << (hyper.tableBits + 8));
    this.#create("moment", this.layout.parameterCount);
    this.#create("square", this.layout.parameterCount);
    this.#create("dense", denseRange(this.layout).count + sumWords(this.layout));
    this.#create("seen", EXPONENT_COUNT + this.layout.tensors.length);
    this.#upload("master", state.master);
    const copies = new Int32Array(state.copy.buffer, 0, denseRange(this.layout).offset / 4);
    this.#upload("copies", withSecondCopies(this.layout, copies));
    this.#upload("embedding", Int32Array.from(state.embedding));
    this.#upload("rates", state.rates);
    this.#write("boosts", state.recall.boosts);
    this.#upload("control", this.#initialControl(state));
  }

  /** The arena, or its parts one by one. */
  #createParts(parts: Readonly<Record<string, number>>): void {
    const { arena } = this;
    if (arena) this.#create("arena", arena.words, this.device.limits.maxBufferSize);
    for (const [name, words] of Object.entries(parts)) {
      if (arena) this.#slice(name, "arena", arena.starts[name] as number, words, true);
      else this.#create(name, words);
    }
  }

  #uploadConstants(parts: Readonly<Record<string, Int32Array>>): void {
    const all = new Int32Array(this.constantPlaces.words);
    for (const [name, values] of Object.entries(parts)) all.set(values, this.constantPlaces.starts[name] as number);
    this.#upload("constants", all);
    for (const [name, values] of Object.entries(parts)) {
      this.#slice(name, "constants", this.constantPlaces.starts[name] as number, values.length, false);
    }
  }

  /** @throws Error if there is no such buffer (a programmer's error) */
  get(name: string): GPUBuffer {
    const buffer = this.#buffers.get(name);
    if (buffer === undefined) throw new Error(`the model has no buffer ${name}`);
    return buffer;
  }

  /** A buffer, or the part of one that goes by this name. */
  slice(name: string): Slice {
    const slice = this.#slices.get(name);
    if (slice !== undefined) return slice;
    const buffer = this.get(name);
    return { buffer, offset: 0, size: buffer.size, isShared: false };
  }

  #slice(name: string, buffer: string, firstWord: number, words: number, isShared: boolean): void {
    const size = sizeOf(words);
    this.#checkSize(size, this.device.limits.maxStorageBufferBindingSize);
    this.#slices.set(name, { buffer: this.get(buffer), offset: 4 * firstWord, size, isShared });
  }

  #checkSize(sizeBytes: number, limit: number): void {
    if (sizeBytes <= limit) return;
    throw new EngineLimitError("gpu", `this model needs a buffer of ${sizeBytes} bytes, the adapter allows ${limit}`);
  }

  #create(name: string, words: number, limit = this.device.limits.maxStorageBufferBindingSize): GPUBuffer {
    const size = sizeOf(words);
    this.#checkSize(size, Math.min(limit, this.device.limits.maxBufferSize));
    const buffer = this.device.createBuffer({ label: name, size, usage: STORAGE | COPY_SOURCE | COPY_TARGET });
    this.#buffers.set(name, buffer);
    return buffer;
  }

  #upload(name: string, values: Int32Array): void {
    this.#create(name, values.length);
    this.#write(name, values);
  }

  #write(name: string, values: Int32Array): void {
    const { buffer, offset } = this.slice(name);
    // Dawn takes plain buffers only; the type of a typed array does not say which it has.
    this.device.queue.writeBuffer(buffer, offset, values as Int32Array<ArrayBuffer>);
  }

  #initialControl(state: State): Int32Array<ArrayBuffer> {
    const { places } = this;
    const control = new Int32Array(places.count);
    control.set(state.exponents.shift, 0);
    control.set(state.exponents.copyShift, places.copyShifts);
    control.set(state.exponents.held, places.held);
    control.set(state.exponents.bits, places.exponentBits);
    control[places.rate] = state.rates[0] as number;
    control[places.logitShift] = GRADIENT_BITS - gradientBits(this.hyper.streams);
    return control;
  }

  destroy(): void {
    for (const buffer of this.#buffers.values()) buffer.destroy();
    this.device.queue.submit([]); // Dawn frees destroyed buffers only when the queue moves on
  }
}

/** Bytes of so many words; a buffer holds something. */
const sizeOf = (words: number) => Math.max(16, Math.ceil(words) * 4);

/** The look-up tables as kernels read them: GELU value and slope in one word, then the sigmoid, then powers of two. */
export function packLuts(): Int32Array<ArrayBuffer> {
  const { gelu, geluSlope, sigmoid, exp2 } = luts();
  const out = new Int32Array(2 * NODES + exp2.length);
  for (let node = 0; node < NODES; node++) {
    out[node] = ((geluSlope[node] as number) << 16) | ((gelu[node] as number) & 0xffff);
    out[SIGMOID_LUT + node] = sigmoid[node] as number;
  }
  out.set(exp2, EXP2_LUT);
  return out;
}
