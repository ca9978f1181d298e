/**
 * Puts the arrays of a recall kernel's case into the reference's recall stream, so that its own functions say what the
 * kernel should make of them; and draws arrays such as models have.
 */

import { type DataKind, packPlan, planFor, REACH } from "../../../../src/contract/contexts.ts";
import { luts, sigmoid } from "../../../../src/contract/luts.ts";
import { RecallState } from "../../../../src/contract/recall-state.ts";
import { Recall } from "../../../../src/engine/reference/recall.ts";
import type { Random, Words } from "../../../support/gpu-values.ts";
import { type Named, PAST_ROWS, type Shape } from "./case.ts";

export const OWNERS = 1 << 16;
const table = luts();
/** Bytes at the borders of what makes words; few, so that a remembered byte often comes. */
const BYTES = [0, 32, 64, 65, 90, 91, 96, 97, 122, 123, 127, 128, 255];

export interface RecallShape extends Shape {
  readonly kind: DataKind;
}

export function planInput({ hyper, kind }: RecallShape): () => Words {
  return () => packPlan(planFor(hyper, kind), hyper.streams) as Words;
}

const byteFrom = (random: Random): number => BYTES[random.between(0, BYTES.length - 1)] as number;

export function bytesInput({ hyper }: Shape): (random: Random) => Words {
  const count = PAST_ROWS * Math.ceil(hyper.streams / 4) * 4;
  return (random) => new Int32Array(Uint8Array.from({ length: count }, () => byteFrom(random)).buffer);
}

/** A slot's word as learning makes them, with any confidence; or 0, a miss. */
function foundWord(random: Random): number {
  if (random.between(0, 7) === 0) return 0;
  const bytes = random.between(0, 255) | (byteFrom(random) << 8) | (byteFrom(random) << 16);
  return bytes | (random.between(1, 31) << 24) | (random.between(0, 7) << 29);
}

/** What look_up leaves: slot words, the hashes (given), rows of tables. */
export function lookupsInput({ hyper }: Shape, hashes?: Words): (random: Random) => Words {
  const { streams, contexts, tables: M, tableBits } = hyper;
  const count = streams * contexts;
  return (random) => {
    const found = Int32Array.from({ length: count }, () => foundWord(random));
    const rows = Int32Array.from({ length: streams * M }, () => random.between(0, (1 << tableBits) - 1));
    return Int32Array.of(...found, ...(hashes ?? new Int32Array(count)), ...rows);
  };
}

/** The reference's recall stream with all that the arrays of a case say; what they leave out is as in a new model. */
export function recallOf({ hyper, kind, places }: RecallShape, arrays: Named): Recall {
  const { streams, contexts: N, tables: M, slotBits } = hyper;
  const state = new RecallState(hyper);
  const recall = new Recall(state);
  const { slots, boosts, entries, words, bytes, lookups, gates } = arrays;
  state.plan = planFor(hyper, kind);
  if (slots) state.slots.set(slots);
  if (boosts) state.boosts.set(boosts.subarray(0, state.boosts.length));
  state.tables.forEach((rows, m) => {
    if (entries) rows.set(entries.subarray(m * rows.length, (m + 1) * rows.length));
  });
  if (words) {
    state.word.set(words.subarray(0, streams));
    state.previousWord.set(words.subarray(streams));
  }
  if (bytes) fillPast(state, bytes, arrays.control![places.step] as number);
  if (gates) recall.gate.set(gates.map((gate) => sigmoid(table, gate)).subarray(0, recall.gate.length));
  if (lookups) {
    recall.found.set(lookups.subarray(0, streams * N));
    recall.slot.set(
      Uint32Array.from(lookups.subarray(streams * N, 2 * streams * N), (hash) => hash >>> (32 - slotBits)),
    );
    recall.check.set(lookups.subarray(streams * N, 2 * streams * N));
    recall.row.set(lookups.subarray(2 * streams * N, 2 * streams * N + streams * M));
  }
  return recall;
}

/** The ring's row of a step. */
export function rowOf({ hyper }: Shape, bytes: Words, step: number): Uint8Array {
  const rowBytes = Math.ceil(hyper.streams / 4) * 4;
  const start = ((step + PAST_ROWS) % PAST_ROWS) * rowBytes;
  return new Uint8Array(bytes.buffer).subarray(start, start + hyper.streams);
}

function fillPast(state: RecallState, bytes: Words, step: number): void {
  const shape = { hyper: state.hyper } as Shape;
  for (let offset = 1; offset < PAST_ROWS; offset++) {
    rowOf(shape, bytes, step - offset).forEach((byte, b) => {
      state.past[b * REACH + ((step - offset) & (REACH - 1))] = byte;
    });
  }
}

/** What the streams' claims leave of 0s: the highest stream + 1 of each place. */
export function ownersOf({ hyper }: Shape, hashes: Words): Words {
  const { contexts: N, slotBits } = hyper;
  const owners = new Int32Array(N * OWNERS);
  hashes.forEach((hash, at) => {
    const place = (at % N) * OWNERS + ((hash >>> (32 - slotBits)) & (OWNERS - 1));
    owners[place] = Math.max(owners[place] as number, Math.floor(at / N) + 1);
  });
  return owners;
}
