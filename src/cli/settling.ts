/**
 * Outputs that wait for the disk while the next files are worked on. To bring a file to the disk takes milliseconds in
 * which the processor has nothing to do: of many small files, longer than to compress them.
 *
 * What comes behind the waiting (the name, the report, the removal of the source, and what is said of files that
 * failed) is done in the order of the files, one after the other, so that a run says and does the same as without.
 */

/** Outputs that wait at a time: so many files are open, and so many are lost to a power cut. */
export const WAITING_MAX = 8;

export class Settling {
  readonly #waitingMax: number;
  /** Those that have not settled, in order; none rejects. */
  #waiting: Promise<void>[] = [];
  #failure: { readonly error: unknown } | undefined;

  /** @param waitingMax 0: each file settles before the next begins */
  constructor(waitingMax: number) {
    this.#waitingMax = waitingMax;
  }

  /**
   * Queues what is left to do for a file, and waits while there are too many. Everything that was queued is done, even
   * if something before it failed.
   *
   * @throws what an earlier one, or this one, has thrown
   */
  async add(settle: () => Promise<void>): Promise<void> {
    const before = this.#waiting.at(-1) ?? Promise.resolve();
    const settled = before.then(settle).catch((error: unknown) => {
      this.#failure ??= { error };
    });
    this.#waiting.push(settled);
    await this.#wait(this.#waitingMax);
  }

  /** Waits for all. @throws what one of them has thrown */
  async drain(): Promise<void> {
    await this.#wait(0);
  }

  async #wait(most: number): Promise<void> {
    while (this.#waiting.length > most) {
      const [oldest, ...others] = this.#waiting;
      await oldest;
      this.#waiting = others;
    }
    if (!this.#failure) return;
    const { error } = this.#failure;
    this.#failure = undefined;
    throw error;
  }
}
