/**
 * The buffers of one model on the GPU, and the constants by which kernels find their way in them.
 *
 * Weights, moments and copies never leave the device. Sizes follow from the layout; names are those that the list of
 * dispatches in step.ts uses.
 */

import { CONTEXT_OFFSETS_MAX, crowdShift, PACKED_CONTEXT_WORDS, packPlan, REACH } from "../../model/contexts.ts";
import { ceilLog2, GRADIENT_BITS } from "../../model/fixed.ts";
import { type HyperParameters, widthOf } from "../../model/hyper.ts";
import {
  BOOST_BITS,
  BOOST_CROWD_LOG2,
  BOOST_RATE_SHIFT,
  FEATURES_PER_CONTEXT,
  OWNER_BITS,
} from "../../model/recall.ts";
import { FALL_STEPS, GradientScales, gradientBits, gradientOperandLimit } from "../../model/reference/exponents.ts";
import { State } from "../../model/reference/state.ts";
import { tables } from "../../model/tables.ts";
import { ACTIVATION_SLOTS, gateCount, gradientSlot, type Layout, SLOT_COUNT, weightSlot } from "../../model/tensors.ts";
import { EngineLimitError } from "../engine.ts";
import type { Constants } from "./kernel.ts";

const STORAGE = 0x80;
const COPY_SOURCE = 0x04;
const COPY_TARGET = 0x08;
const MAP_READ = 0x01;

/** Where the numbers of the `shifts` buffer stand: the exponents that kernels read, and the control numbers. */
export interface ShiftPlaces {
  readonly copyShifts: number;
  readonly held: number;
  readonly slotBits: number;
  readonly scales: number;
  readonly moved: number;
  readonly window: number;
  readonly step: number;
  readonly trained: number;
  readonly chunkStep: number;
  readonly rate: number;
  readonly logitShift: number;
  readonly zero: number;
  readonly count: number;
}

export function shiftPlaces(layout: Layout): ShiftPlaces {
  const tensors = layout.tensors.length;
  const scales = 4 * SLOT_COUNT;
  const control = scales + 3 * tensors;
  return {
    copyShifts: SLOT_COUNT,
    held: 2 * SLOT_COUNT,
    slotBits: 3 * SLOT_COUNT,
    scales,
    moved: scales + tensors,
    window: scales + 2 * tensors,
    step: control,
    trained: control + 1,
    chunkStep: control + 2,
    rate: control + 3,
    logitShift: control + 4,
    zero: control + 5,
    count: control + 6,
  };
}

/** The dense list: all tensors that are not matrices, which follow the matrices in the layout. */
export function denseRange(layout: Layout): { readonly offset: number; readonly count: number } {
  const { offset } = layout.byName.embedding;
  return { offset, count: layout.parameterCount - offset };
}

/** The exponent of a dense tensor's accumulated gradient: sign * shifts[place]. */
function denseExponent(layout: Layout, places: ShiftPlaces, name: string): { sign: number; place: number } {
  if (name === "embedding") return { sign: -1, place: places.copyShifts + weightSlot("embedding") };
  if (name === "logitsBias") return { sign: 1, place: places.logitShift };
  const matrix = name.endsWith("Bias") ? name.slice(0, -4) : "";
  const found = layout.tensors.find((tensor) => tensor.name === matrix && tensor.kind === "matrix");
  if (found === undefined) return { sign: 0, place: places.zero };
  return { sign: 1, place: gradientSlot(found.name as Parameters<typeof gradientSlot>[0]) };
}

/** Words in one row of packed bytes: one byte of each stream. */
export function rowWordsOf(hyper: HyperParameters): number {
  return Math.ceil(hyper.streams / 4);
}

/** Rows of bytes that stay on the device: all that contexts reach, and a chunk that is uploaded ahead of its steps. */
export function pastRowsFor(chunkSteps: number): number {
  return REACH + chunkSteps;
}

/** What the recall stream's kernels see: sizes, and places in the plan. */
function recallConstants(hyper: HyperParameters): Constants {
  const { streams, contexts, tables, slotBits, tableBits } = hyper;
  return {
    CONTEXTS: contexts,
    LOGIT_TABLES: tables,
    GATES: gateCount(hyper),
    SLOT_LOG2: slotBits,
    TABLE_LOG2: tableBits,
    OWNERS: 1 << OWNER_BITS,
    BOOST_RIGHT: BOOST_RATE_SHIFT + GRADIENT_BITS - BOOST_BITS + crowdShift(streams, BOOST_CROWD_LOG2),
    PLAN_WORDS: PACKED_CONTEXT_WORDS,
    PLAN_OFFSETS: 3,
    PLAN_DIRECT: 3 + CONTEXT_OFFSETS_MAX,
    PLAN_RATE: 4 + CONTEXT_OFFSETS_MAX,
    PLAN_POSITIONS: (contexts + tables) * PACKED_CONTEXT_WORDS,
  };
}

/** Constants that every kernel of a model sees. */
export function sharedConstants(hyper: HyperParameters, layout: Layout, pastRows: number): Constants {
  const places = shiftPlaces(layout);
  const dense = layout.tensors.filter((tensor) => tensor.offset >= denseRange(layout).offset);
  const exponents = dense.map((tensor) => denseExponent(layout, places, tensor.name));
  return {
    STREAMS: hyper.streams,
    STREAMS_LOG2: ceilLog2(hyper.streams),
    HISTORY: hyper.history,
    EMBEDDING: hyper.embedding,
    COARSE: hyper.coarseHidden,
    CACHE: hyper.globalHidden,
    RING_SLOT: hyper.slot,
    ROW_WORDS: rowWordsOf(hyper),
    PAST_ROWS: pastRows,
    ...recallConstants(hyper),
    GRADIENT_OPERAND_LIMIT: gradientOperandLimit(hyper.streams),
    SLOTS: SLOT_COUNT,
    ACTIVATION_SLOTS: ACTIVATION_SLOTS.length,
    TENSORS: layout.tensors.length,
    COPY_SHIFTS: places.copyShifts,
    HELD: places.held,
    SLOT_BITS: places.slotBits,
    SCALES: places.scales,
    MOVED: places.moved,
    WINDOW: places.window,
    AT_STEP: places.step,
    AT_TRAINED: places.trained,
    AT_CHUNK_STEP: places.chunkStep,
    AT_RATE: places.rate,
    AT_LOGIT_SHIFT: places.logitShift,
    NEED_BIAS: GradientScales.BIAS,
    ALIGNED_BITS: 21,
    FALL_STEPS,
    DENSE_AT: denseRange(layout).offset,
    DENSE_COUNT: denseRange(layout).count,
    DENSE_TENSORS: dense.length,
    DENSE_FIRST_TENSOR: dense[0]?.index ?? 0,
    DENSE_STARTS: dense.map((tensor) => tensor.offset - denseRange(layout).offset),
    DENSE_SIGNS: exponents.map(({ sign }) => sign),
    DENSE_EXPONENTS: exponents.map(({ place }) => place),
    EMBEDDING_TENSOR: layout.byName.embedding.index,
    EMBEDDING_SLOT: weightSlot("embedding"),
    EMBEDDING_DENSE: 0,
  };
}

/** 32-bit words of every intermediate buffer. Operands of int8 are packed, all else is one number to a word. */
function intermediateWords(hyper: HyperParameters): Record<string, number> {
  const { streams: B, globalHidden: G, fineHidden: F, coarseHidden: C, slot: S } = hyper;
  const H = widthOf(hyper);
  const normRows = { inputNorm: 1, localNorm: hyper.history, coarseNorm: 2, fineNorm: 1, lastNorm: 1 };
  const norms = Object.entries(normRows).flatMap(([name, rows]) => [
    [`${name}.normalised`, B * H],
    [`${name}.deviations`, 2 * B * rows],
    [`${name}.out`, B * H],
  ]);
  const wide = "far local near alpha mixed up gate gatePre router global coarse fineOut last embedded".split(" ");
  const wideGradients =
    "dLast dSkipped dFineOut dThroughGelu dFine dCoarse dMixed dFar dNear dRouter dInput dGlobal dLocal " +
    "dEmbedded dGateIn";
  return {
    ...Object.fromEntries([...wide, ...wideGradients.split(" ")].map((name) => [name, B * H])),
    ...Object.fromEntries(norms),
    newest: 2 * B * S,
    down: 2 * B * C,
    recalled: 2 * B * C,
    fine: 2 * B * F,
    hidden: B * F,
    logits: 256 * B,
    ends: 256 * B,
    cache: B * G,
    "operand.input": (B * H) / 4,
    "operand.cache": (B * G) / 4,
    "operand.coarse": (B * H) / 4,
    "operand.downOut": (2 * B * C) / 4,
    "operand.memoryOut": (2 * B * C) / 4,
    "operand.fineIn": (B * H) / 4,
    "operand.fineHidden": (B * F) / 4,
    "operand.last": (B * H) / 4,
    "gradient.newest": 2 * B * S,
    "gradient.global": B * H,
    "gradient.router": B * H,
    "gradient.down": 2 * B * C,
    "gradient.memory": 2 * B * C,
    "gradient.up": B * H,
    "gradient.gate": B * H,
    "gradient.fine": 2 * B * F,
    "gradient.fineOut": B * H,
    "gradient.logits": 256 * B,
    dUpGate: 2 * B * H,
    dHidden: B * F,
    dHiddenPre: 2 * B * F,
    dRecalled: 2 * B * C,
    dDown: 2 * B * C,
    dDownIn: B * H,
    dCache: B * G,
    dNewest: 2 * B * S,
    dNewestIn: B * hyper.embedding,
    ...recallWords(hyper),
  };
}

/** The same for the recall stream. */
function recallWords(hyper: HyperParameters): Record<string, number> {
  const { streams: B, contexts: N, tables: M } = hyper;
  const wide = N > 0 ? B * widthOf(hyper) : 0;
  return {
    lookups: 2 * B * N + B * M,
    "operand.feature": (B * FEATURES_PER_CONTEXT * N) / 4,
    "gradient.feature": wide,
    remembered: wide,
    boostGate: B * gateCount(hyper),
    dGates: B * gateCount(hyper),
    "gradient.boostGate": B * gateCount(hyper),
    difference: N + M > 0 ? 256 * B : 0,
    owners: N << OWNER_BITS,
    words: 2 * B,
    slots: N << hyper.slotBits,
    entries: M << (hyper.tableBits + 8),
  };
}

/** All buffers of one model, by name. */
export class ModelBuffers {
  readonly layout: Layout;
  readonly places: ShiftPlaces;
  readonly rowWords: number;
  readonly pastRows: number;
  readonly #buffers = new Map<string, GPUBuffer>();
  readonly #staging: GPUBuffer[] = [];

  constructor(
    readonly device: GPUDevice,
    readonly hyper: HyperParameters,
    chunkSteps: number,
  ) {
    const state = new State(hyper);
    this.layout = state.layout;
    this.places = shiftPlaces(state.layout);
    this.rowWords = rowWordsOf(hyper);
    this.pastRows = pastRowsFor(chunkSteps);
    try {
      this.#createAll(state, chunkSteps);
    } catch (error) {
      this.destroy(); // the caller may go on with another engine, and needs the memory
      throw error;
    }
  }

  #createAll(state: State, chunkSteps: number): void {
    const { hyper } = this;
    for (const [name, words] of Object.entries(intermediateWords(hyper))) this.#create(name, words);
    this.#create("bytes", this.pastRows * this.rowWords);
    this.#create("intervals", 2 * chunkSteps * hyper.streams);
    this.#create("moment", this.layout.parameterCount);
    this.#create("square", this.layout.parameterCount);
    this.#create("dense", denseRange(this.layout).count);
    this.#create("seen", SLOT_COUNT + this.layout.tensors.length);
    this.#upload("master", state.master);
    this.#upload("copies", new Int32Array(state.copy.buffer, 0, denseRange(this.layout).offset / 4));
    this.#upload("embedding", Int32Array.from(state.embedding));
    this.#upload("rates", state.rates);
    this.#upload("tables", packTables());
    this.#upload("boosts", state.recall.boosts);
    this.#upload("plan", packPlan(state.recall.plan, hyper.streams));
    this.#upload("shifts", this.#initialShifts(state));
  }

  /** @throws Error if there is no such buffer (a programmer's error) */
  get(name: string): GPUBuffer {
    const buffer = this.#buffers.get(name);
    if (buffer === undefined) throw new Error(`the model has no buffer ${name}`);
    return buffer;
  }

  #create(name: string, words: number): GPUBuffer {
    const sizeBytes = Math.max(16, Math.ceil(words) * 4);
    const limit = Math.min(this.device.limits.maxStorageBufferBindingSize, this.device.limits.maxBufferSize);
    if (sizeBytes > limit) {
      throw new EngineLimitError("gpu", `this model needs a buffer of ${sizeBytes} bytes, the adapter allows ${limit}`);
    }
    const usage = STORAGE | COPY_SOURCE | COPY_TARGET;
    const buffer = this.device.createBuffer({ label: name, size: sizeBytes, usage });
    this.#buffers.set(name, buffer);
    return buffer;
  }

  #upload(name: string, values: Int32Array): void {
    // Dawn takes plain buffers only; the type of a typed array does not say which it has.
    this.device.queue.writeBuffer(this.#create(name, values.length), 0, values as Int32Array<ArrayBuffer>);
  }

  #initialShifts(state: State): Int32Array<ArrayBuffer> {
    const { places } = this;
    const shifts = new Int32Array(places.count);
    shifts.set(state.exponents.shift, 0);
    shifts.set(state.exponents.copyShift, places.copyShifts);
    shifts.set(state.exponents.held, places.held);
    shifts.set(state.exponents.bits, places.slotBits);
    shifts[places.rate] = state.rates[0] as number;
    shifts[places.logitShift] = 22 - gradientBits(this.hyper.streams);
    return shifts;
  }

  /** Takes a mappable buffer of at least `sizeBytes`; give it back with `release`. */
  takeStaging(sizeBytes: number): GPUBuffer {
    const found = this.#staging.findIndex((buffer) => buffer.size >= sizeBytes);
    if (found >= 0) return this.#staging.splice(found, 1)[0] as GPUBuffer;
    return this.device.createBuffer({ label: "staging", size: sizeBytes, usage: MAP_READ | COPY_TARGET });
  }

  releaseStaging(buffer: GPUBuffer): void {
    this.#staging.push(buffer);
  }

  destroy(): void {
    for (const buffer of [...this.#buffers.values(), ...this.#staging]) buffer.destroy();
    this.device.queue.submit([]); // Dawn frees destroyed buffers only when the queue moves on
  }
}

/** The tables as the kernels read them: GELU value and slope in one word, then the sigmoid, then powers of two. */
export function packTables(): Int32Array<ArrayBuffer> {
  const { gelu, geluSlope, sigmoid, exp2 } = tables();
  const packed = gelu.length;
  const out = new Int32Array(2 * packed + exp2.length);
  for (let node = 0; node < packed; node++) {
    out[node] = ((geluSlope[node] as number) << 16) | ((gelu[node] as number) & 0xffff);
    out[packed + node] = sigmoid[node] as number;
  }
  out.set(exp2, 2 * packed);
  return out;
}
