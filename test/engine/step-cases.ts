/**
 * Single steps from states that whole runs never reach: weights, moments, exponents, caches and memories at their
 * limits, with one spike, or drawn from every magnitude. steps.test.ts runs each on every engine, and on every way that
 * the GPU engine can go, against the reference: so fused kernels have exact cases as the kernels of a box have.
 */
import { PLAIN_DATA, planFor, REACH } from "../../src/contract/contexts.ts";
import { bitLength } from "../../src/contract/fixed.ts";
import { ACTIVATION_LIMIT, GRADIENT_LIMIT, HIDDEN_LIMIT, WEIGHT_LIMIT } from "../../src/contract/formats.ts";
import type { HyperParameters } from "../../src/contract/hyper.ts";
import { QUANTISED_ACTIVATIONS, QUANTISED_GRADIENTS, QUANTISED_WEIGHTS } from "../../src/contract/network.ts";
import { ALIGNED_LIMIT, SQUARE_LIMIT } from "../../src/contract/optimizer.ts";
import { BUCKETS, packSlot } from "../../src/contract/recall.ts";
import { ReferenceModel } from "../../src/engine/reference/engine.ts";
import { tinyHyper } from "../support/fake-engine.ts";
import { draw, type Field, PATTERN_COUNT, Random, range, values } from "../support/gpu-values.ts";

export interface StepCase {
  readonly title: string;
  readonly hyper: HyperParameters;
  /** The number of the step, of those in which the network trained, and what the data is like. */
  readonly step: number;
  readonly trained: number;
  readonly stride: number;
}

const LATE = 100_000;

/** A shape of each kind: without recall, rows that are no whole words or tiles, all contexts, wide rows. */
export const STEP_CASES: readonly StepCase[] = [
  { title: "8 streams without recall", hyper: tinyHyper(8), step: 9, trained: 9, stride: 0 },
  {
    title: "33 streams, 4 contexts, 1 table",
    hyper: { ...tinyHyper(33), contexts: 4, tables: 1 },
    step: 700,
    trained: 700,
    stride: 3,
  },
  {
    title: "17 streams, 20 contexts, 6 tables, wide",
    hyper: { ...tinyHyper(17), history: 16, contexts: 20, tables: 6, cacheStep: 8, globalHidden: 96, fineHidden: 96 },
    step: LATE,
    trained: 5000,
    stride: 64,
  },
];

/** Rounds of a case: patterns that all of a state follows, then rounds in which each part has one of its own. */
export const ROUNDS: readonly number[] = [1, 3, 5, 9, PATTERN_COUNT, PATTERN_COUNT + 1];

/** The reference in the state of a round; the same at every call. */
export function stateOf({ hyper, step, trained, stride }: StepCase, round: number): ReferenceModel {
  const model = new ReferenceModel(hyper);
  const { state } = model;
  const random = new Random(round + 1);
  const pattern = () => (round < PATTERN_COUNT ? round : random.between(0, PATTERN_COUNT - 1));
  const fill = (into: { set(from: Int32Array): void; readonly length: number }, field: (count: number) => Field) =>
    into.set(draw(field(into.length), pattern(), random));
  state.step = step;
  state.trained = trained;
  fill(state.master, (count) => values(count, WEIGHT_LIMIT));
  fill(state.moment, (count) => values(count, ALIGNED_LIMIT));
  fill(state.square, (count) => range(count, 0, SQUARE_LIMIT));
  fill(state.cache, (count) => values(count, HIDDEN_LIMIT));
  fillExponents(model, random);
  fill(state.gradientScales.scale, (count) => range(count, -20, 60));
  fill(state.gradientScales.moved, (count) => range(count, -1, 40));
  state.recall.plan = planFor(hyper, stride === 0 ? PLAIN_DATA : { stride });
  fillRecall(model, random, pattern);
  return model;
}

/** Any shifts that values within their limits lead to; copies are those of the masters. */
function fillExponents({ state }: ReferenceModel, random: Random): void {
  const { exponents } = state;
  const limits = [
    ...QUANTISED_ACTIVATIONS.map(() => ACTIVATION_LIMIT),
    ...QUANTISED_GRADIENTS.map(() => GRADIENT_LIMIT),
    ...QUANTISED_WEIGHTS.map(() => WEIGHT_LIMIT),
  ];
  const most = limits.map((limit, i) => bitLength(limit) - (exponents.bits[i] as number));
  const drawn = () => most.map((high) => random.between(0, high));
  exponents.shift.set(drawn());
  for (const name of QUANTISED_WEIGHTS) state.copyWeights(name);
  exponents.copyShift.set(exponents.shift);
  exponents.shift.set(drawn());
  exponents.held.set(limits.map((limit) => random.between(0, limit)));
}

function fillRecall({ state, forward }: ReferenceModel, random: Random, pattern: () => number): void {
  const { recall, hyper, step } = state;
  const any = (count: number) => values(count, 2 ** 31 - 1);
  for (let i = 0; i < hyper.streams * REACH; i++) recall.past[i] = random.between(97, 100);
  recall.word.set(draw(any(hyper.streams), pattern(), random));
  recall.previousWord.set(draw(any(hyper.streams), pattern(), random));
  for (const table of recall.tables) table.set(draw(any(table.length), pattern(), random));
  const boosts = draw(any(recall.boosts.length), pattern(), random);
  // Boosts of what was never there never learn.
  const learns = (i: number) => (i >> 1) % BUCKETS > 0 && (i % 2 === 0 || (((i >> 1) % BUCKETS) - 1) % 4 > 0);
  recall.boosts.set(boosts.map((boost, i) => (learns(i) ? boost : 0)));
  forward.recall.lookUp(step);
  forward.recall.slot.forEach((slot, at) => {
    const found = { a: random.between(0, 255), b: random.between(0, 255), count: random.between(0, 31) };
    const check = (forward.recall.check[at] as number) ^ (random.between(0, 5) === 0 ? 1 : 0);
    recall.slots[((at % hyper.contexts) << hyper.slotBits) + slot] = packSlot({
      ...{ ...found, check, other: random.between(0, 7) },
    });
  });
}

/** The bytes that come: often those that are remembered. */
export function bytesOf({ hyper }: StepCase, round: number): Uint8Array {
  const random = new Random(round + 1000);
  return Uint8Array.from({ length: hyper.streams }, () => random.between(0, 255));
}
