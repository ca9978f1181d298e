/**
 * What one thread of the CPU engine holds: its instance of the kernels, its share of the streams, and its own replica
 * of the exponents, which all threads move on by the same rule from the same shared maxima.
 */

import { Exponents, GradientScales, gradientOperandLimit } from "../../contract/exponents.ts";
import { type HyperParameters, trainsIn } from "../../contract/hyper.ts";
import { EXPONENT_COUNT, QUANTISED_WEIGHTS, weightExponent } from "../../contract/network.ts";
import { NEED_BIAS } from "../../contract/optimizer.ts";
import { type LearningRates, ratesFor } from "../../contract/schedule.ts";
import { collect } from "../../platform/release.ts";
import { meet, share } from "./control.ts";
import type { Kernels } from "./kernel-signatures.ts";
import { instantiateKernels } from "./kernels.ts";
import { CpuLayout } from "./layout.ts";
import { Rewinder } from "./rewind.ts";

/** Steps between two collections of garbage, of which a step leaves about a kilobyte. */
const COLLECT_STEPS = 1 << 13;

/** What a worker is started with; the memory is shared. */
export interface ThreadSetup {
  readonly hyper: HyperParameters;
  readonly index: number;
  readonly threads: number;
  readonly memory: WebAssembly.Memory;
  readonly kernels: WebAssembly.Module;
  /** Whether other models may follow in this memory. */
  readonly isReusable?: boolean;
}

export class EngineThread {
  readonly hyper: HyperParameters;
  readonly index: number;
  readonly threads: number;
  readonly kernels: Kernels;
  readonly at: CpuLayout;
  readonly control: Int32Array;
  exponents: Exponents;
  gradientScales: GradientScales;
  readonly gradientLimit: number;
  /** Streams of this thread: [from, to), and the end with padding to a multiple of four. */
  readonly from: number;
  readonly to: number;
  readonly toPadded: number;
  /** Magnitudes of slots and needs of tensors that this thread saw in this step. */
  readonly seen: Int32Array;
  /** Only where this thread is to bring the memory back to its first state. */
  readonly rewinder: Rewinder | undefined;
  /** Steps that have been learned. */
  step = 0;
  /** Steps in which the network trained: what the optimizer counts. */
  trained = 0;

  readonly #rates: LearningRates;
  readonly #sharedSeen: Int32Array;
  readonly #initial: Int32Array;

  constructor(setup: ThreadSetup) {
    const { hyper, index, threads, memory } = setup;
    this.hyper = hyper;
    this.index = index;
    this.threads = threads;
    this.at = new CpuLayout(hyper, threads);
    this.kernels = instantiateKernels(setup.kernels, memory);
    this.control = new Int32Array(memory.buffer, this.at.control, 64);
    this.#sharedSeen = new Int32Array(memory.buffer, this.at.seen, 2 * threads * this.at.seenCount);
    this.seen = new Int32Array(this.at.seenCount);
    this.exponents = new Exponents(hyper);
    this.gradientScales = new GradientScales(this.at.layout);
    this.gradientLimit = gradientOperandLimit(hyper.streams);
    this.#rates = ratesFor(hyper.learningRate);
    const [fromQuad, toQuad] = share(this.at.rows / 4, index, threads);
    this.from = Math.min(4 * fromQuad, hyper.streams);
    this.to = Math.min(4 * toQuad, hyper.streams);
    this.toPadded = this.to > this.from ? 4 * toQuad : this.from;
    this.#initial = new Int32Array(memory.buffer, this.at.initial, EXPONENT_COUNT);
    this.rewinder = setup.isReusable && index === 0 ? new Rewinder(this.at, memory.buffer) : undefined;
    this.#holdInitial();
  }

  /** Takes all that this thread has for itself back to before the first step; what it shares must be there already. */
  begin(): void {
    this.step = 0;
    this.trained = 0;
    this.seen.fill(0);
    this.exponents = new Exponents(this.hyper);
    this.gradientScales = new GradientScales(this.at.layout);
    this.#holdInitial();
  }

  #holdInitial(): void {
    for (const name of QUANTISED_WEIGHTS) {
      this.exponents.holdInitial(weightExponent(name), this.#initial[weightExponent(name)] as number);
    }
  }

  /** The learning rate of this step if it trains, Q24; 0 while calibrating. */
  get rate(): number {
    return this.#rates.at(this.trained);
  }

  /** Whether the network trains in this step. */
  get trains(): boolean {
    return trainsIn(this.hyper, this.step);
  }

  /** Records a magnitude for an exponent. */
  note(exponent: number, magnitude: number): void {
    if (magnitude > (this.seen[exponent] as number)) this.seen[exponent] = magnitude;
  }

  /** Records how many bits a tensor's gradients need: GradientScales.note for the OR of their magnitudes. */
  noteGradient(tensor: number, magnitudes: number, exponent: number): void {
    this.note(EXPONENT_COUNT + tensor, 32 - Math.clz32(magnitudes) + exponent + NEED_BIAS);
  }

  /** Meets all threads; afterwards the step is over for all of them, and all have the same exponents. */
  endStep(): void {
    const { threads, at, exponents, gradientScales } = this;
    const half = (this.step & 1) * threads;
    this.#sharedSeen.set(this.seen, (half + this.index) * at.seenCount);
    this.seen.fill(0);
    const calibrating = this.rate === 0;
    const { trains } = this;
    meet(this.control, threads);
    for (let thread = 0; thread < threads; thread++) {
      const start = (half + thread) * at.seenCount;
      for (let exponent = 0; exponent < EXPONENT_COUNT; exponent++)
        exponents.note(exponent, this.#sharedSeen[start + exponent] as number);
      const needs = gradientScales.seen;
      for (let tensor = 0; tensor < needs.length; tensor++) {
        const need = this.#sharedSeen[start + EXPONENT_COUNT + tensor] as number;
        if (need > (needs[tensor] as number)) needs[tensor] = need;
      }
    }
    if (trains) gradientScales.endStep(this.trained++, calibrating);
    exponents.endStep(trains);
    this.step++;
    if (this.step % COLLECT_STEPS === 0) collect();
  }
}
