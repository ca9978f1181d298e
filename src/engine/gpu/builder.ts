/**
 * The kernels of a step, each as one line to write: what step.ts lists, with the constants that follow from shapes.
 *
 * A method adds one box of the network, one or several dispatches; buffers are said by name.
 */
import { ceilLog2 } from "../../contract/fixed.ts";
import { ACTIVATION_LIMIT, WIDE_LIMIT } from "../../contract/formats.ts";
import { widthOf } from "../../contract/hyper.ts";
import {
  activationExponent,
  type GradientName,
  gateCount,
  gradientExponent,
  MATRICES,
  type MatrixName,
  NORMS,
  type NormName,
  normRows,
  normWidth,
  type QuantisedActivation,
  type QuantisedGradient,
} from "../../contract/network.ts";
import type { ModelBuffers } from "./buffers.ts";
import { placeConstants, type TileSize } from "./fused-plan.ts";
import { type Constants, type Dispatch, elementGroups, flatGroups, type KernelCompiler } from "./kernel.ts";
import { type MatrixFacts, matrixFacts, multiplyAdds } from "./matrices.ts";
import { denseRange } from "./places.ts";
import type { KernelName } from "./shaders.ts";
import { type WeightsPlans, weightsConstants } from "./weights-plan.ts";

/** Rows and outputs that one invocation of the matrix kernels makes; a shape's outputs are a multiple of it. */
const TILE = 8;

/** Fewer where there are fewer: two rows to each of the streams' own matrices, and gates by the four. */
const tileOf = (count: number) => (count % TILE === 0 ? TILE : count % 4 === 0 ? 4 : 2);

/** Workgroups of 8 x 8 invocations. */
function tiles(columns: number, rows: number, batch = 1): readonly [number, number, number] {
  return [Math.ceil(columns / 8), Math.ceil(rows / 8), batch];
}

/** Invocations to a row of a norm: narrow rows take one each. */
const normLanes = (width: number) => (width <= 32 ? 1 : 64);

type Buffers = Readonly<Record<string, string>>;

/** Bindings that mean the same in every kernel. */
const BUFFERS_OF_THEIR_NAME: Buffers = Object.fromEntries(
  ("master moment square copies control seen bytes ends plan lookups entries boosts slots owners words " + "difference")
    .split(" ")
    .map((name) => [name, name]),
);
/** Kernels that do one box see the look-up tables only. */
const BOX_BUFFERS: Buffers = { ...BUFFERS_OF_THEIR_NAME, constants: "luts", gradient: "dense" };

/** What a norm leaves for its way back. */
const madeBy = (name: NormName) => ({ normalised: `${name}.normalised`, deviations: `${name}.deviations` });

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
    const names = { ...BOX_BUFFERS, ...named };
    const bound = Object.fromEntries(Object.entries(names).map(([name, buffer]) => [name, this.buffers.slice(buffer)]));
    this.#pending.push(this.compiler.bind(kernel, constants, bound, groups));
  }

  offset(name: string): number {
    return this.buffers.layout.byName[name as keyof typeof this.buffers.layout.byName].offset;
  }

  dense(name: string): number {
    return this.offset(name) - denseRange(this.buffers.layout).offset;
  }

  quantiseActivation(name: QuantisedActivation, x: string, count: number): void {
    const constants = { COUNT: count, EXPONENT: activationExponent(name) };
    this.add("quantise_activation", constants, { x, operand: `operand.${name}` }, elementGroups(count / 4));
  }

  /** @param start first element of `x`: the second half of a shared buffer */
  quantiseGradient(name: QuantisedGradient, x: string, count: number, start = 0): void {
    const constants = { COUNT: count, EXPONENT: gradientExponent(name), START: start };
    this.add("quantise_gradient", constants, { x, operand: `gradient.${name}` }, elementGroups(count / 4));
  }

  norm(name: NormName): void {
    const { groups, ...constants } = this.#normFacts(name);
    const named = { x: NORMS[name].input, ...madeBy(name), out: `${name}.out` };
    this.add("norm", { ...constants, SHIFT_AT: this.offset(`${name}Shift`) }, named, groups);
  }

  normBackward(name: NormName): void {
    const { groups, ...common } = this.#normFacts(name);
    const constants = {
      ...common,
      ROWS_LOG2: ceilLog2(common.ROWS),
      MORE_SHIFT: NORMS[name].inputShift,
      SCALE_DENSE: this.dense(`${name}Scale`),
      SHIFT_DENSE: this.dense(`${name}Shift`),
    };
    const { gradient, inputGradient } = NORMS[name];
    this.add("norm_backward", constants, { d: gradient, ...madeBy(name), out: inputGradient }, groups);
  }

  /** What both directions of a norm have in common. */
  #normFacts(name: NormName) {
    const width = normWidth(this.buffers.hyper, name);
    const [ROWS, LANES] = [this.B * normRows(this.buffers.hyper, name), normLanes(width)];
    const groups = flatGroups(Math.ceil(ROWS / (64 / LANES)));
    return { groups, WIDTH: width, WIDTH_LOG2: ceilLog2(width), LANES, ROWS, SCALE_AT: this.offset(`${name}Scale`) };
  }

  /** Shapes and places that the kernels of one matrix share; TILE is the rows that an invocation makes. */
  #matrix(name: GradientName): { readonly facts: MatrixFacts; readonly constants: Constants; readonly tile: number } {
    const facts = matrixFacts(this.buffers, name);
    const tile = name === "memory" ? tileOf(facts.matrixRows) : TILE;
    const { format, biasOffset = 0 } = facts;
    const constants = {
      TILE: tile,
      ADDS: name !== "memory" && MATRICES[name].addsGradient ? 1 : 0,
      ROWS: facts.rows,
      MATRIX_ROWS: facts.matrixRows,
      OUTPUTS: facts.outputs,
      INPUTS: facts.inputs,
      X_PITCH: facts.operandPitch,
      X_START: facts.operandStart,
      ACTIVATION_EXPONENT: facts.activationPlace,
      WEIGHT_EXPONENT: facts.weightExponent,
      GRADIENT_EXPONENT: facts.gradientPlace,
      COPY_AT: facts.offset / 4,
      MASTER_AT: facts.offset,
      HAS_BIAS: facts.biasOffset === undefined ? 0 : 1,
      BIAS_AT: biasOffset,
      BIAS_DENSE: biasOffset - denseRange(this.buffers.layout).offset,
      TENSOR: facts.tensor,
      INPUT_BITS: format.inputBits,
      OUTPUT_BITS: format.outputBits,
      OUTPUT_LIMIT: format.outputLimit,
    };
    return { facts, constants, tile };
  }

  #product(name: GradientName, out: string): void {
    const { facts, constants, tile } = this.#matrix(name);
    this.add("linear", constants, { x: facts.operand, out }, tiles(facts.outputs / TILE, facts.rows / tile));
  }

  /** The gradient with respect to a product's operand. */
  #inputs(name: GradientName, out: string): void {
    const { facts, constants, tile } = this.#matrix(name);
    const groups = tiles(facts.inputs / 8, facts.rows / tile);
    this.add("linear_inputs", constants, { gradient: facts.gradient, out }, groups);
  }

  #weights(name: GradientName): void {
    const { facts, constants } = this.#matrix(name);
    const tile = tileOf(facts.outputs);
    const groups = tiles(facts.inputs / 8, facts.outputs / tile, facts.rows / facts.matrixRows);
    const named = { gradient: facts.gradient, x: facts.operand };
    this.add("linear_weights", { ...constants, TILE: tile }, named, groups);
    if (facts.biasOffset === undefined) return;
    this.add("bias_gradient", constants, { operand: facts.gradient }, flatGroups(Math.ceil(facts.outputs / 8)));
  }

  linear(name: MatrixName): void {
    this.#product(name, MATRICES[name].output);
  }

  /** The gradient of the layer's input, if it goes anywhere, before its weights change; then weights and bias. */
  linearBackward(name: MatrixName): void {
    const { inputGradient } = MATRICES[name];
    if (inputGradient !== undefined) this.#inputs(name, inputGradient);
    this.#weights(name);
  }

  streamMatrix(): void {
    this.#product("memory", "recalled");
  }

  streamMatrixBackward(): void {
    this.#inputs("memory", "dDown");
    this.#weights("memory");
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

  /**
   * All weights, in place of what linearWeights does to each matrix and optimise_dense to the rest: in one dispatch
   * where invocations are few, in two where there are many.
   */
  weights(tile: TileSize): void {
    const { weights } = this.buffers;
    const hasMany = tile.lanes > tile.streams;
    if (hasMany && weights.slices.groups > 0) {
      const constants = { ...this.#planConstants("slices"), MULTIPLY_ADDS: weights.slices.multiplyAdds };
      this.add(
        "gradients",
        constants,
        { constants: "constants", arena: "arena", dense: "dense" },
        flatGroups(weights.slices.groups),
      );
    }
    this.#update(hasMany ? "summed" : "whole", tile);
  }

  #update(plan: "whole" | "summed", { streams, lanes, together }: TileSize): void {
    const { buffers } = this;
    const constants = {
      TOGETHER: together,
      WAITS: lanes > streams ? 1 : 0,
      SUMMED: plan === "summed" ? 1 : 0,
      ...this.#planConstants(plan),
      MULTIPLY_ADDS: buffers.weights[plan].multiplyAdds,
    };
    const named = { constants: "constants", arena: "arena", dense: "dense", embedding: "embedding" };
    this.add("weights", constants, named, flatGroups(buffers.weights[plan].groups));
  }

  #planConstants(plan: keyof WeightsPlans): Constants {
    return weightsConstants(this.buffers.weights[plan], this.buffers.constantPlaces.starts[plan] ?? 0);
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
      constants: "constants",
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
