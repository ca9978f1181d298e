/**
 * A lane of the bit mixer in WebAssembly: a model of its own, from which blocks come and go. A lane is the unit that a
 * thread takes, so results do not depend on how many threads there are.
 */
import { readFileSync } from "node:fs";
import { histories } from "../../../contract/histories.ts";
import {
  inputsOf,
  type MixerShape,
  reciprocalTable,
  SETS,
  SQUASH_ZERO,
  squashTable,
  stretchTable,
} from "../../../contract/mixer.ts";
import {
  initialFinals,
  initialMaps,
  initialMatchMap,
  initialRefine,
  initialWeights,
} from "../../../contract/mixer-initial.ts";
import wasmPath from "../mixer.wasm" with { type: "file" };

interface Exports {
  configure(
    streams: number,
    contexts: number,
    lineBits: number,
    stride: number,
    rate: number,
    finalRate: number,
  ): number;
  addressOf(what: number): number;
  encode(lengthBytes: number, out: number): number;
  decode(from: number, payloadBytes: number, lengthBytes: number): void;
}

/** In the order of addressOf in assembly/mixer/state.ts. */
const PARTS = [
  "stretch",
  "squash",
  "reciprocals",
  "next",
  "total",
  "specs",
  "maps",
  "mapInputs",
  "masters",
  "copies",
  "finals",
  "order0",
  "matchMap",
  "refine1",
  "refine2",
  "lines",
  "data",
] as const;
type Part = (typeof PARTS)[number];

const PAGE_BYTES = 65536;
/** Payloads of what cannot be compressed are a little longer than it; 16 bits a byte are never reached. */
const PAYLOAD_FACTOR = 2;
const SLACK_BYTES = 64;
const STREAM_LENGTH_MAX = (1 << 24) - 1;

let compiled: WebAssembly.Module | undefined;

export class MixerLane {
  readonly #memory = new WebAssembly.Memory({ initial: 1 });
  readonly #kernels: Exports;
  readonly #shape: MixerShape;
  readonly #sizes: Readonly<Record<Part, number>>;
  readonly #data: number;

  /** Takes 16 bytes for each of 2^lineBits lines of every context, and about 15 MB. */
  constructor(shape: MixerShape) {
    compiled ??= new WebAssembly.Module(readFileSync(wasmPath));
    this.#shape = shape;
    const { exports } = new WebAssembly.Instance(compiled, { env: { memory: this.#memory } });
    this.#kernels = exports as unknown as Exports;
    const { streams, contexts, lineBits, stride, rate, finalRate } = shape;
    this.#data = this.#kernels.configure(streams, contexts.length, lineBits, stride, rate, finalRate);
    this.#grow(this.#data);
    const sets = SETS.reduce((sum, count) => sum + count, 0) * inputsOf(contexts.length);
    this.#sizes = sizesOf(contexts.length, lineBits, sets);
    this.#fill();
  }

  /** The bytes of memory that this lane holds. */
  get memoryBytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /** A copy of one part of the lane's state, for comparison. */
  part(name: Part): Uint8Array {
    return this.#bytes(this.#kernels.addressOf(PARTS.indexOf(name)), this.#sizes[name]).slice();
  }

  /** Codes a block and learns it. @throws RangeError if a stream would be 16 MiB or longer */
  encode(block: Uint8Array): Uint8Array {
    const out = this.#begin(block.length, PAYLOAD_FACTOR * block.length + SLACK_BYTES);
    this.#bytes(this.#data, block.length).set(block);
    return this.#bytes(out, this.#kernels.encode(block.length, out)).slice();
  }

  /** The block of `lengthBytes` that a payload stands for; a damaged payload gives other bytes. */
  decode(payload: Uint8Array, lengthBytes: number): Uint8Array {
    const from = this.#begin(lengthBytes, payload.length);
    this.#bytes(from, payload.length).set(payload);
    this.#kernels.decode(from, payload.length, lengthBytes);
    return this.#bytes(this.#data, lengthBytes).slice();
  }

  /** Makes room for a block and a payload behind it; returns where the payload lies. */
  #begin(blockBytes: number, payloadBytes: number): number {
    if (blockBytes > STREAM_LENGTH_MAX * this.#shape.streams) {
      throw new RangeError(`a block of ${blockBytes} bytes is too long for ${this.#shape.streams} streams`);
    }
    const payload = this.#data + blockBytes + SLACK_BYTES;
    this.#grow(payload + payloadBytes + SLACK_BYTES);
    return payload;
  }

  #grow(bytes: number): void {
    const missing = Math.ceil(bytes / PAGE_BYTES) - this.#memory.buffer.byteLength / PAGE_BYTES;
    if (missing > 0) this.#memory.grow(missing);
  }

  #bytes(at: number, length: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer, at, length);
  }

  #put(name: Part, values: ArrayBufferView): void {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.#bytes(this.#kernels.addressOf(PARTS.indexOf(name)), bytes.length).set(bytes);
  }

  #fill(): void {
    const squash = squashTable();
    const stretch = stretchTable(squash);
    const states = histories();
    const { contexts } = this.#shape;
    const maps = initialMaps(contexts.length, states, stretch);
    const weights = initialWeights(contexts.length);
    const refine = initialRefine(squash);
    this.#put("stretch", stretch);
    this.#put("squash", squash);
    this.#put("reciprocals", reciprocalTable());
    this.#put("next", states.next);
    this.#put("total", states.total);
    this.#put("specs", specsOf(this.#shape));
    this.#put("maps", maps.cells);
    this.#put("mapInputs", maps.inputs);
    this.#put("masters", weights);
    this.#put(
      "copies",
      Int16Array.from(weights, (w) => w >> 14),
    );
    this.#put("finals", initialFinals());
    this.#put("order0", new Uint16Array(256).fill(32768));
    this.#put("matchMap", initialMatchMap());
    this.#put("refine1", refine);
    this.#put("refine2", refine);
  }
}

function sizesOf(contexts: number, lineBits: number, weights: number): Record<Part, number> {
  const refine = 2 * 65536 * 33;
  return {
    stretch: 4 * 4096,
    squash: 4 * (2 * SQUASH_ZERO + 1),
    reciprocals: 4 * 1024,
    next: 512,
    total: 256,
    specs: 32 * contexts,
    maps: 1024 * contexts,
    mapInputs: 1024 * contexts,
    masters: 4 * weights,
    copies: 2 * weights,
    finals: 4 * 6 * 256,
    order0: 512,
    matchMap: 64,
    refine1: refine,
    refine2: refine,
    lines: (16 * contexts) << lineBits,
    data: 0,
  };
}

function specsOf({ contexts }: MixerShape): Int32Array {
  return Int32Array.from(
    contexts.flatMap(({ order, words, own, offsets }) => [
      order,
      words,
      own ? 1 : 0,
      ...Array.from({ length: 5 }, (_, i) => offsets[i] ?? 0),
    ]),
  );
}
