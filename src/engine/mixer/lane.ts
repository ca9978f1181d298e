/**
 * A lane of the bit mixer in WebAssembly: a model and a coder of its own, in a memory of its own. A lane is what a
 * thread takes, so results do not depend on how many threads there are.
 */
import {
  COUNT_BITS,
  FINAL_RATE,
  FORESEEN_FINAL_RATE,
  FORESEEN_RATE,
  familyOf,
  mixerContexts,
  REFINE_NODES,
  rateOf,
  SOUND_FINAL_RATE,
  SOUND_RATE,
  stretchTable,
} from "../../contract/mixer.ts";
import { REFINE_ROWS } from "../../contract/mixer-initial.ts";
import {
  type LanePrior,
  LESSONS_BYTES,
  roomBytesOf,
  rowsOf,
  TRAINED_NAMES,
  type TrainedRows,
  type TrainedState,
  trainedAreas,
} from "../../contract/prior.ts";
import { tallyRoomBytes, tallyStates } from "../../contract/tally.ts";
import { host } from "../../platform/host.ts";
import { compileAsset } from "../../platform/web-assembly.ts";
import type { ForeseenNumbers } from "../../predict/foresight.ts";
import { firstState, specsOf } from "./first-state.ts";
import { AREAS, type Area, CONTEXT_BYTES, type LaneExports } from "./lane-areas.ts";
import { LaneForesight } from "./lane-foresight.ts";
import wasmPath from "./mixer.wasm" with { type: "file" };

/** What decides a lane's model. */
export interface LaneShape {
  /** Contexts of its family: 4 … MIXER_CONTEXTS_MAX. */
  readonly contexts: number;
  /** 2^lineBits lines for every context; 4 … 22. */
  readonly lineBits: number;
  /** The first so many contexts have counters; 0, or absent: none. A lane with counters begins behind no prior. */
  readonly counters?: number;
}

/** An area of a lane between two blocks, as it was somewhere else. */
export type LearntArea = readonly [name: Area, bytes: Uint8Array<ArrayBuffer>];

/** What follows from bits that were predicted, and not from bytes alone. */
const LEARNT_AREAS: readonly Area[] = [...TRAINED_NAMES, "mapInputs", "made"];

/** A lane as it was once: its memory, and how many bytes of a block it had seen. */
export interface KeptLane {
  readonly bytes: Uint8Array;
  readonly time: number;
  /** As it was described last. */
  readonly stride: number;
}

const PAGE_BYTES = 65536;
/** Room for a short block: a memory that grows counts anew as a whole for the runtime, which then collects garbage. */
const SPARE_BYTES = 1 << 16;
/** From here on lines lie in so many pages that looking these up costs a tenth of the time, if they are small. */
const LARGE_BYTES = 1 << 24;
/** Bytes that are handed to the WebAssembly at a time. */
const CHUNK_BYTES = 4096;
/** A bit costs at most 15 bits, a byte so many bytes; and what a decoder reads ahead. */
const CODED_BYTES = 16 * CHUNK_BYTES + 64;
/** What a decoder reads first, and so how far it is ahead. */
const LOOKAHEAD_BYTES = 4;

/** Of what is replayed, four bytes are read at a time. */
const READ_AHEAD_BYTES = 3;

let compiled: WebAssembly.Module | undefined;

export class MixerLane {
  readonly #memory = new WebAssembly.Memory({ initial: 1 });
  readonly #foresight = new LaneForesight();
  readonly #kernels: LaneExports;
  readonly #shape: LaneShape;
  #data: number;
  readonly #coded: number;
  /** Bytes of the block so far, with those that it was reminded of. */
  #time = 0;
  /** As described last. */
  #stride = 0;
  /** Whether the next block goes on behind what was replayed. */
  #isBehind = false;
  /** While encoding: coded bytes so far. While decoding: those that are to come, and how many were taken. */
  #pieces: Uint8Array[] = [];
  #codedBytes = 0;
  #payload: Uint8Array = new Uint8Array(0);

  /**
   * Takes 18 bytes for each of 2^lineBits lines of every context, 64 more of one with counters, and about 7 MB.
   *
   * @param prior what it will be seeded with, if that is known
   */
  constructor(shape: LaneShape, prior?: LanePrior) {
    compiled ??= compileAsset(wasmPath);
    this.#shape = shape;
    const { table } = this.#foresight;
    const { exports } = new WebAssembly.Instance(compiled, { env: { memory: this.#memory, table } });
    this.#kernels = exports as unknown as LaneExports;
    this.#data = this.#kernels.configure(shape.contexts, shape.lineBits, shape.counters ?? 0, 0, CODED_BYTES);
    this.#coded = this.#addressOf("coded");
    this.#grow(this.#data + (prior ? roomBytesOf(prior) : 0) + SPARE_BYTES);
    if (this.#data >= LARGE_BYTES) host.preferLargePages(this.#memory);
    this.#fill();
    this.#setForeseen(0);
    this.describe(0);
  }

  /** The bytes of memory that this lane holds. */
  get memoryBytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /**
   * What the next block is like.
   *
   * @param stride the bytes from one record to the next, 4 or more; 0: none known; 1: few letters (a genome); 2: sound
   * of one channel in samples of 16 bits, lowest byte first; 3: of two channels
   * @param pixels of the lane's bytes that it foresees
   */
  describe(stride: number, pixels: readonly ForeseenNumbers[] = []): void {
    this.#stride = stride;
    this.#foresight.describe(pixels);
    const family = familyOf(stride);
    const { contexts } = this.#shape;
    this.#put("specs", specsOf(mixerContexts(family, contexts, stride)));
    this.#put("binarySpecs", specsOf(mixerContexts(family, contexts, stride, true)));
    this.#kernels.describe(family === "genome" ? 0 : stride);
  }

  /** Begins a block: what was learnt stays. The first one behind a prior goes on behind that. */
  begin(): void {
    this.#pieces = [];
    this.#codedBytes = 0;
    if (this.#isBehind) this.#kernels.beginBehind();
    else {
      this.#time = 0;
      this.#kernels.begin();
    }
    this.#isBehind = false;
    this.#foresight.begin();
  }

  /** Gives a new lane what a prior has. @throws RangeError if that is for another number of contexts, or counters */
  seed({ contexts, counters = 0, stride, content, skimmedBytes = 0, lessons, tallies, trained }: LanePrior): void {
    if (contexts !== this.#shape.contexts || counters !== (this.#shape.counters ?? 0)) {
      throw new RangeError(`a prior of ${contexts} contexts, ${counters} of them with counters`);
    }
    this.describe(stride);
    this.begin();
    if (tallies) this.#takeTallies(tallies);
    this.skim(content.subarray(0, skimmedBytes));
    this.replay(content.subarray(skimmedBytes), lessons);
    if (trained) this.#takeTrained(trained);
    this.#isBehind = true;
  }

  /**
   * Goes through bytes as learning does, but neither predicts nor learns from errors; about a microsecond each. Only a
   * lane that has predicted nothing yet may.
   *
   * @param lessons of a prior: which contexts learn which bytes
   */
  replay(bytes: Uint8Array, lessons?: Uint32Array): void {
    const { contexts } = this.#shape;
    const all = new Uint32Array(contexts).fill(2 ** 32 - 1);
    let from = 0;
    this.#replayInChunks(bytes, LESSONS_BYTES, (count) => {
      this.#put("lessons", lessons?.subarray(from, from + contexts) ?? all);
      from += contexts;
      this.#kernels.replay(count);
    });
  }

  /** Goes through bytes, at most LESSONS_BYTES, as replay does. @returns the contexts' hashes, [context][byte] */
  hashesOf(bytes: Uint8Array): Uint32Array {
    this.replay(bytes);
    const { contexts } = this.#shape;
    const hashes = new Uint32Array(contexts * bytes.length);
    for (let i = 0, at = this.#addressOf("refine"); i < contexts; i++, at += (4 * bytes.length + 15) & ~15) {
      hashes.set(new Uint32Array(this.#memory.buffer, at, bytes.length), i * bytes.length);
    }
    return hashes;
  }

  /** The same in the middle of a block; takes about twice as long. */
  rehearse(bytes: Uint8Array): void {
    this.#replayInChunks(bytes, CHUNK_BYTES, (count) => this.#kernels.rehearse(count));
  }

  /** Goes through bytes as replay does, but without lines: about 50 nanoseconds each. */
  skim(bytes: Uint8Array): void {
    this.#replayInChunks(bytes, CHUNK_BYTES, (count) => this.#kernels.skim(count));
  }

  /** From now on, lines begin with what tallies say. Only for a lane that has seen nothing yet. */
  #takeTallies(tallies: Uint8Array): void {
    const room = tallyRoomBytes(tallies, this.#shape.contexts);
    this.#put("tallyStates", tallyStates());
    this.#grow(this.#data + room);
    new Uint8Array(this.#memory.buffer).set(tallies, this.#data);
    this.#data = this.#kernels.takeTallies(tallies.length, room);
    this.#grow(this.#data);
  }

  /** A copy of a seeded lane between blocks. */
  keep(): KeptLane {
    this.#kernels.keep();
    return {
      bytes: new Uint8Array(this.#memory.buffer, 0, this.#data + this.#time).slice(),
      time: this.#time,
      stride: this.#stride,
    };
  }

  /**
   * Makes the lane again what it was when the copy was made; the next block goes on behind the prior.
   *
   * @param isTrainedKept true: what training changes stays as it is
   */
  recall({ bytes, time, stride }: KeptLane, isTrainedKept = false): void {
    const memory = new Uint8Array(this.#memory.buffer);
    const stays = isTrainedKept ? LEARNT_AREAS.map((name) => this.#rangeOf(name)).sort((a, b) => a[0] - b[0]) : [];
    let from = 0;
    for (const [start, end] of [...stays, [bytes.length, bytes.length] as const]) {
      memory.set(bytes.subarray(from, start), from);
      from = end;
    }
    this.#time = time;
    this.#kernels.recall();
    this.describe(stride);
    this.#isBehind = true;
  }

  /** A copy of what training has changed. */
  trained(): TrainedState {
    const made = this.#copyOf("made");
    const entries = trainedAreas(this.#shape.contexts).map((area): [string, TrainedRows] => {
      const { name, kind, rowLength } = area;
      const bytes = this.#copyOf(name);
      const isWide = kind === "cells" || name === "finals";
      const all = isWide ? new Int32Array(bytes.buffer) : kind === "weights" ? new Int16Array(bytes.buffer) : undefined;
      if (name !== "refine")
        return [name, { values: (all ?? new Uint16Array(bytes.buffer)).slice(0, rowLength * rowsOf(area)) }];
      const rows = Uint32Array.from([...made.keys()].filter((row) => made[row] === 1));
      const values = new Uint16Array(rows.length * rowLength);
      const from = new Uint16Array(bytes.buffer);
      rows.forEach((row, i) => void values.set(from.subarray(row * rowLength, (row + 1) * rowLength), i * rowLength));
      return [name, { rows, values }];
    });
    return Object.fromEntries(entries) as TrainedState;
  }

  #takeTrained(trained: TrainedState): void {
    for (const name of TRAINED_NAMES) {
      const { rows, values } = trained[name];
      if (!rows) this.#put(name, values);
      else this.#putRows(rows, values as Uint16Array);
    }
    this.#putMapInputs(trained.maps.values);
  }

  /** Gives a new lane all that another one has learnt, which goes on here with its next block. */
  resume(areas: readonly LearntArea[]): void {
    for (const [name, bytes] of areas) this.#put(name, bytes);
    new Uint8Array(this.#memory.buffer, this.#addressOf("made"), REFINE_ROWS).fill(1);
    this.#putMapInputs(new Int32Array(this.#memory.buffer, this.#addressOf("maps"), this.#shape.contexts * 256));
  }

  /** Log odds of the cells of maps, which are probabilities in Q22 above a count. */
  #putMapInputs(cells: ArrayLike<number>): void {
    const stretch = stretchTable();
    const inputOf = (cell: number) => (cell === 0 ? 0 : (stretch[(cell >>> COUNT_BITS) >> 10] as number));
    this.#put("mapInputs", Int16Array.from(cells, inputOf));
  }

  /** Rows of the refining map. */
  #putRows(rows: Uint32Array, values: Uint16Array): void {
    const into = new Uint16Array(this.#memory.buffer, this.#addressOf("refine"));
    const made = new Uint8Array(this.#memory.buffer, this.#addressOf("made"));
    rows.forEach((row, i) => {
      into.set(values.subarray(i * REFINE_NODES, (i + 1) * REFINE_NODES), row * REFINE_NODES);
      made[row] = 1;
    });
  }

  /** Codes the next bytes of a block. @returns coded bytes of the block so far */
  encode(bytes: Uint8Array): number {
    this.#inChunks(bytes.length, (from, count) => {
      this.#memoryFor(count).set(bytes.subarray(from, from + count));
      this.#take(this.#kernels.encode(count));
    });
    return this.#codedBytes;
  }

  /** Ends a block: its payload. */
  finishEncoding(): Uint8Array {
    this.#take(this.#kernels.finishEncoding());
    const payload = new Uint8Array(this.#codedBytes);
    let at = 0;
    for (const piece of this.#pieces) {
      payload.set(piece, at);
      at += piece.length;
    }
    this.#pieces = [];
    this.#foresight.end();
    return payload;
  }

  /** Begins a block that a payload stands for. */
  beginDecoding(payload: Uint8Array): void {
    this.begin();
    this.#payload = payload;
    this.#codedBytes = this.#kernels.beginDecoding(this.#give());
  }

  /** Decodes the next bytes of a block; a damaged payload gives other bytes. */
  decode(bytes: Uint8Array): void {
    this.#inChunks(bytes.length, (from, count) => {
      const into = this.#memoryFor(count);
      this.#codedBytes += this.#kernels.decode(count, this.#give());
      bytes.set(into, from);
    });
  }

  /** By how many bytes the payload was too long (above 0) or too short (below 0) for what was decoded from it. */
  finishDecoding(): number {
    const right = this.#codedBytes - LOOKAHEAD_BYTES + this.#kernels.tailBytes();
    const rest = this.#payload.length - right;
    this.#payload = new Uint8Array(0);
    this.#foresight.end();
    return rest;
  }

  /** Learns the next bytes of a block without coding them. */
  study(bytes: Uint8Array): void {
    this.#inChunks(bytes.length, (from, count) => {
      this.#memoryFor(count).set(bytes.subarray(from, from + count));
      this.#kernels.study(count);
    });
  }

  /** A copy of one part of the lane's state, for comparison; rows of `refine` that were not made yet are made in it. */
  area(name: Area): Uint8Array {
    const copy = this.#copyOf(name);
    if (name !== "refine") return copy;
    const row = this.#copyOf("refineRow").subarray(0, 2 * REFINE_NODES);
    for (const [number, isMade] of this.#copyOf("made").entries()) {
      if (isMade === 0) copy.set(row, number * row.length);
    }
    return copy;
  }

  /** From the first byte of an area to the next one's first, if it has no length of its own. */
  #rangeOf(name: Area): readonly [number, number] {
    const start = this.#addressOf(name);
    const perContext = CONTEXT_BYTES[name];
    if (perContext !== undefined) return [start, start + perContext * this.#shape.contexts];
    // Where there are none, they lie where the next area does.
    if (name === "counters" && !this.#shape.counters) return [start, start];
    const next = AREAS.map((other) => this.#addressOf(other)).filter((address) => address > start);
    return [start, Math.min(...next)];
  }

  #copyOf(name: Area): Uint8Array {
    const [start, end] = this.#rangeOf(name);
    return new Uint8Array(this.#memory.buffer, start, end - start).slice();
  }

  /** Bytes of the block, in chunks that are foreseen as a whole or not at all. */
  #inChunks(count: number, work: (from: number, count: number) => void): void {
    let some = 0;
    for (let from = 0; from < count; from += some) {
      const next = this.#foresight.next();
      this.#setForeseen(next.likelihoods);
      some = Math.min(CHUNK_BYTES, count - from, next.count);
      work(from, some);
      this.#time += some;
      this.#foresight.pass(some);
    }
  }

  /** Bytes that are not the block's. */
  #replayInChunks(bytes: Uint8Array, chunkBytes: number, work: (count: number) => void): void {
    this.#setForeseen(0);
    for (let from = 0; from < bytes.length; from += chunkBytes) {
      const some = bytes.subarray(from, from + chunkBytes);
      this.#memoryFor(some.length).set(some);
      work(some.length);
      this.#time += some.length;
    }
  }

  #setForeseen(likelihoods: number): void {
    this.#kernels.setForeseen(likelihoods);
    if (likelihoods > 1) this.#kernels.setRates(SOUND_RATE, SOUND_FINAL_RATE);
    else if (likelihoods > 0) this.#kernels.setRates(FORESEEN_RATE, FORESEEN_FINAL_RATE);
    else this.#kernels.setRates(rateOf(this.#shape.counters ?? 0), FINAL_RATE);
  }

  /** Where the block's next bytes lie. */
  #memoryFor(count: number): Uint8Array {
    const at = this.#data + this.#time;
    this.#grow(at + count + READ_AHEAD_BYTES);
    return new Uint8Array(this.#memory.buffer, at, count);
  }

  #take(count: number): void {
    this.#pieces.push(new Uint8Array(this.#memory.buffer, this.#coded, count).slice());
    this.#codedBytes += count;
  }

  /** Lays the payload's next bytes where the decoder looks; returns how many there are. */
  #give(): number {
    const some = this.#payload.subarray(this.#codedBytes, this.#codedBytes + CODED_BYTES);
    new Uint8Array(this.#memory.buffer, this.#coded, some.length).set(some);
    return some.length;
  }

  #grow(bytes: number): void {
    const missing = Math.ceil(bytes / PAGE_BYTES) - this.#memory.buffer.byteLength / PAGE_BYTES;
    if (missing > 0) this.#memory.grow(missing);
  }

  #addressOf(name: Area): number {
    return this.#kernels.addressOf(AREAS.indexOf(name));
  }

  #put(name: Area, values: ArrayBufferView): void {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    new Uint8Array(this.#memory.buffer, this.#addressOf(name), bytes.length).set(bytes);
  }

  #fill(): void {
    for (const [name, values] of firstState(this.#shape.contexts, this.#shape.counters)) this.#put(name, values);
  }
}
