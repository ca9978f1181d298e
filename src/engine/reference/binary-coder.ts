/**
 * The binary range coder of the bit mixer: 32 bits wide, without carries. An interval [low, high] is split at every bit
 * by the 16-bit probability of a 1, which takes the lower part; bytes that both ends share are written.
 */

/** The last number of [low, high] that stands for a 1, all as u32. */
function split(low: number, high: number, p: number): number {
  const range = (high - low) >>> 0;
  return (low + Math.imul(range >>> 16, p) + (Math.imul(range & 0xffff, p) >>> 16)) >>> 0;
}

/** What a decoder reads first, and so how far it is ahead. */
const LOOKAHEAD_BYTES = 4;

const agree = (low: number, high: number) => (low ^ high) >>> 24 === 0;

/** One bit in or out: what the mixer asks of either coder. */
export interface BitCoder {
  /**
   * @param p probability of a 1, 1 … 65535
   * @param bit what to code; a decoder does not look at it
   * @returns the bit
   */
  code(p: number, bit: number): number;
}

/** Says what it is told: for learning without coding. */
export class NoCoder implements BitCoder {
  code(_p: number, bit: number): number {
    return bit;
  }
}

export class BinaryEncoder implements BitCoder {
  #low = 0;
  #high = 0xffffffff;
  readonly #bytes: number[] = [];

  code(p: number, bit: number): number {
    const middle = split(this.#low, this.#high, p);
    if (bit === 1) this.#high = middle;
    else this.#low = middle + 1;
    while (agree(this.#low, this.#high)) {
      this.#bytes.push(this.#high >>> 24);
      this.#low = (this.#low << 8) >>> 0;
      this.#high = ((this.#high << 8) | 255) >>> 0;
    }
    return bit;
  }

  /** So far. */
  get codedBytes(): number {
    return this.#bytes.length;
  }

  /** The payload. First bytes of low and high differ: one above low's decides, with the zeros that are read behind. */
  finish(): Uint8Array {
    if (this.#low > 0) this.#bytes.push((this.#low >>> 24) + 1);
    return Uint8Array.from(this.#bytes);
  }
}

export class BinaryDecoder implements BitCoder {
  #low = 0;
  #high = 0xffffffff;
  #code = 0;
  #at = 0;
  readonly #bytes: Uint8Array;

  constructor(payload: Uint8Array) {
    this.#bytes = payload;
    for (let i = 0; i < LOOKAHEAD_BYTES; i++) this.#read();
  }

  /** By how many bytes the payload was too long (above 0) or too short (below 0) for what was decoded. */
  rest(): number {
    const tailBytes = this.#low > 0 ? 1 : 0;
    return this.#bytes.length - (this.#at - LOOKAHEAD_BYTES + tailBytes);
  }

  #read(): void {
    this.#code = ((this.#code << 8) | (this.#bytes[this.#at++] ?? 0)) >>> 0;
  }

  code(p: number): number {
    const middle = split(this.#low, this.#high, p);
    const bit = this.#code <= middle ? 1 : 0;
    if (bit === 1) this.#high = middle;
    else this.#low = middle + 1;
    while (agree(this.#low, this.#high)) {
      this.#low = (this.#low << 8) >>> 0;
      this.#high = ((this.#high << 8) | 255) >>> 0;
      this.#read();
    }
    return bit;
  }
}
