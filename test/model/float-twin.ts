/**
 * The network of docs/NUMERICS.md section 5 in plain floating point: what the integers approximate.
 *
 * It takes its weights from a reference model's state, dequantised, and what the recall stream found from its forward
 * pass, and computes the same loss without rounding and without saturation. Tests compare the integer backward pass
 * with numeric differences of that loss.
 */
import { HIDDEN_BITS } from "../../src/contract/formats.ts";
import { type HyperParameters, widthOf } from "../../src/contract/hyper.ts";
import { type NormName, normWidth } from "../../src/contract/network.ts";
import type { State } from "../../src/contract/state.ts";
import type { TensorName } from "../../src/contract/tensors.ts";
import type { Forward } from "../../src/engine/reference/forward.ts";
import { geluFloat, normaliseFloat, sigmoidFloat } from "./float-functions.ts";
import { FloatRecall } from "./float-recall.ts";
import { historyOf } from "./tiny.ts";

export class FloatTwin {
  readonly weights: Readonly<Record<TensorName, Float64Array>>;
  readonly #hyper: HyperParameters;
  readonly #history: Uint8Array;
  /** The cache as the last forward pass left it, oldest slot first; the newest slot is computed anew. */
  readonly #cache: Float64Array;
  readonly recall: FloatRecall;

  /** @param forward of a model whose forward pass of this step has just run, and whose backward pass has not */
  constructor(forward: Forward) {
    const { state } = forward;
    const { hyper } = state;
    this.recall = new FloatRecall(forward);
    this.#hyper = hyper;
    this.#history = historyOf(state);
    this.#cache = agedCache(state);
    const entries = state.layout.tensors.map((tensor) => [tensor.name, dequantised(state, tensor.name)] as const);
    this.weights = Object.fromEntries(entries) as Record<TensorName, Float64Array>;
  }

  /** The cross-entropy, in nats, of all streams together. */
  loss(bytes: Uint8Array): number {
    let total = 0;
    for (let b = 0; b < this.#hyper.streams; b++) total += this.#lossOf(b, bytes[b] as number);
    return total;
  }

  #lossOf(stream: number, byte: number): number {
    const logits = this.logits(stream);
    const top = logits.reduce((a, b) => Math.max(a, b));
    const sum = logits.reduce((total, logit) => total + Math.exp(logit - top), 0);
    return Math.log(sum) + top - (logits[byte] as number);
  }

  logits(stream: number): Float64Array {
    const H = widthOf(this.#hyper);
    const { history: T, embedding: D } = this.#hyper;
    const x = new Float64Array(H);
    for (let t = 0; t < T; t++) {
      const row = (this.#history[stream * T + t] as number) * D;
      x.set(this.weights.embedding.subarray(row, row + D), t * D);
    }
    const input = this.#norm("inputNorm", x);
    const far = this.#globalStream(stream, input);
    const near = this.#localStream(x);
    const router = this.#linear("router", input);
    const mixed = near.map((value, i) => value + ((far[i] as number) - value) * sigmoidFloat(router[i] as number));
    const fineIn = this.#norm("fineNorm", this.#coarseRefiner(stream, mixed));
    const hidden = this.#geglu(this.#linear("fine", fineIn));
    const out = this.#norm("lastNorm", this.#linear("fineOut", hidden));
    const last = this.#geluPlusSkip("fineSkip", out, fineIn);
    const logits = this.#linear("logits", last);
    this.recall.addTo(logits, stream, this.#linear("recallGate", last));
    return logits;
  }

  #globalStream(stream: number, input: Float64Array): Float64Array {
    const { embedding: D, globalHidden: G, cacheStep: S } = this.#hyper;
    const cache = this.#cache.slice(stream * G, (stream + 1) * G);
    cache.set(this.#geglu(this.#linear("newest", input.subarray(input.length - D))), G - S);
    return this.#geluPlusSkip("globalSkip", this.#linear("global", cache), input);
  }

  #localStream(x: Float64Array): Float64Array {
    const { embedding: D } = this.#hyper;
    const { tap, tapBias } = this.weights;
    const z = this.#norm("localNorm", x);
    return z.map((here, i) => {
      const d = i % D;
      const before = i >= D ? (z[i - D] as number) : 0;
      const after = i + D < z.length ? (z[i + D] as number) : 0;
      const [w0, w1, w2] = [tap[d] as number, tap[D + d] as number, tap[2 * D + d] as number];
      return geluFloat(w0 * before + w1 * here + w2 * after + (tapBias[d] as number));
    });
  }

  #coarseRefiner(stream: number, mixed: Float64Array): Float64Array {
    const { coarseHidden: C } = this.#hyper;
    const H = mixed.length;
    const x = this.#norm("coarseNorm", mixed);
    const matrix = this.weights.memory.subarray(stream * C * C, (stream + 1) * C * C);
    const out = new Float64Array(H);
    for (let start = 0; start < H; start += H / 2) {
      const branch = x.subarray(start, start + H / 2);
      const up = this.#linear("up", product(matrix, this.#linear("down", branch)));
      const gate = this.#linear("gate", branch);
      for (let i = 0; i < H / 2; i++) out[start + i] = (up[i] as number) * sigmoidFloat(gate[i] as number);
    }
    const { coarseSkip, memoryBias } = this.weights;
    const remembered = this.#linear("feature", this.recall.features(stream));
    return out.map((gated, i) => {
      const added = (memoryBias[stream * H + i] as number) + (remembered[i] ?? 0);
      return gated + added + (coarseSkip[0] as number) * (x[i] as number);
    });
  }

  #linear(name: TensorName, x: Float64Array): Float64Array {
    const bias = this.weights[`${name}Bias` as TensorName];
    return product(this.weights[name], x).map((sum, n) => sum + (bias[n] as number));
  }

  #geglu(x: Float64Array): Float64Array {
    const half = x.length / 2;
    return x.subarray(0, half).map((u, i) => geluFloat(u) * (x[half + i] as number));
  }

  #geluPlusSkip(skip: "globalSkip" | "fineSkip", x: Float64Array, skipped: Float64Array): Float64Array {
    const scale = this.weights[skip][0] as number;
    return x.map((value, i) => geluFloat(value) + scale * (skipped[i] as number));
  }

  #norm(name: NormName, x: Float64Array): Float64Array {
    const width = normWidth(this.#hyper, name);
    const scale = this.weights[`${name}Scale`];
    const shift = this.weights[`${name}Shift`];
    const out = new Float64Array(x.length);
    for (let start = 0; start < x.length; start += width) {
      const row = normaliseFloat(x.subarray(start, start + width));
      for (let i = 0; i < width; i++) {
        out[start + i] = (row[i] as number) * (scale[i] as number) + (shift[i] as number);
      }
    }
    return out;
  }
}

/** matrix (outputs x inputs) times x. */
function product(matrix: Float64Array, x: Float64Array): Float64Array {
  const out = new Float64Array(x.length === 0 ? 0 : matrix.length / x.length);
  for (let n = 0; n < out.length; n++) {
    let sum = 0;
    for (let k = 0; k < x.length; k++) sum += (matrix[n * x.length + k] as number) * (x[k] as number);
    out[n] = sum;
  }
  return out;
}

/** The weights that the integer forward pass uses: quantised copies where there are some, masters elsewhere. */
function dequantised(state: State, name: TensorName): Float64Array {
  const { kind, offset, size } = state.tensor(name);
  const master = Float64Array.from(state.master.subarray(offset, offset + size), (value) => value / 2 ** 24);
  if (kind === "vector" || kind === "streamVector") return master;
  const shift = state.weightShift(name as Parameters<State["weightShift"]>[0]);
  const copy = kind === "embedding" ? state.embedding : state.copy.subarray(offset, offset + size);
  return Float64Array.from(copy, (value) => value * 2 ** (shift - 24));
}

function agedCache(state: State): Float64Array {
  const { globalHidden: G, cacheStep: S } = state.hyper;
  const oldest = ((state.step % (G / S)) + 1) * S;
  return Float64Array.from(state.cache, (_, i) => {
    const stream = Math.floor(i / G);
    return (state.cache[stream * G + ((oldest + (i % G)) % G)] as number) / 2 ** HIDDEN_BITS;
  });
}
