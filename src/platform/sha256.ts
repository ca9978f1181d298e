/**
 * SHA-256 (FIPS 180-4) of bytes that come in pieces, for runtimes whose own takes only whole arrays, and answers later:
 * browsers. An archive needs it of the short entries of an index.
 */
import type { Sha256 } from "./host-interface.ts";

const BLOCK_BYTES = 64;
const LENGTH_BYTES = 8;
const ROUNDS = 64;

/** The first 32 bits of the fractional parts of roots of the first primes. */
function fractions(count: number, root: (prime: number) => number): Uint32Array {
  const primes: number[] = [];
  for (let n = 2; primes.length < count; n += 1) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  return Uint32Array.from(primes, (prime) => (root(prime) % 1) * 2 ** 32);
}

const CONSTANTS = fractions(ROUNDS, Math.cbrt);
const START = fractions(8, Math.sqrt);

const rotate = (word: number, bits: number) => (word >>> bits) | (word << (32 - bits));

class Sha256State implements Sha256 {
  readonly #state = START.slice();
  readonly #words = new Uint32Array(ROUNDS);
  readonly #rest = new Uint8Array(BLOCK_BYTES);
  #restBytes = 0;
  #totalBytes = 0;

  update(data: Uint8Array | Float64Array): void {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.#totalBytes += bytes.length;
    for (let at = 0; at < bytes.length; ) {
      const count = Math.min(BLOCK_BYTES - this.#restBytes, bytes.length - at);
      this.#rest.set(bytes.subarray(at, at + count), this.#restBytes);
      this.#restBytes += count;
      at += count;
      if (this.#restBytes < BLOCK_BYTES) return;
      this.#block(this.#state, this.#rest);
      this.#restBytes = 0;
    }
  }

  digestHex(): string {
    const isLong = this.#restBytes + 1 + LENGTH_BYTES > BLOCK_BYTES;
    const end = new Uint8Array(isLong ? 2 * BLOCK_BYTES : BLOCK_BYTES);
    end.set(this.#rest.subarray(0, this.#restBytes));
    end[this.#restBytes] = 0x80;
    new DataView(end.buffer).setBigUint64(end.length - LENGTH_BYTES, BigInt(this.#totalBytes) * 8n);
    const state = this.#state.slice();
    for (let at = 0; at < end.length; at += BLOCK_BYTES) this.#block(state, end.subarray(at, at + BLOCK_BYTES));
    return [...state].map((word) => word.toString(16).padStart(8, "0")).join("");
  }

  #block(state: Uint32Array, block: Uint8Array): void {
    const words = this.#words;
    const view = new DataView(block.buffer, block.byteOffset, BLOCK_BYTES);
    for (let i = 0; i < ROUNDS; i += 1) {
      if (i < BLOCK_BYTES / 4) {
        words[i] = view.getUint32(4 * i);
        continue;
      }
      const [early, late] = [words[i - 15] as number, words[i - 2] as number];
      const low = rotate(early, 7) ^ rotate(early, 18) ^ (early >>> 3);
      const high = rotate(late, 17) ^ rotate(late, 19) ^ (late >>> 10);
      words[i] = (words[i - 16] as number) + low + (words[i - 7] as number) + high;
    }
    let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
    for (let i = 0; i < ROUNDS; i += 1) {
      const mixed = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
      const first = (h + mixed + ((e & f) ^ (~e & g)) + (CONSTANTS[i] as number) + (words[i] as number)) | 0;
      const second = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
    }
    for (const [i, word] of [a, b, c, d, e, f, g, h].entries()) state[i] = (state[i] as number) + word;
  }
}

export const portableSha256 = (): Sha256 => new Sha256State();
