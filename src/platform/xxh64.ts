/**
 * xxHash64 of bytes that come in pieces: an index may be longer than anybody wants to hold. Everything else in an
 * archive is hashed in one go (checksum.ts), by the runtime where it can, else by this. Numbers of 64 bits are two
 * halves of 32, because a BigInt for each would be slow.
 */

const MASK = (1n << 64n) - 1n;
const P1 = 0x9e3779b185ebca87n;
const P2 = 0xc2b2ae3d27d4eb4fn;
const P3 = 0x165667b19e3779f9n;
const P4 = 0x85ebca77c2b2ae63n;
const P5 = 0x27d4eb2f165667c5n;
const [P1_HIGH, P1_LOW] = [0x9e3779b1, 0x85ebca87];
const [P2_HIGH, P2_LOW] = [0xc2b2ae3d, 0x27d4eb4f];

const LANES = 4;
const STRIPE_BYTES = 8 * LANES;

const rotate = (value: bigint, bits: bigint) => ((value << bits) | (value >> (64n - bits))) & MASK;

/** The high half of a product of two unsigned 32-bit numbers. */
function multiplyHigh(a: number, b: number): number {
  const [aLow, aHigh] = [a & 0xffff, a >>> 16];
  const [bLow, bHigh] = [b & 0xffff, b >>> 16];
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const other = aLow * bHigh + (middle & 0xffff);
  return aHigh * bHigh + (middle >>> 16) + (other >>> 16);
}

export class Xxh64 {
  /** The lanes' low and high halves. */
  readonly #low = new Uint32Array(LANES);
  readonly #high = new Uint32Array(LANES);
  /** Bytes that do not fill a stripe yet. */
  readonly #rest = new Uint8Array(STRIPE_BYTES);
  #restBytes = 0;
  #totalBytes = 0;
  readonly #seed: bigint;

  constructor(seed = 0n) {
    this.#seed = seed;
    [seed + P1 + P2, seed + P2, seed, seed - P1].forEach((value, lane) => {
      this.#low[lane] = Number(value & 0xffff_ffffn);
      this.#high[lane] = Number((value >> 32n) & 0xffff_ffffn);
    });
  }

  update(bytes: Uint8Array): void {
    this.#totalBytes += bytes.length;
    let from = 0;
    if (this.#restBytes > 0) {
      from = Math.min(bytes.length, STRIPE_BYTES - this.#restBytes);
      this.#rest.set(bytes.subarray(0, from), this.#restBytes);
      this.#restBytes += from;
      if (this.#restBytes < STRIPE_BYTES) return;
      this.#stripes(this.#rest, 0, STRIPE_BYTES);
      this.#restBytes = 0;
    }
    const end = bytes.length - ((bytes.length - from) % STRIPE_BYTES);
    this.#stripes(bytes, from, end);
    this.#rest.set(bytes.subarray(end));
    this.#restBytes = bytes.length - end;
  }

  /** acc = rotate(acc + input * P2, 31) * P1, for each lane of each stripe. */
  #stripes(bytes: Uint8Array, from: number, end: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = from; at < end; at += 8) {
      const lane = ((at - from) >> 3) % LANES;
      const inLow = view.getUint32(at, true);
      const inHigh = view.getUint32(at + 4, true);
      const productLow = Math.imul(inLow, P2_LOW) >>> 0;
      const productHigh = multiplyHigh(inLow, P2_LOW) + Math.imul(inHigh, P2_LOW) + Math.imul(inLow, P2_HIGH);
      const sumLow = (this.#low[lane] as number) + productLow;
      const low = sumLow >>> 0;
      const high = ((this.#high[lane] as number) + productHigh + (sumLow > 0xffff_ffff ? 1 : 0)) >>> 0;
      const turnedLow = ((low << 31) | (high >>> 1)) >>> 0;
      const turnedHigh = ((high << 31) | (low >>> 1)) >>> 0;
      this.#low[lane] = Math.imul(turnedLow, P1_LOW);
      this.#high[lane] =
        multiplyHigh(turnedLow, P1_LOW) + Math.imul(turnedHigh, P1_LOW) + Math.imul(turnedLow, P1_HIGH);
    }
  }

  /** The low 32 bits of the hash of all bytes so far: what checksum.ts calls their guard. */
  guard(): number {
    return Number(this.digest() & 0xffff_ffffn);
  }

  /** The hash of all bytes so far. */
  digest(): bigint {
    let hash = (this.#totalBytes >= STRIPE_BYTES ? this.#merged() : this.#seed + P5) + BigInt(this.#totalBytes);
    const view = new DataView(this.#rest.buffer);
    let at = 0;
    for (; at + 8 <= this.#restBytes; at += 8) {
      const word = rotate((view.getBigUint64(at, true) * P2) & MASK, 31n) * P1;
      hash = rotate((hash ^ word) & MASK, 27n) * P1 + P4;
    }
    if (at + 4 <= this.#restBytes) {
      hash = rotate((hash ^ (BigInt(view.getUint32(at, true)) * P1)) & MASK, 23n) * P2 + P3;
      at += 4;
    }
    for (; at < this.#restBytes; at += 1) {
      hash = rotate((hash ^ (BigInt(view.getUint8(at)) * P5)) & MASK, 11n) * P1;
    }
    hash = ((hash & MASK) ^ ((hash & MASK) >> 33n)) * P2;
    hash = ((hash & MASK) ^ ((hash & MASK) >> 29n)) * P3;
    return (hash & MASK) ^ ((hash & MASK) >> 32n);
  }

  #merged(): bigint {
    const lane = (i: number) => (BigInt(this.#high[i] as number) << 32n) | BigInt(this.#low[i] as number);
    let hash = 0n;
    [1n, 7n, 12n, 18n].forEach((bits, i) => {
      hash += rotate(lane(i), bits);
    });
    for (let i = 0; i < LANES; i += 1) {
      hash = ((hash & MASK) ^ ((rotate((lane(i) * P2) & MASK, 31n) * P1) & MASK)) * P1 + P4;
    }
    return hash & MASK;
  }
}
