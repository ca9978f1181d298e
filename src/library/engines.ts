/**
 * The engines of one run, each opened when it is first needed and kept for all files that follow.
 *
 * With `--engine auto` there may be two. Small work goes to the CPU engine without a look at the machine's GPUs, since
 * finding one takes longer than the work, and so do mixers of few lanes; the best engine is looked for when the first
 * work comes that is worth it.
 */
import { hasNetwork } from "../contract/hyper.ts";
import type { Engine } from "../engine/engine.ts";
import { type EngineRequest, isForGpu } from "../engine/registry.ts";
import type { ModelWork } from "../pipeline/frames.ts";
import { decodeSeconds } from "./estimate.ts";

/** What takes the CPU engine less than this is small: a driver loads, and shaders compile, in about this time. */
const SMALL_SECONDS = 1;

export class Engines {
  readonly #request: EngineRequest;
  readonly #open: (request: EngineRequest) => Promise<Engine>;
  readonly #onOpened: (engine: Engine) => void;
  #best: Promise<Engine> | undefined;
  #small: Promise<Engine> | undefined;

  /** @param onOpened told of each engine that comes into use */
  constructor(
    request: EngineRequest,
    open: (request: EngineRequest) => Promise<Engine>,
    onOpened: (engine: Engine) => void,
  ) {
    this.#request = request;
    this.#open = open;
    this.#onOpened = onOpened;
  }

  /** The engine for some work. What failed for one file may work for the next. */
  async for(work: ModelWork): Promise<Engine> {
    return this.#isSmall(work) ? await this.#forSmall() : await this.#forAny();
  }

  #isSmall({ hyper, expectedBytes }: ModelWork): boolean {
    const { engine, adapter, threads } = this.#request;
    if (engine !== "auto" || adapter !== undefined) return false;
    if (!hasNetwork(hyper) && !isForGpu(hyper.streams, threads)) return true;
    if (expectedBytes === undefined) return false;
    return decodeSeconds(hyper, expectedBytes, threads) < SMALL_SECONDS;
  }

  async #forSmall(): Promise<Engine> {
    const best = await this.#best?.catch(() => undefined);
    if (best?.name === "cpu") return best;
    this.#small ??= this.#opened({ ...this.#request, isSmall: true });
    try {
      return await this.#small;
    } catch (error) {
      this.#small = undefined;
      throw error;
    }
  }

  async #forAny(): Promise<Engine> {
    this.#best ??= this.#openBest();
    try {
      return await this.#best;
    } catch (error) {
      this.#best = undefined;
      throw error;
    }
  }

  /** The CPU engine only once: the one for small work has its threads already. */
  async #openBest(): Promise<Engine> {
    const small = await this.#small?.catch(() => undefined);
    if (!small) return await this.#opened(this.#request);
    const best = await this.#open(this.#request);
    if (best.name === small.name) {
      await best.close();
      return small;
    }
    this.#onOpened(best);
    return best;
  }

  async #opened(request: EngineRequest): Promise<Engine> {
    const engine = await this.#open(request);
    this.#onOpened(engine);
    return engine;
  }

  /** A device that was lost does not come back; the next work gets another. */
  abandon(): void {
    void this.close().catch(() => {});
  }

  /** Frees what was opened. */
  async close(): Promise<void> {
    const engines = [this.#best, this.#small];
    this.#best = undefined;
    this.#small = undefined;
    const opened = await Promise.all(engines.map((engine) => engine?.catch(() => undefined)));
    for (const engine of new Set(opened)) await engine?.close();
  }
}
