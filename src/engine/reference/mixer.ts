/**
 * The bit mixer, written to be read: the judge of every other engine.
 *
 * A lane's streams advance together. All of a step's predictions are made from the state before the step; then streams
 * teach in their order, each its bits in theirs. The first halves of all bytes come before the second halves, so that
 * the lines of a half can be fetched together.
 */

import { clamp, mulRound, roundShift } from "../../contract/fixed.ts";
import { histories } from "../../contract/histories.ts";
import {
  inputsOf,
  MATCH_LENGTH_MAX,
  type MixerShape,
  PROBABILITY_MIN,
  REFINE_NODES,
  reciprocalTable,
  SETS,
  SQUASH_MAX,
  SQUASH_ZERO,
  STRETCH_MAX,
  squashTable,
  stretchTable,
} from "../../contract/mixer.ts";
import {
  initialFinals,
  initialMaps,
  initialMatchMap,
  initialRefine,
  initialWeights,
  inputPair,
} from "../../contract/mixer-initial.ts";
import { BinaryDecoder, BinaryEncoder, type BitCoder } from "./binary-coder.ts";
import { back, type Found, follow, hashesOf, Lines, Matches, type Stream, streamsOf } from "./mixer-memory.ts";

const COUNT_LIMIT = 255;
const MATCH_PROBABILITY_MIN = 33000;

/** What a prediction leaves behind for learning. */
interface Prediction {
  readonly node: number;
  readonly inputs: Int32Array;
  readonly states: readonly number[];
  /** Number of each weight set over all, its log odds (Q12) and probability. */
  readonly sets: readonly { readonly number: number; readonly odds: number; readonly p: number }[];
  readonly final: number;
  readonly mixed: number;
  /** Entries of the two refining maps that learn. */
  readonly refined: readonly [number, number];
  /** Class of the match's length and the bit that it expects, if it takes part. */
  readonly match: { readonly kind: number; readonly bit: number } | undefined;
}

/** A match's length, in classes that widen. */
function lengthClass(length: number): number {
  const l = Math.min(length, MATCH_LENGTH_MAX);
  if (l < 16) return l;
  if (l < 32) return 16 + ((l - 16) >> 2);
  return l < 64 ? 20 + ((l - 32) >> 3) : 24 + Math.min(7, (l - 64) >> 5);
}

/** An element of a typed array that is there. */
const at = (array: { readonly [index: number]: number }, index: number) => array[index] as number;

export class MixerReference {
  readonly #shape: MixerShape;
  readonly #squash = squashTable();
  readonly #stretch = stretchTable(this.#squash);
  readonly #reciprocals = reciprocalTable();
  readonly #inputs: number;
  readonly lines: Lines;
  readonly maps: Int32Array;
  readonly mapInputs: Int32Array;
  readonly masters: Int32Array;
  readonly copies: Int16Array;
  readonly finals = initialFinals();
  readonly order0 = new Uint16Array(256).fill(32768);
  readonly matchMap = initialMatchMap();
  readonly refine1 = initialRefine(this.#squash);
  readonly refine2 = this.refine1.slice();

  constructor(shape: MixerShape) {
    const states = histories();
    const contexts = shape.contexts.length;
    const maps = initialMaps(contexts, states, this.#stretch);
    this.#shape = shape;
    this.#inputs = inputsOf(contexts);
    this.lines = new Lines(contexts, shape.lineBits, states.total, states.next);
    this.maps = maps.cells;
    this.mapInputs = maps.inputs;
    this.masters = initialWeights(contexts);
    this.copies = Int16Array.from(this.masters, (w) => w >> 14);
  }

  /** Codes a block and learns it. */
  encode(block: Uint8Array): Uint8Array {
    const coder = new BinaryEncoder();
    this.#run(block, coder);
    return coder.finish();
  }

  /** The block of `lengthBytes` that a payload stands for. */
  decode(payload: Uint8Array, lengthBytes: number): Uint8Array {
    const block = new Uint8Array(lengthBytes);
    this.#run(block, new BinaryDecoder(payload));
    return block;
  }

  /** All steps of a block; a decoder writes the bytes where an encoder reads them. */
  #run(block: Uint8Array, coder: BitCoder): void {
    const streams = streamsOf(block, this.#shape.streams);
    const matches = new Matches(streams);
    for (let t = 0; t < (streams[0] as Stream).bytes.length; t++) {
      const live = streams.filter((stream) => t < stream.bytes.length);
      matches.expect(live.length, t);
      const hashes = live.map((stream, b) => hashesOf(this.#shape, stream, b, t));
      const found = hashes.map((each) => each.map((hash, i) => this.lines.find(i, hash, 0)));
      const first = live.map((stream, b) => this.#half(stream, t, 0, 1, found[b] as Found[], coder));
      const deep = hashes.map((each, b) => each.map((hash, i) => this.lines.find(i, hash, at(halves(first), b) + 1)));
      const second = live.map((stream, b) =>
        this.#half(stream, t, 4, 16 + at(halves(first), b), deep[b] as Found[], coder),
      );
      for (const [b, stream] of live.entries()) {
        const made = [...(first[b] as Half).predictions, ...(second[b] as Half).predictions];
        this.#learn(stream, (second[b] as Half).node & 255, made, found[b] as Found[], deep[b] as Found[]);
        stream.bytes[t] = (second[b] as Half).node & 255;
      }
      matches.find(live.length, t + 1);
    }
  }

  /** Four bits of a stream's byte at step t, from bit `from`. */
  #half(stream: Stream, t: number, from: number, start: number, found: readonly Found[], coder: BitCoder): Half {
    const byte = at(stream.bytes, t);
    const predictions: Prediction[] = [];
    let node = start;
    for (let k = from; k < from + 4; k++) {
      const { prediction, p } = this.#predict(stream, t, k, node, found);
      predictions.push(prediction);
      node = 2 * node + coder.code(p, (byte >> (7 - k)) & 1);
    }
    return { node, predictions };
  }

  #predict(stream: Stream, t: number, k: number, node: number, found: readonly Found[]) {
    const inNibble = k < 4 ? node : (1 << (k - 4)) | (node & ((1 << (k - 4)) - 1));
    const states = found.map((line) => this.lines.state(line, inNibble));
    const known = states.slice(1, 7).filter((state) => state !== 0).length;
    const match = matchOf(stream, k, node);
    const length = stream.match.length;
    const long = match === undefined ? 0 : length < 12 ? 1 : length < 24 ? 2 : 3;
    const inputs = this.#gather(states, node, match);
    const numbers = this.#choose(stream, t, k, node, long, known, match !== undefined);
    const sets = numbers.map((number) => this.#mixSet(number, inputs));
    const final = (long * 8 + k) * 8 + known;
    const sum = sets.reduce(
      (all, { odds }, j) => (all + Math.imul(at(this.finals, 6 * final + j) >> 14, odds >> 2)) | 0,
      0,
    );
    const odds = clamp(sum >> 12, SQUASH_MAX);
    const mixed = clampProbability(this.#squashed(odds));
    const coarse = clamp(odds >> 4, STRETCH_MAX) + 2048;
    const b1 = back(stream, t, 1);
    const hash = Math.imul(b1 * 256 + back(stream, t, 2), 0x9e3779b1) >>> 16;
    const row1 = (b1 * 256 + node) * REFINE_NODES;
    const row2 = ((hash ^ (node * 257)) & 65535) * REFINE_NODES;
    const near = (coarse + 64) >> 7;
    const p = (2 * mixed + between(this.refine1, row1, coarse) + between(this.refine2, row2, coarse) + 2) >> 2;
    const refined = [row1 + near, row2 + near] as const;
    const prediction: Prediction = { node, inputs, states, sets, final, mixed, refined, match };
    return { prediction, p: clampProbability(p) };
  }

  #gather(states: readonly number[], node: number, match: Prediction["match"]): Int32Array {
    const inputs = new Int32Array(this.#inputs);
    for (const [i, state] of states.entries()) {
      const pair = at(this.mapInputs, 256 * i + state);
      inputs[2 * i] = (pair << 16) >> 16;
      inputs[2 * i + 1] = pair >> 16;
    }
    const others = 2 * states.length;
    inputs[others] = at(this.#stretch, at(this.order0, node) >> 4);
    if (match !== undefined) {
      const p = at(this.matchMap, match.kind);
      const sign = match.bit === 1 ? 1 : -1;
      inputs[others + 1] = sign * at(this.#stretch, p >> 4);
      inputs[others + 2] = sign * ((p - 32768) >> 6);
    }
    inputs[others + 3] = 256;
    return inputs;
  }

  /** The six weight sets of a bit, as numbers over all sets. */
  #choose(s: Stream, t: number, k: number, node: number, long: number, known: number, matched: boolean): number[] {
    const { stride } = this.#shape;
    const b1 = back(s, t, 1);
    const b2 = back(s, t, 2);
    const fifth = stride > 0 ? back(s, t, stride) * 8 : (b1 >> 5) * 64 + (b2 >> 5) * 8;
    const chosen = [node, b1 * 8 + k, (long * 8 + k) * 8 + known, b2, fifth + k, matched ? s.expected : 0];
    return chosen.map((choice, j) => choice + SETS.slice(0, j).reduce((sum, count) => sum + count, 0));
  }

  #mixSet(number: number, inputs: Int32Array) {
    let dot = 0;
    for (let i = 0; i < inputs.length; i++) {
      dot = (dot + Math.imul(at(this.copies, number * inputs.length + i), at(inputs, i))) | 0;
    }
    const odds = clamp(dot >> 10, STRETCH_MAX << 4);
    return { number, odds, p: this.#squashed(odds) };
  }

  /** The probability of log odds in Q12, between two nodes of the table. */
  #squashed(odds: number): number {
    const x = clamp(odds, SQUASH_MAX);
    const low = at(this.#squash, (x >> 4) + SQUASH_ZERO);
    return low + (((at(this.#squash, (x >> 4) + SQUASH_ZERO + 1) - low) * (x & 15) + 8) >> 4);
  }

  #learn(stream: Stream, byte: number, predictions: Prediction[], first: Found[], second: Found[]): void {
    for (const [k, prediction] of predictions.entries()) {
      const bit = (byte >> (7 - k)) & 1;
      this.#learnWeights(prediction, bit);
      this.#learnMaps(prediction, bit);
      this.#learnOthers(prediction, bit);
    }
    for (const [i, line] of first.entries()) {
      this.lines.learn(line, byte >> 4);
      this.lines.learn(second[i] as Found, byte & 15);
    }
    follow(stream, byte);
  }

  #learnWeights({ sets, inputs, final, mixed }: Prediction, bit: number): void {
    const { rate, finalRate } = this.#shape;
    const last = roundShift(((bit << 16) - mixed) * finalRate, 16);
    for (const [j, { number, odds, p }] of sets.entries()) {
      const step = roundShift(((bit << 16) - p) * rate, 16);
      for (let i = 0; i < inputs.length; i++) {
        const k = number * inputs.length + i;
        this.masters[k] = clampWeight(at(this.masters, k) + step * at(inputs, i));
        this.copies[k] = at(this.masters, k) >> 14;
      }
      this.finals[6 * final + j] = clampWeight(at(this.finals, 6 * final + j) + last * (odds >> 4));
    }
  }

  #learnMaps({ states }: Prediction, bit: number): void {
    for (const [i, state] of states.entries()) {
      if (state === 0) continue;
      const cell = at(this.maps, 256 * i + state);
      const p = cell >>> 10;
      const moved = p + mulRound((bit << 22) - p, at(this.#reciprocals, cell & 1023), 15);
      const q = Math.min(Math.max(moved, 64), (1 << 22) - 64);
      this.maps[256 * i + state] = (q << 10) | Math.min((cell & 1023) + 1, COUNT_LIMIT);
      this.mapInputs[256 * i + state] = inputPair(q, this.#stretch);
    }
  }

  #learnOthers({ node, refined, match }: Prediction, bit: number): void {
    const target = bit === 1 ? 65535 : 0;
    towards(this.order0, node, target, 6);
    towards(this.refine1, refined[0], target, 6);
    towards(this.refine2, refined[1], target, 6);
    if (match === undefined) return;
    towards(this.matchMap, match.kind, match.bit === bit ? 65535 : 0, 7);
    this.matchMap[match.kind] = Math.max(at(this.matchMap, match.kind), MATCH_PROBABILITY_MIN);
  }
}

interface Half {
  /** The bits so far behind a leading 1. */
  readonly node: number;
  readonly predictions: readonly Prediction[];
}

const halves = (first: readonly Half[]) => first.map(({ node }) => node & 15);

/** What the match says about bit k, if it agrees with the bits before. */
function matchOf({ expected, match }: Stream, k: number, node: number): Prediction["match"] {
  if (expected === 0 || ((expected - 1) | 256) >> (8 - k) !== node) return undefined;
  return { kind: lengthClass(match.length), bit: ((expected - 1) >> (7 - k)) & 1 };
}

function clampProbability(p: number): number {
  return Math.min(Math.max(p, PROBABILITY_MIN), 65536 - PROBABILITY_MIN);
}

/** ±2, Q28. */
function clampWeight(w: number): number {
  return Math.min(Math.max(w, -(1 << 29)), (1 << 29) - 1);
}

/** A refining map's value between the two nodes around log odds (Q8 from -2048). */
function between(map: Uint16Array, row: number, odds: number): number {
  const part = odds & 127;
  return (at(map, row + (odds >> 7)) * (128 - part) + at(map, row + (odds >> 7) + 1) * part) >> 7;
}

function towards(map: Uint16Array, index: number, target: number, shift: number): void {
  map[index] = at(map, index) + ((target - at(map, index)) >> shift);
}
