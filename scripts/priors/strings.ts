/**
 * Frequent strings: what a prior's content is made of. A string is a few tokens in a row (of text: words, numbers,
 * white space, single characters; of executables: bytes) that occur in several independent packages; so it is a
 * statistic of a kind of data, not a piece of anybody's work. Which of them are worth their bytes is chosen greedily.
 */
import type { Sample } from "./samples.ts";

/** A string counts if samples of so many packages have it. */
export const PACKAGES_MIN = 4;
const STRING_BYTES_MAX = 64;
const STRING_BYTES_MIN = 4;
const TOKENS_MAX = 28;

/** What is worth something: pieces of so many bytes, by the number of samples that have them. */
const PIECE_BYTES = 5;
const PIECE_TABLE_BITS = 24;
/** What is in many samples is worth less than as many times as much: they know it soon. Measured; 1 is 0.7 % worse. */
const WEIGHT_POWER = 0.6;

interface FrequentString {
  readonly bytes: Uint8Array;
  readonly packages: number;
  readonly samples: number;
}

/** All samples as one array of token numbers, and where each token begins. */
interface Tokens {
  readonly numbers: Int32Array;
  readonly starts: Uint32Array;
  /** Of each token. */
  readonly samples: Uint32Array;
  readonly bytes: Uint8Array;
  readonly packages: readonly number[];
}

const classes = Uint8Array.from({ length: 256 }, (_, byte) => {
  const text = String.fromCharCode(byte);
  if (/[A-Za-z]/.test(text) || byte >= 128) return 1;
  if (/[0-9]/.test(text)) return 2;
  return text === " " || text === "\t" ? 3 : 0;
});

/** Bytes of the token at `at`: a word, a number, blanks (a newline with those behind it), or one byte. */
function tokenBytes(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at] as number;
  const kind = first === 10 ? 3 : (classes[first] as number);
  if (kind === 0) return 1;
  let to = at + 1;
  while (to < end && classes[bytes[to] as number] === kind) to++;
  return to - at;
}

function tokensOf(samples: readonly Sample[], isBinary: boolean): Tokens {
  const size = samples.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const bytes = new Uint8Array(size);
  const [numbers, starts, of] = [
    new Int32Array(size + samples.length),
    new Uint32Array(size + samples.length),
    new Uint32Array(size + samples.length),
  ];
  const known = new Map<string, number>();
  let [count, at] = [0, 0];
  for (const [s, sample] of samples.entries()) {
    bytes.set(sample.bytes, at);
    const end = at + sample.bytes.length;
    while (at < end) {
      const length = isBinary ? 1 : tokenBytes(bytes, at, end);
      const text = length === 1 ? `${bytes[at]}` : Buffer.from(bytes.buffer, at, length).toString("latin1");
      const number = known.get(text) ?? known.size;
      known.set(text, number);
      [numbers[count], starts[count], of[count]] = [number, at, s];
      count++;
      at += length;
    }
    // Between two samples: no string reaches across.
    [numbers[count], starts[count], of[count]] = [-1, at, s];
    count++;
  }
  const packages = samples.map((sample) => sample.package);
  return {
    numbers: numbers.subarray(0, count),
    starts: starts.subarray(0, count),
    samples: of.subarray(0, count),
    bytes,
    packages,
  };
}

/** Counts pairs of numbers: in how many packages and samples each occurs. */
class PairCounter {
  readonly #firsts: Int32Array;
  readonly #seconds: Int32Array;
  readonly #mask: number;
  readonly packages: Uint16Array;
  readonly samples: Uint16Array;
  readonly #lastPackages: Int32Array;
  readonly #lastSamples: Int32Array;

  /** @param pairs that there are at most */
  constructor(pairs: number) {
    const slots = 2 ** Math.max(8, Math.ceil(Math.log2(pairs * 1.5 + 1)));
    this.#mask = slots - 1;
    this.#firsts = new Int32Array(slots).fill(-1);
    this.#seconds = new Int32Array(slots);
    this.packages = new Uint16Array(slots);
    this.samples = new Uint16Array(slots);
    this.#lastPackages = new Int32Array(slots).fill(-1);
    this.#lastSamples = new Int32Array(slots).fill(-1);
  }

  slotOf(a: number, b: number): number {
    let h = Math.imul(a, 0x9e3779b1) ^ Math.imul(b + 1, 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
    let slot = (h ^ (h >>> 13)) & this.#mask;
    while (this.#firsts[slot] !== -1 && (this.#firsts[slot] !== a || this.#seconds[slot] !== b))
      slot = (slot + 1) & this.#mask;
    return slot;
  }

  add(a: number, b: number, packageNumber: number, sample: number): void {
    const slot = this.slotOf(a, b);
    this.#firsts[slot] = a;
    this.#seconds[slot] = b;
    if (this.#lastPackages[slot] !== packageNumber) (this.packages[slot] as number)++;
    if (this.#lastSamples[slot] !== sample) (this.samples[slot] as number)++;
    this.#lastPackages[slot] = packageNumber;
    this.#lastSamples[slot] = sample;
  }
}

interface Candidates {
  readonly starts: number[];
  readonly lengths: number[];
  readonly packages: number[];
  readonly samples: number[];
}

/** All strings that occur in PACKAGES_MIN packages: longer ones are looked for where shorter ones are frequent. */
function candidatesOf(tokens: Tokens): Candidates {
  const { numbers, starts, samples, packages } = tokens;
  const found: Candidates = { starts: [], lengths: [], packages: [], samples: [] };
  // Numbers of the frequent strings of n tokens at each token; of strings of no token: all the same.
  let before = Int32Array.from(numbers, (number) => (number < 0 ? -1 : 0));
  for (let n = 1; n <= TOKENS_MAX; n++) {
    const pairAt = (i: number): [number, number] | undefined => {
      if (n === 1) return (numbers[i] as number) < 0 ? undefined : [0, numbers[i] as number];
      const [a, b] = [before[i] as number, (before[i + 1] ?? -1) as number];
      return a < 0 || b < 0 ? undefined : [a, b];
    };
    let pairs = 0;
    for (let i = 0; i < numbers.length; i++) if (pairAt(i)) pairs++;
    if (pairs === 0) break;
    const counter = new PairCounter(pairs);
    for (let i = 0; i < numbers.length; i++) {
      const pair = pairAt(i);
      if (pair) counter.add(pair[0], pair[1], packages[samples[i] as number] as number, samples[i] as number);
    }
    const named = new Map<number, number>();
    const now = new Int32Array(numbers.length).fill(-1);
    for (let i = 0; i < numbers.length; i++) {
      const pair = pairAt(i);
      if (!pair) continue;
      const slot = counter.slotOf(pair[0], pair[1]);
      if ((counter.packages[slot] as number) < PACKAGES_MIN) continue;
      const length = (starts[i + n] as number) - (starts[i] as number);
      if (length > STRING_BYTES_MAX) continue;
      const name = named.get(slot) ?? named.size;
      if (name === named.size && length >= STRING_BYTES_MIN) note(found, starts[i] as number, length, counter, slot);
      named.set(slot, name);
      now[i] = name;
    }
    before = now;
  }
  return found;
}

function note(found: Candidates, start: number, length: number, counter: PairCounter, slot: number): void {
  found.starts.push(start);
  found.lengths.push(length);
  found.packages.push(counter.packages[slot] as number);
  found.samples.push(counter.samples[slot] as number);
}

/** For each piece of PIECE_BYTES: in how many samples it is, 0 if in too few packages. */
class PieceValues {
  readonly values = new Float64Array(1 << PIECE_TABLE_BITS);

  constructor(samples: readonly Sample[], weight: (count: number) => number) {
    const size = 1 << PIECE_TABLE_BITS;
    const [counts, packages] = [new Uint16Array(size), new Uint16Array(size)];
    const [lastSamples, lastPackages] = [new Int32Array(size).fill(-1), new Int32Array(size).fill(-1)];
    for (const [s, sample] of samples.entries()) {
      for (let at = 0; at + PIECE_BYTES <= sample.bytes.length; at++) {
        const slot = this.slotOf(sample.bytes, at);
        if (lastSamples[slot] === s) continue;
        lastSamples[slot] = s;
        (counts[slot] as number)++;
        if (lastPackages[slot] !== sample.package) (packages[slot] as number)++;
        lastPackages[slot] = sample.package;
      }
    }
    for (let slot = 0; slot < size; slot++) {
      if ((packages[slot] as number) >= PACKAGES_MIN) this.values[slot] = weight(counts[slot] as number);
    }
  }

  slotOf(bytes: Uint8Array, at: number): number {
    let hash = 0;
    for (let i = 0; i < PIECE_BYTES; i++) hash = Math.imul(hash ^ (bytes[at + i] as number), 0x01000193) + 0x3c6ef372;
    hash = Math.imul(hash ^ (hash >>> 15), 0x9e3779b1);
    return hash >>> (32 - PIECE_TABLE_BITS);
  }

  /** What a string would add, for each byte that it takes. */
  densityOf(bytes: Uint8Array, start: number, length: number): number {
    let sum = 0;
    let counted = 0;
    for (let at = start; at + PIECE_BYTES <= start + length; at++) {
      const slot = this.slotOf(bytes, at);
      const value = this.values[slot] as number;
      if (value === 0) continue;
      // A piece that the string has twice counts once.
      this.values[slot] = 0;
      sum += value;
      undo[counted++] = slot;
      undoValues[counted] = value;
    }
    for (let i = 0; i < counted; i++) this.values[undo[i] as number] = undoValues[i + 1] as number;
    return sum / length;
  }

  take(bytes: Uint8Array, start: number, length: number): void {
    for (let at = start; at + PIECE_BYTES <= start + length; at++) this.values[this.slotOf(bytes, at)] = 0;
  }
}

const undo = new Uint32Array(STRING_BYTES_MAX + 1);
const undoValues = new Float64Array(STRING_BYTES_MAX + 2);

/** Numbers with scores; the largest comes first, of equals the lowest number. */
class Heap {
  readonly #items: number[];
  readonly #scores: Float64Array;

  constructor(scores: Float64Array) {
    this.#scores = scores;
    this.#items = [...scores.keys()].filter((i) => (scores[i] as number) > 0);
    for (let i = (this.#items.length >> 1) - 1; i >= 0; i--) this.#sink(i);
  }

  get top(): number | undefined {
    return this.#items[0];
  }

  /** The top has another score now, which is lower. */
  lower(score: number): void {
    const top = this.#items[0] as number;
    this.#scores[top] = score;
    if (score <= 0) {
      const last = this.#items.pop() as number;
      if (this.#items.length === 0) return;
      this.#items[0] = last;
    }
    this.#sink(0);
  }

  #isBefore(a: number, b: number): boolean {
    const [x, y] = [this.#scores[a] as number, this.#scores[b] as number];
    return x > y || (x === y && a < b);
  }

  #sink(from: number): void {
    const items = this.#items;
    const item = items[from] as number;
    let i = from;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && this.#isBefore(items[child + 1] as number, items[child] as number)) child++;
      if (!this.#isBefore(items[child] as number, item)) break;
      items[i] = items[child] as number;
      i = child;
    }
    items[i] = item;
  }
}

interface StringOptions {
  readonly isBinary: boolean;
  /** Bytes that all strings take. */
  readonly bytesMax: number;
  /** What a piece is worth that so many samples have. */
  readonly weight?: (samples: number) => number;
}

/** The strings that are worth most for their bytes, best first. */
export function frequentStrings(samples: readonly Sample[], options: StringOptions): FrequentString[] {
  const { isBinary, bytesMax, weight = (count) => count ** WEIGHT_POWER } = options;
  const tokens = tokensOf(samples, isBinary);
  const found = candidatesOf(tokens);
  const pieces = new PieceValues(samples, weight);
  const density = (i: number) => pieces.densityOf(tokens.bytes, found.starts[i] as number, found.lengths[i] as number);
  const scores = Float64Array.from(found.starts, (_, i) => density(i));
  const heap = new Heap(scores);
  const chosen: FrequentString[] = [];
  for (let left = bytesMax; left > 0; ) {
    const best = heap.top;
    if (best === undefined) break;
    const score = density(best);
    if (score < (scores[best] as number)) {
      heap.lower(score);
      continue;
    }
    const [start, length] = [found.starts[best] as number, found.lengths[best] as number];
    pieces.take(tokens.bytes, start, length);
    heap.lower(0);
    left -= length;
    chosen.push({
      bytes: tokens.bytes.slice(start, start + length),
      packages: found.packages[best] as number,
      samples: found.samples[best] as number,
    });
  }
  return chosen;
}

/** Strings as a prior's content: the best stand last, where they are nearest. */
export function contentOf(strings: readonly FrequentString[]): Uint8Array {
  return new Uint8Array(Buffer.concat([...strings].reverse().map(({ bytes }) => bytes)));
}
