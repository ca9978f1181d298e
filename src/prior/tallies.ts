/**
 * Tallies of samples: which contexts most of them have in common, and which bytes follow these. What is in few samples,
 * or few independent sources of samples, is nobody's statistic but somebody's text, and stays out.
 */
import { ceilLog2 } from "../contract/fixed.ts";
import { TALLY_COUNTS } from "../contract/tally.ts";
import { MixerLane } from "../engine/mixer/lane.ts";
import type { Tally } from "./tally-bytes.ts";

interface TallySample {
  readonly bytes: Uint8Array;
  /** Number of where it comes from, below 65535: samples of one source are not independent. */
  readonly source: number;
}

interface TallyChoice {
  /** Of the lane. */
  readonly contexts: number;
  /** For each context: tallies at most. */
  readonly tallies: readonly number[];
  /** A context counts if so many sources have it, and a byte if it follows the context in so many. */
  readonly sourcesMin: number;
}

/** Counts of a tally are brought below this, together; what is then less than half of one is left out. */
const TOTAL_MAX = 255;
/** What a lane is given at a time, of what it goes through to give hashes. */
const PIECE_BYTES = 1 << 15;
/** The lane's lines do not matter. */
const LINE_BITS = 4;
const NO_SOURCE = 65535;
const TABLE_BITS_MIN = 12;
const FILTER_BITS = 22;

/** All samples, with the hashes of some contexts at each of their bytes. */
class Hashed {
  readonly bytes: Uint8Array;
  /** Of each byte: its source, and its sample modulo 2^16. */
  readonly sources: Uint16Array;
  readonly samples: Uint16Array;
  /** Of each context that is asked for. */
  readonly hashes = new Map<number, Uint32Array>();

  constructor(samples: readonly TallySample[], contexts: number, wanted: readonly number[]) {
    const size = samples.reduce((sum, { bytes }) => sum + bytes.length, 0);
    this.bytes = new Uint8Array(size);
    this.sources = new Uint16Array(size);
    this.samples = new Uint16Array(size);
    for (const context of wanted) this.hashes.set(context, new Uint32Array(size));
    const lane = new MixerLane({ contexts, lineBits: LINE_BITS });
    let at = 0;
    for (const [i, { bytes, source }] of samples.entries()) {
      this.sources.fill(source, at, at + bytes.length);
      this.samples.fill(i % NO_SOURCE, at, at + bytes.length);
      lane.begin();
      for (let from = 0; from < bytes.length; from += PIECE_BYTES) {
        const piece = bytes.subarray(from, from + PIECE_BYTES);
        const hashes = lane.hashesOf(piece);
        for (const [context, all] of this.hashes) {
          all.set(hashes.subarray(context * piece.length, (context + 1) * piece.length), at);
        }
        this.bytes.set(piece, at);
        at += piece.length;
      }
    }
  }

  /** The hashes of a context that most samples have, ascending. */
  frequent(context: number, { tallies, sourcesMin }: TallyChoice): Uint32Array {
    const counter = new HashCounter(this.bytes.length);
    const hashes = this.hashes.get(context) as Uint32Array;
    for (let t = 0; t < hashes.length; t++) {
      counter.add(hashes[t] as number, this.sources[t] as number, this.samples[t] as number);
    }
    return counter.best(tallies[context] as number, sourcesMin).sort();
  }

  /** How often each byte followed each of these hashes, 256 counts for each: 0 if it did in too few sources. */
  followers(context: number, chosen: Uint32Array, sourcesMin: number): Uint32Array {
    const numbers = new Map([...chosen].map((hash, i): [number, number] => [hash, i]));
    const filter = new Uint8Array(1 << FILTER_BITS);
    for (const hash of chosen) filter[hash >>> (32 - FILTER_BITS)] = 1;
    const counts = new Uint32Array(256 * chosen.length);
    const sources = new Uint16Array(counts.length);
    const lastSources = new Uint16Array(counts.length).fill(NO_SOURCE);
    const hashes = this.hashes.get(context) as Uint32Array;
    for (let t = 0; t < hashes.length; t++) {
      const hash = hashes[t] as number;
      const number = filter[hash >>> (32 - FILTER_BITS)] === 0 ? undefined : numbers.get(hash);
      if (number === undefined) continue;
      const entry = 256 * number + (this.bytes[t] as number);
      counts[entry] = (counts[entry] as number) + 1;
      if (lastSources[entry] !== this.sources[t]) sources[entry] = (sources[entry] as number) + 1;
      lastSources[entry] = this.sources[t] as number;
    }
    return counts.map((count, entry) => ((sources[entry] as number) < sourcesMin ? 0 : count));
  }
}

/** In how many sources and samples each hash occurs, and how often. */
class HashCounter {
  readonly #shift: number;
  readonly #hashes: Uint32Array;
  readonly #visits: Uint32Array;
  readonly #sources: Uint16Array;
  readonly #samples: Uint16Array;
  readonly #lastSources: Uint16Array;
  readonly #lastSamples: Uint16Array;

  constructor(visits: number) {
    const bits = Math.max(TABLE_BITS_MIN, ceilLog2(1 + Math.ceil(1.3 * visits)));
    this.#shift = 32 - bits;
    this.#hashes = new Uint32Array(1 << bits);
    this.#visits = new Uint32Array(1 << bits);
    this.#sources = new Uint16Array(1 << bits);
    this.#samples = new Uint16Array(1 << bits);
    this.#lastSources = new Uint16Array(1 << bits).fill(NO_SOURCE);
    this.#lastSamples = new Uint16Array(1 << bits).fill(NO_SOURCE);
  }

  add(hash: number, source: number, sample: number): void {
    let slot = Math.imul(hash, 0x9e3779b1) >>> this.#shift;
    while (this.#visits[slot] !== 0 && this.#hashes[slot] !== hash) slot = (slot + 1) & (this.#hashes.length - 1);
    this.#hashes[slot] = hash;
    this.#visits[slot] = (this.#visits[slot] as number) + 1;
    if (this.#lastSources[slot] !== source) this.#sources[slot] = (this.#sources[slot] as number) + 1;
    if (this.#lastSamples[slot] !== sample) this.#samples[slot] = (this.#samples[slot] as number) + 1;
    this.#lastSources[slot] = source;
    this.#lastSamples[slot] = sample;
  }

  /** So many hashes that most samples have, of those that enough sources have. */
  best(count: number, sourcesMin: number): Uint32Array {
    const slots: number[] = [];
    for (const [slot, sources] of this.#sources.entries()) if (sources >= sourcesMin) slots.push(slot);
    const of = (values: Uint16Array | Uint32Array, slot: number) => values[slot] as number;
    slots.sort(
      (a, b) =>
        of(this.#samples, b) - of(this.#samples, a) ||
        of(this.#visits, b) - of(this.#visits, a) ||
        of(this.#hashes, a) - of(this.#hashes, b),
    );
    return Uint32Array.from(slots.slice(0, count), (slot) => of(this.#hashes, slot));
  }
}

/** The count of TALLY_COUNTS that is nearest to a number. */
function nearestCount(wanted: number): number {
  return TALLY_COUNTS.reduce((best, count) => (Math.abs(count - wanted) < Math.abs(best - wanted) ? count : best), 1);
}

/** Bytes and counts of a tally. */
function tallyOf(followers: Uint32Array): (readonly [number, number])[] {
  const total = followers.reduce((sum, count) => sum + count, 0);
  const share = Math.min(1, TOTAL_MAX / total);
  const entries = [...followers].map((count, byte) => [byte, count * share] as const);
  return entries.filter(([, count]) => count >= 0.5).map(([byte, count]) => [byte, nearestCount(count)] as const);
}

/** Tallies of samples, for each context, in the order of their hashes. */
export function chooseTallies(samples: readonly TallySample[], choice: TallyChoice): Tally[][] {
  const wanted = [...choice.tallies.keys()].filter((context) => (choice.tallies[context] as number) > 0);
  const hashed = new Hashed(samples, choice.contexts, wanted);
  return Array.from({ length: choice.contexts }, (_, context) => {
    if (!wanted.includes(context)) return [];
    const chosen = hashed.frequent(context, choice);
    const followers = hashed.followers(context, chosen, choice.sourcesMin);
    const tallies = [...chosen].map((hash, i) => ({
      hash,
      followers: tallyOf(followers.subarray(256 * i, 256 * (i + 1))),
    }));
    return tallies.filter((tally) => tally.followers.length > 0);
  });
}
