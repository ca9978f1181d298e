/** The module repeats.wasm, and an instance of it for one block. */
import { compileAsset } from "../platform/web-assembly.ts";
import wasmPath from "./repeats.wasm" with { type: "file" };

/** The exports, documented in assembly/. Addresses and lengths in bytes. */
interface RepeatKernels {
  startEstimate(
    bytes: number,
    byteCount: number,
    blockStart: number,
    first: number,
    bits: number,
    tables: number,
    sums: number,
    sinceSum: number,
  ): void;
  /** Whether more is left. */
  estimate(count: number): number;
  startFinder(
    bytes: number,
    byteCount: number,
    blockStart: number,
    minLength: number,
    stride: number,
    anchorBytes: number,
    places: number,
    placeBits: number,
    found: number,
    partners: number,
  ): void;
  findRepeat(since: number, reach: number, count: number): number;
  isFinderDone(): number;
  setFloor(place: number): void;
}

const PAGE_BYTES = 65536;
/** What 32-bit addresses reach. */
const ROOM_BYTES_MAX = 2 ** 32 - PAGE_BYTES;
/** Whatever lies in a room begins at a multiple of this. */
const ALIGNMENT = 64;

const aligned = (bytes: number) => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** What a room takes in which areas of these sizes are to lie at once, behind the bytes themselves. */
export function roomBytes(sizes: readonly number[]): number {
  return sizes.reduce((sum, bytes) => sum + aligned(bytes), 0);
}

/** Whether there can be such a room. */
export const isRoom = (sizeBytes: number) => sizeBytes <= ROOM_BYTES_MAX;

let compiled: WebAssembly.Module | undefined;

/** The memory in which a block is searched: the window and the block, and behind them what the search needs. */
export class SearchRoom {
  readonly kernels: RepeatKernels;
  /** The window and behind it the block. */
  readonly plain: Uint8Array;
  readonly #buffer: ArrayBuffer;
  #topBytes = 0;

  /** @param sizeBytes of all areas, by roomBytes @throws RangeError if there is no such memory */
  constructor(block: Uint8Array, window: Uint8Array, sizeBytes: number) {
    compiled ??= compileAsset(wasmPath);
    const memory = new WebAssembly.Memory({ initial: Math.max(1, Math.ceil(sizeBytes / PAGE_BYTES)) });
    const { exports } = new WebAssembly.Instance(compiled, { env: { memory } });
    this.kernels = exports as unknown as RepeatKernels;
    this.#buffer = memory.buffer as ArrayBuffer;
    this.plain = this.bytes(window.length + block.length);
    this.plain.set(window);
    this.plain.set(block, window.length);
  }

  /** Where what is taken next will lie. */
  get topBytes(): number {
    return this.#topBytes;
  }

  /** The address of so many bytes, which are 0. */
  take(sizeBytes: number): number {
    const address = this.#topBytes;
    this.#topBytes = aligned(address + sizeBytes);
    if (this.#topBytes > this.#buffer.byteLength) throw new Error("the room for repeats is too small");
    return address;
  }

  /** Whatever was taken at `address` and later may be taken anew. */
  giveBack(address: number): void {
    new Uint8Array(this.#buffer, address, this.#topBytes - address).fill(0);
    this.#topBytes = address;
  }

  /** Takes room for so many. */
  bytes(count: number): Uint8Array {
    return new Uint8Array(this.#buffer, this.take(count), count);
  }

  halves(count: number): Uint16Array {
    return new Uint16Array(this.#buffer, this.take(2 * count), count);
  }

  words(count: number): Uint32Array {
    return new Uint32Array(this.#buffer, this.take(4 * count), count);
  }
}
