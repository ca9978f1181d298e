/**
 * The bit mixer, written to be read: the judge of every other engine. A lane is one stream of bytes; every bit is
 * predicted, coded, and learnt before the next. docs/MIXER.md has the same in words.
 */
import { clamp } from "../../contract/fixed.ts";
import { histories } from "../../contract/histories.ts";
import {
  COUNT_BITS,
  type Context,
  FORESEEN_FINAL_RATE,
  FORESEEN_RATE,
  familyOf,
  inputsOf,
  mixerContexts,
  PROBABILITY_MIN,
  REFINE_NODES,
  RUN_CLASSES,
  reciprocalTable,
  SOUND_FINAL_RATE,
  SOUND_RATE,
  SQUASH_ZERO,
  STRETCH_MAX,
  squashTable,
  stretchTable,
} from "../../contract/mixer.ts";
import { initialMaps, initialMatchMap, initialRefine, initialRunMap } from "../../contract/mixer-initial.ts";
import { KNOWN_CONTEXTS, MATCH_PROBABILITY_MIN } from "../../contract/mixer-numbers.ts";
import { isLearnt, type LanePrior, TRAINED_NAMES, type TrainedState } from "../../contract/prior.ts";
import type { ForeseenNumbers } from "../../predict/foresight.ts";
import { BinaryDecoder, BinaryEncoder, type BitCoder, NoCoder } from "./binary-coder.ts";
import { Code } from "./mixer-code.ts";
import { type ForeseenByte, ForeseenBytes } from "./mixer-foresight.ts";
import { between, learnt, towards } from "./mixer-maps.ts";
import { hashesOf, Lines, lengthClass, Match, type View } from "./mixer-memory.ts";
import { TallyBook } from "./mixer-tallies.ts";
import { Numbers, Past, Text } from "./mixer-values.ts";
import { type Mix, Weights } from "./mixer-weights.ts";

/** A counter that has seen nothing: 1/2 in Q22 above a count of 0. */
const HALF = 0x80000000;
/** What says that a certain bit comes: its cell in its map of probabilities that it is right. */
interface Voice {
  readonly cell: number;
  readonly bit: number;
}

/** What a byte begins with: all but the bits before. */
interface Outlook {
  readonly hashes: readonly number[];
  /** Lines of the high half, to which the runs belong. */
  readonly lines: readonly number[];
  readonly runs: readonly ReturnType<Lines["run"]>[];
  readonly foreseen: ForeseenByte | undefined;
}

/** What a prediction leaves behind for learning. */
interface Prediction {
  readonly node: number;
  /** Likelihoods that were foreseen; 0: none were. */
  readonly likelihoods: number;
  readonly inputs: readonly number[];
  readonly states: readonly number[];
  readonly runs: readonly (Voice | undefined)[];
  /** Places of the node's counters. */
  readonly counters: readonly number[];
  readonly match: Voice | undefined;
  readonly mix: Mix;
  /** The entry of the refining map that learns. */
  readonly refined: number;
  /** Probability of a 1. */
  readonly p: number;
}

interface ReferenceShape {
  readonly contexts: number;
  readonly lineBits: number;
  /** The first so many contexts have counters; 0, or absent: none. */
  readonly counters?: number;
}

function viewOf(stride: number): View {
  const past = new Past();
  const numbers = new Numbers(past, stride);
  return { past, text: new Text(past), numbers, code: new Code(past), match: new Match(past) };
}

/** An element of an array that is there. */
const at = (array: { readonly [index: number]: number }, index: number) => array[index] as number;

/** The bit that an expected byte has next, if it has the bits before: k of them, behind a leading 1 in node. */
function bitOf(byte: number, k: number, node: number): number | undefined {
  return (byte | 256) >> (8 - k) === node ? (byte >> (7 - k)) & 1 : undefined;
}

/** The methods are those of MixerLane (src/engine/mixer/lane.ts), and do the same. */
export class ReferenceLane {
  readonly #shape: ReferenceShape;
  readonly #squash = squashTable();
  readonly #stretch = stretchTable();
  readonly #reciprocals = reciprocalTable();
  readonly #lines: Lines;
  readonly #maps: Int32Array;
  readonly #mapInputs: Int16Array;
  readonly #weights: Weights;
  readonly #runMap: Uint16Array;
  readonly #order0 = new Uint16Array(256).fill(32768);
  readonly #matchMap = initialMatchMap();
  readonly #refine = initialRefine(this.#squash);
  #contexts: readonly Context[] = [];
  #binaryContexts: readonly Context[] = [];
  #stride = 0;
  #pixels: readonly ForeseenNumbers[] = [];
  #foreseen: ForeseenBytes | undefined;
  #view = viewOf(0);
  /** Whether the next block goes on behind what was replayed. */
  #isBehind = false;
  #encoder = new BinaryEncoder();
  #decoder = new BinaryDecoder(new Uint8Array(0));

  constructor(shape: ReferenceShape) {
    const states = histories();
    const maps = initialMaps(shape.contexts, states, this.#stretch);
    this.#shape = shape;
    const { contexts, lineBits, counters = 0 } = shape;
    this.#lines = new Lines(contexts, lineBits, counters, states);
    this.#maps = maps.cells;
    this.#mapInputs = maps.inputs;
    this.#weights = new Weights(contexts, counters, this.#squash);
    this.#runMap = initialRunMap(shape.contexts);
    this.describe(0);
  }

  describe(stride: number, pixels: readonly ForeseenNumbers[] = []): void {
    this.#pixels = pixels;
    const family = familyOf(stride);
    this.#contexts = mixerContexts(family, this.#shape.contexts, stride);
    this.#binaryContexts = mixerContexts(family, this.#shape.contexts, stride, true);
    this.#stride = family === "genome" ? 0 : stride;
    this.#view.numbers.stride = this.#stride;
  }

  begin(): void {
    if (!this.#isBehind) this.#view = viewOf(this.#stride);
    this.#isBehind = false;
    this.#encoder = new BinaryEncoder();
    this.#foreseen = this.#pixels.length > 0 ? new ForeseenBytes(this.#pixels) : undefined;
  }

  encode(bytes: Uint8Array): number {
    for (const byte of bytes) this.#code(this.#encoder, byte);
    return this.#encoder.codedBytes;
  }

  finishEncoding(): Uint8Array {
    return this.#encoder.finish();
  }

  beginDecoding(payload: Uint8Array): void {
    this.begin();
    this.#decoder = new BinaryDecoder(payload);
  }

  decode(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) bytes[i] = this.#code(this.#decoder, 0);
  }

  finishDecoding(): number {
    return this.#decoder.rest();
  }

  study(bytes: Uint8Array): void {
    const coder = new NoCoder();
    for (const byte of bytes) this.#code(coder, byte);
  }

  /** @throws RangeError */
  seed({ contexts, counters = 0, stride, content, skimmedBytes = 0, lessons, tallies, trained }: LanePrior): void {
    if (contexts !== this.#shape.contexts || counters !== (this.#shape.counters ?? 0)) {
      throw new RangeError(`a prior of ${contexts} contexts, ${counters} of them with counters`);
    }
    if (trained) this.#takeTrained(trained);
    this.describe(stride);
    this.begin();
    if (tallies) this.#lines.tallies = new TallyBook(tallies, contexts);
    this.#skim(content.subarray(0, skimmedBytes));
    this.replay(content.subarray(skimmedBytes), lessons);
    this.#isBehind = true;
  }

  #takeTrained(trained: TrainedState): void {
    for (const name of TRAINED_NAMES) {
      const { rows, values } = trained[name];
      if (!rows) this.areas[name].set(values);
      else
        rows.forEach(
          (row, i) =>
            void this.#refine.set(values.subarray(i * REFINE_NODES, (i + 1) * REFINE_NODES), row * REFINE_NODES),
        );
    }
    for (const [i, cell] of this.#maps.entries()) {
      this.#mapInputs[i] = cell === 0 ? 0 : at(this.#stretch, (cell >>> COUNT_BITS) >> 10);
    }
  }

  /** Bytes go by without lines and runs. */
  #skim(bytes: Uint8Array): void {
    for (const byte of bytes) {
      this.#view.numbers.guessSample();
      this.#follow(byte);
    }
  }

  /**
   * Bytes go by as if they were learnt, but nothing is predicted, so nothing learns from errors.
   *
   * @param lessons of a prior: which contexts learn which bytes
   */
  replay(bytes: Uint8Array, lessons?: Uint32Array): void {
    const { contexts } = this.#shape;
    for (const [t, byte] of bytes.entries()) {
      const some = this.#hashes().flatMap((hash, i) => (isLearnt(lessons, contexts, i, t) ? [{ hash, i }] : []));
      const high = some.map(({ hash, i }) => this.#lines.find(i, hash, 0));
      this.#replayNibble(high, byte >> 4);
      const low = some.map(({ hash, i }) => this.#lines.find(i, hash, (byte >> 4) + 1));
      this.#replayNibble(low, byte & 15);
      this.#pass(high, byte);
    }
  }

  /** The same in the middle of a block. */
  rehearse(bytes: Uint8Array): void {
    this.replay(bytes);
  }

  /** Of all contexts, for the next byte. */
  #hashes(): readonly number[] {
    this.#view.numbers.guessSample();
    return hashesOf(this.#view.code.isBinary ? this.#binaryContexts : this.#contexts, this.#view);
  }

  #replayNibble(lines: readonly number[], nibble: number): void {
    for (let k = 0; k < 4; k++) {
      const node = (16 | nibble) >> (4 - k);
      for (const line of lines) this.#lines.learn(line, node, (nibble >> (3 - k)) & 1);
    }
  }

  /** A byte is known. @param lines of its high half */
  #pass(lines: readonly number[], byte: number): void {
    for (const line of lines) this.#lines.learnRun(line, byte);
    this.#follow(byte);
  }

  /** All that contexts are made of moves on. */
  #follow(byte: number): void {
    this.#view.past.push(byte);
    this.#view.text.follow();
    this.#view.code.follow();
    this.#view.match.follow();
  }

  /** Of the test machine's memory nobody keeps count. */
  readonly memoryBytes = 0;

  /** The state, by the names of MixerLane.area. */
  get areas() {
    return {
      maps: this.#maps,
      mapInputs: this.#mapInputs,
      weights: this.#weights.ofSets,
      finals: this.#weights.ofFinals,
      order0: this.#order0,
      matchMap: this.#matchMap,
      refine: this.#refine,
      followers1: this.#view.text.followers1,
      followers2: this.#view.text.followers2,
      places: this.#view.match.places,
      lines: this.#lines.bytes,
      runs: this.#lines.runs,
      runMap: this.#runMap,
      counters: this.#lines.counters,
    };
  }

  /** A byte, in or out. */
  #code(coder: BitCoder, byte: number): number {
    const foreseen = this.#foreseen?.next(this.#contexts.length);
    const hashes = foreseen?.hashes ?? this.#hashes();
    const lines = hashes.map((hash, i) => this.#lines.find(i, hash, 0));
    const outlook: Outlook = { hashes, lines, runs: lines.map((line) => this.#lines.run(line)), foreseen };
    const high = this.#half(coder, byte, outlook, 0, 1, lines);
    const low = hashes.map((hash, i) => this.#lines.find(i, hash, high - 15));
    const y = this.#half(coder, byte, outlook, 4, high, low) & 255;
    this.#pass(lines, y);
    this.#foreseen?.pass(y);
    return y;
  }

  /** Four bits from bit `from`; returns the node behind them. */
  #half(
    coder: BitCoder,
    byte: number,
    outlook: Outlook,
    from: number,
    start: number,
    lines: readonly number[],
  ): number {
    let node = start;
    for (let k = from; k < from + 4; k++) {
      const inNibble = (1 << (k & 3)) | (node & ((1 << (k & 3)) - 1));
      const states = lines.map((line) => this.#lines.state(line, inNibble));
      const counters = lines.slice(0, this.#shape.counters ?? 0).map((line) => this.#lines.counterAt(line, inNibble));
      const prediction = this.#predict(k, node, states, counters, outlook);
      const bit = coder.code(prediction.p, (byte >> (7 - k)) & 1);
      this.#learn(prediction, bit);
      for (const line of lines) this.#lines.learn(line, inNibble, bit);
      node = 2 * node + bit;
    }
    return node;
  }

  #predict(
    k: number,
    node: number,
    states: readonly number[],
    counters: readonly number[],
    outlook: Outlook,
  ): Prediction {
    const known = states.slice(...KNOWN_CONTEXTS).filter((state) => state !== 0).length;
    const likelihoods = outlook.foreseen?.likelihoodsAt(node) ?? [];
    const runs = outlook.runs.map((run, i) => {
      // Where several likelihoods are foreseen, they take the place of the runs.
      const bit = run && likelihoods.length < 2 ? bitOf(run.byte, k, node) : undefined;
      return bit === undefined ? undefined : { cell: RUN_CLASSES * i + (run?.length ?? 0), bit };
    });
    const { expected, length } = this.#view.match;
    const bit = expected === 0 ? undefined : bitOf(expected - 1, k, node);
    const match = bit === undefined ? undefined : { cell: lengthClass(length), bit };
    const long = match === undefined ? 0 : length < 12 ? 1 : length < 24 ? 2 : 3;
    const [likelihood = at(this.#order0, node), ...others] = likelihoods;
    const inputs = this.#gather(states, runs, [likelihood, ...others], match, counters);
    const more = counters.length > 0 ? this.#chooseMore(k, node) : [];
    const chosen = [...this.#choose(k, node, long, known, match !== undefined, outlook.foreseen?.choices), ...more];
    const mix = this.#weights.mix(inputs, chosen, [(long * 8 + k) * 8 + known, node, ...more]);
    const { odds } = mix;
    const coarse = clamp(odds >> 4, STRETCH_MAX) + 2048;
    const row = ((outlook.foreseen?.choices[3] ?? this.#view.past.back(1)) * 256 + node) * REFINE_NODES;
    const refined = row + ((coarse + 64) >> 7);
    const mean = (this.#squashed(odds) + between(this.#refine, row, coarse) + 1) >> 1;
    const p = Math.min(Math.max(mean, PROBABILITY_MIN), 65536 - PROBABILITY_MIN);
    return { node, likelihoods: likelihoods.length, inputs, states, runs, counters, match, mix, refined, p };
  }

  /** @param likelihoods of a 1 by predictors, or by the node alone */
  #gather(
    states: readonly number[],
    runs: Prediction["runs"],
    [likelihood, ...more]: readonly [number, ...number[]],
    match: Voice | undefined,
    counters: readonly number[],
  ): number[] {
    const signed = (voice: Voice, x: number) => (voice.bit === 1 ? x : -x);
    const ofContexts = states.flatMap((state, i) => {
      const run = runs[i];
      const odds = run === undefined ? 0 : signed(run, at(this.#stretch, at(this.#runMap, run.cell) >> 4));
      const another = more[i];
      return [at(this.#mapInputs, 256 * i + state), another === undefined ? odds : at(this.#stretch, another >> 4)];
    });
    const p = match === undefined ? 0 : at(this.#matchMap, match.cell);
    const ofMatch = match && [signed(match, at(this.#stretch, p >> 4)), signed(match, (p - 32768) >> 6)];
    const ofCounters = counters.map((place) => {
      const cell = at(this.#lines.counters, place);
      return cell === 0 ? 0 : at(this.#stretch, cell >>> 20);
    });
    const others = [at(this.#stretch, likelihood >> 4), ...(ofMatch ?? [0, 0]), 256];
    const inputs = [...ofContexts, ...others, ...ofCounters];
    return [...inputs, ...Array<number>(inputsOf(states.length, counters.length) - inputs.length).fill(0)];
  }

  /** The first six weight sets of a bit. */
  #choose(
    k: number,
    node: number,
    long: number,
    known: number,
    matched: boolean,
    foreseen?: readonly number[],
  ): number[] {
    const b1 = this.#view.past.back(1);
    const b2 = this.#view.past.back(2);
    const { code, past, text } = this.#view;
    const classes = code.isBinary ? code.place * 8 : (b1 >> 5) * 64 + (b2 >> 5) * 8;
    const fifth = (this.#stride > 0 ? past.back(this.#stride) * 8 : classes) + k;
    const expected = matched ? this.#view.match.expected : 0;
    const longest = (long * 8 + k) * 8 + known;
    const [second, fifthForeseen, fourth] = (foreseen ?? []).map((choice) => choice * 8 + k);
    return [
      node,
      second ?? b1 * 8 + k,
      longest,
      fourth ?? text.shape & (this.#stride > 0 ? 255 : 4095),
      fifthForeseen ?? fifth,
      expected,
    ];
  }

  /** Two more sets where there are counters, by the last two bytes and by the word's length, and as many finals. */
  #chooseMore(k: number, node: number): number[] {
    const pair = this.#view.past.back(1) | (this.#view.past.back(2) << 8);
    return [Math.imul(pair * 8 + k, 0x9e3779b1) >>> 20, this.#view.text.wordLetters * 256 + node];
  }

  /** The probability of log odds in Q12, between two nodes of the table. */
  #squashed(odds: number): number {
    const low = at(this.#squash, (odds >> 4) + SQUASH_ZERO);
    return low + (((at(this.#squash, (odds >> 4) + SQUASH_ZERO + 1) - low) * (odds & 15) + 8) >> 4);
  }

  #learn(prediction: Prediction, bit: number): void {
    const { mix, inputs } = prediction;
    if (prediction.likelihoods > 1) this.#weights.learn(mix, inputs, bit, SOUND_RATE, SOUND_FINAL_RATE);
    else if (prediction.likelihoods > 0) this.#weights.learn(mix, inputs, bit, FORESEEN_RATE, FORESEEN_FINAL_RATE);
    else this.#weights.learn(mix, inputs, bit);
    for (const place of prediction.counters) {
      const cell = at(this.#lines.counters, place);
      this.#lines.counters[place] = learnt(cell === 0 ? HALF : cell, bit, this.#reciprocals);
    }
    this.#learnMaps(prediction, bit);
    const { node, refined, match, likelihoods } = prediction;
    const target = bit === 1 ? 65535 : 0;
    if (likelihoods === 0) towards(this.#order0, node, target, 6);
    towards(this.#refine, refined, target, 6);
    if (match === undefined) return;
    towards(this.#matchMap, match.cell, match.bit === bit ? 65535 : 0, 7);
    this.#matchMap[match.cell] = Math.max(at(this.#matchMap, match.cell), MATCH_PROBABILITY_MIN);
  }

  #learnMaps({ states, runs }: Prediction, bit: number): void {
    for (const run of runs) if (run) towards(this.#runMap, run.cell, run.bit === bit ? 65535 : 0, 7);
    for (const [i, state] of states.entries()) {
      if (state === 0) continue;
      const cell = learnt(at(this.#maps, 256 * i + state), bit, this.#reciprocals);
      this.#maps[256 * i + state] = cell;
      this.#mapInputs[256 * i + state] = at(this.#stretch, cell >>> 20);
    }
  }
}
