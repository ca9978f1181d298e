/**
 * Archives back to plain bytes, block by block: one block is in memory, and none goes out before its checksum was
 * compared. The model of a frame lives from its first coded block to its end.
 */
import { CHECK_START } from "../archive/checksum.ts";
import { ArchiveError, CorruptError } from "../archive/errors.ts";
import {
  type Block,
  type CodedBlock,
  FORMAT_VERSION_3,
  FORMAT_VERSION_4,
  type Frame,
  type FrameHeader,
  windowBytesOf,
} from "../archive/format.ts";
import { type BlockHead, checkPlain } from "../archive/read.ts";
import { type ArchivePart, ArchiveReader, type PullBytes } from "../archive/stream.ts";
import { CorruptDataError } from "../coder/errors.ts";
import type { DataKind } from "../contract/contexts.ts";
import { collectAfter, release } from "../platform/release.ts";
import { BlockDecompressor } from "./decompress.ts";
import type { ByteSink, EngineSource, FrameOptions } from "./frames.ts";
import { checkMemory, checkStoredMemory } from "./memory.ts";
import { RepeatRestorer } from "./repeats.ts";

export interface RestoreProgress {
  /** Plain bytes that are restored, of all frames so far. */
  readonly plainBytes: number;
  /** Archive bytes that are used up. */
  readonly codedBytes: number;
  /** Plain bytes of the frames so far, as their headers say; undefined if one does not. */
  readonly totalBytes: number | undefined;
}

export interface RestoreOptions extends Omit<FrameOptions, "onProgress"> {
  readonly onProgress?: (progress: RestoreProgress) => void;
  /** false: hand out bytes whose checksum is wrong, too. Default: true. */
  readonly checks?: boolean;
}

/** Something is wrong in a block; says which, so that people know what is lost. */
export class BlockError extends ArchiveError {
  constructor(
    override readonly cause: ArchiveError,
    /** Counted from 1, over all frames. */
    readonly block: number,
    /** Plain bytes before the block, all of them sound. */
    readonly soundBytes: number,
  ) {
    super(`${cause.message} (in block ${block}, behind ${soundBytes} sound bytes)`, cause.offsetBytes);
    this.name = "BlockError";
  }
}

/**
 * Restores all frames that `pull` gives, and hands each block to `sink` when it is verified. The bytes are the sink's
 * until its promise resolves: those of stored blocks are a view of what was read, and are overwritten then; the memory
 * of all others is given back.
 *
 * Memory: the model, twice a block of the archive and a block of plain bytes, all held against `memoryBytesMax` when
 * the head of the block has come and its payload has not.
 * @returns plain and archive bytes
 * @throws NotAnArchiveError, UnsupportedVersionError, TruncatedError, CorruptError, BlockError (which wraps them behind
 *   the first block), MemoryLimitError, and what the source, the sink, the engine and the coder throw
 */
export async function restore(
  pull: PullBytes,
  sink: ByteSink,
  engineSource: EngineSource,
  options: RestoreOptions,
): Promise<{ plainBytes: number; codedBytes: number }> {
  const restorer = new Restorer(engineSource, options);
  const reader = new ArchiveReader(pull, {
    admit: (head, header) => restorer.admit(head, header),
    checks: options.checks !== false,
  });
  try {
    const next = () =>
      reader.next().catch((error: unknown) => {
        throw reader.isAtBlock ? restorer.placed(error) : error;
      });
    for (let part = await next(); part; part = await next()) {
      const plain = await restorer.take(part, reader.position).catch((error: unknown) => {
        throw restorer.placed(error);
      });
      if (!plain) continue;
      await sink(plain);
      collectAfter(plain.length);
      if (part.kind === "block" && isMade(part.block)) release(plain);
    }
    return { plainBytes: restorer.plainBytes, codedBytes: reader.position };
  } finally {
    await restorer.close();
  }
}

/** Restores one frame that is in memory. @throws what restore throws */
export async function decompressFrame(
  frame: Frame,
  engineSource: EngineSource,
  options: FrameOptions,
): Promise<Uint8Array> {
  const { onProgress, ...others } = options;
  const report = ({ plainBytes }: RestoreProgress) =>
    onProgress?.({ stepsDone: 0, steps: 0, bytesDone: plainBytes, codedBytes: 0 });
  const restorer = new Restorer(engineSource, { ...others, onProgress: report });
  const { header, blocks, offsetBytes } = frame;
  const plain: Uint8Array[] = [];
  try {
    await restorer.take({ kind: "header", header, offsetBytes }, 0);
    for (const block of blocks) {
      const bytes = await restorer.take({ kind: "block", block, offsetBytes, codedBytes: 0 }, 0);
      if (bytes) plain.push(bytes);
    }
    return new Uint8Array(Buffer.concat(plain));
  } finally {
    await restorer.close();
  }
}

class Restorer {
  readonly #engineSource: EngineSource;
  readonly #options: RestoreOptions;
  #header: FrameHeader | undefined;
  #model: BlockDecompressor | undefined;
  #repeats: RepeatRestorer | undefined;
  #check = CHECK_START;
  #blocks = 0;
  #codedBytes = 0;
  #totalBytes: number | undefined = 0;
  /** Plain bytes that stand behind each byte that the model sees of the block at hand. */
  #plainPerSeen = 1;
  /** Restored and verified so far. */
  plainBytes = 0;

  constructor(engineSource: EngineSource, options: RestoreOptions) {
    this.#engineSource = engineSource;
    this.#options = options;
  }

  /** Adds to a complaint about a block which one it is, if sound ones came before. */
  placed(error: unknown): unknown {
    const isPlaceless = this.#blocks === 0 || !(error instanceof ArchiveError);
    return isPlaceless ? error : new BlockError(error, this.#blocks + 1, this.plainBytes);
  }

  /** Follows one part; gives the plain bytes of a block. */
  async take(part: ArchivePart, codedBytes: number): Promise<Uint8Array | undefined> {
    if (part.kind === "header") {
      const { plainBytes } = part.header;
      this.#header = part.header;
      this.#check = CHECK_START;
      this.#totalBytes = add(this.#totalBytes, plainBytes);
      this.#repeats = isOld(part.header) ? undefined : openRepeats(part.header);
      return undefined;
    }
    if (part.kind === "model") {
      if (this.#header) this.#header = { ...this.#header, model: part.model };
      return undefined;
    }
    if (part.kind === "end") {
      await this.close();
      return undefined;
    }
    const { block, offsetBytes } = part;
    const plain = await this.#restoreBlock(block, offsetBytes);
    this.#repeats?.keep(plain);
    this.#check = this.#options.checks === false ? block.check : this.#verify(block, plain, offsetBytes);
    this.#blocks += 1;
    this.plainBytes += plain.length;
    this.#codedBytes = codedBytes;
    this.#report(0);
    return plain;
  }

  /** Refuses a block that needs too much memory, before its payload is there. @throws MemoryLimitError */
  admit({ kind, plainBytes, cut }: BlockHead, header: FrameHeader): void {
    const { memoryBytesMax } = this.#options;
    if (kind !== "stored" && header.model) {
      checkMemory(header.model.hyper, blockMemoryBytes(header, cut !== undefined), memoryBytesMax);
    } else {
      checkStoredMemory(plainBytes + (cut ? windowNeededBy(header) : 0), memoryBytesMax);
    }
  }

  #verify(block: Block, plain: Uint8Array, offsetBytes: number): bigint {
    return checkPlain(block, plain, this.#check, this.#header?.blockBytes ?? plain.length, offsetBytes);
  }

  async close(): Promise<void> {
    const model = this.#model;
    this.#model = undefined;
    await model?.close();
  }

  async #restoreBlock(block: Block, offsetBytes: number): Promise<Uint8Array> {
    const { copies } = block;
    // Before the model works: a list of copies that is no good would only waste the time.
    const join = copies && this.#repeats?.open(block, copies, offsetBytes);
    this.#plainPerSeen = copies ? block.plainBytes / Math.max(1, copies.restBytes) : 1;
    if (block.kind === "coded") {
      const seen = await this.#decompress(block, copies?.restBytes ?? block.plainBytes, offsetBytes);
      if (!join) return seen;
      const plain = join(seen);
      release(seen);
      return plain;
    }
    const plain = join ? join(block.payload) : block.payload;
    if (block.kind === "learned") {
      // Here, too, first the check.
      if (this.#options.checks !== false) this.#verify(block, plain, offsetBytes);
      await (await this.#openModel()).learn(block.payload, kindOf(block));
    }
    return plain;
  }

  async #decompress(block: CodedBlock, sizeBytes: number, offsetBytes: number): Promise<Uint8Array> {
    const model = await this.#openModel();
    try {
      return await model.decompress(sizeBytes, block.groups, kindOf(block));
    } catch (error) {
      if (!(error instanceof CorruptDataError)) throw error;
      throw new CorruptError(offsetBytes, "the coded data", "what a fade coder writes", error.message);
    }
  }

  async #openModel(): Promise<BlockDecompressor> {
    if (this.#model) return this.#model;
    const header = this.#header;
    if (!header?.model) throw new Error("the reader let a coded block pass in a frame without a model");
    const { onProgress, ...options } = this.#options;
    checkMemory(header.model.hyper, blockMemoryBytes(header, false), options.memoryBytesMax);
    this.#model = await BlockDecompressor.open(await this.#engineSource(), header.model.hyper, {
      ...options,
      ...(onProgress && { onProgress: ({ bytesDone }: { bytesDone: number }) => this.#report(bytesDone) }),
    });
    return this.#model;
  }

  #report(bytesInBlock: number): void {
    const plainBytes = this.plainBytes + Math.floor(bytesInBlock * this.#plainPerSeen);
    this.#options.onProgress?.({ plainBytes, codedBytes: this.#codedBytes, totalBytes: this.#totalBytes });
  }
}

const isOld = ({ version }: FrameHeader) => version < FORMAT_VERSION_3;

const openRepeats = (header: FrameHeader) =>
  new RepeatRestorer(windowNeededBy(header), header.version > FORMAT_VERSION_4);

/** Whether the plain bytes are more than a view of the block's payload. */
const isMade = ({ kind, copies }: Block) => kind === "coded" || copies !== undefined;

const kindOf = ({ stride = 0 }: Block): DataKind => ({ stride });

/** How much of the plain bytes before a block is kept for its copies: nothing, if there is only one block. */
function windowNeededBy({ plainBytes = Number.POSITIVE_INFINITY, blockBytes }: FrameHeader): number {
  return plainBytes <= blockBytes ? 0 : windowBytesOf(blockBytes);
}

/** What a coded block takes besides the model: twice as many bytes of the archive, the block, its rest, the window. */
function blockMemoryBytes(header: FrameHeader, isCut: boolean): number {
  return (isCut ? 4 : 3) * header.blockBytes + (isOld(header) ? 0 : windowNeededBy(header));
}

const add = (a: number | undefined, b: number | undefined) => (a === undefined || b === undefined ? undefined : a + b);
