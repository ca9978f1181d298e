/**
 * Collects small blocks on their way out, because a write costs more than a block of a few bytes does. Whoever reads
 * must not wait for them: they go before anything that may take long.
 */
import type { ByteSink } from "./frames.ts";

const ROOM_BYTES = 1 << 16;
/** What is longer goes out as it is. */
const SMALL_BYTES = 1 << 12;

export class Outbox {
  readonly #sink: ByteSink;
  readonly #room = new Uint8Array(ROOM_BYTES);
  #length = 0;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  /** Takes bytes, which are the caller's again when this resolves. @throws what the sink throws */
  async add(bytes: Uint8Array): Promise<void> {
    if (this.#length + bytes.length > ROOM_BYTES || bytes.length > SMALL_BYTES) await this.flush();
    if (bytes.length > SMALL_BYTES) {
      await this.#sink(bytes);
      return;
    }
    this.#room.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Hands on what waits. @throws what the sink throws; nothing waits then, either */
  async flush(): Promise<void> {
    const length = this.#length;
    this.#length = 0;
    if (length > 0) await this.#sink(this.#room.subarray(0, length));
  }
}
