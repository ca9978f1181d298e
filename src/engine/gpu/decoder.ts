/**
 * The range decoders of a block's coder groups on the device (shaders/decode.wgsl): with them, many steps of
 * decompression go into one submit, and the host neither brings tables nor sends bytes.
 *
 * What the device says of damage becomes the error that the host's coder throws: src/coder/range.ts.
 */
import { CorruptDataError, type CorruptReason } from "../../coder/errors.ts";
import { GROUPS_MAX } from "../../coder/groups.ts";
import type { Slice } from "./arena.ts";
import type { ModelBuffers } from "./buffers.ts";
import type { Constants, Dispatch, KernelCompiler } from "./kernel.ts";

const STORAGE = 0x80;
const COPY_SOURCE = 0x04;
const COPY_TARGET = 0x08;

/** Where the numbers of a coder stand, in words; of two words, the high one first. */
export const CODER_FIELDS = {
  CODER_OFFSET: 0,
  CODER_RANGE: 2,
  CODER_POSITION: 4,
  CODER_START: 5,
  CODER_LENGTH: 6,
  CODER_FAILURE: 7,
  CODER_FAILED_STEP: 8,
  CODER_FIELDS: 9,
} as const;
/** Reasons by the kernel's numbers; 0 is none. */
const REASONS: readonly (CorruptReason | undefined)[] = [undefined, "value-outside-table", "data-too-short"];

/** The high word of a range of 2^48. */
const RANGE_HIGH = 1 << 16;
/** Bytes that a coder has read before the first symbol. */
const BEGIN_BYTES = 6;

/**
 * Larger payloads are the host's to decode, so that the device never needs much more memory than for compression. The
 * blocks that fade makes by itself are below.
 */
export const PAYLOAD_BYTES_MAX = 1 << 26;

/** A decoder at the begin of its payload, which starts at byte `start` of all payloads. */
export function initialCoder(payload: Uint8Array, start: number): number[] {
  const head = new DataView(new ArrayBuffer(8));
  for (let i = 0; i < BEGIN_BYTES; i++) head.setUint8(2 + i, payload[i] ?? 0);
  return [head.getUint32(0), head.getUint32(4), RANGE_HIGH, 0, BEGIN_BYTES, start, payload.length, 0, 0];
}

const wholeWords = (bytes: number) => Math.ceil(bytes / 4) * 4;

export class GpuDecoder {
  readonly #constants: Constants;
  readonly #coders: GPUBuffer;
  readonly #live: GPUBuffer;
  #payloads: GPUBuffer | undefined;
  #groups = 0;
  /** The coders' numbers as the host knows them. */
  #known = new Uint32Array();

  /**
   * @param lanes invocations of a group
   * @param compiler that of the model
   */
  constructor(
    readonly device: GPUDevice,
    readonly buffers: ModelBuffers,
    lanes: number,
    readonly compiler: KernelCompiler,
  ) {
    this.#constants = { ...CODER_FIELDS, LANES: lanes };
    this.#coders = this.#create("coders", 4 * GROUPS_MAX * CODER_FIELDS.CODER_FIELDS);
    this.#live = this.#create("live", 4 * 4);
  }

  #create(label: string, size: number): GPUBuffer {
    return this.device.createBuffer({ label, size, usage: STORAGE | COPY_SOURCE | COPY_TARGET });
  }

  /** The coders' numbers on the device: to be copied after a chunk, and given to `check`. */
  get coders(): Slice {
    return { buffer: this.#coders, offset: 0, size: 4 * this.#groups * CODER_FIELDS.CODER_FIELDS, isShared: false };
  }

  /**
   * Takes the payloads of a block to the device.
   *
   * @returns what decodes a step, between its forward and its backward pass; undefined if the host should
   */
  async open(payloads: readonly Uint8Array[]): Promise<Dispatch | undefined> {
    const sizeBytes = payloads.reduce((sum, payload) => sum + wholeWords(payload.length), 0);
    // More groups than an encoder makes are legal, and rare. Every device can bind 2^27 bytes.
    if (payloads.length > GROUPS_MAX || sizeBytes > PAYLOAD_BYTES_MAX) return;
    const packed = new Uint8Array(sizeBytes);
    let start = 0;
    const coders = payloads.flatMap((payload) => {
      packed.set(payload, start);
      const coder = initialCoder(payload, start);
      start += wholeWords(payload.length);
      return coder;
    });
    this.#groups = payloads.length;
    this.#known = Uint32Array.from(coders);
    const room = this.#room(sizeBytes);
    this.device.queue.writeBuffer(room, 0, packed);
    this.device.queue.writeBuffer(this.#coders, 0, this.#known);
    const places = Object.fromEntries(["ends", "control", "bytes"].map((name) => [name, this.buffers.slice(name)]));
    const bound = { ...places, payloads: room, live: this.#live, coders: this.#coders };
    return await this.compiler.bind("decode", this.#constants, bound, [payloads.length, 1, 1]);
  }

  /** A buffer for the payloads; the last one, if it is large enough. */
  #room(sizeBytes: number): GPUBuffer {
    if (this.#payloads !== undefined && this.#payloads.size >= sizeBytes) return this.#payloads;
    this.#payloads?.destroy();
    this.#payloads = this.#create("payloads", Math.max(16, sizeBytes));
    return this.#payloads;
  }

  /** Says that in step `step` only the first `live` streams have a byte; holds for what is submitted afterwards. */
  endStreams(step: number, live: number): void {
    this.device.queue.writeBuffer(this.#live, 0, Uint32Array.of(step, live));
  }

  /**
   * Takes the coders' numbers as they are after some steps.
   *
   * @throws CorruptDataError for the group that failed first
   */
  check(coders: Uint32Array<ArrayBuffer>): void {
    this.#known = coders;
    const failed = Array.from({ length: this.#groups }, (_, group) => group).filter((group) =>
      this.#number(group, "CODER_FAILURE"),
    );
    const stepOf = (group: number) => this.#number(group, "CODER_FAILED_STEP");
    const first = failed.sort((a, b) => stepOf(a) - stepOf(b))[0];
    if (first === undefined) return;
    const reason = REASONS[this.#number(first, "CODER_FAILURE")] as CorruptReason;
    throw new CorruptDataError(reason, first, this.#number(first, "CODER_POSITION"));
  }

  /** Checks that the payloads are used up. @throws CorruptDataError */
  finish(): void {
    for (let group = 0; group < this.#groups; group++) {
      const position = this.#number(group, "CODER_POSITION");
      if (position >= this.#number(group, "CODER_LENGTH")) continue;
      throw new CorruptDataError("data-too-long", group, position);
    }
  }

  #number(group: number, name: keyof typeof CODER_FIELDS): number {
    return this.#known[group * CODER_FIELDS.CODER_FIELDS + CODER_FIELDS[name]] as number;
  }

  destroy(): void {
    for (const buffer of [this.#coders, this.#live, this.#payloads]) buffer?.destroy();
  }
}
