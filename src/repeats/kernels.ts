/** The module repeats.wasm, and an instance of it for one block. */
import { host } from "../platform/host.ts";
import { compileAsset } from "../platform/web-assembly.ts";
import wasmPath from "./repeats.wasm" with { type: "file" };

/** The exports, documented in assembly/. Addresses and lengths in bytes. */
interface RepeatKernels {
  startEstimate(bytes: number, blockStart: number, bits: number, tables: number, sums: number): void;
  forget(): void;
  goTo(from: number, to: number): void;
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
/** Less is not worth the call. */
const EMPTIED_BYTES_MIN = 2 ** 20;
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

/**
 * The memory of a room. Who searches one block after the other keeps it, and need not wait until the collector of
 * garbage has found the last one; the bytes of the last search are there for the next one's window. What was never
 * taken takes no memory of the machine.
 */
export class SearchMemory {
  /** The window and the block of the last search, until the next one begins. */
  plain: Uint8Array = new Uint8Array(0);
  #kernels: RepeatKernels | undefined;
  #buffer = new ArrayBuffer(0);
  /** Behind these bytes all are 0. */
  #dirtyBytes = 0;

  get buffer(): ArrayBuffer {
    return this.#buffer;
  }

  /** The exports of an instance that works in this memory. @throws RangeError if there is no such memory */
  open(sizeBytes: number): RepeatKernels {
    if (this.#kernels && sizeBytes <= this.#buffer.byteLength) return this.#kernels;
    compiled ??= compileAsset(wasmPath);
    const memory = new WebAssembly.Memory({ initial: Math.max(1, Math.ceil(sizeBytes / PAGE_BYTES)) });
    const { exports } = new WebAssembly.Instance(compiled, { env: { memory } });
    this.#buffer = memory.buffer as ArrayBuffer;
    this.#dirtyBytes = 0;
    this.#kernels = exports as unknown as RepeatKernels;
    return this.#kernels;
  }

  /** Begins with the bytes of a search. @param window may be a part of the last search's bytes */
  set(window: Uint8Array, block: Uint8Array): void {
    const length = window.length + block.length;
    this.plain = new Uint8Array(this.#buffer, 0, length);
    this.plain.set(window);
    this.plain.set(block, window.length);
    this.#dirtyBytes = Math.max(this.#dirtyBytes, length);
  }

  /** Keeps the bytes of a block in which nothing is searched. */
  pass(window: Uint8Array, block: Uint8Array): void {
    const plain = new Uint8Array(window.length + block.length);
    plain.set(window);
    plain.set(block, window.length);
    this.plain = plain;
  }

  /** Behind the bytes of the last search nothing is of use until the next one: the system may have it. */
  rest(): void {
    if (this.plain.buffer !== this.#buffer) return;
    const start = Math.ceil(this.plain.length / PAGE_BYTES) * PAGE_BYTES;
    if (this.#dirtyBytes - start < EMPTIED_BYTES_MIN) return;
    const end = Math.min(this.#buffer.byteLength, Math.ceil(this.#dirtyBytes / PAGE_BYTES) * PAGE_BYTES);
    if (host.emptyPages(new Uint8Array(this.#buffer, start, end - start))) this.#dirtyBytes = start;
  }

  /** Makes bytes 0 that are taken; those that were never taken are not touched. */
  clear(start: number, end: number): void {
    if (start < this.#dirtyBytes) new Uint8Array(this.#buffer, start, Math.min(end, this.#dirtyBytes) - start).fill(0);
    this.#dirtyBytes = Math.max(this.#dirtyBytes, end);
  }
}

/** The memory in which a block is searched: the window and the block, and behind them what the search needs. */
export class SearchRoom {
  readonly kernels: RepeatKernels;
  /** The window and behind it the block. */
  readonly plain: Uint8Array;
  readonly #memory: SearchMemory;
  #topBytes: number;

  /** @param sizeBytes of all areas, by roomBytes @throws RangeError if there is no such memory */
  constructor(block: Uint8Array, window: Uint8Array, sizeBytes: number, memory = new SearchMemory()) {
    this.kernels = memory.open(sizeBytes);
    memory.set(window, block);
    this.#memory = memory;
    this.plain = memory.plain;
    this.#topBytes = aligned(this.plain.length);
  }

  /** Where what is taken next will lie. */
  get topBytes(): number {
    return this.#topBytes;
  }

  /** The address of so many bytes, which are 0. */
  take(sizeBytes: number): number {
    const address = this.#topBytes;
    this.#topBytes = aligned(address + sizeBytes);
    if (this.#topBytes > this.#memory.buffer.byteLength) throw new Error("the room for repeats is too small");
    this.#memory.clear(address, this.#topBytes);
    return address;
  }

  /** Whatever was taken at `address` and later may be taken anew. */
  giveBack(address: number): void {
    this.#topBytes = address;
  }

  /** Takes room for so many. */
  bytes(count: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer, this.take(count), count);
  }

  words(count: number): Uint32Array {
    return new Uint32Array(this.#memory.buffer, this.take(4 * count), count);
  }
}
