/**
 * The kernels of a step, each as one line to write: what step.ts lists, with the constants that follow from shapes.
 *
 * A method adds one box of the network, one or several dispatches; buffers are said by name.
 */
import { ACTIVATION_BITS, ACTIVATION_LIMIT, ceilLog2, NORM_INPUT_BITS, WIDE_LIMIT } from "../../model/fixed.ts";
import { widthOf } from "../../model/hyper.ts";
import {
  type ActivationSlot,
  activationSlot,
  type GradientSlot,
  gateCount,
  gradientSlot,
  type MatrixName,
  type NormName,
  normWidth,
  OPERAND_OF,
  weightSlot,
} from "../../model/tensors.ts";
import type { ModelBuffers } from "./buffers.ts";
import { placeConstants, type TileSize } from "./fused-plan.ts";
import { type Constants, type Dispatch, elementGroups, flatGroups, type KernelCompiler } from "./kernel.ts";
import { matrixFacts, multiplyAdds } from "./matrices.ts";
import { denseRange } from "./places.ts";
import type { KernelName } from "./shaders.ts";
import { weightsConstants } from "./weights-plan.ts";

/** Rows and outputs that one invocation of the matrix kernels makes; a shape's outputs are a multiple of it. */
const TILE = 8;
/** The same for outputs of "recallGate", of which there are a multiple of four. */
const GATE_TILE = 4;

/** Workgroups of 8 x 8 invocations. */
function tiles(columns: number, rows: number, batch = 1): readonly [number, number, number] {
  return [Math.ceil(columns / 8), Math.ceil(rows / 8), batch];
}

/** Invocations to a row of a norm: narrow rows take one each. */
const normLanes = (width: number) => (width <= 32 ? 1 : 64);

type Buffers = Readonly<Record<string, string>>;

/** Bindings that mean the same in every kernel. */
const BUFFERS_OF_THEIR_NAME: Buffers = Object.fromEntries(
  (
    "master moment square copies shifts seen tables bytes ends plan lookups entries boosts slots owners words " +
    "difference"
  )
    .split(" ")
    .map((name) => [name, name]),
);

/** Collects dispatches; compiles them all at once when the list is complete. */
export class StepBuilder {
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
    const names = { ...BUFFERS_OF_THEIR_NAME, gradient: "dense", ...named };
    const bound = Object.fromEntries(Object.entries(names).map(([name, buffer]) => [name, this.buffers.slice(buffer)]));
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
    const facts = matrixFacts(this.buffers, name);
    return {
      TILE,
      ADDS: 0,
      ROWS: facts.rows,
      OUTPUTS: facts.outputs,
      INPUTS: facts.inputs,
      X_STRIDE: facts.operandStride,
      X_START: facts.operandStart,
      ACTIVATION_SLOT: facts.activationPlace,
      WEIGHT_SLOT: facts.weightSlot,
      GRADIENT_SLOT: facts.gradientPlace,
      COPY_AT: facts.offset / 4,
      MASTER_AT: facts.offset,
      BIAS_AT: facts.biasOffset,
      BIAS_DENSE: this.dense(`${name}Bias`),
      TENSOR: facts.tensor,
      INPUT_BITS: facts.format.inputBits,
      OUTPUT_BITS: facts.format.outputBits,
      OUTPUT_LIMIT: facts.format.outputLimit,
    };
  }

  linear(name: MatrixName, out: string): void {
    const matrix = this.#matrix(name);
    const groups = tiles(matrix.OUTPUTS / TILE, matrix.ROWS / TILE);
    this.add("linear", matrix, { x: `operand.${OPERAND_OF[name]}`, out }, groups);
  }

  /** The gradient of the layer's input, before its weights change; then the update of weights and bias. */
  linearBackward(name: MatrixName, out: string): void {
    this.linearInputs(name, out);
    this.linearWeights(name);
  }

  /** @param adds 1 to add to what is in `out`, the gradient of the same input through another layer */
  linearInputs(name: MatrixName, out: string, adds: 0 | 1 = 0): void {
    const matrix = { ...this.#matrix(name), ADDS: adds };
    const groups = tiles(matrix.INPUTS / 8, matrix.ROWS / TILE);
    this.add("linear_inputs", matrix, { gradient: `gradient.${name}`, out }, groups);
  }

  linearWeights(name: MatrixName): void {
    const tile = name === "recallGate" ? GATE_TILE : TILE;
    const matrix = { ...this.#matrix(name), TILE: tile };
    const groups = tiles(matrix.INPUTS / 8, matrix.OUTPUTS / tile);
    const named = { gradient: `gradient.${name}`, x: `operand.${OPERAND_OF[name]}` };
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
    const pre = { up: "up", g: "gatePre", skipped: "coarseNorm.out", remembered: "remembered" };
    const named = { ...pre, gate: "gate", out: "coarse" };
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

  lookUp(): void {
    const { contexts, tables } = this.buffers.hyper;
    if (contexts + tables === 0) return;
    this.add("look_up", {}, { features: "operand.feature" }, elementGroups(this.B * (contexts + tables)));
  }

  logitGradient(): void {
    const named = { operand: "gradient.logits", intervals: "intervals" };
    this.add("logit_gradient", {}, named, elementGroups(256 * this.B));
  }

  /** The gates' gradient and its operand; boosts and tables must not have learned yet. */
  gateGradient(): void {
    const count = this.B * gateCount(this.buffers.hyper);
    this.add("gate_gradient", {}, { gates: "recallGate", out: "dGates" }, elementGroups(count));
    this.quantiseGradient("recallGate", "dGates", count);
  }

  /** All weights, in place of what linearWeights does to each matrix and optimise_dense to the rest. */
  weights({ streams, lanes, together }: TileSize): void {
    const { buffers } = this;
    const constants = {
      TOGETHER: together,
      WAITS: lanes > streams ? 1 : 0,
      ...weightsConstants(buffers.weights, buffers.constantPlaces.starts.weights ?? 0),
      MULTIPLY_ADDS: multiplyAdds(buffers, "weights"),
    };
    const named = { tables: "constants", arena: "arena", dense: "dense", embedding: "embedding" };
    this.add("weights", constants, named, flatGroups(buffers.weights.groups));
  }

  /** One of the two passes of the network in one dispatch, a workgroup to a tile of streams. */
  pass(kernel: "forward" | "backward", tile: TileSize, trains: boolean): void {
    const { buffers } = this;
    const starts = buffers.constantPlaces.starts;
    const constants = {
      ...placeConstants(buffers, tile),
      ...buffers.fused.constants(starts.fused ?? 0)[kernel],
      PLAN_AT: starts.plan ?? 0,
      TRAINS: trains ? 1 : 0,
      MULTIPLY_ADDS: multiplyAdds(buffers, kernel),
    };
    const named = {
      tables: "constants",
      arena: "arena",
      dense: "dense",
      embedding: "embedding",
      intervals: "intervals",
    };
    this.add(kernel, constants, named, [Math.ceil(this.B / tile.streams), 1, 1]);
  }

  /** Tables, boosts, slots and words take in the byte that came. */
  learnRecall(): void {
    const { contexts, tables } = this.buffers.hyper;
    if (contexts + tables === 0) return;
    this.add("learn_recall", {}, { gates: "recallGate" }, flatGroups(this.B));
    this.add("remember", {}, {}, elementGroups(this.B * (contexts + 1)));
  }

  endStep(trains: boolean): void {
    this.add("end_step", { TRAINS: trains ? 1 : 0 }, { rates: "rates" }, [1, 1, 1]);
  }
}
