/**
 * Archives back to plain bytes, block by block: one block is in memory, and none goes out before its checksum was
 * compared. The model of a frame lives from its first coded block to its end. Whatever an archive asks for is held
 * against the limits before it is given: memory.ts has those of the memory, limits.ts those of output and time.
 */
import { CHECK_START } from "../archive/checksum.ts";
import { ArchiveError, CorruptError } from "../archive/errors.ts";
import { chainPieces, fillBytesOf, piecesOf } from "../archive/fills.ts";
import {
  type Block,
  type BlockHead,
  type CodedBlock,
  type Fill,
  FORMAT_VERSION_3,
  FORMAT_VERSION_4,
  FORMAT_VERSION_9,
  type FrameHeader,
  windowBytesOf,
} from "../archive/format.ts";
import { checkPlain, compareCheck } from "../archive/read.ts";
import { type ArchivePart, ArchiveReader, type PullBytes } from "../archive/stream.ts";
import { CorruptDataError } from "../coder/errors.ts";
import { keepLanesWithin } from "../platform/idle-room.ts";
import { collectAfter, leaveBehind, release } from "../platform/release.ts";
import { foresightMemoryBytes } from "../predict/foresight.ts";
import type { Stretch } from "../predict/list.ts";
import { transformMemoryBytes } from "../predict/transform.ts";
import type { Prior } from "../prior/file.ts";
import { windowRoomBytes } from "../repeats/window.ts";
import { copiesIn, foreseenOf, isMade, seenBytesOf, stretchesOf } from "./block-facts.ts";
import type { ToldFacts } from "./block-model.ts";
import { type CueFacts, cueFactsOf, cueMemoryBytes } from "./cues.ts";
import { BlockDecompressor } from "./decompress.ts";
import { BlockError } from "./errors.ts";
import type { ByteSink, EngineSource, FrameOptions } from "./frame-options.ts";
import { Budget, type RestoreLimits } from "./limits.ts";
import { checkMemory, MemoryLimitError, modelMemoryBytes } from "./memory.ts";
import { restoreNumbers } from "./numbers-back.ts";
import { Outbox } from "./outbox.ts";
import { Pacer } from "./pacer.ts";
import { RepeatRestorer } from "./paste.ts";
import {
  contentBytesOf,
  fitting,
  oldBytesOf,
  priorMemoryBytes,
  priorOf,
  smallStride,
  withSmallModel,
} from "./priors.ts";

export { BlockError } from "./errors.ts";

export interface RestoreProgress {
  /** Plain bytes that are restored, of all frames so far. */
  readonly plainBytes: number;
  /** Archive bytes that are used up. */
  readonly codedBytes: number;
  /** Plain bytes of the frames so far, as their headers say; undefined if one does not. */
  readonly totalBytes: number | undefined;
}

export interface RestoreOptions extends Omit<FrameOptions, "onProgress"> {
  /** Priors that frames may name, beside those that are built in. */
  readonly priors?: readonly Prior[];
  readonly onProgress?: (progress: RestoreProgress) => void;
  /** false: hand out bytes whose checksum is wrong, too. Default: true. */
  readonly checks?: boolean;
  /** Default: none. */
  readonly limits?: RestoreLimits;
  /** Bytes of the archive and what follows it, if that is known. */
  readonly sizeBytes?: number;
}

/**
 * Restores all frames that `pull` gives, and hands each block to `sink` when it is verified. The bytes are the sink's
 * until its promise resolves: those of stored blocks are a view of what was read, and are overwritten then; the memory
 * of all others is given back.
 *
 * Memory: the model, twice a block of the archive and a block of plain bytes, all held against `memoryBytesMax` when
 * the head of the block has come and its payload has not.
 * @returns plain and archive bytes, without padding
 * @throws NotAnArchiveError, UnsupportedVersionError, TruncatedError, CorruptError, TrailingBytesError, BlockError
 *   (which wraps them behind the first block), MemoryLimitError, OutputLimitError, TimeLimitError, and what the source,
 *   the sink, the engine and the coder throw; all sound bytes have gone to the sink then
 */
export async function restore(
  pull: PullBytes,
  sink: ByteSink,
  engineSource: EngineSource,
  options: RestoreOptions,
): Promise<{ plainBytes: number; codedBytes: number }> {
  const restorer = new Restorer(engineSource, options);
  const outbox = new Outbox(sink);
  const { sizeBytes } = options;
  // Bytes that are restored do not wait for others to come.
  const pullLater = async () => {
    await outbox.flush();
    return await pull();
  };
  const reader = new ArchiveReader(pullLater, {
    admit: (head, header) => restorer.admit(head, header),
    checks: options.checks !== false,
    ...(sizeBytes !== undefined && { sizeBytes }),
  });
  try {
    await restoreParts(reader, restorer, outbox, options.signal);
    return { plainBytes: restorer.plainBytes, codedBytes: reader.position };
  } finally {
    await outbox.flush().finally(() => restorer.close());
  }
}

async function restoreParts(
  reader: ArchiveReader,
  restorer: Restorer,
  outbox: Outbox,
  signal: AbortSignal | undefined,
): Promise<void> {
  const next = () =>
    reader.next().catch((error: unknown) => {
      throw reader.isAtBlock ? restorer.placed(error) : error;
    });
  for (let part = await next(); part; part = await next()) {
    // Nor do they wait for a model.
    if (part.kind === "block" && part.block.kind !== "stored") await outbox.flush();
    const plain = await restorer.take(part, reader.position).catch((error: unknown) => {
      throw restorer.placed(error);
    });
    if (!plain) {
      collectAfter(0);
      continue;
    }
    await handOut(plain, (bytes) => outbox.add(bytes), signal);
    collectAfter(plain.bytes.length);
    if (part.kind === "block" && isMade(part.block)) release(plain.bytes);
  }
}

/** Pieces of fills may be many: others may work between them. */
async function handOut({ bytes, fills }: PlainBlockBytes, sink: ByteSink, signal?: AbortSignal): Promise<void> {
  if (!fills) return await sink(bytes);
  const pacer = new Pacer(signal);
  for (const piece of piecesOf(bytes, fills)) {
    await sink(piece);
    await pacer.turn(() => {});
  }
}

/** The plain bytes of a block, without those of its fills. */
interface PlainBlockBytes {
  readonly bytes: Uint8Array;
  readonly fills: readonly Fill[] | undefined;
}

class Restorer {
  readonly #engineSource: EngineSource;
  readonly #options: RestoreOptions;
  #header: FrameHeader | undefined;
  #prior: Prior | undefined;
  #model: BlockDecompressor | undefined;
  #repeats: RepeatRestorer | undefined;
  /** What a window would have taken that there was no room for: bytes, with all else at that time. */
  #windowRefusedBytes: number | undefined;
  readonly #budget: Budget;
  #check = CHECK_START;
  #blocks = 0;
  #codedBytes = 0;
  #totalBytes: number | undefined = 0;
  /** Plain bytes of the frame so far. */
  #frameBytes = 0;
  /** Plain bytes that stand behind each byte that the model sees of the block at hand. */
  #plainPerSeen = 1;
  /** Restored and verified so far. */
  plainBytes = 0;

  constructor(engineSource: EngineSource, options: RestoreOptions) {
    this.#engineSource = engineSource;
    this.#options = options;
    this.#budget = new Budget(options.limits ?? {});
  }

  /** Adds to a complaint about a block which one it is, if sound ones came before. */
  placed(error: unknown): unknown {
    const isPlaceless = this.#blocks === 0 || !(error instanceof ArchiveError);
    return isPlaceless ? error : new BlockError(error, this.#blocks + 1, this.plainBytes);
  }

  /** Follows one part; gives the plain bytes of a block. */
  async take(part: ArchivePart, codedBytes: number): Promise<PlainBlockBytes | undefined> {
    if (part.kind === "header") {
      this.#openFrame(part.header, part.offsetBytes);
      return undefined;
    }
    if (part.kind === "model") {
      if (this.#header) this.#header = { ...this.#header, model: part.model };
      if (this.#prior) this.#prior = fitting(this.#prior, part.model.hyper, part.offsetBytes);
      return undefined;
    }
    if (part.kind === "end") {
      await this.close();
      return undefined;
    }
    const { block, offsetBytes } = part;
    const outputBytes = block.plainBytes + fillBytesOf(block.fills);
    this.#budget.pass(
      block.kind !== "stored",
      outputBytes,
      copiesIn(block, offsetBytes),
      this.#prior?.old !== undefined,
    );
    const plain = await this.#restoreBlock(block, offsetBytes);
    this.#frameBytes += outputBytes;
    if (this.#frameBytes !== this.#header?.plainBytes) this.#repeats?.keep(plain);
    this.#check = this.#options.checks === false ? block.check : await this.#verify(block, plain, offsetBytes);
    this.#blocks += 1;
    this.plainBytes += outputBytes;
    this.#codedBytes = codedBytes;
    this.#report(0);
    return { bytes: plain, fills: block.fills };
  }

  #openFrame(header: FrameHeader, offsetBytes: number): void {
    this.#budget.openFrame(header);
    this.#prior = priorOf(header, this.#options.priors ?? [], offsetBytes);
    this.#header = this.#prior ? withSmallModel(header, this.#prior) : header;
    this.#check = CHECK_START;
    this.#frameBytes = 0;
    this.#totalBytes = add(this.#totalBytes, header.plainBytes);
    this.#repeats = isOld(header) ? undefined : openRepeats(header, this.#prior?.old);
    this.#windowRefusedBytes = undefined;
  }

  /**
   * Refuses a block that needs too much, before its payload is there. May be called again for the same block.
   *
   * @throws MemoryLimitError, OutputLimitError, TimeLimitError
   */
  admit(head: BlockHead, stated: FrameHeader): void {
    const header = this.#prior ? withSmallModel(stated, this.#prior) : stated;
    const { kind, plainBytes, cut, stretchBytes, isForeseen } = head;
    const { memoryBytesMax } = this.#options;
    const windowBytes = this.#windowFor(head, header);
    const oldBytes = oldBytesOf(this.#prior);
    this.#budget.admit(head, header, contentBytesOf(this.#prior));
    if (cut && this.#windowRefusedBytes !== undefined) {
      throw new MemoryLimitError(this.#windowRefusedBytes, memoryBytesMax);
    }
    if (kind !== "stored" && header.model) {
      // Of a learned block with stretches, what the model sees and the bytes themselves are both there.
      const predictorBytes = stretchBytes ? transformMemoryBytes(plainBytes) + plainBytes : 0;
      const foresightBytes = isForeseen ? foresightMemoryBytes(plainBytes, header.model.hyper.streams) : 0;
      const blockBytes = blockMemoryBytes(header, cut !== undefined, windowBytes) + oldBytes;
      const cueBytes = oldBytes > 0 ? cueMemoryBytes(plainBytes) : 0;
      const priorBytes = priorMemoryBytes(this.#prior, header.model.hyper);
      const besideBytes = blockBytes + cueBytes + predictorBytes + foresightBytes + priorBytes;
      checkMemory(header.model.hyper, besideBytes, memoryBytesMax);
      return;
    }
    // A model that is open stays so.
    const { hyper } = (this.#model && header.model) || {};
    const modelBytes = hyper ? modelMemoryBytes(hyper) + priorMemoryBytes(this.#prior, hyper) : 0;
    // What came and what is made of it; of a block with copies the list as it is read, too.
    const neededBytes = modelBytes + oldBytes + (cut ? 3 * plainBytes + windowBytes : 2 * plainBytes);
    if (neededBytes > memoryBytesMax) throw new MemoryLimitError(neededBytes, memoryBytesMax);
    if (!cut) this.#limitWindow(neededBytes, plainBytes);
  }

  /**
   * What is kept of the plain bytes before blocks for their copies takes so much: nothing, if there is only one block.
   * A patch's old bytes are copied beside that.
   */
  #windowFor({ plainBytes, fills }: BlockHead, header: FrameHeader): number {
    if (isOld(header)) return 0;
    const isOnly = this.#frameBytes === 0 && plainBytes + fillBytesOf(fills) === header.plainBytes;
    return oldBytesOf(this.#prior) + (isOnly ? 0 : windowRoomBytes(windowBytesOf(header.blockBytes)));
  }

  /** Copies may never come: a frame without them is not refused for the window that they would need. */
  #limitWindow(neededBytes: number, plainBytes: number): void {
    const allBytes = neededBytes + (this.#repeats?.roomBytesWith(plainBytes) ?? 0);
    if (allBytes <= this.#options.memoryBytesMax) return;
    this.#windowRefusedBytes = allBytes;
    this.#closeRepeats();
  }

  async #verify(block: Block, plain: Uint8Array, offsetBytes: number): Promise<bigint> {
    const header: Pick<FrameHeader, "blockBytes" | "small"> = this.#header ?? { blockBytes: plain.length };
    if (!block.fills) return checkPlain(block, plain, this.#check, header, offsetBytes);
    const pacer = new Pacer(this.#options.signal);
    const found = await chainPieces(plain, block.fills, this.#check, () => pacer.turn(() => this.#report(0)));
    return compareCheck(block, found, header, offsetBytes);
  }

  /** Ends the frame. Its memory is given back now: a thousand frames may each have a model and a window. */
  async close(): Promise<void> {
    const model = this.#model;
    this.#model = undefined;
    this.#closeRepeats();
    if (!model) return;
    await model.close();
    if (this.#header?.model) leaveBehind(modelMemoryBytes(this.#header.model.hyper));
  }

  #closeRepeats(): void {
    this.#repeats?.close();
    this.#repeats = undefined;
  }

  async #restoreBlock(block: Block, offsetBytes: number): Promise<Uint8Array> {
    const { copies } = block;
    // Before the model works: a list of copies that is no good would only waste the time.
    const open = copies && this.#repeats?.open(block, copies, offsetBytes);
    this.#plainPerSeen = copies ? block.plainBytes / Math.max(1, copies.restBytes) : 1;
    const stretches = stretchesOf(block, this.#header?.version ?? 0, offsetBytes);
    const hasCues = open && (this.#header?.version ?? 0) >= FORMAT_VERSION_9;
    const cues = hasCues ? cueFactsOf(this.#prior, block, open, stretches) : undefined;
    if (block.kind === "coded") {
      const rest = await this.#decompress(block, stretches, offsetBytes, cues);
      await restoreNumbers(rest, stretches, block.isForeseen === true, this.#options.signal);
      if (!open) return rest;
      const plain = open.join(rest);
      release(rest);
      return plain;
    }
    const rest = stretches.length > 0 ? block.payload.slice() : block.payload;
    await restoreNumbers(rest, stretches, block.isForeseen === true, this.#options.signal);
    const plain = open ? open.join(rest) : rest;
    if (block.kind === "learned") {
      // Here, too, first the check.
      if (this.#options.checks !== false) await this.#verify(block, plain, offsetBytes);
      const model = await this.#openModel();
      await model.learn(block.payload, this.#told(block, stretches, cues));
    }
    return plain;
  }

  async #decompress(
    block: CodedBlock,
    stretches: readonly Stretch[],
    offsetBytes: number,
    cues: CueFacts | undefined,
  ): Promise<Uint8Array> {
    const sizeBytes = seenBytesOf(block);
    const model = await this.#openModel();
    try {
      return await model.decompress(sizeBytes, block.groups, this.#told(block, stretches, cues));
    } catch (error) {
      if (!(error instanceof CorruptDataError)) throw error;
      throw new CorruptError(offsetBytes, "the coded data", "what a fade coder writes", error.message);
    }
  }

  #told(block: Block, stretches: readonly Stretch[], cues: CueFacts | undefined): ToldFacts {
    const { stride: stated = 0 } = block;
    const stride = this.#header?.small ? smallStride(this.#prior, seenBytesOf(block), stated) : stated;
    return { stride, cues, foreseen: foreseenOf(block, stretches) };
  }

  async #openModel(): Promise<BlockDecompressor> {
    if (this.#model) return this.#model;
    const header = this.#header;
    if (!header?.model) throw new Error("the reader let a coded block pass in a frame without a model");
    const { onProgress, ...options } = this.#options;
    const { hyper } = header.model;
    const priorBytes = priorMemoryBytes(this.#prior, hyper);
    // With its window, the block was admitted already.
    const besideBytes = blockMemoryBytes(header, false, 0) + priorBytes;
    checkMemory(hyper, besideBytes, options.memoryBytesMax);
    if (this.#prior) keepLanesWithin(options.memoryBytesMax - modelMemoryBytes(hyper) - besideBytes);
    const expected = header.plainBytes !== undefined && { expectedBytes: header.plainBytes };
    this.#model = await BlockDecompressor.open(await this.#engineSource({ hyper, ...expected }), hyper, {
      ...options,
      ...expected,
      ...(this.#prior && { prior: this.#prior }),
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

const openRepeats = (header: FrameHeader, old: Uint8Array | undefined) =>
  new RepeatRestorer(windowBytesOf(header.blockBytes), header.version > FORMAT_VERSION_4, old);

/** What a coded block takes besides the model: twice as many bytes of the archive, the block, its rest, the window. */
function blockMemoryBytes(header: FrameHeader, isCut: boolean, windowBytes: number): number {
  return (isCut ? 4 : 3) * header.blockBytes + windowBytes;
}

const add = (a: number | undefined, b: number | undefined) => (a === undefined || b === undefined ? undefined : a + b);
