/**
 * Who kept the work waiting: classifies every moment of a run by who is at work, from the calls on the engine (which
 * are wrapped here) and what the coder's observer tells.
 */
import type { CoderObserver, Engine, Model } from "../engine/engine.ts";
import type { TimeSplit } from "./results.ts";

type Clock = () => number;

export class TimeMeter {
  readonly #clock: Clock;
  readonly #startedAtMs: number;
  #sinceMs: number;
  #engineCalls = 0;
  #coderCalls = 0;
  #setUpMs: number | undefined;
  #engineMs = 0;
  #coderMs = 0;
  #waitingMs = 0;

  constructor(clock: Clock = () => performance.now()) {
    this.#clock = clock;
    this.#startedAtMs = clock();
    this.#sinceMs = this.#startedAtMs;
  }

  /** @param change 1 when a call on the engine begins, -1 when it ends */
  engine(change: 1 | -1): void {
    this.#turn();
    this.#setUpMs ??= this.#sinceMs - this.#startedAtMs;
    this.#engineCalls += change;
  }

  /** @param change 1 when a call on the coder begins, -1 when it ends */
  coder(change: 1 | -1): void {
    this.#turn();
    this.#coderCalls += change;
  }

  /** Until now. Without a call on the engine there was no set-up, and all was waiting. */
  split(): TimeSplit {
    this.#turn();
    const setUpMs = this.#setUpMs ?? 0;
    return {
      setUpMs,
      engineMs: this.#engineMs,
      coderMs: this.#coderMs,
      waitingMs: this.#waitingMs - setUpMs,
    };
  }

  /** Books the time since the last turn. */
  #turn(): void {
    const nowMs = this.#clock();
    const passedMs = nowMs - this.#sinceMs;
    if (this.#engineCalls > 0) this.#engineMs += passedMs;
    else if (this.#coderCalls > 0) this.#coderMs += passedMs;
    else this.#waitingMs += passedMs;
    this.#sinceMs = nowMs;
  }
}

/** An engine like `engine` whose models tell `meter` of every call. */
export function meteredEngine(engine: Engine, meter: TimeMeter): Engine {
  return {
    name: engine.name,
    description: engine.description,
    openModel: async (...wanted) => meteredModel(await engine.openModel(...wanted), meter),
    close: () => engine.close(),
  };
}

/** Threads start and end; the network does nothing. */
const NOT_THE_ENGINES: ReadonlySet<string | symbol> = new Set(["beginPayloads", "close"]);

/** A proxy, so that calls which the interface may get later are metered, too. */
function meteredModel(model: Model, meter: TimeMeter): Model {
  const tracked = async (call: () => unknown): Promise<unknown> => {
    meter.engine(1);
    try {
      return await call();
    } finally {
      meter.engine(-1);
    }
  };
  return new Proxy(model, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key, target);
      if (typeof member !== "function") return member;
      const call = (parameters: unknown[]): unknown => Reflect.apply(member, target, parameters);
      if (NOT_THE_ENGINES.has(key)) return (...parameters: unknown[]) => call(parameters);
      return (...parameters: unknown[]) => tracked(() => call(parameters));
    },
  });
}

export function coderObserver(meter: TimeMeter): CoderObserver {
  return {
    coding: (isWorking) => {
      // A call on the engine goes on meanwhile, but it is not the network that works.
      meter.engine(isWorking ? -1 : 1);
      meter.coder(isWorking ? 1 : -1);
    },
  };
}
