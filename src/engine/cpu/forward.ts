/**
 * The forward pass of one thread's streams: the order of src/engine/reference/forward.ts, one function per box, each
 * a few kernel calls.
 */

import { forwardShift } from "../../contract/exponents.ts";
import { WEIGHT_BITS, WIDE_LIMIT } from "../../contract/formats.ts";
import { widthOf } from "../../contract/hyper.ts";
import {
  MATRICES,
  type MatrixName,
  MEMORY_FORMAT,
  type NormName,
  normRows,
  normWidth,
  type OperandName,
  type QuantisedActivation,
  weightExponent,
} from "../../contract/network.ts";
import { ACTIVATION_INDEX } from "./layout.ts";
import { gateColumns } from "./recall-layout.ts";
import type { EngineThread } from "./thread.ts";

/** Rows per stream of a box: 1, or 2 for the branches of the coarse refiner. */
type Branches = 1 | 2;

export class ForwardPass {
  constructor(readonly thread: EngineThread) {}

  /** Leaves the frequencies of this thread's streams. */
  run(): void {
    if (this.thread.from === this.thread.to) return;
    this.#embed();
    this.#globalStream();
    this.#localStream();
    this.#route();
    this.#coarseRefiner();
    this.#fineRefiner();
    this.#predict();
  }

  /** out = saturate(x W^T + bias) for one of the shared matrices; x starts `skipped` columns into its rows. */
  #linear(name: MatrixName, out: number, skipped = 0): void {
    const { kernels, at, from, toPadded, index, exponents } = this.thread;
    const [outputs, inputs] = at.shapes[name];
    const { branches, format, operand: multiplied } = MATRICES[name];
    const operand = at.operands[multiplied];
    const activationShift = multiplied === "feature" ? 0 : (exponents.shift[ACTIVATION_INDEX[multiplied]] as number);
    const weightShift = exponents.copyShift[weightExponent(name)] as number;
    kernels.multiplyForward(
      operand.rows + skipped * 2,
      (operand.columns / branches) * 2,
      from * branches,
      toPadded * branches,
      at.matrices[name].forward,
      inputs,
      outputs,
      at.master(`${name}Bias`),
      WEIGHT_BITS - format.outputBits,
      forwardShift(format, activationShift, weightShift),
      format.outputLimit === WIDE_LIMIT ? 1 : 0,
      out,
      at.threads[index]!.scratch,
    );
  }

  /** The operand from int16 activations in rows of the same width, in both layouts. */
  #quantise(name: QuantisedActivation, x: number, branches: Branches = 1): void {
    const { kernels, at, from, to, exponents } = this.thread;
    const { rows, columns } = at.operands[name];
    const start = from * columns * 2;
    const shift = exponents.shift[ACTIVATION_INDEX[name]] as number;
    const largest = kernels.quantiseActivation(x + start, (to - from) * columns, shift, rows + start);
    this.thread.note(ACTIVATION_INDEX[name], largest);
    this.#pack(name, branches);
  }

  /** The row-major operand as pair panels, for the weight gradients; nobody needs them in a step without training. */
  #pack(name: OperandName, branches: Branches): void {
    const { kernels, at, from, toPadded, trains } = this.thread;
    if (!trains) return;
    const { rows, panels, columns } = at.operands[name];
    const width = columns / branches;
    const pairs = (at.rows * branches) / 2;
    kernels.packPairs(rows, width * 2, width, (from * branches) / 2, (toPadded * branches) / 2, pairs, panels);
  }

  #norm(name: NormName, x: number): void {
    const { kernels, at, hyper, from, to, index } = this.thread;
    const width = normWidth(hyper, name);
    const perStream = normRows(hyper, name);
    const { normalised, deviations, out } = at.norms[name];
    const scale = at.master(`${name}Scale`);
    const shift = at.master(`${name}Shift`);
    const { work } = at.threads[index]!;
    kernels.normForward(x, from * perStream, to * perStream, width, scale, shift, normalised, deviations, out, work);
  }

  /** Address of this thread's first value in an int16 array, and how many values it has there. */
  #span(columns: number): { readonly start: number; readonly count: number } {
    const { from, to } = this.thread;
    return { start: from * columns * 2, count: (to - from) * columns };
  }

  #embed(): void {
    const { kernels, at, hyper, from, to, step } = this.thread;
    const { history: T, embedding: D } = hyper;
    const { start, count } = this.#span(T);
    kernels.gatherPositions(at.recall.record, step, from, to, T, at.history);
    kernels.gatherEmbedding(at.history + start / 2, count, at.embedding, D, at.activations.embedded + start * D);
    this.#norm("inputNorm", at.activations.embedded);
    this.#quantise("input", at.norms.inputNorm.out);
  }

  #globalStream(): void {
    const { kernels, at, hyper, from, to, step } = this.thread;
    const { cacheStep: S, globalHidden: G, embedding: D } = hyper;
    const { newest, ring, aged } = at.activations;
    const { global, far } = at.wide;
    const H = widthOf(hyper);
    this.#linear("newest", newest, H - D);
    const places = G / S;
    const placeNow = step % places;
    kernels.geglu(newest, from, to, S, at.tables.gelu, ring + placeNow * S * 2, G * 2);
    kernels.orderByAge(ring, from, to, places, S * 2, (placeNow + 1) % places, aged);
    this.#quantise("cache", aged);
    this.#linear("global", global);
    const { start, count } = this.#span(H);
    const { out } = at.norms.inputNorm;
    const skip = at.master("globalSkip");
    kernels.geluSkipWide(global + 2 * start, out + start, count, skip, at.tables.gelu, far + 2 * start);
  }

  #localStream(): void {
    const { kernels, at, hyper, from, to, index } = this.thread;
    const { local, near, embedded } = at.activations;
    const { history: T, embedding: D } = hyper;
    this.#norm("localNorm", embedded);
    const tap = at.master("tap");
    const bias = at.master("tapBias");
    kernels.convolve(at.norms.localNorm.out, from, to, T, D, tap, bias, local, at.threads[index]!.work);
    const { start, count } = this.#span(T * D);
    kernels.lookUp(local + start, at.tables.gelu, count, near + start);
  }

  #route(): void {
    const { kernels, at, hyper } = this.thread;
    const { alpha, near, mixed } = at.activations;
    this.#linear("router", alpha);
    const { start, count } = this.#span(widthOf(hyper));
    kernels.lookUp(alpha + start, at.tables.sigmoid, count, alpha + start);
    kernels.mix(at.wide.far + 2 * start, near + start, alpha + start, count, mixed + start);
  }

  #coarseRefiner(): void {
    const { kernels, at, hyper } = this.thread;
    const { mixed, down, recalled, up, gate, coarse, remembered } = at.activations;
    this.#norm("coarseNorm", mixed);
    this.#quantise("coarse", at.norms.coarseNorm.out, 2);
    this.#linear("down", down);
    this.#quantise("downOut", down, 2);
    this.#streamMatrix();
    this.#quantise("memoryOut", recalled, 2);
    this.#linear("up", up);
    this.#linear("gate", gate);
    const H = widthOf(hyper);
    const { start, count } = this.#span(H);
    kernels.lookUp(gate + start, at.tables.sigmoid, count, gate + start);
    const x = at.norms.coarseNorm.out + start;
    const bias = at.master("memoryBias") + start * 2;
    const added = this.#remember() ? remembered + start : 0;
    kernels.combineCoarse(up + start, gate + start, x, count, bias, at.master("coarseSkip"), added, coarse + start);
  }

  /** What the recall stream's features give to the network. @returns whether there are any */
  #remember(): boolean {
    const { at, hyper } = this.thread;
    if (hyper.contexts === 0) return false;
    this.#pack("feature", 1);
    this.#linear("feature", at.activations.remembered);
    return true;
  }

  #streamMatrix(): void {
    const { kernels, at, hyper, from, to, index, exponents } = this.thread;
    const activationShift = exponents.shift[ACTIVATION_INDEX.downOut] as number;
    const shift = forwardShift(MEMORY_FORMAT, activationShift, exponents.copyShift[weightExponent("memory")] as number);
    kernels.multiplyStreams(
      at.operands.downOut.rows,
      from,
      to,
      at.matrices.memory.forward,
      hyper.coarseHidden,
      shift,
      1,
      at.activations.recalled,
      at.threads[index]!.scratch,
    );
  }

  #fineRefiner(): void {
    const { kernels, at, hyper, from, to } = this.thread;
    const { coarse, fine, hidden, fineOut, last } = at.activations;
    const { fineHidden: F } = hyper;
    this.#norm("fineNorm", coarse);
    this.#quantise("fineIn", at.norms.fineNorm.out);
    this.#linear("fine", fine);
    kernels.geglu(fine, from, to, F, at.tables.gelu, hidden, F * 2);
    this.#quantise("fineHidden", hidden);
    this.#linear("fineOut", fineOut);
    this.#norm("lastNorm", fineOut);
    const { start, count } = this.#span(widthOf(hyper));
    const x = at.norms.lastNorm.out + start;
    const skipped = at.norms.fineNorm.out + start;
    kernels.geluSkip(x, skipped, count, at.master("fineSkip"), at.tables.gelu, last + start);
  }

  #predict(): void {
    const { kernels, at, hyper, from, to, index } = this.thread;
    const { last, logits, recallGate } = at.activations;
    this.#quantise("last", last);
    this.#linear("logits", logits);
    if (hyper.contexts + hyper.tables > 0) {
      this.#linear("recallGate", recallGate);
      const { start, count } = this.#span(gateColumns(hyper));
      kernels.lookUp(recallGate + start, at.tables.sigmoid, count, recallGate + start);
      kernels.addRecall(at.recall.record, logits, from, to, at.threads[index]!.work);
    }
    kernels.frequencies(at.tables.exponentials, logits, from, to, at.frequencies);
  }
}
