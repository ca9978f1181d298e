/**
 * Forged archives: every guard and every check is right, and what they guard lies. Headers ask for huge blocks and
 * models, frames are empty by the thousand, blocks hold a byte each, lists of copies make much of nothing, indexes
 * claim what they like. A damaged archive is refused at a guard; these reach whatever lies behind.
 */
import { ByteWriter } from "../../src/archive/bytes.ts";
import { CHECK_START, chainCheck, chainRun, guardOf } from "../../src/archive/checksum.ts";
import { encodeFills, fillBytesOf, piecesOf } from "../../src/archive/fills.ts";
import {
  BLOCK_FILLS,
  FILL_BYTES_MIN,
  type Fill,
  FORM_BLOCKS,
  FORM_VERSION_SHIFT,
  FORMAT_VERSION,
  MAGIC,
  MAGIC_OLD,
  SMALL_BYTES_MAX,
  STATED_BYTES_MAX,
} from "../../src/archive/format.ts";
import { encodeSmallFrame, encodeStatedFrame } from "../../src/archive/small.ts";
import {
  HYPER_NAMES,
  type HyperParameters,
  MODEL_CONTRACT_VERSION,
  NO_NETWORK,
  WITHOUT,
} from "../../src/contract/hyper.ts";
import { MIXER_CONTEXTS_MAX } from "../../src/contract/mixer.ts";
import { type Copies, encodeCopies } from "../../src/repeats/copies.ts";
import { restore } from "../../src/repeats/paste.ts";
import type { Random } from "./gpu-values.ts";

/** Block syntax that all these versions share with the newest. */
const OLD_VERSIONS = [3, 4, 5];
/** More than that is not hashed here: the check of such fills is wrong, which is found out when they have come. */
const HASHED_FILL_BYTES = 1 << 22;
const EDGES = [0, 1, 2, 127, 128, 2 ** 14, 2 ** 20, 2 ** 26, 2 ** 30, 2 ** 31, 2 ** 32, 2 ** 53 - 1];
const STORED = 1;
const CODED = 2;
const LEARNED = 3;
const MODEL = 4;
const END = 5;
const CUT = 5;
const ONE_PIECE = 1 << 4;

export class Forger {
  readonly #random: Random;
  /** How long the archive may get. */
  readonly #bytesMax: number;

  constructor(random: Random, bytesMax: number) {
    this.#random = random;
    this.#bytesMax = bytesMax;
  }

  /** One to a few thousand frames, and what may follow them. */
  archive(): Uint8Array {
    const frames: Uint8Array[] = [];
    const kinds = this.#between(1, 3);
    for (let i = 0; i < kinds; i += 1) {
      const frame = this.#frame(Math.floor(this.#bytesMax / kinds));
      const most = Math.max(1, Math.floor(this.#bytesMax / kinds / frame.length));
      for (let left = this.#oneIn(3) ? most : 1; left > 0; left -= 1) frames.push(frame);
    }
    if (this.#oneIn(10)) frames.push(new Uint8Array(this.#between(1, 600)));
    if (this.#oneIn(30)) frames.push(this.#bytes(20));
    return Buffer.concat(frames);
  }

  #between(low: number, high: number): number {
    return this.#random.between(low, high);
  }

  #oneIn(count: number): boolean {
    return this.#between(1, count) === 1;
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#between(0, items.length - 1)] as T;
  }

  #bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.#between(0, 255));
  }

  /** The most that twelve bytes can say without a lie. */
  #smallFrame(): Uint8Array {
    const lengthBytes = this.#pick([1, 100, SMALL_BYTES_MAX]);
    const fills: Fill[] = [{ gapBytes: 0, lengthBytes, pattern: this.#bytes(1) }];
    const check = chainCheck(Buffer.concat([...piecesOf(new Uint8Array(0), fills)]), CHECK_START);
    return encodeSmallFrame({ kind: "stored", plainBytes: 0, payload: new Uint8Array(0), check, fills });
  }

  /** A small frame of any model and payload; what comes out of it nobody knows. */
  #statedFrame(): Uint8Array {
    const plainBytes = this.#pick([1, 100, 5000, 2 ** 17, this.#oneIn(4) ? STATED_BYTES_MAX : 2 ** 14]);
    const payload = this.#oneIn(2) ? new Uint8Array(this.#between(0, 60)) : this.#bytes(this.#between(0, 60));
    const stretches = this.#oneIn(3) && { stretches: this.#bytes(this.#between(1, 20)) };
    const mixerBits = Math.max(10, Math.ceil(Math.log2(plainBytes)) - 1);
    const model = { hyper: { ...this.#mixer(), streams: 1, mixerBits }, groupCount: 1 };
    const prior = this.#oneIn(2) ? this.#between(0, 14) : 0;
    const facts = { plainBytes, check: BigInt(this.#between(0, 2 ** 31)), stride: this.#stride(), ...stretches };
    return encodeStatedFrame({ kind: "coded", groups: [payload], ...facts }, model, prior) ?? this.#smallFrame();
  }

  #frame(bytesMax: number): Uint8Array {
    if (this.#oneIn(12)) return this.#smallFrame();
    if (this.#oneIn(12)) return this.#statedFrame();
    const blockBytes = this.#pick([1, 2, 12, 100, 4096, 2 ** 20, 2 ** 24, 2 ** 30]);
    const model = this.#oneIn(2) ? this.#model() : undefined;
    const frame = new ForgedFrame(blockBytes);
    const isLate = model && this.#oneIn(4);
    const isOld = this.#oneIn(3);
    const header = this.#header(blockBytes, isLate ? undefined : model, isOld);
    if (isLate) frame.add(MODEL, undefined, guarded(new ByteWriter().u8(MODEL).raw(model.fields)));
    const count = this.#pick([0, 1, 1, 2, 5, this.#oneIn(4) ? 1e9 : 3]);
    for (let i = 0; i < count && frame.lengthBytes < bytesMax / 2; i += 1) {
      if (!isOld && this.#oneIn(4)) this.#addFilled(frame);
      else this.#addBlock(frame, model);
    }
    return Buffer.concat([header, ...frame.parts, this.#end(header.length, frame, bytesMax)]);
  }

  #header(blockBytes: number, model: ForgedModel | undefined, isOld: boolean): Uint8Array {
    const isLengthKnown = this.#oneIn(4);
    const body = new ByteWriter().u8((model ? 1 : 0) | (isLengthKnown ? 2 : 0));
    if (isLengthKnown) {
      const plainBytes = this.#pick(EDGES);
      body.varint(plainBytes).varint(this.#oneIn(4) ? this.#pick(EDGES) : Math.ceil(plainBytes / blockBytes));
    } else {
      body.varint(blockBytes);
    }
    const bytes = body.raw(model?.fields ?? new Uint8Array(0)).finish();
    const start = new ByteWriter();
    if (isOld) start.raw(MAGIC_OLD).u8(this.#pick(OLD_VERSIONS));
    else start.raw(MAGIC).u8(FORM_BLOCKS | (this.#between(0, FORMAT_VERSION - 6) << FORM_VERSION_SHIFT));
    return guarded(start.varint(bytes.length).raw(bytes));
  }

  #model(): ForgedModel {
    const hyper = this.#oneIn(3) ? this.#mixer() : this.#network();
    const groups = hyper.mixerContexts > 0 ? hyper.streams : this.#pick([1, Math.min(256, hyper.streams)]);
    const fields = new ByteWriter().varint(MODEL_CONTRACT_VERSION);
    for (const name of HYPER_NAMES) fields.varint(this.#oneIn(200) ? this.#pick(EDGES) : hyper[name]);
    return { groups, fields: fields.varint(groups).finish() };
  }

  #mixer(): HyperParameters {
    return {
      ...WITHOUT,
      ...NO_NETWORK,
      streams: this.#pick([1, 1, 2, 3, 16]),
      mixerContexts: this.#pick([4, 10, MIXER_CONTEXTS_MAX]),
      mixerBits: this.#pick([8, 10, 22]),
      mixerCounters: this.#pick([0, 0, 1, 4]),
    };
  }

  /** Half of them small, so that an engine gets to see some. */
  #network(): HyperParameters {
    const isSmall = this.#oneIn(2);
    return {
      ...WITHOUT,
      history: isSmall ? 4 : this.#pick([4, 16, 64]),
      embedding: isSmall ? 8 : this.#pick([8, 16]),
      globalHidden: isSmall ? 32 : this.#pick([32, 1024, 8192]),
      cacheStep: 4,
      fineHidden: isSmall ? 32 : this.#pick([32, 8192]),
      coarseHidden: this.#pick([16, 16, 128]),
      streams: this.#pick([1, 1, 2, 3, 100, 16384]),
      learningRate: this.#pick([64, 1 << 14, 65535]),
      contexts: this.#pick([0, 0, 4, 20]),
      slotBits: this.#pick([8, 10, 24]),
      tables: this.#pick([0, 1, 6]),
      tableBits: this.#pick([8, 8, 18]),
      trainEvery: this.#pick([1, 64]),
    };
  }

  #addBlock(frame: ForgedFrame, model: ForgedModel | undefined): void {
    const kind = model ? this.#pick([STORED, CODED, LEARNED]) : STORED;
    if (this.#oneIn(3) && frame.blockBytes > 20) this.#addCut(frame, kind, model);
    else if (kind === CODED) this.#addCoded(frame, model?.groups ?? 1);
    else this.#addPlain(frame, kind);
  }

  /** Fills of any length, and a stored block of few bytes or none behind them. */
  #addFilled(frame: ForgedFrame): void {
    const plain = this.#bytes(this.#pick([0, 0, 1, 12]));
    const count = this.#pick([1, 1, 2, 300]);
    const fills = Array.from({ length: count }, (_, i): Fill => {
      const lengthBytes = FILL_BYTES_MIN + this.#between(0, this.#pick([0, 1, 100, 2 ** 20, 2 ** 30]));
      return {
        gapBytes: i === 0 ? this.#between(0, plain.length) : 0,
        lengthBytes,
        pattern: this.#bytes(this.#pick([1, 2, 60])),
      };
    });
    const list = encodeFills(fills);
    const isHashed = fillBytesOf(fills) <= HASHED_FILL_BYTES;
    const check = isHashed ? frame.chainPieces(piecesOf(plain, fills)) : BigInt(this.#between(0, 2 ** 31));
    frame.add(BLOCK_FILLS, fillBytesOf(fills), guarded(new ByteWriter().u8(BLOCK_FILLS).varint(list.length).raw(list)));
    frame.add(STORED, plain.length, new ByteWriter().u8(STORED).varint(plain.length).u64(check).raw(plain).finish());
  }

  #addPlain(frame: ForgedFrame, kind: number): void {
    const plain = this.#bytes(this.#pick([1, 1, 1, 12, 300]));
    if (kind === LEARNED && plain.length > frame.blockBytes) return;
    const check = frame.chain(plain);
    const head = new ByteWriter().u8(kind).varint(plain.length);
    if (kind === LEARNED) head.varint(this.#stride());
    const bytes = head.u64(check).raw(plain).finish();
    frame.add(kind, plain.length, kind === LEARNED ? guarded(new ByteWriter().raw(bytes)) : bytes);
  }

  /** A coded block of any length that its payload allows; what comes out of it nobody knows. */
  #addCoded(frame: ForgedFrame, groups: number): void {
    const payload = this.#oneIn(2) ? new Uint8Array(this.#between(0, 40)) : this.#bytes(this.#between(0, 40));
    const mostBytes = Math.min(frame.blockBytes, 100_000 * (payload.length + 8 * groups));
    const plainBytes = this.#oneIn(3) ? mostBytes : this.#between(1, Math.min(mostBytes, 5000));
    const head = new ByteWriter();
    if (plainBytes === frame.blockBytes && this.#oneIn(2)) head.u8(CODED | ONE_PIECE);
    else head.u8(CODED).varint(plainBytes);
    head.varint(this.#stride());
    for (let group = 0; group < groups; group += 1) head.varint(group === 0 ? payload.length : 0);
    const check = BigInt(this.#between(0, 2 ** 31));
    frame.check = check;
    frame.add(CODED, plainBytes, guarded(head.u64(check).raw(payload)));
  }

  /** A block whose plain bytes are nearly all copies. */
  #addCut(frame: ForgedFrame, kind: number, model: ForgedModel | undefined): void {
    const rest = this.#bytes(this.#pick([1, 1, 2, 50]));
    const copies = this.#copies(rest.length, frame.blockBytes);
    const copiedBytes = copies.lengths.reduce((sum, length) => sum + length, 0);
    const plainBytes = rest.length + copiedBytes;
    if (plainBytes > frame.blockBytes || copies.count === 0) return;
    const list = encodeCopies(copies);
    const head = new ByteWriter()
      .u8(kind + CUT)
      .varint(plainBytes)
      .varint(rest.length)
      .varint(list.length);
    if (kind !== STORED) head.varint(this.#stride());
    if (kind === CODED) head.varint(rest.length).raw(new Uint8Array((model?.groups ?? 1) - 1));
    const isShort = plainBytes < 2 ** 16;
    const check = isShort ? frame.chain(restore(rest, copies, new Uint8Array(0))) : frame.check;
    frame.add(kind + CUT, plainBytes, guarded(head.u64(check).raw(list).raw(rest)));
  }

  /** Few that are long, or many that are short. */
  #copies(restBytes: number, blockBytes: number): Copies {
    const isMany = this.#oneIn(3);
    const mostBytes = Math.min(blockBytes - restBytes, isMany ? 12 * 3000 : 2 ** 25);
    const lengthMost = isMany ? 12 : Math.max(12, mostBytes);
    const lengths: number[] = [];
    const distances: number[] = [];
    let doneBytes = 1;
    const count = isMany ? Math.floor(mostBytes / 12) : this.#between(1, 3);
    for (let left = mostBytes; left >= 12 && lengths.length < count; left -= lengths.at(-1) as number) {
      const length = Math.min(left, this.#oneIn(2) ? lengthMost : this.#between(12, Math.min(lengthMost, 5000)));
      const isMirrored = doneBytes > 2 * length && this.#oneIn(4);
      lengths.push(length);
      distances.push(isMirrored ? -1 : this.#between(1, Math.min(doneBytes, 1000)));
      doneBytes += length;
    }
    const gaps = Uint32Array.from(lengths, (_, i) => (i === 0 ? 1 : 0));
    return {
      count: lengths.length,
      gaps,
      lengths: Uint32Array.from(lengths),
      distances: Int32Array.from(distances),
    };
  }

  #stride(): number {
    return this.#pick([0, 0, 0, 1, 2, 4095]);
  }

  /** The index: mostly what the blocks were, sometimes less, more, or as much as there is room for. */
  #end(headerBytes: number, frame: ForgedFrame, bytesMax: number): Uint8Array {
    const lie = this.#between(0, 9);
    const entries: Uint8Array[] = lie === 1 ? frame.entries.slice(1) : [...frame.entries];
    let count = entries.length;
    if (lie === 2) count = this.#pick(EDGES);
    if (lie === 3) {
      count = Math.floor(bytesMax / 4);
      entries.push(Buffer.alloc(2 * count, Uint8Array.of(STORED, 1)));
      count += frame.entries.length;
    }
    const frameBytes = lie === 4 ? this.#pick(EDGES) : headerBytes + frame.lengthBytes;
    const index = new ByteWriter().varint(frameBytes).varint(count).raw(Buffer.concat(entries)).finish();
    const indexBytes = lie === 5 ? this.#pick(EDGES) : index.length;
    return guarded(new ByteWriter().u8(END).raw(index).u32(indexBytes));
  }
}

interface ForgedModel {
  readonly groups: number;
  readonly fields: Uint8Array;
}

/** The blocks of a frame so far. */
class ForgedFrame {
  readonly parts: Uint8Array[] = [];
  readonly entries: Uint8Array[] = [];
  lengthBytes = 0;
  check = 0n;

  constructor(readonly blockBytes: number) {}

  /** The check of the next block. */
  chain(plain: Uint8Array): bigint {
    this.check = chainRun(plain, this.check, this.blockBytes);
    return this.check;
  }

  /** The check of the next block, with its fills. */
  chainPieces(pieces: Iterable<Uint8Array>): bigint {
    for (const piece of pieces) this.check = chainCheck(piece, this.check);
    return this.check;
  }

  /** @param plainBytes of a block; the model has none */
  add(tag: number, plainBytes: number | undefined, bytes: Uint8Array): void {
    const entry = new ByteWriter();
    const isFull = tag !== STORED && (bytes[0] as number) >> 4 === 1;
    entry.u8(isFull ? tag | ONE_PIECE : tag);
    if (plainBytes !== undefined && !isFull) entry.varint(plainBytes);
    if (tag !== STORED) entry.varint(bytes.length);
    this.entries.push(entry.finish());
    this.parts.push(bytes);
    this.lengthBytes += bytes.length;
  }
}

function guarded(writer: ByteWriter): Uint8Array {
  const bytes = writer.finish();
  return new ByteWriter().raw(bytes).u32(guardOf(bytes)).finish();
}
