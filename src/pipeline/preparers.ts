/**
 * Threads that prepare blocks while the model is at the blocks before them. Without them a machine of many cores, or a
 * GPU, waits for one core: preparing takes a sixth of a second a megabyte, more where there are numbers, and a fast
 * model not much more.
 */
import { buffersOf } from "../platform/release.ts";
import { WorkerThread } from "../platform/worker-thread.ts";
import { transformMemoryBytes } from "../predict/transform.ts";
import { cuttingMemoryBytes } from "../repeats/cut.ts";
import { PreparerError } from "./errors.ts";
import type { Order, Prepared } from "./prepare.ts";

/** More threads wait for blocks to be read, or for their turn. */
const THREADS_MAX = 3;
/** Shorter blocks are prepared sooner than a thread has started. */
const BLOCK_BYTES_MIN = 2 ** 17;
/** Of a block on its way, where it is not the only one, at most: lent, handed over, its rest, what is shown of it. */
const COPIES_OF_BLOCK = 5;

/** What a thread takes with the block that it prepares, and the block before. */
export const preparerMemoryBytes = (blockBytes: number) =>
  COPIES_OF_BLOCK * blockBytes + cuttingMemoryBytes(blockBytes, blockBytes) + transformMemoryBytes(blockBytes);

/**
 * How many threads prepare blocks beside the model's; 0: the pipeline does.
 *
 * @param workers that may work in all
 * @param spareBytes of memory that nothing else needs
 */
export function preparerCount(workers: number, blockBytes: number, spareBytes: number): number {
  if (blockBytes < BLOCK_BYTES_MIN) return 0;
  const room = Math.floor(spareBytes / preparerMemoryBytes(blockBytes));
  return Math.max(0, Math.min(THREADS_MAX, workers - 1, room));
}

export class Preparers {
  readonly #count: number;
  readonly #threads: WorkerThread<Order, Prepared>[] = [];
  #next = 0;

  /** @param count threads, at least 1; each starts when there is a block for it */
  constructor(count: number) {
    this.#count = count;
  }

  /**
   * Prepares a block.
   *
   * @param isGivenAway whether its bytes themselves go to the thread, and no copy
   * @returns the block's bytes, too, unless something was cut out of them, or predicted
   * @throws ThreadLimitError; PreparerError later
   */
  async prepare(order: Order, isGivenAway = false): Promise<Prepared> {
    const number = this.#next;
    this.#next = (number + 1) % this.#count;
    this.#threads[number] ??= new WorkerThread("preparer", undefined, (detail) => new PreparerError(detail));
    const thread = this.#threads[number] as WorkerThread<Order, Prepared>;
    const { cutting } = order;
    const plain = isGivenAway ? order.plain : order.plain.slice();
    const own = [plain, ...(cutting?.window ? [cutting.window] : [])];
    thread.send({ ...order, plain }, buffersOf(own));
    const prepared = await thread.receive();
    const { cut, shown } = prepared;
    if (shown === undefined || shown.bytes.stretches) return prepared;
    const bytes = cut?.rest ?? (prepared.plain as Uint8Array);
    return { ...prepared, shown: { ...shown, bytes: { ...shown.bytes, bytes } } };
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}
