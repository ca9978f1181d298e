/**
 * The parts of an input in their order: blocks, cut where chance begins and ends. While the model is at one part, those
 * behind it may be read and prepared: PartLine goes ahead by so many parts as there are threads for it.
 */
import { CHECK_START, chainCheck } from "../archive/checksum.ts";
import { chainPieces } from "../archive/fills.ts";
import { collectAfter } from "../platform/release.ts";
import { modelBytesOf, splitAtChance } from "./chance.ts";
import { InputSizeError } from "./errors.ts";
import type { BlockBytes, FillReader } from "./fills.ts";
import { Pacer } from "./pacer.ts";
import type { Prepared } from "./prepare.ts";

/** A block of a frame, or a piece of one. */
export interface Part {
  readonly block: BlockBytes;
  /** Bytes of the block, without what fills give: those themselves may be with another thread. */
  readonly keptBytes: number;
  /** Of all plain bytes up to its end, chained from block to block, with what fills give. */
  readonly check: bigint;
  readonly isFirst: boolean;
  /** Whether it is the frame's last. */
  readonly isLast: boolean;
  /** What a model will see in all, if the first part says so. */
  readonly modelBytes?: number;
}

/** How a frame is cut. */
export interface FramePlan {
  readonly totalBytes: number | undefined;
  readonly blockBytes: number;
}

/**
 * @param isOnly whether the first block has all bytes
 * @throws InputSizeError, what the source throws, the abort reason
 */
export async function* partsOf(
  reader: FillReader,
  { totalBytes }: FramePlan,
  wantedBytes: number,
  isOnly: boolean,
  signal?: AbortSignal,
): AsyncGenerator<Part> {
  let doneBytes = 0;
  let check = CHECK_START;
  let isFirst = true;
  for (let isEnd = false; !isEnd; ) {
    const block = await reader.next(wantedBytes, totalBytes === undefined ? undefined : totalBytes - doneBytes);
    doneBytes += block.totalBytes;
    isEnd = block.isEnd || doneBytes === totalBytes;
    const parts = block.totalBytes > 0 ? splitAtChance(block) : [];
    if (parts.length > 1) reader.free(block.bytes);
    const known = isOnly && isEnd && parts.length > 1 && { modelBytes: modelBytesOf(parts) };
    for (const part of parts) {
      check = await checkOf(part, check, signal);
      const keptBytes = part.bytes.length;
      yield { block: part, keptBytes, check, isFirst, isLast: isEnd && part === parts.at(-1), ...known };
      isFirst = false;
    }
    collectAfter(wantedBytes);
  }
  if (totalBytes !== undefined && doneBytes !== totalBytes) throw new InputSizeError(totalBytes, doneBytes);
}

async function checkOf({ bytes, fills }: BlockBytes, before: bigint, signal?: AbortSignal): Promise<bigint> {
  if (!fills) return chainCheck(bytes, before);
  const pacer = new Pacer(signal);
  return await chainPieces(bytes, fills, before, () => pacer.turn(() => {}));
}

/** A part, and what its thread makes of it, if it has one. */
interface PartInLine {
  readonly part: Part;
  readonly prepared?: Promise<Prepared> | undefined;
}

export class PartLine {
  readonly #parts: AsyncGenerator<Part>;
  readonly #prepare: (part: Part) => Promise<Prepared> | undefined;
  readonly #ahead: Promise<PartInLine | undefined>[] = [];

  /** @param prepare sets a thread to work, if there is one for the part; called in the order of the parts */
  constructor(parts: AsyncGenerator<Part>, prepare: (part: Part) => Promise<Prepared> | undefined) {
    this.#parts = parts;
    this.#prepare = prepare;
  }

  /** The next part; undefined behind the last. @throws what the source throws */
  next(): Promise<PartInLine | undefined> {
    return this.#ahead.shift() ?? this.#pull();
  }

  /** Begins with the parts behind those that came, so that so many are on their way. */
  goAhead(count: number): void {
    while (this.#ahead.length < count) {
      const one = this.#pull();
      one.catch(() => {}); // `next` hands it out
      this.#ahead.push(one);
    }
  }

  async #pull(): Promise<PartInLine | undefined> {
    const { value, done } = await this.#parts.next();
    if (done) return undefined;
    const prepared = this.#prepare(value);
    prepared?.catch(() => {}); // awaited when it is the part's turn
    return { part: value, prepared };
  }
}
