/**
 * The recall stream's kernels of the CPU engine against the reference's class, step by step: with slots, boosts and
 * gradients that whole models seldom have.
 */
import { describe, expect, test } from "bun:test";
import { type ContextPlan, ORDER_MAX, packPlan, planFor, REACH, SEQUENCE } from "../../src/contract/contexts.ts";
import { clampActivation, mix32, roundShift } from "../../src/contract/fixed.ts";
import type { HyperParameters } from "../../src/contract/hyper.ts";
import { bucketOf, packSlot, updatedSlot } from "../../src/contract/recall.ts";
import { RecallState } from "../../src/contract/recall-state.ts";
import { instantiateKernels, readKernels } from "../../src/engine/cpu/kernels.ts";
import { placeRecall, readRecall, writePlan, writeRecall } from "../../src/engine/cpu/recall-layout.ts";
import { Recall } from "../../src/engine/reference/recall.ts";
import { TINY_RECALL } from "../model/tiny.ts";
import { expectSameMemory } from "../support/same-cpu-state.ts";

let drawn = 0;
/** An integer of 0 to `below` - 1. */
const draw = (below: number) => mix32(drawn++) % below;
/** One of [-limit, limit], often an end. */
const signed = (limit: number) => [limit, -limit, 0, draw(2 * limit + 1) - limit][draw(4)] as number;

/** A reference's recall stream and the same in a memory of its own. */
class Pair {
  readonly memory = new WebAssembly.Memory({ initial: 96, maximum: 96, shared: true });
  readonly kernels = instantiateKernels(readKernels(), this.memory);
  readonly rows: number;
  readonly #end: { at: number } = { at: 64 };
  readonly logits: number;
  readonly difference: number;
  readonly bytes: number;
  readonly out: number;
  readonly work: number;
  readonly taken: number;
  readonly place;
  readonly state: RecallState;
  readonly recall: Recall;

  constructor(readonly hyper: HyperParameters) {
    const { streams, contexts } = hyper;
    this.rows = Math.ceil(streams / 4) * 4;
    const take = (bytes: number) => {
      const start = this.#end.at;
      this.#end.at += Math.ceil(bytes / 64) * 64;
      return start;
    };
    const features = take(this.rows * contexts * 16);
    const gates = take(this.rows * 64);
    this.place = placeRecall(hyper, this.rows, take, { features, gates });
    this.logits = take(this.rows * 512);
    this.difference = take(this.rows * 1024);
    this.bytes = take(this.rows);
    this.out = take(this.rows * 128);
    this.work = take(1 << 14);
    this.taken = take((1 << 13) + 4);
    writeRecall(this.place, hyper, this.memory.buffer);
    this.state = new RecallState(hyper);
    this.recall = new Recall(this.state);
  }

  i32(at: number, count: number): Int32Array {
    return new Int32Array(this.memory.buffer, at, count);
  }

  /**
   * Bytes and words as after a long stream; some slots are those of the contexts that step `step` meets.
   *
   * @param plan a stride, or a plan that no stride has
   */
  live(step: number, plan: number | ContextPlan): void {
    const { state, place, hyper, memory } = this;
    state.plan = typeof plan === "number" ? planFor(hyper, { stride: plan }) : plan;
    if (typeof plan === "number") writePlan(place, hyper, plan, memory.buffer);
    else {
      const packed = packPlan(plan, hyper.streams);
      this.i32(place.plan, packed.length).set(packed);
    }
    const ring = new Uint8Array(memory.buffer, place.past, REACH * place.pastPitch);
    for (let b = 0; b < hyper.streams; b++) {
      state.word[b] = mix32(draw(2 ** 31)) * draw(2);
      state.previousWord[b] = mix32(draw(2 ** 31)) * draw(2);
      for (let t = 0; t < REACH; t++) {
        state.past[b * REACH + t] = draw(256);
        ring[t * place.pastPitch + b] = state.past[b * REACH + t] as number;
      }
    }
    new Uint32Array(memory.buffer, place.words, hyper.streams).set(state.word);
    new Uint32Array(memory.buffer, place.words + this.rows * 4, hyper.streams).set(state.previousWord);
    this.recall.lookUp(step);
    for (const [at, slot] of this.recall.slot.entries()) {
      const check = (this.recall.check[at] as number) ^ (draw(4) === 0 ? 1 : 0);
      const c = at % hyper.contexts;
      const word = { check, a: draw(256), b: draw(256), count: draw(32), other: draw(8) };
      state.slots[(c << hyper.slotBits) + slot] = draw(6) === 0 ? 0 : packSlot(word);
    }
    new Uint32Array(memory.buffer, place.slots, state.slots.length).set(state.slots);
    this.recall.lookUp(step);
    const padded = Math.ceil(hyper.streams / 4) * 4;
    this.kernels.lookUpContexts(place.record, step, 0, hyper.streams, padded, this.work);
  }

  /** Gates, boosts, tables and differences at their ends and between. */
  charge(): void {
    const { state, recall, place, hyper } = this;
    const { tables } = hyper;
    const gates = new Int16Array(this.memory.buffer, place.gates, this.rows * place.gateColumns);
    for (let at = 0; at < recall.gate.length; at++) {
      const gate = [0, 16384, draw(16385)][draw(3)] as number;
      recall.gate[at] = gate;
      gates[Math.floor(at / recall.gates) * place.gateColumns + (at % recall.gates)] = gate;
    }
    for (let i = 0; i < state.boosts.length; i++) {
      // Boosts of what was never there never learn.
      const bucket = (i >> 1) % 33;
      const learns = bucket > 0 && (i % 2 === 0 || (bucket - 1) % 4 > 0);
      if (learns) state.boosts[i] = signed(2 ** 31 - 1) >> draw(12);
    }
    this.i32(place.boosts, state.boosts.length).set(state.boosts);
    for (let m = 0; m < tables; m++) {
      const table = state.tables[m] as Int32Array;
      for (let i = 0; i < table.length; i++) table[i] = signed(2 ** 31 - 1) >> draw(16);
      this.i32(place.entries + m * table.length * 4, table.length).set(table);
    }
  }

  /** Differences of probabilities, and the byte of each stream. */
  difference22(): { difference: Int32Array; bytes: Uint8Array } {
    const { streams } = this.hyper;
    const difference = Int32Array.from({ length: streams * 256 }, () => signed((1 << 22) - 255) >> draw(22));
    const bytes = Uint8Array.from({ length: streams }, (_, b) => {
      const word = this.recall.found[b * this.hyper.contexts] as number;
      return [(word >>> 8) & 255, (word >>> 16) & 255, draw(256)][draw(3)] as number;
    });
    this.i32(this.difference, difference.length).set(difference);
    new Uint8Array(this.memory.buffer, this.bytes, streams).set(bytes);
    return { difference, bytes };
  }

  /** The look-ups of both are equal, hashes included. */
  expectFound(): void {
    const { contexts, streams } = this.hyper;
    const found = new Uint32Array(this.memory.buffer, this.place.found, contexts * this.rows);
    const hashes = new Uint32Array(this.memory.buffer, this.place.hashes, contexts * this.rows);
    for (let at = 0; at < streams * contexts; at++) {
      const mine = (at % contexts) * this.rows + Math.floor(at / contexts);
      expect(found[mine]).toBe(this.recall.found[at]);
      const hash = hashes[mine] as number;
      expect(hash >>> (32 - this.hyper.slotBits)).toBe(this.recall.slot[at] as number);
      expect(hash & 255).toBe(this.recall.check[at] as number);
    }
  }

  expectSame(): void {
    expectSameMemory(readRecall(this.place, this.memory.buffer), this.state, "");
  }
}

const SHAPES: readonly (readonly [contexts: number, tables: number, streams: number, stride: number, step: number])[] =
  [
    [4, 1, 6, 0, 5000],
    [12, 3, 9, 3, 17],
    [4, 5, 6, 0, 5000],
    [8, 6, 7, 300, 5000],
    [20, 4, 7, 0, 8191],
    [20, 4, 5, 64, 8192],
    [20, 6, 4, 4095, 100_000],
    [8, 2, 300, 2, 1],
    [20, 4, 6, SEQUENCE, 8200],
  ];

describe.each(SHAPES)(
  "%d contexts, %d tables, %d streams, stride %d, step %d",
  (contexts, tables, streams, stride, step) => {
    const pair = new Pair({ ...TINY_RECALL, contexts, tables, streams, slotBits: 10, history: 16 });
    const { place, recall, kernels, hyper, memory } = pair;
    pair.live(step, stride);
    pair.charge();

    test("what is found, features and positions", () => {
      const features = new Int16Array(memory.buffer, place.features, streams * contexts * 8);
      expect(recall.found.some((word) => word === 0)).toBe(true);
      expect(recall.found.some((word) => word !== 0)).toBe(true);
      pair.expectFound();
      expect([...features]).toEqual([...recall.features]);
      const rows = new Uint32Array(memory.buffer, place.tableRows, tables * pair.rows);
      for (const [at, row] of recall.row.entries()) {
        const m = at % tables;
        const address = place.entries + ((m << hyper.tableBits) + row) * 1024;
        expect(rows[m * pair.rows + Math.floor(at / tables)]).toBe(address);
      }
      kernels.gatherPositions(place.record, step, 0, streams, hyper.history, pair.out);
      const positions = new Uint8Array(memory.buffer, pair.out, streams * hyper.history);
      for (const [i, byte] of positions.entries()) {
        const offset = pair.state.plan.positions[i % hyper.history] as number;
        expect(byte).toBe(pair.state.byteBefore(Math.floor(i / hyper.history), step, offset));
      }
    });

    test("logits", () => {
      const logits = Int32Array.from({ length: streams * 256 }, () => signed(32767));
      const mine = new Int16Array(memory.buffer, pair.logits, streams * 256);
      mine.set(logits);
      kernels.addRecall(place.record, pair.logits, 0, streams, pair.work);
      recall.addTo(logits);
      expect([...mine]).toEqual([...logits]);
    });

    test("gradients of the gates, then all that learns", () => {
      const { difference, bytes } = pair.difference22();
      // Gates that scale nothing have no gradient, and nobody writes there.
      const gradients = pair.i32(pair.out, streams * place.gateColumns).fill(0);
      kernels.gateGradients(place.record, pair.difference, 0, streams, pair.out);
      for (const [at, gradient] of recall.gateGradient(difference).entries()) {
        expect(gradients[Math.floor(at / recall.gates) * place.gateColumns + (at % recall.gates)]).toBe(gradient);
      }
      recall.learn(bytes, difference);
      kernels.learnTables(place.record, pair.difference, 0, 104);
      kernels.learnTables(place.record, pair.difference, 104, 256);
      kernels.learnBoosts(place.record, pair.difference, 0, contexts);
      kernels.learnSlots(place.record, pair.bytes, 0, contexts, pair.taken);
      pair.state.append(step, bytes);
      kernels.appendBytes(place.record, step, 0, streams, pair.bytes);
      pair.expectSame();
      const taken = new Uint8Array(memory.buffer, pair.taken, 1 << 13);
      expect(taken.every((bits) => bits === 0)).toBe(true);
    });
  },
);

test("the longest order beside words: none of the chains of hashes reaches into another", () => {
  const pair = new Pair({ ...TINY_RECALL, contexts: 12, tables: 3, streams: 8, slotBits: 10, history: 16 });
  const orders = [ORDER_MAX, ORDER_MAX - 1, 21, 0];
  const contexts = ([0, 1, 2] as const).flatMap((words) => orders.map((order) => ({ words, order, offsets: [] })));
  const tables = ([2, 1, 0] as const).map((words) => {
    return { words, order: ORDER_MAX, offsets: [], rate: 1, crowdLog2: 10 };
  });
  pair.live(5000, { ...pair.state.plan, contexts, tables });
  pair.expectFound();
  const rows = new Uint32Array(pair.memory.buffer, pair.place.tableRows, 3 * pair.rows);
  for (const [at, row] of pair.recall.row.entries()) {
    const [b, m] = [Math.floor(at / 3), at % 3];
    const address = pair.place.entries + ((m << pair.hyper.tableBits) + row) * 1024;
    expect(rows[m * pair.rows + b]).toBe(address);
  }
});

test("every slot, whichever byte comes", () => {
  const pair = new Pair({ ...TINY_RECALL, contexts: 4, tables: 0, streams: 256, slotBits: 16 });
  const { place, memory, kernels } = pair;
  const found = new Uint32Array(memory.buffer, place.found, 256);
  const hashes = new Uint32Array(memory.buffer, place.hashes, 256);
  const bytes = new Uint8Array(memory.buffer, pair.bytes, 256);
  const slots = new Uint32Array(memory.buffer, place.slots, 1 << 16);
  for (const [a, b] of [
    [7, 9],
    [0, 255],
    [200, 200],
  ] as const) {
    for (const y of [a, b, 0, 31, 255]) {
      for (let upper = 0; upper < 256; upper++) {
        const check = mix32(upper) & 255;
        const count = upper & 31;
        found[upper] = count === 0 ? 0 : packSlot({ check, a, b, count, other: upper >> 5 });
        hashes[upper] = upper * 2 ** 16 + check;
        bytes[upper] = y;
      }
      const wanted = Array.from(found, (word, b) => updatedSlot(word, (hashes[b] as number) & 255, y));
      kernels.learnSlots(place.record, pair.bytes, 0, 1, pair.taken);
      expect([...slots.subarray(0, 256)]).toEqual(wanted);
    }
  }
});

test("buckets of all slots", () => {
  const pair = new Pair({ ...TINY_RECALL, streams: 4 });
  const buckets = new Uint8Array(pair.memory.buffer, pair.place.bucketOf, 256);
  for (let upper = 0; upper < 256; upper++) {
    expect(buckets[upper]).toBe(upper % 32 === 0 ? 0 : bucketOf((upper << 24) >>> 0));
  }
});

test("differences stand in the place of the frequencies", () => {
  const pair = new Pair({ ...TINY_RECALL, streams: 4 });
  const rows = pair.i32(pair.difference, 1024).fill(5);
  new Uint8Array(pair.memory.buffer, pair.bytes, 4).set([0, 255, 7, 7]);
  pair.kernels.differ(pair.difference, pair.bytes, 0, 3);
  const wanted = new Int32Array(1024).fill(5);
  for (const at of [0, 256 + 255, 512 + 7]) wanted[at] = 5 - (1 << 22);
  expect([...rows]).toEqual([...wanted]);
});

test("words of all bytes", () => {
  const pair = new Pair({ ...TINY_RECALL, streams: 256 });
  const bytes = new Uint8Array(pair.memory.buffer, pair.bytes, 256);
  for (let step = 0; step < 4; step++) {
    // Every byte after every kind of byte, and one that ends all words.
    for (let b = 0; b < 256; b++) bytes[b] = step === 2 ? 32 : (b + step * 101) & 255;
    pair.state.append(step, bytes);
    pair.kernels.appendBytes(pair.place.record, step, 0, 256, pair.bytes);
    pair.expectSame();
  }
});

test("what is remembered joins the coarse refiner's sum before it saturates", () => {
  const pair = new Pair({ ...TINY_RECALL, streams: 4 });
  const { memory, kernels } = pair;
  const [up, gate, x, bias, skip, remembered, out] = [1, 2, 3, 4, 6, 7, 8].map((k) => (40 + 4 * k) << 14) as number[];
  const halves = (at = 0) => new Int16Array(memory.buffer, at, 1024);
  const fill = (into: { [i: number]: number }, value: () => number) => {
    for (let i = 0; i < 1024; i++) into[i] = value();
  };
  fill(halves(up), () => signed(32767));
  fill(halves(gate), () => draw(16385));
  fill(halves(x), () => signed(32767));
  fill(halves(remembered), () => signed(32767));
  fill(pair.i32(bias ?? 0, 1024), () => signed(1 << 30));
  pair.i32(skip ?? 0, 1)[0] = 1 << 24;
  for (const added of [remembered, 0]) {
    kernels.combineCoarse(up ?? 0, gate ?? 0, x ?? 0, 1024, bias ?? 0, skip ?? 0, added ?? 0, out ?? 0);
    const wanted = Array.from({ length: 1024 }, (_, i) => {
      const gated = roundShift((halves(up)[i] as number) * (halves(gate)[i] as number), 14);
      const biased = roundShift(pair.i32(bias ?? 0, 1024)[i] as number, 14);
      const more = added === 0 ? 0 : (halves(remembered)[i] as number);
      return clampActivation(roundShift(gated + biased + (halves(x)[i] as number) + more, 3));
    });
    expect([...halves(out)]).toEqual(wanted);
  }
});
