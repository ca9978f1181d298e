/** What the bit mixer's contexts lead to, written to be read: lines of histories, runs of bytes, and the match. */
import { mix32 } from "../../contract/fixed.ts";
import type { Histories } from "../../contract/histories.ts";
import {
  COUNTER_LINE_BYTES,
  type Context,
  LINE_BYTES,
  MATCH_LENGTH_MAX,
  MATCH_MIN,
  PARTS,
  type Part,
  RUN_CLASSES,
} from "../../contract/mixer.ts";
import {
  BUCKET_LINES,
  CONTEXT_STEP,
  HALF_STEP,
  MATCH_LENGTH_LIMIT,
  PLACE_BITS,
  RUN_COUNT_MAX,
  VERIFY_MAX,
} from "../../contract/mixer-numbers.ts";
import { mixInto } from "../../contract/recall.ts";
import type { Code } from "./mixer-code.ts";
import type { TallyBook } from "./mixer-tallies.ts";
import type { Numbers, Past, Text } from "./mixer-values.ts";

/** The last place where the newest bytes have been before. */
export class Match {
  readonly #past: Past;
  readonly places = new Uint32Array(1 << PLACE_BITS);
  /** The byte that it expects + 1, or 0. */
  expected = 0;
  /** How many bytes have agreed. */
  length = 0;
  #at = 0;

  constructor(past: Past) {
    this.#past = past;
  }

  /** A part of contexts: what is expected, and how surely. */
  value(): number {
    if (this.expected === 0) return 0;
    return this.expected * 8 + Math.min(this.length >> 2, this.length < 32 ? 4 : 5);
  }

  /** After the newest byte of the past. */
  follow(): void {
    const past = this.#past;
    const goesOn = this.length > 0 && this.expected === past.back(1) + 1;
    this.length = goesOn ? Math.min(this.length + 1, MATCH_LENGTH_LIMIT) : 0;
    if (goesOn) this.#at++;
    this.expected = 0;
    if (past.time < MATCH_MIN) return;
    let hash = 0;
    for (let o = 1; o <= MATCH_MIN; o++) hash = mixInto(hash, past.back(o));
    const place = mix32(hash) >>> (32 - PLACE_BITS);
    if (this.length === 0) this.#begin(this.places[place] as number);
    this.places[place] = past.time;
    if (this.length > 0) this.expected = 1 + (past.bytes[this.#at] as number);
  }

  #begin(at: number): void {
    const room = Math.min(at, VERIFY_MAX);
    let length = 0;
    while (length < room && this.#past.bytes[at - 1 - length] === this.#past.back(length + 1)) length++;
    this.#at = at;
    this.length = length < MATCH_MIN ? 0 : length;
  }
}

/** What the contexts of a block look at. */
export interface View {
  readonly past: Past;
  readonly text: Text;
  readonly numbers: Numbers;
  readonly code: Code;
  readonly match: Match;
}

/** The hash of every context of the next byte; u32. */
export function hashesOf(contexts: readonly Context[], { past, text, numbers, code, match }: View): number[] {
  const others = { ...numbers.values, ...code.values };
  const values: Record<Part, () => number> = { ...text.values, ...others, expected: () => match.value() };
  return contexts.map(({ order, parts, offsets }, i) => {
    let hash = 0;
    for (let o = 1; o <= order; o++) hash = mixInto(hash, past.back(o));
    hash = (hash + Math.imul(i, CONTEXT_STEP)) >>> 0;
    for (const part of PARTS) if (parts.includes(part)) hash = mixInto(hash, values[part]());
    for (const o of offsets) hash = mixInto(hash, past.back(o));
    return mix32(hash);
  });
}

/** Lines: a check and the states of the 15 nodes of a nibble. Each has a run, which lines of high halves use. */
export class Lines {
  readonly bytes: Uint8Array;
  /** The byte that followed last, and how often in a row above it; 0: none. */
  readonly runs: Uint16Array;
  /** Of the first contexts, for each line as many counters as it has bytes, by node: Q22 above a count of 10 bits. */
  readonly counters: Uint32Array;
  /** What lines begin with. */
  tallies: TallyBook | undefined;
  readonly #lineBits: number;
  readonly #states: Histories;

  /** @param counted contexts that have counters */
  constructor(contexts: number, lineBits: number, counted: number, states: Histories) {
    this.#lineBits = lineBits;
    this.#states = states;
    this.bytes = new Uint8Array((contexts << lineBits) * LINE_BYTES);
    this.runs = new Uint16Array(contexts << lineBits);
    this.counters = new Uint32Array(((counted << lineBits) * COUNTER_LINE_BYTES) / 4);
  }

  /**
   * The line of a context: the one with its check, else the emptiest of its bucket, which is emptied for it.
   *
   * @param half 0, or the byte's high half + 1
   * @returns the line's number
   */
  find(context: number, hash: number, half: number): number {
    const h = half === 0 ? hash : mix32((hash + Math.imul(half, HALF_STEP)) >>> 0);
    const check = Math.max(1, h & 255);
    const first = (context << this.#lineBits) + ((h >>> 8) & ((1 << this.#lineBits) - BUCKET_LINES));
    const bucket = Array.from({ length: BUCKET_LINES }, (_, j) => first + j);
    const known = bucket.find((line) => this.bytes[line * LINE_BYTES] === check);
    if (known !== undefined) return known;
    const line = bucket.reduce((best, other) => (this.#total(other) < this.#total(best) ? other : best));
    this.bytes.fill(0, line * LINE_BYTES, (line + 1) * LINE_BYTES);
    const states = this.tallies?.states(context, hash, half);
    if (states) this.bytes.set(states, line * LINE_BYTES);
    this.bytes[line * LINE_BYTES] = check;
    this.runs[line] = 0;
    this.counters.fill(0, line * LINE_BYTES, (line + 1) * LINE_BYTES);
    return line;
  }

  /** How much the first node of a line has seen. */
  #total(line: number): number {
    return this.#states.total[this.state(line, 1)] as number;
  }

  /** @param node of the nibble, 1 … 15 */
  state(line: number, node: number): number {
    return this.bytes[line * LINE_BYTES + node] as number;
  }

  learn(line: number, node: number, bit: number): void {
    this.bytes[line * LINE_BYTES + node] = this.#states.next[2 * this.state(line, node) + bit] as number;
  }

  /** The place of a node's counter, if its context has any. */
  counterAt(line: number, node: number): number {
    return line * LINE_BYTES + node;
  }

  /** What a line's context was followed by, and the class of how often in a row (from 0); undefined: nothing yet. */
  run(line: number): { readonly byte: number; readonly length: number } | undefined {
    const run = this.runs[line] as number;
    return run === 0 ? undefined : { byte: run & 255, length: Math.min(run >> 8, RUN_CLASSES) - 1 };
  }

  learnRun(line: number, byte: number): void {
    const run = this.runs[line] as number;
    const goesOn = run !== 0 && (run & 255) === byte;
    this.runs[line] = goesOn ? (Math.min((run >> 8) + 1, RUN_COUNT_MAX) << 8) | byte : 256 | byte;
  }
}

/** A match's length, in classes that widen. */
export function lengthClass(length: number): number {
  const l = Math.min(length, MATCH_LENGTH_MAX);
  if (l < 16) return l;
  if (l < 32) return 16 + ((l - 16) >> 2);
  return l < 64 ? 20 + ((l - 32) >> 3) : 24 + Math.min(7, (l - 64) >> 5);
}
