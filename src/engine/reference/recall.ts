/**
 * The recall stream of the reference engine: what followed the current contexts before, in any stream.
 *
 * Before a step it looks the contexts up, hands the remembered bytes to the network as features, and adds its guesses
 * to the logits: boosts of remembered bytes, scaled by gates that the network computes, and rows of logit tables. After
 * the step it learns from the byte that came: tables and boosts by plain gradient steps, slots by their own rule.
 * docs/NUMERICS.md section 12 has the formulas.
 */
import { type Context, contextHash, isDirect } from "../../contract/contexts.ts";
import { clamp, clampActivation, clampGradient, mulRound, roundShift } from "../../contract/fixed.ts";
import { ACTIVATION_BITS, ENTRY_SHIFT, SLOPE_BITS } from "../../contract/formats.ts";
import { sigmoidSlope } from "../../contract/luts.ts";
import { gateCount } from "../../contract/network.ts";
import {
  BUCKETS,
  boostShift,
  bucketOf,
  COUNT_CLASS,
  crowdShift,
  EFFECT_LOW_BITS,
  FEATURE_UNIT,
  FEATURES_PER_CONTEXT,
  finishHash,
  GATED_RATE_SHIFT,
  OWNER_BITS,
  slotHits,
  TABLE_DIFFERENCE_SHIFT,
  TABLE_LOGIT_LIMIT,
  TABLE_RIGHT_SHIFT,
  unpackSlot,
  updatedSlot,
} from "../../contract/recall.ts";
import type { RecallState } from "../../contract/recall-state.ts";

/** One step's look-ups and their consequences. Rows are streams. */
export class Recall {
  /** B x N: the slot's word if it is this context's, else 0. */
  readonly found: Uint32Array;
  /** B x N: where the slot is in its context's part, and the check that it must have. */
  readonly slot: Uint32Array;
  readonly check: Uint8Array;
  /** B x M. */
  readonly row: Uint32Array;
  /** B x 8N, Q7: the bits of each remembered byte as plus or minus its confidence. */
  readonly features: Int8Array;
  /** B x gates, Q14: sigmoids; a context's boosts and a table's logits are scaled by twice that. */
  readonly gate: Int32Array;
  /** Gates of a stream: those of contexts, those of tables, and some that do nothing. */
  readonly gates: number;

  constructor(readonly state: RecallState) {
    const { streams, contexts, tables } = state.hyper;
    this.found = new Uint32Array(streams * contexts);
    this.slot = new Uint32Array(streams * contexts);
    this.check = new Uint8Array(streams * contexts);
    this.row = new Uint32Array(streams * tables);
    this.features = new Int8Array(streams * contexts * FEATURES_PER_CONTEXT);
    this.gates = gateCount(state.hyper);
    this.gate = new Int32Array(streams * this.gates);
  }

  /** Fills found, slot, check, row and features for step `step`. */
  lookUp(step: number): void {
    const { hyper, plan, slots } = this.state;
    const { streams, contexts: N, tables: M, slotBits, tableBits } = hyper;
    for (let b = 0; b < streams; b++) {
      plan.contexts.forEach((context, c) => {
        const hash = this.#hash(context, b, step);
        const slot = hash >>> (32 - slotBits);
        const word = slots[(c << slotBits) + slot] as number;
        const at = b * N + c;
        this.slot[at] = slot;
        this.check[at] = hash & 255;
        this.found[at] = slotHits(word, hash & 255) ? word : 0;
        this.#feature(at);
      });
      plan.tables.forEach((table, m) => {
        const hash = this.#hash(table, b, step);
        const direct = this.state.byteBefore(b, step, table.order + (table.offsets[0] ?? 0));
        this.row[b * M + m] = isDirect(table) ? direct : hash >>> (32 - tableBits);
      });
    }
  }

  #hash(context: Context, b: number, step: number): number {
    const { state } = this;
    const word = state.word[b] as number;
    const previousWord = state.previousWord[b] as number;
    const byteBefore = (offset: number) => state.byteBefore(b, step, offset);
    return finishHash(contextHash(context, { word, previousWord, byteBefore }));
  }

  #feature(at: number): void {
    const found = this.found[at] as number;
    const { a, count } = unpackSlot(found);
    const size = found === 0 ? 0 : FEATURE_UNIT * ((COUNT_CLASS[count] as number) + 1);
    for (let bit = 0; bit < FEATURES_PER_CONTEXT; bit++) {
      this.features[at * FEATURES_PER_CONTEXT + bit] = (a >> bit) & 1 ? size : -size;
    }
  }

  /** The boosts of a and b of a context's slot, Q10 in 16 bits. */
  #boost(at: number, which: 0 | 1): number {
    const c = at % this.state.hyper.contexts;
    const boost = this.state.boosts[(c * BUCKETS + bucketOf(this.found[at] as number)) * 2 + which] as number;
    return clampActivation(roundShift(boost, ENTRY_SHIFT));
  }

  #gateOfContext(at: number): number {
    const N = this.state.hyper.contexts;
    return this.gate[Math.floor(at / N) * this.gates + (at % N)] as number;
  }

  #gateOfTable(b: number, m: number): number {
    return this.gate[b * this.gates + this.state.hyper.contexts + m] as number;
  }

  /** The logit that table m has for byte v in stream b, Q10. */
  #tableLogit(b: number, m: number, v: number): number {
    const row = this.row[b * this.state.hyper.tables + m] as number;
    const entry = this.state.tables[m]?.[row * 256 + v] as number;
    return clamp(roundShift(entry, ENTRY_SHIFT), TABLE_LOGIT_LIMIT);
  }

  /** Adds tables and boosts to the logits (B x 256, Q10); `gate` must have been set. */
  addTo(logits: Int32Array): void {
    const { streams, contexts: N } = this.state.hyper;
    for (let b = 0; b < streams; b++) {
      this.#addTables(b, logits);
      for (let at = b * N; at < (b + 1) * N; at++) this.#addBoosts(at, logits, b * 256);
      for (let i = b * 256; i < (b + 1) * 256; i++) logits[i] = clampActivation(logits[i] as number);
    }
  }

  #addTables(b: number, logits: Int32Array): void {
    for (let v = 0; v < 256; v++) {
      let sum = 0;
      for (let m = 0; m < this.state.hyper.tables; m++) sum += this.#tableLogit(b, m, v) * this.#gateOfTable(b, m);
      logits[b * 256 + v] = (logits[b * 256 + v] as number) + roundShift(sum, SLOPE_BITS - 1);
    }
  }

  #addBoosts(at: number, logits: Int32Array, start: number): void {
    const found = this.found[at] as number;
    if (found === 0) return;
    const { a, b, other } = unpackSlot(found);
    const gate = this.#gateOfContext(at);
    const add = (byte: number, boost: number) => {
      logits[start + byte] = (logits[start + byte] as number) + roundShift(boost * gate, SLOPE_BITS - 1);
    };
    add(a, this.#boost(at, 0));
    if (other > 0) add(b, this.#boost(at, 1));
  }

  /**
   * The gradient of the gates before their sigmoid, B x gates, Q22. Gates that do nothing have none.
   *
   * @param difference B x 256, Q22: probability - (1 if the byte came)
   */
  gateGradient(difference: Int32Array): Int32Array {
    const { streams, contexts, tables } = this.state.hyper;
    const gradient = new Int32Array(this.gate.length);
    const put = (at: number, effect: number) => {
      const slope = sigmoidSlope(this.gate[at] as number);
      gradient[at] = clampGradient(mulRound(effect, slope, SLOPE_BITS - 1));
    };
    for (let b = 0; b < streams; b++) {
      const start = b * this.gates;
      for (let c = 0; c < contexts; c++) put(start + c, this.#effectOfBoosts(b * contexts + c, difference));
      for (let m = 0; m < tables; m++) put(start + contexts + m, this.#effectOfTable(b, m, difference));
    }
    return gradient;
  }

  /** How the loss changes with the scale of a context's boosts, Q22. */
  #effectOfBoosts(at: number, difference: Int32Array): number {
    const found = this.found[at] as number;
    if (found === 0) return 0;
    const { a, b, other } = unpackSlot(found);
    const start = Math.floor(at / this.state.hyper.contexts) * 256;
    let sum = mulRound(difference[start + a] as number, this.#boost(at, 0), ACTIVATION_BITS);
    if (other > 0) sum += mulRound(difference[start + b] as number, this.#boost(at, 1), ACTIVATION_BITS);
    return sum;
  }

  /**
   * How the loss changes with the scale of a table's logits, Q22: their mean less that of the byte that came. Products
   * are summed in two parts, so that 32 bits hold both.
   */
  #effectOfTable(b: number, m: number, difference: Int32Array): number {
    let high = 0;
    let low = 0;
    for (let v = 0; v < 256; v++) {
      const e = difference[b * 256 + v] as number;
      const logit = this.#tableLogit(b, m, v);
      high += (e >> EFFECT_LOW_BITS) * logit;
      low += (e & ((1 << EFFECT_LOW_BITS) - 1)) * logit;
    }
    return roundShift(high + roundShift(low, EFFECT_LOW_BITS), ACTIVATION_BITS - EFFECT_LOW_BITS);
  }

  /** Luts, boosts and slots learn from the bytes that came; all changes are made of the values before the step. */
  learn(bytes: Uint8Array, difference: Int32Array): void {
    this.#learnTables(difference);
    this.#learnBoosts(difference);
    this.#learnSlots(bytes);
  }

  #learnTables(difference: Int32Array): void {
    const { hyper, plan, tables } = this.state;
    plan.tables.forEach(({ rate, crowdLog2 }, m) => {
      const right = TABLE_RIGHT_SHIFT + crowdShift(hyper.streams, crowdLog2);
      const table = tables[m] as Int32Array;
      for (let b = 0; b < hyper.streams; b++) {
        const start = (this.row[b * hyper.tables + m] as number) * 256;
        const gated = roundShift(rate * this.#gateOfTable(b, m), GATED_RATE_SHIFT);
        for (let v = 0; v < 256; v++) {
          const e = roundShift(difference[b * 256 + v] as number, TABLE_DIFFERENCE_SHIFT);
          table[start + v] = (table[start + v] as number) - roundShift(e * gated, right);
        }
      }
    });
  }

  #learnBoosts(difference: Int32Array): void {
    const { hyper, boosts } = this.state;
    const right = boostShift(hyper);
    this.found.forEach((found, at) => {
      if (found === 0) return;
      const { a, b, other } = unpackSlot(found);
      const start = Math.floor(at / hyper.contexts) * 256;
      const entry = ((at % hyper.contexts) * BUCKETS + bucketOf(found)) * 2;
      const step = (byte: number) => {
        const scaled = mulRound(difference[start + byte] as number, this.#gateOfContext(at), SLOPE_BITS - 1);
        return roundShift(scaled, right);
      };
      boosts[entry] = (boosts[entry] as number) - step(a);
      if (other > 0) boosts[entry + 1] = (boosts[entry + 1] as number) - step(b);
    });
  }

  #learnSlots(bytes: Uint8Array): void {
    const { hyper, slots } = this.state;
    const { streams, contexts: N, slotBits } = hyper;
    const owner = new Int32Array(1 << OWNER_BITS);
    const mask = owner.length - 1;
    for (let c = 0; c < N; c++) {
      for (let b = 0; b < streams; b++) owner[(this.slot[b * N + c] as number) & mask] = b;
      for (let b = 0; b < streams; b++) {
        const at = b * N + c;
        const slot = this.slot[at] as number;
        if (owner[slot & mask] !== b) continue;
        const word = updatedSlot(this.found[at] as number, this.check[at] as number, bytes[b] as number);
        slots[(c << slotBits) + slot] = word;
      }
    }
  }
}
