/**
 * One step of the network as a list of dispatches: the same boxes in the same order as the reference's forward.ts and
 * backward.ts, with a kernel and its buffers for each line.
 *
 * Everything a kernel needs is said here by name; shapes become constants. Nothing here runs: the lists are built
 * once per model and recorded for every step.
 */
import { ACTIVATION_BITS, ACTIVATION_LIMIT, ceilLog2, NORM_INPUT_BITS, WIDE_LIMIT } from "../../model/fixed.ts";
import { widthOf } from "../../model/hyper.ts";
import {
  type ActivationSlot,
  activationSlot,
  type GradientSlot,
  gradientSlot,
  type MatrixName,
  matrixShape,
  type NormName,
  normWidth,
  PRODUCT_FORMATS,
  weightSlot,
} from "../../model/tensors.ts";
import { denseRange, type ModelBuffers } from "./buffers.ts";
import { type Constants, type Dispatch, elementGroups, flatGroups, type KernelCompiler } from "./kernel.ts";
import type { KernelName } from "./shaders.ts";

export interface StepDispatches {
  /** From history to `ends`. */
  readonly forward: readonly Dispatch[];
  /** From the bytes that came to the next step's weights; writes `intervals` on its way. */
  readonly backward: readonly Dispatch[];
}

/** Rows that each matrix product of the network has per stream: 2 for the branches of the coarse refiner. */
const ROWS_PER_STREAM: Readonly<Record<MatrixName, number>> = {
  newest: 1,
  global: 1,
  router: 1,
  down: 2,
  up: 2,
  gate: 2,
  fine: 1,
  fineOut: 1,
  logits: 1,
};

/** The operand that each matrix multiplies. */
const INPUT_SLOT: Readonly<Record<MatrixName, ActivationSlot>> = {
  newest: "input",
  global: "cache",
  router: "input",
  down: "coarse",
  up: "memoryOut",
  gate: "coarse",
  fine: "fineIn",
  fineOut: "fineHidden",
  logits: "last",
};

/** Rows and outputs that one invocation of the matrix kernels makes; every shape's outputs are a multiple of it. */
const TILE = 8;

/** Workgroups of 8 x 8 invocations. */
function tiles(columns: number, rows: number, batch = 1): readonly [number, number, number] {
  return [Math.ceil(columns / 8), Math.ceil(rows / 8), batch];
}

/** Invocations to a row of a norm: narrow rows take one each. */
const normLanes = (width: number) => (width <= 32 ? 1 : 64);

type Buffers = Readonly<Record<string, string>>;

/** Collects dispatches; compiles them all at once when the list is complete. */
class StepBuilder {
  readonly #pending: Promise<Dispatch>[] = [];
  readonly B: number;
  readonly H: number;

  constructor(
    readonly compiler: KernelCompiler,
    readonly buffers: ModelBuffers,
  ) {
    this.B = buffers.hyper.streams;
    this.H = widthOf(buffers.hyper);
  }

  finish(): Promise<Dispatch[]> {
    return Promise.all(this.#pending);
  }

  /** One dispatch of a kernel. `named` maps bindings to buffers; one not named there is a buffer of its own name. */
  add(kernel: KernelName, constants: Constants, named: Buffers, groups: readonly [number, number, number]): void {
    const all = { master: "master", shifts: "shifts", seen: "seen", tables: "tables", copies: "copies" };
    const more = { bytes: "bytes", gradient: "dense", moment: "moment", square: "square", ends: "ends" };
    const names = { ...all, ...more, ...named };
    const bound = Object.fromEntries(Object.entries(names).map(([name, buffer]) => [name, this.buffers.get(buffer)]));
    this.#pending.push(this.compiler.bind(kernel, constants, bound, groups));
  }

  offset(name: string): number {
    return this.buffers.layout.byName[name as keyof typeof this.buffers.layout.byName].offset;
  }

  dense(name: string): number {
    return this.offset(name) - denseRange(this.buffers.layout).offset;
  }

  quantiseActivation(slot: ActivationSlot, x: string, count: number): void {
    const constants = { COUNT: count, SLOT: activationSlot(slot) };
    this.add("quantise_activation", constants, { x, operand: `operand.${slot}` }, elementGroups(count / 4));
  }

  /** @param start first element of `x`: the second half of a shared buffer */
  quantiseGradient(slot: GradientSlot, x: string, count: number, start = 0): void {
    const constants = { COUNT: count, SLOT: gradientSlot(slot), START: start };
    this.add("quantise_gradient", constants, { x, operand: `gradient.${slot}` }, elementGroups(count / 4));
  }

  norm(name: NormName, x: string): void {
    const width = normWidth(this.buffers.hyper, name);
    const rows = (this.B * this.H) / width;
    const constants = {
      WIDTH: width,
      WIDTH_LOG2: ceilLog2(width),
      LANES: normLanes(width),
      ROWS: rows,
      SCALE_AT: this.offset(`${name}Scale`),
      SHIFT_AT: this.offset(`${name}Shift`),
    };
    const named = {
      x,
      normalised: `${name}.normalised`,
      deviations: `${name}.deviations`,
      out: `${name}.out`,
    };
    this.add("norm", constants, named, flatGroups(Math.ceil(rows / (64 / normLanes(width)))));
  }

  normBackward(name: NormName, d: string, out: string): void {
    const width = normWidth(this.buffers.hyper, name);
    const rows = (this.B * this.H) / width;
    const constants = {
      WIDTH: width,
      WIDTH_LOG2: ceilLog2(width),
      LANES: normLanes(width),
      ROWS: rows,
      ROWS_LOG2: ceilLog2(rows),
      MORE_SHIFT: name === "inputNorm" || name === "localNorm" ? 0 : ACTIVATION_BITS - NORM_INPUT_BITS,
      SCALE_AT: this.offset(`${name}Scale`),
      SCALE_DENSE: this.dense(`${name}Scale`),
      SHIFT_DENSE: this.dense(`${name}Shift`),
    };
    const named = { d, normalised: `${name}.normalised`, deviations: `${name}.deviations`, out };
    const groupRows = 64 / normLanes(width);
    this.add("norm_backward", constants, named, flatGroups(Math.ceil(rows / groupRows)));
  }

  /** Shapes and places that the three kernels of one matrix share. */
  #matrix(name: MatrixName): Record<string, number> & { ROWS: number; OUTPUTS: number; INPUTS: number } {
    const { hyper } = this.buffers;
    const [outputs, inputs] = matrixShape(hyper, name);
    const format = PRODUCT_FORMATS[name];
    const newest = name === "newest";
    return {
      TILE,
      ROWS: this.B * ROWS_PER_STREAM[name],
      OUTPUTS: outputs,
      INPUTS: inputs,
      X_STRIDE: (newest ? this.H : inputs) / 4,
      X_START: newest ? (this.H - hyper.embedding) / 4 : 0,
      ACTIVATION_SLOT: activationSlot(INPUT_SLOT[name]),
      WEIGHT_SLOT: weightSlot(name),
      GRADIENT_SLOT: name === "logits" ? this.buffers.places.logitShift : gradientSlot(name),
      COPY_AT: this.offset(name) / 4,
      MASTER_AT: this.offset(name),
      BIAS_AT: this.offset(`${name}Bias`),
      BIAS_DENSE: this.dense(`${name}Bias`),
      TENSOR: this.buffers.layout.byName[name].index,
      INPUT_BITS: format.inputBits,
      OUTPUT_BITS: format.outputBits,
      OUTPUT_LIMIT: format.outputLimit,
    };
  }

  linear(name: MatrixName, out: string): void {
    const matrix = this.#matrix(name);
    const groups = tiles(matrix.OUTPUTS / TILE, matrix.ROWS / TILE);
    this.add("linear", matrix, { x: `operand.${INPUT_SLOT[name]}`, out }, groups);
  }

  /** The gradient of the layer's input, before its weights change; then the update of weights and bias. */
  linearBackward(name: MatrixName, out: string): void {
    this.linearInputs(name, out);
    this.linearWeights(name);
  }

  linearInputs(name: MatrixName, out: string): void {
    const matrix = this.#matrix(name);
    const groups = tiles(matrix.INPUTS / 8, matrix.ROWS / TILE);
    this.add("linear_inputs", matrix, { gradient: `gradient.${name}`, out }, groups);
  }

  linearWeights(name: MatrixName): void {
    const matrix = this.#matrix(name);
    const groups = tiles(matrix.INPUTS / 8, matrix.OUTPUTS / TILE);
    const named = { gradient: `gradient.${name}`, x: `operand.${INPUT_SLOT[name]}` };
    this.add("linear_weights", matrix, named, groups);
    this.add("bias_gradient", matrix, { operand: `gradient.${name}` }, elementGroups(matrix.OUTPUTS));
  }

  #memory(): Record<string, number> {
    const C = this.buffers.hyper.coarseHidden;
    return {
      TILE,
      ROWS: 2,
      OUTPUTS: C,
      INPUTS: C,
      X_STRIDE: C / 4,
      X_START: 0,
      ACTIVATION_SLOT: activationSlot("downOut"),
      WEIGHT_SLOT: weightSlot("memory"),
      GRADIENT_SLOT: gradientSlot("memory"),
      COPY_AT: this.offset("memory") / 4,
      MASTER_AT: this.offset("memory"),
      TENSOR: this.buffers.layout.byName.memory.index,
    };
  }

  streamMatrix(): void {
    const named = { x: "operand.downOut", out: "recalled" };
    this.add("stream_linear", this.#memory(), named, elementGroups(this.B * this.buffers.hyper.coarseHidden));
  }

  streamMatrixBackward(): void {
    const C = this.buffers.hyper.coarseHidden;
    const gradient = "gradient.memory";
    const inputs = elementGroups((this.B * C) / 4);
    this.add("stream_linear_inputs", this.#memory(), { gradient, out: "dDown" }, inputs);
    const weights = tiles(C / 8, C / TILE, this.B);
    this.add("linear_weights", this.#memory(), { gradient, x: "operand.downOut" }, weights);
  }

  geluSkip(skip: string, x: string, skipped: string, out: string): void {
    const limit = skip === "globalSkip" ? WIDE_LIMIT : ACTIVATION_LIMIT;
    const constants = { COUNT: this.B * this.H, SKIP_AT: this.offset(skip), LIMIT: limit };
    this.add("gelu_skip", constants, { x, skipped, out }, elementGroups(this.B * this.H));
  }

  geluSkipBackward(skip: string, named: Buffers): void {
    this.add("gelu_skip_backward", this.#skip(skip), { ...named, gradient: "dense" }, flatGroups(this.B));
  }

  #skip(skip: string): Constants {
    return {
      COUNT: this.B * this.H,
      WIDTH: this.H,
      WIDTH_LOG2: ceilLog2(this.H),
      SKIP_AT: this.offset(skip),
      SKIP_DENSE: this.dense(skip),
      STREAM_BIAS_AT: this.offset("memoryBias"),
      STREAM_BIAS_DENSE: this.dense("memoryBias"),
    };
  }

  coarseGate(): void {
    const named = { up: "up", g: "gatePre", skipped: "coarseNorm.out", gate: "gate", out: "coarse" };
    this.add("coarse_gate", this.#skip("coarseSkip"), named, elementGroups(this.B * this.H));
  }

  coarseGateBackward(d: string): void {
    const named = {
      d,
      up: "up",
      gate: "gate",
      skipped: "coarseNorm.out",
      d_up_gate: "dUpGate",
      d_skipped: "dSkipped",
      gradient: "dense",
    };
    this.add("coarse_gate_backward", this.#skip("coarseSkip"), named, flatGroups(this.B));
  }

  sum(a: string, b: string, c: string, cWidth: number, width: number, out: string): void {
    const constants = { ROWS: (this.B * this.H) / width, WIDTH: width, C_WIDTH: cWidth };
    this.add("sum_gradients", constants, { a, b, c, out }, elementGroups(this.B * this.H));
  }
}

function addForward(step: StepBuilder): void {
  const { B, H } = step;
  const { globalHidden: G, fineHidden: F, coarseHidden: C, slot: S } = step.buffers.hyper;
  const wide = B * H;
  step.add("embed", {}, { embedding: "embedding", embedded: "embedded" }, elementGroups(wide));
  step.norm("inputNorm", "embedded");
  step.quantiseActivation("input", "inputNorm.out", wide);

  step.linear("newest", "newest");
  step.add("geglu", { N: S, RING: G / S }, { x: "newest", out: "cache" }, elementGroups(B * S));
  const cache = { cache: "cache", operand: "operand.cache" };
  step.add("cache_operand", { SLOT: activationSlot("cache") }, cache, elementGroups((B * G) / 4));
  step.linear("global", "global");
  step.geluSkip("globalSkip", "global", "inputNorm.out", "far");

  step.norm("localNorm", "embedded");
  const taps = { TAP_AT: step.offset("tap"), TAP_BIAS_AT: step.offset("tapBias") };
  step.add("local", taps, { z: "localNorm.out", pre: "local", near: "near" }, elementGroups(wide));

  step.linear("router", "router");
  const mix = { r: "router", far: "far", near: "near", alpha: "alpha", mixed: "mixed" };
  step.add("mix", { COUNT: wide }, mix, elementGroups(wide));

  step.norm("coarseNorm", "mixed");
  step.quantiseActivation("coarse", "coarseNorm.out", wide);
  step.linear("down", "down");
  step.quantiseActivation("downOut", "down", 2 * B * C);
  step.streamMatrix();
  step.quantiseActivation("memoryOut", "recalled", 2 * B * C);
  step.linear("up", "up");
  step.linear("gate", "gatePre");
  step.coarseGate();

  step.norm("fineNorm", "coarse");
  step.quantiseActivation("fineIn", "fineNorm.out", wide);
  step.linear("fine", "fine");
  step.add("geglu", { N: F, RING: 1 }, { x: "fine", out: "hidden" }, elementGroups(B * F));
  step.quantiseActivation("fineHidden", "hidden", B * F);
  step.linear("fineOut", "fineOut");
  step.norm("lastNorm", "fineOut");
  step.geluSkip("fineSkip", "lastNorm.out", "fineNorm.out", "last");
  step.quantiseActivation("last", "last", wide);
  step.linear("logits", "logits");
  step.add("frequencies", {}, { logits: "logits" }, flatGroups(B));
}

function addBackward(step: StepBuilder): void {
  const { B, H } = step;
  const { hyper } = step.buffers;
  const { globalHidden: G, fineHidden: F, coarseHidden: C, slot: S, embedding: D } = hyper;
  const wide = B * H;
  step.add("logit_gradient", {}, { operand: "gradient.logits", intervals: "intervals" }, elementGroups(256 * B));
  step.linearBackward("logits", "dLast");

  const last = { d: "dLast", x: "lastNorm.out", skipped: "fineNorm.out", d_x: "dThroughGelu", d_skipped: "dSkipped" };
  step.geluSkipBackward("fineSkip", last);
  step.normBackward("lastNorm", "dThroughGelu", "dFineOut");
  step.quantiseGradient("fineOut", "dFineOut", wide);
  step.linearBackward("fineOut", "dHidden");
  const fine = { x: "fine", d: "dHidden", out: "dHiddenPre" };
  step.add("geglu_backward", { N: F, D_STRIDE: F, D_START: 0 }, fine, elementGroups(B * F));
  step.quantiseGradient("fine", "dHiddenPre", 2 * B * F);
  step.linearBackward("fine", "dFine");
  step.sum("dFine", "dSkipped", "dFine", 0, H, "dThroughGelu");
  step.normBackward("fineNorm", "dThroughGelu", "dCoarse");

  step.coarseGateBackward("dCoarse");
  addCoarseProducts(step, wide, C);
  step.normBackward("coarseNorm", "dThroughGelu", "dMixed");

  const mix = { d: "dMixed", alpha: "alpha", far: "far", near: "near" };
  const mixed = { d_far: "dFar", d_near: "dNear", d_router: "dRouter" };
  step.add("mix_backward", { COUNT: wide }, { ...mix, ...mixed }, elementGroups(wide));
  step.quantiseGradient("router", "dRouter", wide);
  step.linearBackward("router", "dInput");

  const far = { d: "dFar", x: "global", skipped: "inputNorm.out", d_x: "dThroughGelu", d_skipped: "dSkipped" };
  step.geluSkipBackward("globalSkip", far);
  step.quantiseGradient("global", "dThroughGelu", wide);
  step.linearBackward("global", "dCache");
  const newest = { x: "newest", d: "dCache", out: "dNewest" };
  step.add("geglu_backward", { N: S, D_STRIDE: G, D_START: G - S }, newest, elementGroups(B * S));
  step.quantiseGradient("newest", "dNewest", 2 * B * S);
  step.linearBackward("newest", "dNewestIn");
  step.sum("dInput", "dSkipped", "dNewestIn", D, H, "dGlobal");

  const local = { d_near: "dNear", pre: "local", z: "localNorm.out", d_z: "dThroughGelu", gradient: "dense" };
  const taps = {
    TAP_AT: step.offset("tap"),
    TAP_DENSE: step.dense("tap"),
    TAP_BIAS_DENSE: step.dense("tapBias"),
    ROWS_LOG2: ceilLog2(B * hyper.history),
  };
  step.add("local_backward", taps, local, flatGroups(B));
  step.normBackward("localNorm", "dThroughGelu", "dLocal");
  step.normBackward("inputNorm", "dGlobal", "dEmbedded");
  const embedded = { d_input: "dEmbedded", d_local: "dLocal", gradient: "dense" };
  step.add("embed_backward", {}, embedded, elementGroups(wide));

  const { count } = denseRange(step.buffers.layout);
  step.add("optimise_dense", {}, { gradient: "dense", embedding: "embedding" }, elementGroups(count));
  step.add("end_step", {}, { rates: "rates" }, [1, 1, 1]);
}

/** The matrix products of the coarse refiner, from dUpGate to the sum of what reaches its norm. */
function addCoarseProducts(step: StepBuilder, wide: number, C: number): void {
  step.quantiseGradient("up", "dUpGate", wide);
  step.quantiseGradient("gate", "dUpGate", wide, wide);
  step.linearBackward("gate", "dGateIn");
  step.linearBackward("up", "dRecalled");
  step.quantiseGradient("memory", "dRecalled", 2 * step.B * C);
  step.streamMatrixBackward();
  step.quantiseGradient("down", "dDown", 2 * step.B * C);
  step.linearBackward("down", "dDownIn");
  step.sum("dGateIn", "dSkipped", "dDownIn", step.H / 2, step.H / 2, "dThroughGelu");
}

/** Compiles one step for a model. @throws ShaderError */
export async function buildStep(compiler: KernelCompiler, buffers: ModelBuffers): Promise<StepDispatches> {
  const forward = new StepBuilder(compiler, buffers);
  addForward(forward);
  const backward = new StepBuilder(compiler, buffers);
  addBackward(backward);
  const [forwardList, backwardList] = await Promise.all([forward.finish(), backward.finish()]);
  return { forward: forwardList, backward: backwardList };
}
