/**
 * Reading and writing of single fields. Everything an archive claims passes through ByteReader, which checks before
 * it moves: no field is ever read past the end, and no length is believed before the bytes it speaks of are there.
 *
 * Varints are LEB128: seven bits a byte, low bits first, the high bit set on all bytes but the last, in the shortest
 * form only, so that one value has one spelling.
 */
import { CorruptError, TruncatedError } from "./errors.ts";

/** Ten bytes of seven bits hold any u64. */
const VARINT_BYTES_MAX = 10;
/** And seven a number that a double holds exactly. */
const SMALL_VARINT_BYTES = 7;
const U64_MAX = (1n << 64n) - 1n;

/** How long `value` is as a varint. */
export function varintBytes(value: number): number {
  let count = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) count += 1;
  return count;
}

/** A cursor over untrusted bytes. Offsets in errors count from the start of the archive. */
export class ByteReader {
  readonly #view: DataView;

  /** @param offset into `bytes` @param baseBytes where `bytes` lies in the archive */
  constructor(
    readonly bytes: Uint8Array,
    public offset = 0,
    readonly baseBytes = 0,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Where the cursor is in the archive. */
  get position(): number {
    return this.baseBytes + this.offset;
  }

  get remainingBytes(): number {
    return this.bytes.length - this.offset;
  }

  /** @throws TruncatedError */
  u8(field: string): number {
    this.#need(field, 1);
    const value = this.#view.getUint8(this.offset);
    this.offset += 1;
    return value;
  }

  /** @throws TruncatedError */
  u32(field: string): number {
    this.#need(field, 4);
    const value = this.#view.getUint32(this.offset, true);
    this.offset += 4;
    return value;
  }

  /** @throws TruncatedError */
  u64(field: string): bigint {
    this.#need(field, 8);
    const value = this.#view.getBigUint64(this.offset, true);
    this.offset += 8;
    return value;
  }

  /** A varint of at most 64 bits. @throws TruncatedError, CorruptError */
  varint(field: string): bigint {
    const start = this.position;
    let value = 0n;
    for (let i = 0; i < VARINT_BYTES_MAX; i++) {
      const byte = this.u8(field);
      value |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte & 0x80) continue;
      if (byte === 0 && i > 0) throw new CorruptError(start, field, "its shortest form", "a padded number");
      if (value > U64_MAX) break;
      return value;
    }
    throw new CorruptError(start, field, "at most 64 bits", "a longer number");
  }

  /** A varint that must lie in low..high. @throws TruncatedError, CorruptError */
  varintWithin(field: string, low: number, high: number): number {
    const start = this.position;
    const value = this.#smallVarint(field) ?? this.varint(field);
    if (value < low || value > high) throw new CorruptError(start, field, `${low} to ${high}`, `${value}`);
    return Number(value);
  }

  /** A varint without a bigint, since an index may hold millions; undefined, and nothing is read, if it is longer. */
  #smallVarint(field: string): number | undefined {
    const start = this.offset;
    let value = 0;
    for (let i = 0, unit = 1; i < SMALL_VARINT_BYTES; i++, unit *= 0x80) {
      const byte = this.u8(field);
      value += (byte & 0x7f) * unit;
      if (byte & 0x80) continue;
      if (byte !== 0 || i === 0) return value;
      throw new CorruptError(this.baseBytes + start, field, "its shortest form", "a padded number");
    }
    this.offset = start;
    return undefined;
  }

  /** A view of the next `lengthBytes` bytes, not a copy. @throws TruncatedError */
  take(field: string, lengthBytes: number): Uint8Array {
    this.#need(field, lengthBytes);
    const taken = this.bytes.subarray(this.offset, this.offset + lengthBytes);
    this.offset += lengthBytes;
    return taken;
  }

  #need(field: string, lengthBytes: number): void {
    if (lengthBytes <= this.remainingBytes) return;
    throw new TruncatedError(this.position, field, lengthBytes, this.remainingBytes);
  }
}

/** Collects fields; for headers, which are tens of bytes. */
export class ByteWriter {
  readonly #bytes: number[] = [];

  u8(value: number): this {
    this.#bytes.push(value & 0xff);
    return this;
  }

  u32(value: number): this {
    for (let shift = 0; shift < 32; shift += 8) this.u8(value >>> shift);
    return this;
  }

  u64(value: bigint): this {
    for (let shift = 0n; shift < 64n; shift += 8n) this.u8(Number((value >> shift) & 0xffn));
    return this;
  }

  /** @throws RangeError if `value` is not an unsigned integer of at most 64 bits. */
  varint(value: number | bigint): this {
    let rest = BigInt(value);
    if (rest < 0n || rest > U64_MAX) throw new RangeError(`${value} does not fit in a varint of 64 bits`);
    while (rest > 0x7fn) {
      this.u8(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    return this.u8(Number(rest));
  }

  raw(bytes: Uint8Array): this {
    for (const byte of bytes) this.#bytes.push(byte);
    return this;
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}
