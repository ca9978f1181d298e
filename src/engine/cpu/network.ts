/**
 * One thread's whole part in a model: the passes in their order, and the commands that run them. Thread 0 is the
 * caller's; the others sit in worker.ts.
 */
import { BackwardPass } from "./backward.ts";
import { Command, Control, meet } from "./control.ts";
import { ForwardPass } from "./forward.ts";
import { Optimizer } from "./optimizer.ts";
import { RecallPart } from "./recall.ts";
import { EngineThread, type ThreadSetup } from "./thread.ts";

/** Milliseconds that this thread has spent, by phase. */
export interface PhaseTimes {
  forward: number;
  backward: number;
  optimizer: number;
  recall: number;
  waiting: number;
}

export class Network {
  readonly thread: EngineThread;
  readonly forward: ForwardPass;
  readonly backward: BackwardPass;
  readonly optimizer: Optimizer;
  readonly recall: RecallPart;
  readonly times: PhaseTimes = { forward: 0, backward: 0, optimizer: 0, recall: 0, waiting: 0 };

  /** @param clock milliseconds, for benchmarks; the engine itself has no use for time */
  constructor(
    setup: ThreadSetup,
    readonly clock: () => number = () => 0,
  ) {
    this.thread = new EngineThread(setup);
    this.forward = new ForwardPass(this.thread);
    this.recall = new RecallPart(this.thread);
    this.backward = new BackwardPass(this.thread, setup.memory);
    this.optimizer = new Optimizer(this.thread, this.backward.logitShift);
  }

  /** Makes the quantised copies of this thread's share of the initial weights. */
  prepare(): void {
    this.optimizer.run(0);
    this.thread.seen.fill(0);
    meet(this.thread.control, this.thread.threads);
  }

  /** Runs the command in the control words; returns when all threads have run it, false after CLOSE. */
  obey(): boolean {
    const { control, threads } = this.thread;
    const command = Atomics.load(control, Control.COMMAND);
    if (command === Command.CLOSE) return false;
    if (command === Command.PREDICT) this.#predict();
    else if (command === Command.LEARN) this.#learn(this.thread.at.bytes);
    else if (command === Command.REWIND) this.#rewind(Atomics.load(control, Control.STEPS) === 0);
    else this.#encode(Atomics.load(control, Control.STEPS));
    // Learning ends with a meeting of its own.
    if (command === Command.PREDICT || command === Command.REWIND) meet(control, threads);
    return true;
  }

  /** @param isKept whether the first state is there to be copied */
  #rewind(isKept: boolean): void {
    const { thread } = this;
    thread.rewinder?.rewind(thread.step);
    meet(thread.control, thread.threads);
    thread.begin();
    if (isKept) return;
    this.prepare();
    thread.rewinder?.keep();
  }

  #encode(steps: number): void {
    const { kernels, at, hyper, from, to } = this.thread;
    for (let step = 0; step < steps; step++) {
      const bytes = at.bytes + step * hyper.streams;
      this.#forward();
      kernels.intervals(at.frequencies, bytes, from, to, at.intervals + step * hyper.streams * 8);
      this.#learn(bytes);
    }
  }

  #predict(): void {
    const { kernels, at, from, to } = this.thread;
    this.#forward();
    kernels.cumulate(at.frequencies, from, to, at.ends);
  }

  #forward(): void {
    const { times } = this;
    const start = this.clock();
    this.recall.lookUp();
    const found = this.clock();
    this.forward.run();
    times.recall += found - start;
    times.forward += this.clock() - found;
  }

  #learn(bytes: number): void {
    const { thread, times } = this;
    const start = this.clock();
    this.recall.take(bytes);
    if (thread.trains) this.backward.run();
    const ran = this.clock();
    meet(thread.control, thread.threads);
    const met = this.clock();
    this.recall.learn(bytes);
    const learned = this.clock();
    if (thread.trains) this.optimizer.run(thread.rate);
    const trained = this.clock();
    thread.endStep();
    times.backward += ran - start;
    times.recall += learned - met;
    times.optimizer += trained - learned;
    times.waiting += met - ran + this.clock() - trained;
  }
}
