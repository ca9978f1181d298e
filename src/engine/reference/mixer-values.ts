/**
 * What the bit mixer's contexts know of a block so far, written to be read: words, lines, brackets and shapes of text,
 * neighbours in images, guesses of sound. docs/MIXER.md has the same in words.
 */

import { clamp } from "../../contract/fixed.ts";
import type { Part } from "../../contract/mixer.ts";
import {
  COLUMN_MAX,
  NEWLINE,
  OPENED_MAX,
  SAMPLE_MAX,
  TAP_COUNT,
  TAP_MAX,
  WORD_LETTERS_MAX,
} from "../../contract/mixer-numbers.ts";
import { MIX_MULTIPLIER, mixInto } from "../../contract/recall.ts";

/** The bytes of a block so far; before the first they are 0. */
export class Past {
  bytes = new Uint8Array(1 << 12);
  time = 0;

  /** The byte so many places back, 1 is the newest. */
  back(o: number): number {
    return o <= this.time ? (this.bytes[this.time - o] as number) : 0;
  }

  push(y: number): void {
    if (this.time === this.bytes.length) {
      const more = new Uint8Array(2 * this.time);
      more.set(this.bytes);
      this.bytes = more;
    }
    this.bytes[this.time++] = y;
  }
}

const isOneOf = (y: number, characters: string) => characters.includes(String.fromCharCode(y));

/** One of 16 classes of bytes. */
function classOf(y: number): number {
  if (y >= 97 && y <= 122) return 1;
  if (y >= 65 && y <= 90) return 2;
  if (y >= 48 && y <= 57) return 3;
  if (y === 32) return 4;
  if (y === NEWLINE) return 5;
  if (y === 0) return 6;
  if (y === 255) return 7;
  if (y < 32) return 8;
  if (y >= 128) return 9 + ((y >> 6) & 1);
  return 11 + ((Math.imul(y, MIX_MULTIPLIER) >>> 16) % 5);
}

export class Text {
  readonly #past: Past;
  #words: [number, number, number] = [0, 0, 0];
  readonly followers1 = new Uint16Array(256);
  readonly followers2 = new Uint16Array(65536);
  /** Classes of the last eight bytes, four bits each; u32. */
  shape = 0;
  /** Letters that the last bytes are, from a to z, at most WORD_LETTERS_MAX. */
  wordLetters = 0;
  readonly #opened = new Uint32Array(OPENED_MAX);
  #depth = 0;
  #lineStart = 0;
  #lineBefore = 0;

  constructor(past: Past) {
    this.#past = past;
  }

  /** By the part's name: a number of 32 bits. */
  readonly values = {
    word: () => this.#words[0],
    wordBefore: () => this.#words[1],
    wordThird: () => this.#words[2],
    followers1: () => this.#followers(this.followers1, this.#past.back(1)),
    followers2: () => this.#followers(this.followers2, this.#past.back(1) | (this.#past.back(2) << 8)),
    shape: () => this.shape,
    shortShape: () => this.shape & 65535,
    opened: () => (this.#depth === 0 ? 0 : (this.#opened[(this.#depth - 1) % OPENED_MAX] as number)),
    column: () => Math.min(this.#past.time - this.#lineStart, COLUMN_MAX),
    above: () => this.#above(),
  } satisfies Partial<Record<Part, () => number>>;

  #followers(table: Uint16Array, key: number): number {
    return (table[key] as number) | (this.#past.back(1) << 16);
  }

  /** The byte of the line before in the column that comes; a line's end if that line is shorter. */
  #above(): number {
    const at = this.#lineBefore + this.#past.time - this.#lineStart;
    return at < this.#lineStart ? (this.#past.bytes[at] as number) : NEWLINE;
  }

  /** After the newest byte of the past. */
  follow(): void {
    const past = this.#past;
    const y = past.back(1);
    const two = past.back(2) | (past.back(3) << 8);
    this.followers1[past.back(2)] = ((this.followers1[past.back(2)] as number) << 8) | y;
    this.followers2[two] = ((this.followers2[two] as number) << 8) | y;
    const kind = classOf(y);
    this.shape = ((this.shape << 4) | kind) >>> 0;
    this.wordLetters = kind === 1 || kind === 2 ? Math.min(this.wordLetters + 1, WORD_LETTERS_MAX) : 0;
    this.#followBrackets(y);
    this.#followWord(y);
    if (y !== NEWLINE) return;
    this.#lineBefore = this.#lineStart;
    this.#lineStart = past.time;
  }

  #followBrackets(y: number): void {
    if (isOneOf(y, "([{<")) {
      const before = [5, 4, 3, 2].reduce((all, o) => (all << 8) | this.#past.back(o), 0);
      this.#opened[this.#depth % OPENED_MAX] = before + 1;
      this.#depth++;
    } else if (isOneOf(y, ")]}>") && this.#depth > 0) this.#depth--;
  }

  #followWord(y: number): void {
    const [word, before, third] = this.#words;
    const upper = y >= 65 && y <= 90;
    if (upper || (y >= 97 && y <= 122) || y >= 128) this.#words = [mixInto(word, upper ? y + 32 : y), before, third];
    else if (word !== 0) this.#words = [0, word, before];
  }
}

const byteOf = (x: number) => Math.min(Math.max(x, 0), 255);

export class Numbers {
  readonly #past: Past;
  /** As MixerLane.describe has it, but 0 for a genome. */
  stride: number;
  #guess = 0;
  #guessedDelta = 0;
  readonly #taps = new Int32Array(TAP_COUNT);
  readonly #deltas = new Int32Array(TAP_COUNT);

  constructor(past: Past, stride: number) {
    this.#past = past;
    this.stride = stride;
  }

  readonly values = {
    phase: () => this.#past.time % (this.stride >= 2 && this.stride <= 64 ? this.stride : 4),
    gradient1: () => this.#gradient(1, 0),
    gradient3: () => this.#gradient(3, 0),
    colour: () => byteOf(this.#gradient(3, 0) + this.#past.back(1) - this.#gradient(3, 1)),
    mean1: () => (this.#past.back(1) + this.#past.back(this.stride)) >> 1,
    mean3: () => (this.#past.back(3) + this.#past.back(this.stride)) >> 1,
    sample1: () => this.#toSample(this.#before(1), 4),
    sample2: () => this.#toSample(2 * this.#before(1) - this.#before(2), 4),
    fine2: () => this.#toSample(2 * this.#before(1) - this.#before(2), 2),
    sample3: () => this.#toSample(3 * (this.#before(1) - this.#before(2)) + this.#before(3), 4),
    coarseGuess: () => this.#toSample(this.#guess, 6),
    guess: () => this.#toSample(this.#guess, 4),
    fineGuess: () => this.#toSample(this.#guess, 2),
  } satisfies Partial<Record<Part, () => number>>;

  /** The plane through three neighbours of the byte `at` back; the left neighbour lies `near` before it. */
  #gradient(near: number, at: number): number {
    const back = (o: number) => this.#past.back(at + o);
    return byteOf(back(near) + back(this.stride) - back(this.stride + near));
  }

  /** The 16-bit sample whose lower byte lies so many back. */
  #sample(o: number): number {
    return ((this.#past.back(o) | (this.#past.back(o - 1) << 8)) << 16) >> 16;
  }

  /** Bytes from a sample to the next of its channel. */
  get #spacing(): number {
    return this.stride === 3 ? 4 : 2;
  }

  /** The n-th sample of this channel before the one that is on its way. */
  #before(n: number): number {
    return this.#sample(n * this.#spacing + (this.#past.time & 1));
  }

  /** For a sample's lower byte what is expected of both, for its higher byte what is left of it. */
  #toSample(expected: number, shift: number): number {
    if (this.#past.time & 1) return ((expected - this.#past.back(1) + 16) >> 5) & 65535;
    return ((expected >> shift) & 65535) | 65536;
  }

  /** Before each byte: at a sample's first one, what the guess of the last sample teaches, and the next guess. */
  guessSample(): void {
    if ((this.stride !== 2 && this.stride !== 3) || this.#past.time & 1) return;
    const step = this.#spacing;
    const error = this.#sample(2) - this.#sample(2 + step) - this.#guessedDelta;
    const energy = this.#deltas.reduce((sum, delta) => sum + Math.abs(delta), 64);
    const gain = clamp(Math.trunc((error << 14) / energy), SAMPLE_MAX);
    const unit = (energy >> 8) + 1;
    let sum = 0;
    for (const [i, delta] of this.#deltas.entries()) {
      const moved = (this.#taps[i] as number) + ((Math.trunc((gain * delta) / unit) + 1) >> 1);
      this.#taps[i] = clamp(moved, TAP_MAX);
      const o = 2 + 2 * i;
      this.#deltas[i] = clamp(this.#sample(o) - this.#sample(o + step), SAMPLE_MAX);
      sum = (sum + Math.imul((this.#taps[i] as number) >> 6, this.#deltas[i] as number)) | 0;
    }
    this.#guessedDelta = sum >> 14;
    this.#guess = this.#sample(step) + this.#guessedDelta;
  }
}
