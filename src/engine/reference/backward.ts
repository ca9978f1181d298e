/**
 * The backward pass of the reference engine: from the bytes that came to the gradient of every trained tensor.
 *
 * The mirror image of forward.ts, one method per box in reverse order. Gradients between boxes are Q22 in 32 bits;
 * those that enter a matrix product are int16 operands with an exponent. The cache is detached except for its
 * newest values. docs/NUMERICS.md section 6 has the formulas.
 */

import { backwardShift, gradientBits, gradientOperandLimit } from "../../contract/exponents.ts";
import {
  ceilLog2,
  clamp,
  clampActivation,
  clampGradient,
  gegluProduct,
  mulRound,
  roundShift,
} from "../../contract/fixed.ts";
import {
  ACTIVATION_BITS,
  EMBEDDING_GRADIENT_SHIFT,
  GRADIENT_BITS,
  HIDDEN_LIMIT,
  NORM_INPUT_BITS,
  SCALE_BITS,
  SLOPE_BITS,
} from "../../contract/formats.ts";
import { gelu, geluSlope, sigmoidSlope } from "../../contract/luts.ts";
import {
  GRADIENT_NAMES,
  type GradientName,
  gradientColumns,
  gradientExponent,
  MATRICES,
  type MatrixName,
  matrixShape,
  NORMS,
  type NormName,
  normWidth,
  type QuantisedGradient,
} from "../../contract/network.ts";
import { FEATURES_PER_CONTEXT } from "../../contract/recall.ts";
import type { State } from "../../contract/state.ts";
import type { TensorName } from "../../contract/tensors.ts";
import type { Forward } from "./forward.ts";
import { logitDifference } from "./frequency.ts";
import { multiplyBackward, multiplyRows, quantise, type Rows, rowsOf } from "./linear.ts";
import { normaliseBackward } from "./norm.ts";

export class Backward {
  /** Accumulated gradients of all tensors, in the layout's order. */
  readonly gradient: Int32Array;
  /** The exponent of each tensor's accumulated gradient. */
  readonly exponent: Int32Array;
  /** int16 operands of the matrix products. */
  readonly operands: Readonly<Record<GradientName, Int16Array>>;
  /** B x 256, Q22. */
  readonly difference: Int32Array;
  readonly #limit: number;
  readonly #logitShift: number;

  constructor(
    readonly state: State,
    readonly forward: Forward,
  ) {
    const { hyper } = state;
    const { streams: B } = forward;
    this.gradient = new Int32Array(state.layout.parameterCount);
    this.exponent = new Int32Array(state.layout.tensors.length);
    this.difference = new Int32Array(B * 256);
    this.#limit = gradientOperandLimit(B);
    this.#logitShift = GRADIENT_BITS - gradientBits(B);
    const operands = GRADIENT_NAMES.map((name) => [name, new Int16Array(B * gradientColumns(hyper, name))] as const);
    this.operands = Object.fromEntries(operands) as Record<GradientName, Int16Array>;
  }

  /**
   * @param bytes the byte that came in each stream
   * @param trains whether the network trains; the recall stream always learns
   */
  run(bytes: Uint8Array, trains: boolean): void {
    this.#differ(bytes);
    if (trains) this.#network();
    this.forward.recall.learn(bytes, this.difference);
  }

  #network(): void {
    this.gradient.fill(0);
    const dLast = this.#predict();
    const dCoarse = this.#fineRefiner(dLast);
    const dMixed = this.#coarseRefiner(dCoarse);
    const { dFar, dNear, dInput } = this.#route(dMixed);
    this.#globalStream(dFar, dInput);
    const dEmbedded = this.#localStream(dNear);
    this.#embed(dInput, dEmbedded);
  }

  #add(name: TensorName, index: number, value: number): void {
    const at = this.state.tensor(name).offset + index;
    this.gradient[at] = (this.gradient[at] as number) + value;
  }

  #setExponent(name: TensorName, exponent: number): void {
    this.exponent[this.state.tensor(name).index] = exponent;
  }

  #quantise(name: QuantisedGradient, x: Int32Array): Int16Array {
    quantise(this.state.exponents, gradientExponent(name), x, this.#limit, this.operands[name]);
    return this.operands[name];
  }

  /** Gradients of one shared matrix and its bias. */
  #weights(name: MatrixName, shift: number, gradient: Rows<Int16Array>, x: Rows<Int8Array>): void {
    const { state } = this;
    const { operand } = MATRICES[name];
    const [outputs, inputs] = matrixShape(state.hyper, name);
    multiplyRows(gradient, x, outputs, inputs, this.gradient, state.tensor(name).offset);
    this.#setExponent(name, shift + (operand === "feature" ? 0 : state.activationShift(operand)));
    for (let r = 0; r < gradient.count; r++) {
      for (let n = 0; n < outputs; n++) this.#add(`${name}Bias`, n, gradient.data[r * outputs + n] as number);
    }
    this.#setExponent(`${name}Bias`, shift);
  }

  /** The gradient with respect to a matrix's input: rows x inputs, Q22. */
  #inputs(name: MatrixName, shift: number, gradient: Rows<Int16Array>): Int32Array {
    const { state } = this;
    const [outputs, inputs] = matrixShape(state.hyper, name);
    const out = new Int32Array(gradient.count * inputs);
    multiplyBackward(gradient, state.copy, state.tensor(name).offset, outputs, inputs, out);
    const right = backwardShift(shift, state.weightShift(name));
    return out.map((sum) => clampGradient(roundShift(sum, right)));
  }

  /**
   * Backward through scale and shift of a norm, whose gradients it adds; then through the norm itself.
   * Each term is divided by the number of rows (rounded up to a power of two), so that no sum can leave 32 bits.
   */
  #norm(name: NormName, dOut: Int32Array): Int32Array {
    const { state } = this;
    const kept = this.forward[name];
    const width = normWidth(state.hyper, name);
    const rowsLog2 = ceilLog2(dOut.length / width);
    const scale = state.tensor(`${name}Scale`);
    const dNormalised = new Int32Array(dOut.length);
    for (let i = 0; i < dOut.length; i++) {
      const d = dOut[i] as number;
      const at = i % width;
      this.#add(`${name}Scale`, at, mulRound(d, kept.normalised[i] as number, ACTIVATION_BITS + rowsLog2));
      this.#add(`${name}Shift`, at, roundShift(d, rowsLog2));
      dNormalised[i] = clampGradient(mulRound(d, state.scaleAt(scale, at), SCALE_BITS));
    }
    const moreShift = NORMS[name].inputShift;
    const into = new Int32Array(dOut.length);
    for (let start = 0; start < dOut.length; start += width) {
      const deviation = kept.deviations[start / width];
      if (deviation === undefined) throw new Error(`${name} has not run forward`);
      normaliseBackward(dNormalised, kept.normalised, start, width, deviation, moreShift, into);
    }
    return into;
  }

  /** Adds the gradient of a skip's scalar and returns the gradient of what was skipped. */
  #skip(name: "globalSkip" | "coarseSkip" | "fineSkip", d: Int32Array, skipped: Int32Array): Int32Array {
    const { width: H, streams: B } = this.forward;
    const scale = this.state.scaleAt(this.state.tensor(name), 0);
    for (let b = 0; b < B; b++) {
      let row = 0;
      for (let i = b * H; i < (b + 1) * H; i++) {
        row += mulRound(d[i] as number, skipped[i] as number, ACTIVATION_BITS + ceilLog2(H));
      }
      this.#add(name, 0, roundShift(row, ceilLog2(B)));
    }
    return d.map((value) => mulRound(value, scale, SCALE_BITS));
  }

  /** Gradients of (u, v) of a GeGLU from that of gelu(u) * v: B x 2n from B x n. */
  #geglu(x: Int32Array, d: Int32Array, n: number): Int32Array {
    const { luts } = this.forward;
    const out = new Int32Array(2 * d.length);
    for (let i = 0; i < d.length; i++) {
      const u = Math.floor(i / n) * 2 * n + (i % n);
      const value = gelu(luts, x[u] as number);
      const v = x[u + n] as number;
      // A gradient that passed through what saturates would push the weights without end.
      const through = Math.abs(gegluProduct(value, v)) <= HIDDEN_LIMIT ? (d[i] as number) : 0;
      const toGelu = mulRound(through, v, ACTIVATION_BITS);
      out[u] = clampGradient(mulRound(toGelu, geluSlope(luts, x[u] as number), SLOPE_BITS));
      out[u + n] = clampGradient(mulRound(through, value, ACTIVATION_BITS));
    }
    return out;
  }

  #throughGelu(d: Int32Array, x: Int32Array): Int32Array {
    return d.map((value, i) => mulRound(value, geluSlope(this.forward.luts, x[i] as number), SLOPE_BITS));
  }

  /** Probability - (1 if the byte came), Q22: all that learns learns from it. */
  #differ(bytes: Uint8Array): void {
    for (let i = 0; i < this.difference.length; i++) {
      this.difference[i] = logitDifference(this.forward.frequencies[i] as number, bytes[i >> 8] === (i & 255));
    }
  }

  #predict(): Int32Array {
    const { forward } = this;
    const { streams: B, width: H } = forward;
    const operand = this.operands.logits;
    for (let i = 0; i < operand.length; i++) {
      operand[i] = clamp(roundShift(this.difference[i] as number, this.#logitShift), this.#limit);
    }
    const gradient = rowsOf(operand, B, 256);
    const last = rowsOf(forward.operands.last, B, H);
    this.#weights("logits", this.#logitShift, gradient, last);
    const dLast = this.#inputs("logits", this.#logitShift, gradient);
    const { gates } = forward.recall;
    if (gates === 0) return dLast;
    const gateRows = rowsOf(this.#quantise("recallGate", forward.recall.gateGradient(this.difference)), B, gates);
    const gateShift = this.state.gradientShift("recallGate");
    this.#weights("recallGate", gateShift, gateRows, last);
    return sum(dLast, this.#inputs("recallGate", gateShift, gateRows));
  }

  #fineRefiner(dLast: Int32Array): Int32Array {
    const { forward, state } = this;
    const { streams: B, width: H } = forward;
    const F = state.hyper.fineHidden;
    const dSkipped = this.#skip("fineSkip", dLast, forward.fineNorm.out);
    const dFineOut = this.#norm("lastNorm", this.#throughGelu(dLast, forward.lastNorm.out));
    const outRows = rowsOf(this.#quantise("fineOut", dFineOut), B, H);
    const outShift = state.gradientShift("fineOut");
    this.#weights("fineOut", outShift, outRows, rowsOf(forward.operands.fineHidden, B, F));
    const dHidden = this.#inputs("fineOut", outShift, outRows);
    const fineRows = rowsOf(this.#quantise("fine", this.#geglu(forward.fine, dHidden, F)), B, 2 * F);
    const fineShift = state.gradientShift("fine");
    this.#weights("fine", fineShift, fineRows, rowsOf(forward.operands.fineIn, B, H));
    const dFineIn = this.#inputs("fine", fineShift, fineRows);
    return this.#norm("fineNorm", sum(dFineIn, dSkipped));
  }

  #coarseRefiner(dCoarse: Int32Array): Int32Array {
    const { forward, state } = this;
    const { half, streams: B } = forward;
    const C = state.hyper.coarseHidden;
    const bias = state.tensor("memoryBias");
    this.gradient.set(dCoarse, bias.offset);
    this.#setExponent("memoryBias", 0);
    this.#remember(dCoarse);
    const dSkipped = this.#skip("coarseSkip", dCoarse, forward.coarseNorm.out);
    const dGate = dCoarse.map((d, i) => {
      const toGate = mulRound(d, forward.up[i] as number, ACTIVATION_BITS);
      return clampGradient(mulRound(toGate, sigmoidSlope(forward.gate[i] as number), SLOPE_BITS));
    });
    const dUp = dCoarse.map((d, i) => mulRound(d, forward.gate[i] as number, SLOPE_BITS));

    const coarseIn = rowsOf(forward.operands.coarse, 2 * B, half);
    const gateRows = rowsOf(this.#quantise("gate", dGate), 2 * B, half);
    const gateShift = state.gradientShift("gate");
    this.#weights("gate", gateShift, gateRows, coarseIn);

    const upRows = rowsOf(this.#quantise("up", dUp), 2 * B, half);
    const upShift = state.gradientShift("up");
    this.#weights("up", upShift, upRows, rowsOf(forward.operands.memoryOut, 2 * B, C));
    const dDown = this.#streamMatrix(this.#quantise("memory", this.#inputs("up", upShift, upRows)));

    const downRows = rowsOf(this.#quantise("down", dDown), 2 * B, C);
    const downShift = state.gradientShift("down");
    this.#weights("down", downShift, downRows, coarseIn);
    const dThroughGate = this.#inputs("gate", gateShift, gateRows);
    const dThroughDown = this.#inputs("down", downShift, downRows);
    return this.#norm("coarseNorm", sum(dThroughGate, dThroughDown, dSkipped));
  }

  /** The recall stream's features are not trained, so only their matrix learns. */
  #remember(dCoarse: Int32Array): void {
    const { forward, state } = this;
    const { contexts: N } = state.hyper;
    if (N === 0) return;
    const rows = rowsOf(this.#quantise("feature", dCoarse), forward.streams, forward.width);
    const features = rowsOf(forward.recall.features, forward.streams, FEATURES_PER_CONTEXT * N);
    this.#weights("feature", state.gradientShift("feature"), rows, features);
  }

  /** Through the batched matmul: the gradient of each stream's matrix, and that of its input. */
  #streamMatrix(gradient: Int16Array): Int32Array {
    const { forward, state } = this;
    const C = state.hyper.coarseHidden;
    const memory = state.tensor("memory");
    const shift = state.gradientShift("memory");
    const dDown = new Int32Array(gradient.length);
    for (let b = 0; b < forward.streams; b++) {
      const matrix = memory.offset + b * C * C;
      const start = b * 2 * C;
      const rows = rowsOf(gradient, 2, C, start);
      multiplyRows(rows, rowsOf(forward.operands.downOut, 2, C, start), C, C, this.gradient, matrix);
      multiplyBackward(rows, state.copy, matrix, C, C, dDown, start);
    }
    this.#setExponent("memory", shift + state.activationShift("downOut"));
    const right = backwardShift(shift, state.weightShift("memory"));
    return dDown.map((value) => clampGradient(roundShift(value, right)));
  }

  #route(dMixed: Int32Array): { dFar: Int32Array; dNear: Int32Array; dInput: Int32Array } {
    const { forward, state } = this;
    const { streams: B, width: H } = forward;
    const dFar = dMixed.map((d, i) => mulRound(d, forward.alpha[i] as number, SLOPE_BITS));
    const dNear = dMixed.map((d, i) => d - (dFar[i] as number));
    const dRouter = dMixed.map((d, i) => {
      const apart = (forward.far[i] as number) - (forward.near[i] as number);
      const narrow = clampActivation(roundShift(apart, ACTIVATION_BITS - NORM_INPUT_BITS));
      const toAlpha = mulRound(d, narrow, NORM_INPUT_BITS);
      return clampGradient(mulRound(toAlpha, sigmoidSlope(forward.alpha[i] as number), SLOPE_BITS));
    });
    const rows = rowsOf(this.#quantise("router", dRouter), B, H);
    const shift = state.gradientShift("router");
    this.#weights("router", shift, rows, rowsOf(forward.operands.input, B, H));
    return { dFar, dNear, dInput: this.#inputs("router", shift, rows) };
  }

  /** Adds to dInput what comes through the skip and through the newest values of the cache. */
  #globalStream(dFar: Int32Array, dInput: Int32Array): void {
    const { forward, state } = this;
    const { streams: B, width: H } = forward;
    const { cacheStep: S, globalHidden: G, embedding: D } = state.hyper;
    const dSkipped = this.#skip("globalSkip", dFar, forward.inputNorm.out);
    const rows = rowsOf(this.#quantise("global", this.#throughGelu(dFar, forward.global)), B, H);
    const shift = state.gradientShift("global");
    this.#weights("global", shift, rows, rowsOf(forward.operands.cache, B, G));
    const dCache = this.#inputs("global", shift, rows);
    const dSlot = new Int32Array(B * S).map((_, i) => dCache[Math.floor(i / S) * G + G - S + (i % S)] as number);
    const newestRows = rowsOf(this.#quantise("newest", this.#geglu(forward.newest, dSlot, S)), B, 2 * S);
    const newestShift = state.gradientShift("newest");
    this.#weights("newest", newestShift, newestRows, rowsOf(forward.operands.input, B, H, H - D));
    const dNewest = this.#inputs("newest", newestShift, newestRows);
    for (let i = 0; i < dInput.length; i++) {
      const d = (i % H) - (H - D);
      const newest = d >= 0 ? (dNewest[Math.floor(i / H) * D + d] as number) : 0;
      dInput[i] = clampGradient((dInput[i] as number) + (dSkipped[i] as number) + newest);
    }
  }

  /** Returns the gradient of the raw embeddings through the local stream. */
  #localStream(dNear: Int32Array): Int32Array {
    const { forward, state } = this;
    const { history: T, embedding: D } = state.hyper;
    const tap = state.tensor("tap");
    const z = forward.localNorm.out;
    const d = this.#throughGelu(dNear, forward.local);
    const rowsLog2 = ceilLog2(forward.streams * T);
    const right = ACTIVATION_BITS + rowsLog2;
    const dZ = new Int32Array(d.length);
    for (let i = 0; i < d.length; i++) {
      const at = i % D;
      const t = Math.floor(i / D) % T;
      const here = d[i] as number;
      const before = t > 0 ? i - D : -1;
      const after = t < T - 1 ? i + D : -1;
      if (before >= 0) this.#add("tap", at, mulRound(here, z[before] as number, right));
      this.#add("tap", D + at, mulRound(here, z[i] as number, right));
      if (after >= 0) this.#add("tap", 2 * D + at, mulRound(here, z[after] as number, right));
      this.#add("tapBias", at, roundShift(here, rowsLog2));
      const fromAfter = after >= 0 ? mulRound(d[after] as number, state.scaleAt(tap, at), SCALE_BITS) : 0;
      const fromHere = mulRound(here, state.scaleAt(tap, D + at), SCALE_BITS);
      const fromBefore = before >= 0 ? mulRound(d[before] as number, state.scaleAt(tap, 2 * D + at), SCALE_BITS) : 0;
      dZ[i] = clampGradient(fromAfter + fromHere + fromBefore);
    }
    return this.#norm("localNorm", dZ);
  }

  /** Scatters the gradients of both streams to the rows of the embedding; sums may wrap. */
  #embed(dInput: Int32Array, dThroughLocal: Int32Array): void {
    const { state } = this;
    const D = state.hyper.embedding;
    const dThroughInput = this.#norm("inputNorm", dInput);
    for (let i = 0; i < dInput.length; i++) {
      const byte = this.forward.seen[Math.floor(i / D)] as number;
      const d = clampGradient((dThroughInput[i] as number) + (dThroughLocal[i] as number));
      this.#add("embedding", byte * D + (i % D), roundShift(d, EMBEDDING_GRADIENT_SHIFT));
    }
    // The norms' deviations are in units of the int16 copy: its shift is the gradient's exponent.
    this.#setExponent("embedding", -state.weightShift("embedding"));
  }
}

/** Element-wise sum, saturating. */
function sum(...terms: Int32Array[]): Int32Array {
  const first = terms[0] as Int32Array;
  return first.map((_, i) => clampGradient(terms.reduce((total, term) => total + (term[i] as number), 0)));
}
