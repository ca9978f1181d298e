/**
 * The stage before the model, in the pipeline: takes the repeats out of blocks (src/repeats). It keeps the frame's last
 * plain bytes, into which the copies of the next block may reach; so does the way back, paste.ts.
 */
import { type BlockCopies, windowBytesOf } from "../archive/format.ts";
import { collectAfter, release } from "../platform/release.ts";
import type { CutOptions } from "../repeats/choose.ts";
import { type Copies, copiedBytes, encodeCopies } from "../repeats/copies.ts";
import { type CutBlock, canBeCut, cutSlowly, cuttingMemoryBytes } from "../repeats/cut.ts";
import type { SearchMemory } from "../repeats/kernels.ts";
import { type CutPolicy, cutOptionsFor } from "../repeats/policy.ts";
import type { SparedRange } from "../repeats/spare.ts";
import { PatchWindow, Window } from "../repeats/window.ts";
import { MemoryLimitError } from "./memory.ts";
import { Pacer } from "./pacer.ts";

/** What is left of a block, and how the rest comes back. */
export interface Cut {
  readonly rest: Uint8Array;
  readonly copies: BlockCopies;
  /** The same, as numbers. */
  readonly places: Copies;
  /** Bytes before the block that copies reach. */
  readonly windowBytes: number;
}

/** How far back copies reach, in blocks. The format allows two, but the second gains nothing (docs/REPEATS.md). */
const WINDOW_BLOCKS = 1;
/** Blocks below this have no room for a repeat that pays. */
const CUT_BYTES_MIN = 128;
/** Where repeats must be many or long, fewer bytes than so many of the shortest ones are not worth the search. */
const SEARCHED_REPEATS_MIN = 4;
/** What copies must save, beyond their list: the fields and the guard that they add to a block. */
const CUT_HEAD_BYTES = 16;

interface CutterOptions {
  readonly policy: CutPolicy;
  /** If cutting would take more than half of this, it does without the window, or is left out. */
  readonly memoryBytesMax: number;
  readonly signal?: AbortSignal;
  /** Of a patch: what stands before the first block. */
  readonly old?: Uint8Array;
  /** How many lanes share so many bytes. */
  readonly lanesFor?: (sizeBytes: number) => number;
}

/** What the copies of a block may reach, for who cuts it elsewhere. */
export interface Reach {
  /** What stands right before the block; without it: the bytes of the blocks that were cut there before. */
  readonly window?: Uint8Array;
  /** So many of those bytes. */
  readonly reachBytes: number;
}

/** Takes the repeats out of the blocks of a frame, one after the other. */
export class RepeatCutter {
  readonly #options: CutterOptions;
  /** The plain bytes before the next block. */
  readonly #window: Window | PatchWindow;
  readonly #reachBytes: number;
  readonly #isPossible: boolean;
  #isHandedOver = false;

  /** @param isOnlyBlock nothing comes behind the first block, so nothing is kept */
  constructor(blockBytes: number, isOnlyBlock: boolean, options: CutterOptions) {
    const { old, memoryBytesMax } = options;
    const oldBytes = old?.length ?? 0;
    // Of a patch, how far old bytes are away depends on it: it must be what a decoder has.
    const wantedBytes = old ? windowBytesOf(blockBytes) : WINDOW_BLOCKS * blockBytes;
    const windowBytes = isOnlyBlock ? 0 : Math.min(wantedBytes, windowBytesOf(blockBytes));
    const neededBytes = (window: number) => 2 * cuttingMemoryBytes(blockBytes, window);
    const fits = (window: number) => canBeCut(blockBytes, window) && neededBytes(window) <= memoryBytesMax;
    this.#options = options;
    this.#isPossible = fits(old ? oldBytes + windowBytes : 0);
    if (old && !this.#isPossible) throw new MemoryLimitError(neededBytes(oldBytes + windowBytes), memoryBytesMax);
    const keptBytes = fits(oldBytes + windowBytes) ? windowBytes : 0;
    this.#reachBytes = oldBytes + keptBytes;
    this.#window = old ? new PatchWindow(keptBytes, old) : new Window(keptBytes);
  }

  /**
   * The next block without its repeats, or undefined if it has none that pay.
   *
   * @param isChance whether the block looks like chance to the model
   * @param spared ranges that only long copies may touch
   * @throws the abort reason
   */
  async cut(plain: Uint8Array, isChance: boolean, spared: readonly SparedRange[]): Promise<Cut | undefined> {
    if (!this.#isPossible) return undefined;
    const window = this.#window.bytes;
    const found = await searchRepeats(plain, { ...this.#options, window, isChance, spared });
    this.#window.add(plain);
    return found;
  }

  /**
   * For who cuts the next block elsewhere: what its copies may reach, or undefined if nothing is cut.
   *
   * @param isForGood whether the same one cuts all blocks from now on: the bytes before are handed over with the first.
   *   Otherwise it gets a copy of them, and the block is within reach of the block behind it
   */
  reachOf(plain: Uint8Array, isForGood: boolean): Reach | undefined {
    if (!this.#isPossible) return undefined;
    const reachBytes = this.#reachBytes;
    if (this.#isHandedOver) return { reachBytes };
    const window = this.#window.bytes.slice();
    this.#isHandedOver = isForGood;
    if (isForGood) this.#window.close();
    else this.#window.add(plain);
    return { window, reachBytes };
  }
}

interface RepeatSearch {
  /** What stands right before the block. */
  readonly window: Uint8Array;
  /** Of whoever searches one block after the other. */
  readonly memory?: SearchMemory;
  /** Told when the search has copies of block and window. */
  readonly onTaken?: () => void;
  readonly policy: CutPolicy;
  readonly lanesFor?: (sizeBytes: number) => number;
  readonly isChance: boolean;
  readonly spared: readonly SparedRange[];
  readonly signal?: AbortSignal;
}

/** Takes the repeats out of a block, if that pays. @throws the abort reason */
export async function searchRepeats(plain: Uint8Array, search: RepeatSearch): Promise<Cut | undefined> {
  const { window, policy, lanesFor, isChance, spared } = search;
  if (plain.length < CUT_BYTES_MIN) return undefined;
  const options = { ...cutOptionsFor(plain, isChance, policy), spared, ...(lanesFor && { lanesFor }) };
  const [blockBytes, windowBytes] = [plain.length, window.length];
  const searchedBytes = windowBytes + blockBytes;
  if (options.glance && searchedBytes < SEARCHED_REPEATS_MIN * options.glance.minLength) return undefined;
  const { rest, copies } = await cutPolitely(plain, search, options);
  // Not in there, where the room of the search is still in somebody's hands.
  collectAfter(cuttingMemoryBytes(blockBytes, windowBytes));
  if (copies.count === 0) return undefined;
  const list = encodeCopies(copies);
  if (list.length + CUT_HEAD_BYTES > copiedBytes(copies)) {
    release(rest);
    return undefined;
  }
  return { rest, copies: { restBytes: rest.length, list }, places: copies, windowBytes };
}

async function cutPolitely(plain: Uint8Array, search: RepeatSearch, options: CutOptions): Promise<CutBlock> {
  const { window, memory, onTaken, signal } = search;
  const pacer = new Pacer(signal);
  const work = cutSlowly(plain, window, options, memory);
  let turn = work.next();
  onTaken?.();
  for (; !turn.done; turn = work.next()) await pacer.turn(() => {});
  return turn.value;
}
