/**
 * The backward pass of one thread's streams: the order of src/engine/reference/backward.ts, one function per box.
 *
 * It leaves the operands of all weight gradients, and this thread's sums of the gradients of vectors and embedding.
 * The i32 arrays a, b, c and d of the layout pass from box to box as the comments say.
 */

import { backwardShift, gradientBits } from "../../contract/exponents.ts";
import { ceilLog2 } from "../../contract/fixed.ts";
import { EMBEDDING_GRADIENT_SHIFT, GRADIENT_BITS } from "../../contract/formats.ts";
import { widthOf } from "../../contract/hyper.ts";
import {
  type GradientName,
  MATRICES,
  type MatrixName,
  NORMS,
  type NormName,
  normRows,
  normWidth,
  type QuantisedGradient,
  type SkipName,
  weightExponent,
} from "../../contract/network.ts";
import { GRADIENT_INDEX } from "./layout.ts";
import { gateColumns } from "./recall-layout.ts";
import type { EngineThread } from "./thread.ts";

type Branches = 1 | 2;

export class BackwardPass {
  /** The shift with which the logits' gradients are quantised. */
  readonly logitShift: number;
  readonly #streamsLog2: number;
  readonly #sums: Int32Array;

  constructor(
    readonly thread: EngineThread,
    memory: WebAssembly.Memory,
  ) {
    const { hyper, at, index } = thread;
    this.logitShift = GRADIENT_BITS - gradientBits(hyper.streams);
    this.#streamsLog2 = ceilLog2(hyper.streams);
    this.#sums = new Int32Array(memory.buffer, at.threads[index]!.sums, at.sumsBytes / 4);
  }

  /** From the differences that stand in the place of the frequencies. */
  run(): void {
    this.#sums.fill(0);
    const { from, to } = this.thread;
    if (from === to) return;
    this.#predict();
    this.#fineRefiner();
    this.#coarseRefiner();
    this.#route();
    this.#globalStream();
    this.#localStream();
    this.#embed();
  }

  /** Bytes from the start of an i32 array to this thread's rows, and how many values it has there. */
  #span(columns: number): { readonly start: number; readonly count: number } {
    const { from, to } = this.thread;
    return { start: from * columns * 4, count: (to - from) * columns };
  }

  #gradientShift(name: QuantisedGradient): number {
    return this.thread.exponents.shift[GRADIENT_INDEX[name]] as number;
  }

  #weightShift(name: GradientName): number {
    return this.thread.exponents.copyShift[weightExponent(name)] as number;
  }

  /** The row-major operand as pair panels, for the weight gradients. */
  #pack(name: GradientName, branches: Branches): void {
    const { kernels, at, from, toPadded } = this.thread;
    const { rows, panels, columns } = at.gradientOperands[name];
    const width = columns / branches;
    const pairs = (at.rows * branches) / 2;
    kernels.packPairs(rows, width * 2, width, (from * branches) / 2, (toPadded * branches) / 2, pairs, panels);
  }

  /** The operand from i32 gradients in rows of the same width, in both layouts. */
  #quantise(name: QuantisedGradient, x: number, branches: Branches = 1): void {
    const { kernels, at, gradientLimit } = this.thread;
    const { rows, columns } = at.gradientOperands[name];
    const { start, count } = this.#span(columns);
    const shift = this.#gradientShift(name);
    const largest = kernels.quantiseGradient(x + start, count, shift, gradientLimit, rows + start / 2);
    this.thread.note(GRADIENT_INDEX[name], largest);
    this.#pack(name, branches);
  }

  /** The gradient with respect to a matrix's inputs, from column `firstColumn` (a multiple of 8) on. */
  #inputs(name: MatrixName, shift: number, out: number, firstColumn = 0): void {
    const { kernels, at, from, toPadded, index } = this.thread;
    const [outputs, inputs] = at.shapes[name];
    const { branches } = MATRICES[name];
    kernels.multiplyBackward(
      at.gradientOperands[name].rows,
      from * branches,
      toPadded * branches,
      at.matrices[name].backward,
      outputs,
      firstColumn / 8,
      inputs / 8,
      backwardShift(shift, this.#weightShift(name)),
      out,
      at.threads[index]!.scratch,
    );
  }

  /** Through a norm, in place or not; adds to its sums. */
  #norm(name: NormName, d: number, out: number): void {
    const { kernels, at, hyper, from, to, index } = this.thread;
    const width = normWidth(hyper, name);
    const perStream = normRows(hyper, name);
    const { normalised, deviations } = at.norms[name];
    kernels.normBackward(
      d,
      from * perStream,
      to * perStream,
      width,
      ceilLog2(hyper.streams * perStream),
      NORMS[name].inputShift,
      normalised,
      deviations,
      at.master(`${name}Scale`),
      at.master(`${name}Shift`),
      at.sums(`${name}Scale`, index),
      at.sums(`${name}Shift`, index),
      out,
      at.threads[index]!.work,
    );
  }

  #skip(name: SkipName, d: number, skipped: number, out: number): void {
    const { kernels, at, hyper, from, to, index } = this.thread;
    const H = widthOf(hyper);
    const sum = kernels.skipBackward(d, skipped, from, to, H, at.master(name), this.#streamsLog2, out);
    this.#sums[(at.sums(name, index) - at.threads[index]!.sums) / 4] = sum;
  }

  /** d times the slope of GELU at x. */
  #throughGelu(d: number, x: number, out: number): void {
    const { kernels, at, hyper } = this.thread;
    const { start, count } = this.#span(widthOf(hyper));
    const slopes = at.activations.slopes + start / 2;
    kernels.lookUp(x + start / 2, at.tables.geluSlope, count, slopes);
    kernels.throughSlope(d + start, slopes, count, out + start);
  }

  /** a = gradient of the last hidden values. */
  #predict(): void {
    const { kernels, at, gradientLimit } = this.thread;
    const { rows } = at.gradientOperands.logits;
    const { start, count } = this.#span(256);
    kernels.quantiseGradient(at.frequencies + start, count, this.logitShift, gradientLimit, rows + start / 2);
    this.#pack("logits", 1);
    this.#inputs("logits", this.logitShift, at.gradients.a);
    this.#gates();
  }

  /** Adds to a what comes through the gates of the boosts. */
  #gates(): void {
    const { kernels, at, hyper, from, to } = this.thread;
    const { a, b, recallGate } = at.gradients;
    if (gateColumns(hyper) === 0) return;
    kernels.gateGradients(at.recall.record, at.frequencies, from, to, recallGate);
    this.#quantise("recallGate", recallGate);
    this.#inputs("recallGate", this.#gradientShift("recallGate"), b);
    const { start, count } = this.#span(widthOf(hyper));
    kernels.addTwo(a + start, b + start, count, a + start);
  }

  /** From a to `coarse`, the gradient of the coarse refiner's output. */
  #fineRefiner(): void {
    const { kernels, at, hyper, from, to } = this.thread;
    const { a, b, c, hidden, fine, coarse } = at.gradients;
    const { fineHidden: F } = hyper;
    this.#skip("fineSkip", a, at.norms.fineNorm.out, b);
    this.#throughGelu(a, at.norms.lastNorm.out, c);
    this.#norm("lastNorm", c, c);
    this.#quantise("fineOut", c);
    this.#inputs("fineOut", this.#gradientShift("fineOut"), hidden);
    const { gelu, geluSlope } = at.tables;
    kernels.gegluBackward(at.activations.fine, hidden, F * 4, from, to, F, gelu, geluSlope, fine);
    this.#quantise("fine", fine);
    this.#inputs("fine", this.#gradientShift("fine"), a);
    const { start, count } = this.#span(widthOf(hyper));
    kernels.addTwo(a + start, b + start, count, a + start);
    this.#norm("fineNorm", a, coarse);
  }

  /** From `coarse` to a, the gradient of the mixed values. */
  #coarseRefiner(): void {
    const { kernels, at, hyper } = this.thread;
    const { a, b, c, branches, coarse } = at.gradients;
    // The features are not trained, so only their matrix learns.
    if (hyper.contexts > 0) this.#quantise("feature", coarse);
    this.#skip("coarseSkip", coarse, at.norms.coarseNorm.out, b);
    const { start, count } = this.#span(widthOf(hyper));
    const up = at.activations.up + start / 2;
    kernels.gateBackward(coarse + start, up, at.activations.gate + start / 2, count, a + start, c + start);
    this.#quantise("gate", a, 2);
    this.#quantise("up", c, 2);
    this.#inputs("up", this.#gradientShift("up"), branches);
    this.#quantise("memory", branches, 2);
    this.#streamMatrix(branches);
    this.#quantise("down", branches, 2);
    this.#inputs("gate", this.#gradientShift("gate"), a);
    this.#inputs("down", this.#gradientShift("down"), c);
    kernels.addThree(a + start, c + start, b + start, count, a + start);
    this.#norm("coarseNorm", a, a);
  }

  #streamMatrix(out: number): void {
    const { kernels, at, hyper, from, to, index } = this.thread;
    const shift = backwardShift(this.#gradientShift("memory"), this.#weightShift("memory"));
    const { rows } = at.gradientOperands.memory;
    const { backward } = at.matrices.memory;
    kernels.multiplyStreams(rows, from, to, backward, hyper.coarseHidden, shift, 0, out, at.threads[index]!.scratch);
  }

  /** From a to a (gradient of the input norm's output), b (far) and c (near). */
  #route(): void {
    const { kernels, at, hyper } = this.thread;
    const { a, b, c, d } = at.gradients;
    const { near, alpha } = at.activations;
    const { start, count } = this.#span(widthOf(hyper));
    const half = start / 2;
    kernels.routeBackward(
      a + start,
      at.wide.far + start,
      near + half,
      alpha + half,
      count,
      b + start,
      c + start,
      d + start,
    );
    this.#quantise("router", d);
    this.#inputs("router", this.#gradientShift("router"), a);
  }

  /** Adds to a what comes from b through the skip and through the newest values of the cache. */
  #globalStream(): void {
    const { kernels, at, hyper, from, to } = this.thread;
    const { a, b, d, cache, newest, newestIn } = at.gradients;
    const { cacheStep: S, globalHidden: G, embedding: D } = hyper;
    this.#skip("globalSkip", b, at.norms.inputNorm.out, d);
    const { start, count } = this.#span(widthOf(hyper));
    const slopes = at.activations.slopes + start / 2;
    kernels.lookUpWide(at.wide.global + start, at.tables.geluSlope, count, slopes);
    kernels.throughSlope(b + start, slopes, count, b + start);
    this.#quantise("global", b);
    const firstColumn = (G - S) & ~7;
    this.#inputs("global", this.#gradientShift("global"), cache, firstColumn);
    const dNewest = cache + (G - S - firstColumn) * 4;
    const { gelu, geluSlope } = at.tables;
    const pitch = (G - firstColumn) * 4;
    kernels.gegluBackward(at.activations.newest, dNewest, pitch, from, to, S, gelu, geluSlope, newest);
    this.#quantise("newest", newest);
    this.#inputs("newest", this.#gradientShift("newest"), newestIn);
    kernels.addNewest(a, d, newestIn, from, to, widthOf(hyper), D);
  }

  /** From c to d, the gradient of the raw embeddings through the local stream. */
  #localStream(): void {
    const { kernels, at, hyper, from, to, index } = this.thread;
    const { c, d } = at.gradients;
    const { history: T, embedding: D, streams } = hyper;
    this.#throughGelu(c, at.activations.local, c);
    kernels.convolveBackward(
      c,
      at.norms.localNorm.out,
      from,
      to,
      T,
      D,
      ceilLog2(streams * T),
      at.master("tap"),
      at.sums("tap", index),
      at.sums("tapBias", index),
      d,
      at.threads[index]!.work,
    );
    this.#norm("localNorm", d, d);
  }

  /** a through the input norm, plus d, to the rows of the embedding. */
  #embed(): void {
    const { kernels, at, hyper, from, to, index } = this.thread;
    const { a, d } = at.gradients;
    const { history: T, embedding: D } = hyper;
    this.#norm("inputNorm", a, a);
    const { start } = this.#span(widthOf(hyper));
    const sums = at.sums("embedding", index);
    const bytes = at.history + from * T;
    kernels.scatterEmbedding(bytes, (to - from) * T, a + start, d + start, D, EMBEDDING_GRADIENT_SHIFT, sums);
  }
}
