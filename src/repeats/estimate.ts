/**
 * Estimates what the network will pay for each byte of a block, so that only those repeats are cut out that cost more
 * than a copy does. Length alone does not tell: in a log, a hundred repeated bytes are foreseen within a few bits; in a
 * genome, whose four letters say little each, thirty take longer to recognise than a copy takes to write.
 *
 * The estimate is a coarse cousin of the recall stream: for some context lengths a table of the byte that followed last
 * and how often in a row, and one match that is followed as long as it is right. The longest context that knows
 * something is asked first; how much it is trusted follows from how often such answers were right so far; where it
 * fails, the next shorter one is asked, and at last the frequencies behind the last byte. Integers only, so that every
 * machine cuts the same.
 */
import { release } from "../platform/release.ts";

/** Costs are in 32nds of a bit. */
export const COST_UNITS = 32;

/** Context lengths with a table, longest first. */
const ORDERS = [6, 4, 3, 2];
/** Bytes that a match must have behind it, and the classes of its length. */
const MATCH_BYTES = 10;
const MATCH_CLASSES = 24;
/** How often in a row an answer was right: 0 to 15. */
const RUNS = 16;
const PROBABILITY_BITS = 12;
const CERTAIN = 2 ** PROBABILITY_BITS;
/** Trust moves by a 64th; it is kept in 2^16ths. */
const TRUST_SHIFT = 6;
const TRUST_SCALE = 16 - PROBABILITY_BITS;
const TRUST_MARGIN = 24;
/** Of the window, the estimate learns from so many bytes before the block. */
const LESSON_BYTES = 2 ** 22;
const FREQUENCY_STEP = 24;
const FREQUENCY_LIMIT = 4000;
/** Sums are kept in full for one place in 16; six answers of at most 384 units a byte fit between two into 16 bits. */
const SUM_SHIFT = 4;

/** -log2(p / 2^12) in units, by squaring: a square has the double logarithm. */
const COSTS = Uint16Array.from({ length: CERTAIN + 1 }, (_, p) => costOf(Math.max(1, p)));

function costOf(p: number): number {
  const whole = 31 - Math.clz32(p);
  let mantissa = p * 2 ** (15 - whole);
  let fraction = 0;
  for (let unit = 2; unit <= COST_UNITS; unit *= 2) {
    mantissa = Math.floor((mantissa * mantissa) / 2 ** 15);
    fraction *= 2;
    if (mantissa >= 2 ** 16) {
      fraction += 1;
      mantissa = Math.floor(mantissa / 2);
    }
  }
  return (PROBABILITY_BITS - whole) * COST_UNITS - fraction;
}

/** How often one kind of answer is right, and what that makes it cost. */
class Trust {
  readonly #right: Uint16Array;

  constructor(classes: number) {
    this.#right = new Uint16Array(classes).fill(2 ** 15);
  }

  /** The cost of learning whether an answer of this class is right. */
  cost(kind: number, isRight: boolean): number {
    const right = this.#right[kind] as number;
    const p = right >>> TRUST_SCALE;
    this.#right[kind] = isRight
      ? right + ((2 ** 16 - TRUST_MARGIN - right) >> TRUST_SHIFT)
      : right - (right >> TRUST_SHIFT);
    return COSTS[isRight ? p : CERTAIN - p] as number;
  }
}

/** What followed each context last: the byte, and how often in a row. */
class Followers {
  readonly #slots: Uint16Array;
  readonly #shift: number;
  readonly #trust = new Trust(RUNS);
  readonly #mask: number;
  #slot = 0;

  constructor(order: number, bits: number) {
    this.#slots = new Uint16Array(2 ** bits);
    this.#shift = 32 - bits;
    this.#mask = order >= 4 ? -1 : 2 ** (8 * order) - 1;
  }

  close(): void {
    release(this.#slots);
  }

  /** Looks at the context: the last four bytes, and a hash of those before. Gives the answer, or -1 without one. */
  look(last4: number, earlier: number): number {
    this.#slot = (Math.imul((last4 & this.#mask) + Math.imul(earlier, 0x2545f491), 0x9e3779b1) >>> this.#shift) | 0;
    const slot = this.#slots[this.#slot] as number;
    return slot < 256 ? -1 : slot & 255;
  }

  /** The cost of learning whether the answer is right. */
  cost(isRight: boolean): number {
    return this.#trust.cost((this.#slots[this.#slot] as number) >>> 8, isRight);
  }

  /** Takes in which byte it was: a right answer counts, a wrong one loses most of its count, and then its place. */
  learn(byte: number): void {
    const slot = this.#slots[this.#slot] as number;
    const run = slot >>> 8;
    if (run > 0 && (slot & 255) === byte) {
      if (run < RUNS - 1) this.#slots[this.#slot] = slot + 256;
    } else {
      this.#slots[this.#slot] = run > 2 ? slot - ((run + 1) >> 1) * 256 : 256 + byte;
    }
  }
}

/** Follows the place where the last bytes stood before, as long as it tells right. */
class Match {
  readonly #bytes: Uint8Array;
  readonly #places: Uint32Array;
  readonly #shift: number;
  readonly #trust = new Trust(MATCH_CLASSES);
  #at = 0;
  #length = 0;
  #hash = 0;

  constructor(bytes: Uint8Array, bits: number) {
    this.#bytes = bytes;
    this.#places = new Uint32Array(2 ** bits);
    this.#shift = 32 - bits;
  }

  close(): void {
    release(this.#places);
  }

  /** The answer, or -1 without one. */
  look(): number {
    return this.#length > 0 ? (this.#bytes[this.#at] as number) : -1;
  }

  cost(isRight: boolean): number {
    const length = this.#length;
    const kind = length < 16 ? length : Math.min(MATCH_CLASSES - 1, 11 + 31 - Math.clz32(length));
    return this.#trust.cost(kind, isRight);
  }

  learn(position: number): void {
    const byte = this.#bytes[position] as number;
    if (this.#length > 0 && this.#bytes[this.#at] === byte) {
      this.#length += 1;
      this.#at += 1;
    } else {
      this.#length = 0;
    }
    // 32 bits, each byte shifted out after MATCH_BYTES steps by an even factor to the power.
    this.#hash = (Math.imul(this.#hash, 0x2f0b4c47 << 3) + byte + 1) | 0;
    const slot = Math.imul(this.#hash, 0x9e3779b1) >>> this.#shift;
    if (this.#length === 0 && position >= MATCH_BYTES) {
      this.#at = this.#places[slot] as number;
      while (this.#length < 32 && this.#at > this.#length && this.#agrees(position)) this.#length += 1;
      if (this.#length < MATCH_BYTES) this.#length = 0;
    }
    this.#places[slot] = position + 1;
  }

  #agrees(position: number): boolean {
    return this.#bytes[this.#at - 1 - this.#length] === this.#bytes[position - this.#length];
  }
}

/** Frequencies of the bytes behind each byte. */
class Frequencies {
  readonly #counts = new Uint16Array(256 * 256).fill(1);
  readonly #totals = new Uint32Array(256).fill(256);

  cost(before: number, byte: number): number {
    const p = Math.floor((CERTAIN * (this.#counts[before * 256 + byte] as number)) / (this.#totals[before] as number));
    return COSTS[p] as number;
  }

  learn(before: number, byte: number): void {
    const at = before * 256 + byte;
    this.#counts[at] = (this.#counts[at] as number) + FREQUENCY_STEP;
    this.#totals[before] = (this.#totals[before] as number) + FREQUENCY_STEP;
    if ((this.#totals[before] as number) < FREQUENCY_LIMIT) return;
    let total = 0;
    for (let i = before * 256; i < (before + 1) * 256; i += 1) {
      this.#counts[i] = ((this.#counts[i] as number) + 1) >> 1;
      total += this.#counts[i] as number;
    }
    this.#totals[before] = total;
  }
}

/**
 * What stretches of a block will cost, by estimate. Places count from the start of the block.
 * Memory: 2.25 bytes for each byte of the block, and until its end is reached up to 12 MiB of tables.
 */
export class CostEstimate {
  /** The cost of all bytes before every 16th place, modulo 2^32, and from there to each place. */
  readonly #sums: Uint32Array;
  readonly #sinceSum: Uint16Array;
  readonly #bytes: Uint8Array;
  readonly #blockStart: number;
  readonly #tables: readonly Followers[];
  readonly #match: Match;
  readonly #frequencies = new Frequencies();
  #position: number;
  #total = 0;
  #last4 = 0;
  #earlier = 0;

  /** @param bytes the window and behind it the block, which starts at `blockStart` */
  constructor(bytes: Uint8Array, blockStart: number) {
    const first = Math.max(0, blockStart - LESSON_BYTES);
    const bits = Math.max(12, Math.min(20, 32 - Math.clz32(bytes.length - first)));
    this.#bytes = bytes;
    this.#blockStart = blockStart;
    this.#position = first;
    this.#tables = ORDERS.map((order) => new Followers(order, Math.min(bits, 8 * order)));
    this.#match = new Match(bytes, bits);
    const places = bytes.length - blockStart + 1;
    this.#sinceSum = new Uint16Array(places);
    this.#sums = new Uint32Array(Math.ceil(places / 2 ** SUM_SHIFT));
  }

  /** The cost of the bytes from `start` up to, but not including, `end`. */
  cost(start: number, end: number): number {
    return (this.#before(end) - this.#before(start)) >>> 0;
  }

  #before(place: number): number {
    return (this.#sums[place >>> SUM_SHIFT] as number) + (this.#sinceSum[place] as number);
  }

  /** Gives its memory back. */
  [Symbol.dispose](): void {
    release(this.#sums);
    release(this.#sinceSum);
    this.#closeTables();
  }

  #closeTables(): void {
    for (const table of [...this.#tables, this.#match]) table.close();
  }

  /** Goes on for `count` bytes. @returns false at the end of the block */
  advance(count: number): boolean {
    const end = Math.min(this.#bytes.length, this.#position + count);
    for (let position = this.#position; position < end; position += 1) {
      const cost = this.#step(position, this.#bytes[position] as number);
      if (position >= this.#blockStart) this.#note(position - this.#blockStart + 1, cost);
    }
    this.#position = end;
    if (end < this.#bytes.length) return true;
    this.#closeTables();
    return false;
  }

  #note(place: number, cost: number): void {
    this.#total = (this.#total + cost) >>> 0;
    const at = place >>> SUM_SHIFT;
    if (place % 2 ** SUM_SHIFT === 0) this.#sums[at] = this.#total;
    else this.#sinceSum[place] = this.#total - (this.#sums[at] as number);
  }

  #step(position: number, byte: number): number {
    const last4 = this.#last4;
    const before = last4 & 255;
    const tables = this.#tables;
    const matched = this.#match.look();
    let isKnown = matched === byte;
    let cost = matched >= 0 ? this.#match.cost(isKnown) : 0;
    let wrong = matched;
    for (let i = 0; i < tables.length; i += 1) {
      const table = tables[i] as Followers;
      const answer = table.look(last4, i === 0 ? this.#earlier : 0);
      if (!isKnown && answer >= 0 && answer !== wrong) {
        isKnown = answer === byte;
        cost += table.cost(isKnown);
        wrong = answer;
      }
      table.learn(byte);
    }
    if (!isKnown) cost += this.#frequencies.cost(before, byte);
    this.#frequencies.learn(before, byte);
    this.#match.learn(position);
    this.#earlier = ((this.#earlier << 8) | (last4 >>> 24)) & 0xffff;
    this.#last4 = (last4 << 8) | byte;
    return cost;
  }
}
