/**
 * The panel of predictors of sound, and what it foresees of each byte, in plain TypeScript, as docs/NUMERICS.md section
 * 13 has it: no vectors, no circular memory, no ranges that are narrowed bit by bit. The kernels are held against it.
 */
import type { Sound } from "../../src/predict/list.ts";
import { at, dot, newFilters, Squares, teachFilters } from "./sound-twin.ts";

/** Least squares of the panel: taps in all, and of them the other channel's if there is one. */
const MEMBERS = [
  { taps: 96, otherTaps: 32, forgetting: 0.996, solveEvery: 32 },
  { taps: 32, otherTaps: 12, forgetting: 0.993, solveEvery: 8 },
  { taps: 20, otherTaps: 8, forgetting: 0.985, solveEvery: 4 },
  { taps: 10, otherTaps: 4, forgetting: 0.96, solveEvery: 4 },
];
const OPINIONS = MEMBERS.length - 1 + 3;
const ASTRAY = 2 ** 26;

const bounded = (value: number) => (value > -ASTRAY && value < ASTRAY ? value : 0);

class PanelChannel {
  /** Newest first, with as many zeros as any member needs. */
  own = new Array<number>(96).fill(0);
  others = new Array<number>(96).fill(0);
  /** What was missed, newest first. */
  missed = [0, 0, 0];
  readonly errors = [200, 200, 200];
  readonly memberErrors = MEMBERS.map(() => 200);
  said: number[] = [];
  expected = 0;
  readonly #members = MEMBERS.map(({ taps }) => new Squares(taps));
  readonly #trust = new Squares(OPINIONS);
  readonly #filters = newFilters();
  #heard: number[] = [];
  #opinions: number[] = [];
  #samples = 0;

  constructor(readonly hasOther: boolean) {}

  ask(newestOther: number): void {
    if (this.hasOther) this.others = [newestOther, ...this.others.slice(0, 95)];
    this.said = this.#members.map(({ weights }, i) => bounded(dot(weights, this.#tapsOf(i))));
    const first = at(this.said, 0);
    this.#heard = this.#filters.map((filter) => filter.ask());
    this.#opinions = [...this.said.slice(1).map((said) => said - first), ...this.#heard];
    this.expected = bounded(first + dot(this.#trust.weights, this.#opinions));
  }

  teach(sample: number): void {
    this.#samples += 1;
    const target = sample - at(this.said, 0);
    const error = at(this.errors, 1);
    this.#trust.add(this.#opinions, target, 1 / (1 + error * error), 0.998);
    this.#trust.solve(1, 1e-6);
    for (const [i, member] of this.#members.entries()) {
      const { forgetting, solveEvery } = MEMBERS[i] as (typeof MEMBERS)[0];
      member.add(this.#tapsOf(i), sample, 1 / (1 + at(this.memberErrors, i)), forgetting);
      if (this.#samples % solveEvery === 0) member.solve(0.3, 0);
      follow(this.memberErrors, i, Math.abs(sample - at(this.said, i)), 0.05);
    }
    for (const [i, pace] of [0.2, 0.05, 0.0125].entries())
      follow(this.errors, i, Math.abs(sample - this.expected), pace);
    this.missed = [sample - Math.floor(this.expected + 0.5), at(this.missed, 0), at(this.missed, 1)];
    teachFilters(this.#filters, this.#heard, target);
    this.own = [sample, ...this.own.slice(0, 95)];
  }

  #tapsOf(i: number): number[] {
    const { taps, otherTaps } = MEMBERS[i] as (typeof MEMBERS)[0];
    const others = this.hasOther ? otherTaps : 0;
    return [...this.own.slice(0, taps - others), ...this.others.slice(0, others)];
  }
}

function follow(errors: number[], i: number, size: number, pace: number): void {
  errors[i] = at(errors, i) + (size - at(errors, i)) * pace;
}

/** What is foreseen of a byte. */
interface Outlook {
  readonly contexts: readonly number[];
  readonly choices: readonly number[];
}

/** Samples in turn: each is predicted, foreseen byte by byte, and then told. */
export class PanelTwin {
  readonly #sound: Sound;
  readonly #limit: number;
  readonly #channels: PanelChannel[];
  #turn = 0;
  #prediction = 0;

  constructor(sound: Sound) {
    this.#sound = sound;
    this.#limit = 2 ** (8 * sound.width - 1);
    this.#channels = Array.from({ length: sound.channels }, () => new PanelChannel(sound.channels > 1));
  }

  get #channel(): PanelChannel {
    return this.#channels[this.#turn] as PanelChannel;
  }

  get #other(): PanelChannel {
    return this.#channels[this.#turn === 0 ? this.#channels.length - 1 : this.#turn - 1] as PanelChannel;
  }

  /** What is left of whole samples. */
  code(plain: Uint8Array): Uint8Array {
    const { width, isBig, isUnsigned } = this.#sound;
    const result = plain.slice();
    for (let i = 0; i + width <= plain.length; i += width) {
      this.predict();
      const bytes = [...plain.subarray(i, i + width)];
      const value = (isBig ? bytes : bytes.reverse()).reduce((sum, byte) => 256 * sum + byte, 0);
      const sample = this.#wrapped(value - (isUnsigned ? this.#limit : 0));
      const left = this.#wrapped(sample - this.#prediction);
      const zigzag = left < 0 ? -2 * left - 1 : 2 * left;
      for (let k = 0; k < width; k += 1) result[i + k] = Math.floor(zigzag / 256 ** (width - 1 - k)) % 256;
      this.#tell(sample);
    }
    return result;
  }

  predict(): void {
    this.#channel.ask(at(this.#other.own, 0));
    const { expected } = this.#channel;
    const limit = this.#limit;
    this.#prediction = Math.floor(expected + 0.5);
    if (!(expected > -limit)) this.#prediction = -limit;
    else if (!(expected < limit - 1)) this.#prediction = limit - 1;
  }

  /** What is left of the sample has come. */
  tellLeft(zigzag: number): void {
    const left = zigzag % 2 === 1 ? -(zigzag + 1) / 2 : zigzag / 2;
    this.#tell(this.#wrapped(left + this.#prediction));
  }

  #tell(sample: number): void {
    this.#channel.teach(sample);
    this.#turn = (this.#turn + 1) % this.#channels.length;
  }

  #wrapped(value: number): number {
    const range = 2 * this.#limit;
    return ((((value + this.#limit) % range) + range) % range) - this.#limit;
  }

  /** How likely the next bit of what is left is 1, by each distribution. @param before the bits of the sample so far */
  likelihoods(before: number, bitCount: number): number[] {
    const { expected, said, errors, memberErrors } = this.#channel;
    const leftBits = 8 * this.#sound.width - bitCount;
    const start = before * 2 ** leftBits;
    const ends = [start, start + 2 ** (leftBits - 1), start + 2 ** leftBits].map((end) => Math.floor(end / 2));
    const distributions = [
      [expected, at(errors, 1)],
      [expected, at(errors, 0)],
      [expected, at(errors, 2)],
      ...said.map((centre, i) => [centre, at(memberErrors, i)]),
    ] as [number, number][];
    return distributions.map(([centre, error]) => {
      const scale = 1 / (0.9 * error + 0.25);
      const below = (end: number) => shareBelow((end - centre) * scale);
      const [near, half, far] = ends.map((end) => below(this.#prediction + end - 0.5)) as [number, number, number];
      const [near2, half2, far2] = ends.map((end) => below(this.#prediction - end - 0.5)) as [number, number, number];
      const [zeros, ones] =
        leftBits > 1 ? [half - near + (near2 - half2), far - half + (half2 - far2)] : [far - near, near2 - far2];
      return Math.floor(Math.min(Math.max((ones + 1e-7) / (zeros + ones + 2e-7), 0), 0.9999) * 65536);
    });
  }

  /** @param place of the byte in its sample @param high the bytes of the sample before it, the highest first */
  outlook(place: number, high: number): Outlook {
    const channel = this.#channel;
    const prediction = this.#prediction;
    const [fast = 0, error = 0, slow = 0] = channel.errors.map((mean) => classOf(Math.floor(mean * 8), 2));
    const fraction = Math.max(0, Math.floor((channel.expected + 0.5 - prediction) * 16)) % 16;
    const [m1, m2, m3] = channel.missed as [number, number, number];
    const beside = channel.hasOther ? at(this.#other.missed, 0) : 0;
    const [d1, d2, d3, d4] = channel.said.map((said) => Math.floor((said - prediction) * 2 + 0.5)) as [
      number,
      number,
      number,
      number,
    ];
    const highClass = Math.min(classOf(high, 2), 63);
    const isLater = place > 0;
    const behind = 64 * Math.min(place, 2) + highClass;
    const choices = [
      isLater ? 128 + Math.min(error, 127) : Math.min(error, 127),
      isLater ? 128 + Math.min(fast, 127) : Math.min(fast, 127),
      isLater ? behind : Math.min(slow, 63),
      isLater ? behind : Math.min(error, 63),
    ];
    const values: readonly (readonly number[])[] = [
      [error],
      [fast, slow],
      [fraction, error >> 1],
      [signedClass(d1, 1), signedClass(d2, 1)],
      [signedClass(d3, 1), error >> 1],
      [signedClass(m1, 1), error >> 1],
      [signedClass(m1, 1), signedClass(m2, 1), signedClass(m3, 0)],
      [prediction],
      [signedClass(beside, 2), error >> 2],
      [signedClass(d4, 2), fraction],
      [signedClass(d1, 2), error >> 1],
      [signedClass(d2, 2), error >> 1],
      [error, slow],
      [fast, fraction >> 2],
      [signedClass(d1, 0), signedClass(d2, 0), signedClass(d3, 0) * 64 + signedClass(d4, 0)],
      [(prediction >>> 0) >>> 4],
      [prediction & 255],
      [signedClass(beside, 1), signedClass(m1, 1)],
      [classOf(Math.abs(m1) + Math.abs(m2) + Math.abs(m3), 2), error],
      [fraction],
      [slow],
      [signedClass(d3, 2), signedClass(d4, 1)],
      [signedClass(d1 - d2, 2), error >> 2],
      [signedClass(d2 - d3, 2), error >> 2],
      [fast, error, slow],
      [signedClass(m1, 3)],
      [(prediction >>> 0) >>> 6, error >> 1],
      [0],
    ];
    const known = into(place, high);
    const contexts = values.map(([a = 0, b = 0, c = 0]) => into(into(into(known, a), b), c));
    return { contexts, choices };
  }
}

/** Student's t of four degrees of freedom: the share below t. */
function shareBelow(t: number): number {
  const square = t * t;
  const q = 1 / (1 + square * 0.25);
  return 0.5 + 0.375 * t * (Math.sqrt(q) * (1 - (square * q) / 12));
}

function into(h: number, v: number): number {
  const x = Math.imul(h + v + 1, 0x9e3779b1);
  return (x ^ (x >>> 15)) >>> 0;
}

function classOf(x: number, bits: number): number {
  if (x < 2 << bits) return x;
  const e = 31 - Math.clz32(x) - bits;
  return (e << bits) + (x >>> e);
}

const signedClass = (x: number, bits: number) => 2 * classOf(Math.abs(x), bits) + (x < 0 ? 1 : 0);
