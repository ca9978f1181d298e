/**
 * The forward pass of the reference engine: from the last T bytes of each stream to 256 frequencies.
 *
 * One method per box of the diagram in docs/ARCHITECTURE.md, in the order in which they run; every intermediate that
 * the backward pass needs stays in a field. Rows are streams unless a comment says otherwise. Formats: Q10 where
 * nothing is said; docs/NUMERICS.md section 5 has the formulas.
 */

import { forwardShift } from "../../contract/exponents.ts";
import { clamp, clampActivation, clampWide, gegluProduct, mulRound, roundShift } from "../../contract/fixed.ts";
import {
  ACTIVATION_BITS,
  HIDDEN_LIMIT,
  NORM_INPUT_BITS,
  OPERAND_LIMIT,
  SCALE_BITS,
  SLOPE_BITS,
} from "../../contract/formats.ts";
import { widthOf } from "../../contract/hyper.ts";
import { gelu, type Luts, luts, sigmoid } from "../../contract/luts.ts";
import {
  activationExponent,
  MATRICES,
  type MatrixName,
  MEMORY_FORMAT,
  matrixShape,
  type NormName,
  normWidth,
  operandColumns,
  QUANTISED_ACTIVATIONS,
  type QuantisedActivation,
} from "../../contract/network.ts";
import { FEATURES_PER_CONTEXT } from "../../contract/recall.ts";
import type { State } from "../../contract/state.ts";
import { frequencies } from "./frequency.ts";
import { multiplyForward, quantise, type Rows, rowsOf } from "./linear.ts";
import { type Deviation, normalise, scaleAndShift } from "./norm.ts";
import { Recall } from "./recall.ts";

/** What one norm keeps for its backward pass. */
interface NormState {
  /** Values of mean 0 and variance 1, Q10. */
  readonly normalised: Int32Array;
  readonly deviations: Deviation[];
  /** After scale and shift, Q10. */
  readonly out: Int32Array;
}

/** A Q10 sum as what enters a norm: Q7, saturating at ±256. */
function asNormInput(sum: number): number {
  return clampActivation(roundShift(sum, ACTIVATION_BITS - NORM_INPUT_BITS));
}

export class Forward {
  readonly luts: Luts = luts();
  readonly streams: number;
  readonly width: number;
  readonly half: number;

  /** B x T: the bytes at the plan's positions. */
  readonly seen: Uint8Array;
  readonly recall: Recall;
  /** B x T x D raw int16 embeddings. */
  readonly embedded: Int32Array;
  readonly inputNorm: NormState;
  readonly localNorm: NormState;
  readonly coarseNorm: NormState;
  readonly fineNorm: NormState;
  readonly lastNorm: NormState;
  /** B x 2S, before the GeGLU. */
  readonly newest: Int32Array;
  /** B x H, wide, before the GELU. */
  readonly global: Int32Array;
  /** B x H, wide. */
  readonly far: Int32Array;
  /** B x H, before the GELU. */
  readonly local: Int32Array;
  readonly near: Int32Array;
  /** B x H, Q14. */
  readonly alpha: Int32Array;
  /** B x H, Q7. */
  readonly mixed: Int32Array;
  /** 2B x C: rows are the two branches of each stream. */
  readonly down: Int32Array;
  readonly recalled: Int32Array;
  /** 2B x H/2. */
  readonly up: Int32Array;
  /** 2B x H/2, Q14. */
  readonly gate: Int32Array;
  /** B x H, Q7. */
  readonly coarse: Int32Array;
  /** B x 2F, before the GeGLU. */
  readonly fine: Int32Array;
  /** B x F, Q8. */
  readonly hidden: Int32Array;
  /** B x H, Q7. */
  readonly fineOut: Int32Array;
  readonly last: Int32Array;
  readonly logits: Int32Array;
  /** B x 256, of 2^22. */
  readonly frequencies: Int32Array;
  /** int8 operands; the cache's is in the order of age, oldest first. */
  readonly operands: Readonly<Record<QuantisedActivation, Int8Array>>;

  constructor(readonly state: State) {
    const { hyper } = state;
    const B = hyper.streams;
    const H = widthOf(hyper);
    const values = (columns: number) => new Int32Array(B * columns);
    const norm = (): NormState => ({ normalised: values(H), deviations: [], out: values(H) });
    this.streams = B;
    this.width = H;
    this.half = H / 2;
    this.seen = new Uint8Array(B * hyper.history);
    this.recall = new Recall(state.recall);
    this.embedded = values(H);
    this.inputNorm = norm();
    this.localNorm = norm();
    this.coarseNorm = norm();
    this.fineNorm = norm();
    this.lastNorm = norm();
    this.newest = values(2 * hyper.cacheStep);
    this.global = values(H);
    this.far = values(H);
    this.local = values(H);
    this.near = values(H);
    this.alpha = values(H);
    this.mixed = values(H);
    this.down = values(2 * hyper.coarseHidden);
    this.recalled = values(2 * hyper.coarseHidden);
    this.up = values(H);
    this.gate = values(H);
    this.coarse = values(H);
    this.fine = values(2 * hyper.fineHidden);
    this.hidden = values(hyper.fineHidden);
    this.fineOut = values(H);
    this.last = values(H);
    this.logits = values(256);
    this.frequencies = values(256);
    const operands = QUANTISED_ACTIVATIONS.map(
      (name) => [name, new Int8Array(B * operandColumns(hyper, name))] as const,
    );
    this.operands = Object.fromEntries(operands) as Record<QuantisedActivation, Int8Array>;
  }

  /** Runs all boxes; `frequencies` is the result. */
  run(): void {
    this.#embed();
    this.recall.lookUp(this.state.step);
    this.#globalStream();
    this.#localStream();
    this.#route();
    this.#coarseRefiner();
    this.#fineRefiner();
    this.#predict();
  }

  /** out = saturate(x W^T + bias) for one of the shared matrices; features have no exponent. */
  #linear(name: MatrixName, x: Rows<Int8Array>, out: Int32Array): void {
    const { state } = this;
    const [outputs, inputs] = matrixShape(state.hyper, name);
    multiplyForward(x, state.copy, state.tensor(name).offset, outputs, inputs, out);
    const { format, operand } = MATRICES[name];
    const activationShift = operand === "feature" ? 0 : state.activationShift(operand);
    const shift = forwardShift(format, activationShift, state.weightShift(name));
    const bias = state.tensor(`${name}Bias`);
    for (let i = 0; i < x.count * outputs; i++) {
      const sum = roundShift(out[i] as number, shift) + state.biasAt(bias, i % outputs, format.outputBits);
      out[i] = clamp(sum | 0, format.outputLimit);
    }
  }

  #quantise(name: QuantisedActivation, x: Int32Array): Int8Array {
    quantise(this.state.exponents, activationExponent(name), x, OPERAND_LIMIT, this.operands[name]);
    return this.operands[name];
  }

  /** LayerNorm of all rows of `x`, whose rows are as wide as the norm. */
  #norm(name: NormName, x: Int32Array): void {
    const { state } = this;
    const kept = this[name];
    const width = normWidth(state.hyper, name);
    const scale = state.tensor(`${name}Scale`);
    const shift = state.tensor(`${name}Shift`);
    for (let start = 0; start < x.length; start += width) {
      kept.deviations[start / width] = normalise(x, start, width, kept.normalised);
    }
    for (let i = 0; i < x.length; i++) {
      const at = i % width;
      kept.out[i] = scaleAndShift(kept.normalised[i] as number, state.scaleAt(scale, at), state.biasAt(shift, at));
    }
  }

  /** Embedding of each byte that is looked at, then the norm that feeds the global stream and the router. */
  #embed(): void {
    const { embedding, recall, step } = this.state;
    const { history: T, embedding: D } = this.state.hyper;
    for (let i = 0; i < this.seen.length; i++) {
      const byte = recall.byteBefore(Math.floor(i / T), step, recall.plan.positions[i % T] as number);
      this.seen[i] = byte;
      for (let d = 0; d < D; d++) this.embedded[i * D + d] = embedding[byte * D + d] as number;
    }
    this.#norm("inputNorm", this.embedded);
    this.#quantise("input", this.inputNorm.out);
  }

  /** Newest embedding -> GeGLU -> rolling cache -> Linear -> GELU, plus the skip. */
  #globalStream(): void {
    const { state } = this;
    const { cacheStep: S, globalHidden: G, embedding: D } = state.hyper;
    const newestRows = rowsOf(this.operands.input, this.streams, this.width, this.width - D);
    this.#linear("newest", newestRows, this.newest);
    const placeNow = state.step % (G / S);
    for (let b = 0; b < this.streams; b++) {
      for (let s = 0; s < S; s++) {
        state.cache[b * G + placeNow * S + s] = this.#geglu(this.newest, b * 2 * S + s, S);
      }
    }
    this.#linear("global", rowsOf(this.#cacheByAge(placeNow), this.streams, G), this.global);
    const skip = state.scaleAt(state.tensor("globalSkip"), 0);
    for (let i = 0; i < this.far.length; i++) {
      const skipped = roundShift((this.inputNorm.out[i] as number) * skip, SCALE_BITS);
      this.far[i] = clampWide(gelu(this.luts, this.global[i] as number) + skipped);
    }
  }

  /** gelu(u) * v for u at `index` and v `distance` further on, Q8. */
  #geglu(x: Int32Array, index: number, distance: number): number {
    return clamp(gegluProduct(gelu(this.luts, x[index] as number), x[index + distance] as number), HIDDEN_LIMIT);
  }

  /** The cache as an int8 operand with the oldest values first, so that a weight always meets the same age. */
  #cacheByAge(placeNow: number): Int8Array {
    const { globalHidden: G, cacheStep: S } = this.state.hyper;
    const oldest = (placeNow + 1) * S;
    const aged = new Int32Array(this.streams * G);
    for (let b = 0; b < this.streams; b++) {
      for (let g = 0; g < G; g++) aged[b * G + g] = this.state.cache[b * G + ((oldest + g) % G)] as number;
    }
    return this.#quantise("cache", aged);
  }

  /** LayerNorm per position -> depthwise convolution over three positions -> GELU. */
  #localStream(): void {
    const { state } = this;
    const { history: T, embedding: D } = state.hyper;
    const tap = state.tensor("tap");
    const bias = state.tensor("tapBias");
    this.#norm("localNorm", this.embedded);
    const z = this.localNorm.out;
    for (let i = 0; i < this.local.length; i++) {
      const d = i % D;
      const t = Math.floor(i / D) % T;
      const before = t > 0 ? roundShift((z[i - D] as number) * state.scaleAt(tap, d), SCALE_BITS) : 0;
      const here = roundShift((z[i] as number) * state.scaleAt(tap, D + d), SCALE_BITS);
      const after = t < T - 1 ? roundShift((z[i + D] as number) * state.scaleAt(tap, 2 * D + d), SCALE_BITS) : 0;
      this.local[i] = clampActivation(before + here + after + state.biasAt(bias, d));
      this.near[i] = gelu(this.luts, this.local[i] as number);
    }
  }

  /** alpha = sigmoid(Linear(x)); mixed = alpha far + (1 - alpha) near. */
  #route(): void {
    this.#linear("router", rowsOf(this.operands.input, this.streams, this.width), this.alpha);
    for (let i = 0; i < this.mixed.length; i++) {
      const alpha = sigmoid(this.luts, this.alpha[i] as number);
      const near = this.near[i] as number;
      this.alpha[i] = alpha;
      this.mixed[i] = asNormInput(near + mulRound((this.far[i] as number) - near, alpha, SLOPE_BITS));
    }
  }

  /** Two branches: down to C, through the stream's own matrix, up again, gated, plus the stream's bias and the skip. */
  #coarseRefiner(): void {
    const { state, half } = this;
    const C = state.hyper.coarseHidden;
    const branches = 2 * this.streams;
    this.#norm("coarseNorm", this.mixed);
    const operand = rowsOf(this.#quantise("coarse", this.coarseNorm.out), branches, half);
    this.#linear("down", operand, this.down);
    this.#streamMatrix(this.#quantise("downOut", this.down));
    this.#linear("up", rowsOf(this.#quantise("memoryOut", this.recalled), branches, C), this.up);
    this.#linear("gate", operand, this.gate);
    const skip = state.scaleAt(state.tensor("coarseSkip"), 0);
    const bias = state.tensor("memoryBias");
    const remembered = this.#remembered();
    for (let i = 0; i < this.coarse.length; i++) {
      const gate = sigmoid(this.luts, this.gate[i] as number);
      this.gate[i] = gate;
      const gated = roundShift((this.up[i] as number) * gate, SLOPE_BITS);
      const skipped = roundShift((this.coarseNorm.out[i] as number) * skip, SCALE_BITS);
      this.coarse[i] = asNormInput(gated + state.biasAt(bias, i) + skipped + (remembered[i] as number));
    }
  }

  /** What the recall stream's features give to the network, B x H. */
  #remembered(): Int32Array {
    const out = new Int32Array(this.streams * this.width);
    const { contexts: N } = this.state.hyper;
    if (N > 0) {
      const rows = rowsOf(this.recall.features, this.streams, FEATURES_PER_CONTEXT * N);
      this.#linear("feature", rows, out);
    }
    return out;
  }

  /** The batched matmul: both branches of a stream times that stream's matrix, C outputs x C inputs. */
  #streamMatrix(x: Int8Array): void {
    const { state } = this;
    const C = state.hyper.coarseHidden;
    const shift = forwardShift(MEMORY_FORMAT, state.activationShift("downOut"), state.weightShift("memory"));
    for (let b = 0; b < this.streams; b++) {
      const matrix = state.tensor("memory").offset + b * C * C;
      const rows = rowsOf(x, 2, C, b * 2 * C);
      multiplyForward(rows, state.copy, matrix, C, C, this.recalled, b * 2 * C);
    }
    for (let i = 0; i < this.recalled.length; i++) {
      this.recalled[i] = clampActivation(roundShift(this.recalled[i] as number, shift));
    }
  }

  /** LayerNorm -> GeGLU -> Linear -> LayerNorm -> GELU, plus the skip. */
  #fineRefiner(): void {
    const { state } = this;
    const F = state.hyper.fineHidden;
    this.#norm("fineNorm", this.coarse);
    const operand = this.#quantise("fineIn", this.fineNorm.out);
    this.#linear("fine", rowsOf(operand, this.streams, this.width), this.fine);
    for (let b = 0; b < this.streams; b++) {
      for (let f = 0; f < F; f++) this.hidden[b * F + f] = this.#geglu(this.fine, b * 2 * F + f, F);
    }
    const hidden = rowsOf(this.#quantise("fineHidden", this.hidden), this.streams, F);
    this.#linear("fineOut", hidden, this.fineOut);
    this.#norm("lastNorm", this.fineOut);
    const skip = state.scaleAt(state.tensor("fineSkip"), 0);
    for (let i = 0; i < this.last.length; i++) {
      const skipped = roundShift((this.fineNorm.out[i] as number) * skip, SCALE_BITS);
      this.last[i] = clampActivation(gelu(this.luts, this.lastNorm.out[i] as number) + skipped);
    }
  }

  #predict(): void {
    const operand = rowsOf(this.#quantise("last", this.last), this.streams, this.width);
    this.#linear("logits", operand, this.logits);
    if (this.recall.gates > 0) {
      const { gate } = this.recall;
      this.#linear("recallGate", operand, gate);
      for (let i = 0; i < gate.length; i++) gate[i] = sigmoid(this.luts, gate[i] as number);
    }
    this.recall.addTo(this.logits);
    for (let b = 0; b < this.streams; b++) {
      frequencies(this.luts, this.logits, b * 256, this.frequencies, b * 256);
    }
  }
}
