/**
 * Cases of the two kernels that train weights, against the reference's optimizer on a whole model's state: moments,
 * exponents and rates of the whole legal range, gradients at their limits, accumulators of every size.
 */

import { elementGroups } from "../../../../src/engine/gpu/kernel.ts";
import { denseRange } from "../../../../src/engine/gpu/places.ts";
import { GRADIENT_BITS } from "../../../../src/model/fixed.ts";
import { widthOf } from "../../../../src/model/hyper.ts";
import type { Backward } from "../../../../src/model/reference/backward.ts";
import { gradientBits, gradientOperandLimit } from "../../../../src/model/reference/exponents.ts";
import { multiplyRows, rowsOf } from "../../../../src/model/reference/linear.ts";
import { optimise } from "../../../../src/model/reference/optimizer.ts";
import { State } from "../../../../src/model/reference/state.ts";
import {
  activationSlot,
  gradientSlot,
  MATRIX_NAMES,
  type MatrixName,
  matrixShape,
  SLOT_COUNT,
  type Tensor,
  weightSlot,
} from "../../../../src/model/tensors.ts";
import { draw, operands, PATTERN_COUNT, type Random, range, values, type Words } from "../../../support/gpu-values.ts";
import { pack4, unpack4 } from "../../../support/packed.ts";
import { ACTIVATION, ANY_I32, type KernelCase, type Named, output, type Shape, shapeWith, WEIGHT } from "./case.ts";

/** What the optimizer's moments stay below. */
const MOMENT = (1 << 22) - 1;
const NEED_MAX = 328;

/** The reference's optimizer with everything that it reads taken from a kernel's inputs. */
class ReferenceOptimizer {
  readonly #state: State;
  readonly #gradient: Int32Array;
  readonly #exponent: Int32Array;

  constructor(readonly shape: Shape) {
    this.#state = new State(shape.hyper);
    this.#gradient = new Int32Array(shape.layout.parameterCount);
    this.#exponent = new Int32Array(shape.layout.tensors.length);
    // What a step has seen is to be compared before the exponents move on.
    this.#state.exponents.endStep = () => {};
    this.#state.gradientScales.endStep = () => {};
  }

  /** @returns the state after training with the gradients that `fill` writes */
  run(arrays: Named, fill: (gradient: Int32Array, exponent: Int32Array) => void): State {
    const { places, layout } = this.shape;
    const state = this.#state;
    const shifts = arrays.shifts as Words;
    const scales = (place: number) => shifts.subarray(place, place + layout.tensors.length);
    state.master.set(arrays.master as Words);
    state.moment.set(arrays.moment as Words);
    state.square.set(arrays.square as Words);
    state.exponents.shift.set(shifts.subarray(0, SLOT_COUNT));
    state.exponents.copyShift.set(shifts.subarray(places.copyShifts, places.copyShifts + SLOT_COUNT));
    state.exponents.seen.fill(0);
    state.gradientScales.scale.set(scales(places.scales));
    state.gradientScales.moved.set(scales(places.moved));
    state.gradientScales.seen.fill(0);
    state.trained = shifts[places.trained] as number;
    state.rates[Math.min(state.trained, state.rates.length - 1)] = shifts[places.rate] as number;
    this.#gradient.fill(0);
    this.#exponent.fill(0);
    fill(this.#gradient, this.#exponent);
    const backward = { gradient: this.#gradient, exponent: this.#exponent };
    optimise(state, backward as unknown as Backward);
    return state;
  }
}

/** Moves a trained part from the reference's state to the arrays that the kernel should leave. */
function takeOver(arrays: Named, state: State, offset: number, size: number): void {
  for (const name of ["master", "moment", "square"] as const) {
    arrays[name]!.set(state[name].subarray(offset, offset + size), offset);
  }
}

function notice(arrays: Named, place: number, value: number): void {
  arrays.seen![place] = Math.max(arrays.seen![place] as number, value);
}

function drawShifts(shape: Shape, random: Random, isCalibrating: boolean): Words {
  const { places, layout } = shape;
  const count = layout.tensors.length;
  const drawn = (size: number, low: number, high: number) =>
    draw(range(size, low, high), random.between(0, PATTERN_COUNT - 1), random);
  const shifts = new Int32Array(places.count);
  shifts.set(drawn(SLOT_COUNT, 0, 24), 0);
  shifts.set(drawn(SLOT_COUNT, 0, 24), places.copyShifts);
  shifts.set(drawn(count, -60, 60), places.scales);
  shifts.set(drawn(count, -1, 40), places.moved);
  shifts[places.step] = random.between(0, 9000);
  shifts[places.trained] = random.between(0, 9000);
  shifts[places.rate] = isCalibrating ? 0 : random.between(1, 65535);
  shifts[places.logitShift] = GRADIENT_BITS - gradientBits(shape.hyper.streams);
  return shifts;
}

/** The arrays of both kernels: everything that is trained, and what a step has seen so far. */
function trainedInputs(shape: Shape, isCalibrating: boolean) {
  const count = shape.layout.parameterCount;
  return {
    shifts: (random: Random) => drawShifts(shape, random, isCalibrating),
    seen: (random: Random) => {
      const slots = draw(range(SLOT_COUNT, 0, WEIGHT), random.between(0, PATTERN_COUNT - 1), random);
      const needs = draw(range(shape.layout.tensors.length, 0, NEED_MAX), random.between(0, PATTERN_COUNT - 1), random);
      return Int32Array.of(...slots, ...needs);
    },
    master: values(count, WEIGHT),
    moment: values(count, MOMENT),
    square: range(count, 0, WEIGHT),
  };
}

interface Matrix {
  readonly tensor: Tensor;
  /** Rows, outputs and inputs of one matrix of the batch. */
  readonly rows: number;
  readonly outputs: number;
  readonly inputs: number;
  readonly batch: number;
  readonly stride: number;
  readonly start: number;
  readonly activation: number;
  readonly gradient: number;
}

function matrixOf(shape: Shape, name: MatrixName | "memory"): Matrix {
  const { hyper, layout, places } = shape;
  const tensor = layout.byName[name];
  const C = hyper.coarseHidden;
  if (name === "memory") {
    const slots = { activation: activationSlot("downOut"), gradient: gradientSlot("memory") };
    return { tensor, rows: 2, outputs: C, inputs: C, batch: hyper.streams, stride: C, start: 0, ...slots };
  }
  const [outputs, inputs] = matrixShape(hyper, name);
  const isNewest = name === "newest";
  return {
    tensor,
    rows: hyper.streams * (name === "down" ? 2 : 1),
    outputs,
    inputs,
    batch: 1,
    stride: isNewest ? widthOf(hyper) : inputs,
    start: isNewest ? widthOf(hyper) - inputs : 0,
    activation: name === "feature" ? places.zero : activationSlot(name === "down" ? "coarse" : "input"),
    gradient: name === "logits" ? places.logitShift : gradientSlot(name),
  };
}

/** @param contexts of the recall stream */
function weights(name: MatrixName | "memory", streams: number, isCalibrating = false, contexts = 0): KernelCase {
  const shape = shapeWith({ streams, contexts });
  const matrix = matrixOf(shape, name);
  const { tensor, rows, outputs, inputs, batch, stride, start } = matrix;
  const tile = name === "recallGate" ? 4 : 8;
  const reference = new ReferenceOptimizer(shape);
  const fill = (arrays: Named, gradient: Int32Array, exponent: Int32Array) => {
    const operand = Int16Array.from(arrays.gradient as Words);
    const x = unpack4(arrays.x as Words);
    for (let b = 0; b < batch; b++) {
      const left = rowsOf(operand, rows, outputs, b * rows * outputs);
      const right = rowsOf(x, rows, stride, b * rows * stride + start);
      multiplyRows(left, right, outputs, inputs, gradient, tensor.offset + b * outputs * inputs);
    }
    const shifts = arrays.shifts as Words;
    exponent[tensor.index] = (shifts[matrix.gradient] as number) + (shifts[matrix.activation] as number);
  };
  return {
    kernel: "linear_weights",
    title: `${name}, ${streams} streams${isCalibrating ? ", calibrating" : ""}`,
    shared: shape.shared,
    constants: {
      TILE: tile,
      ROWS: rows,
      OUTPUTS: outputs,
      INPUTS: inputs,
      X_STRIDE: stride / 4,
      X_START: start / 4,
      ACTIVATION_SLOT: matrix.activation,
      WEIGHT_SLOT: weightSlot(name),
      GRADIENT_SLOT: matrix.gradient,
      COPY_AT: tensor.offset / 4,
      MASTER_AT: tensor.offset,
      TENSOR: tensor.index,
    },
    workgroups: [Math.ceil(inputs / 64), Math.ceil(outputs / 8 / tile), batch],
    inputs: {
      gradient: values(batch * rows * outputs, gradientOperandLimit(streams)),
      x: operands(batch * rows * stride),
      ...trainedInputs(shape, isCalibrating),
      copies: output(denseRange(shape.layout).offset / 4),
    },
    expect: (arrays: Named) => {
      const state = reference.run(arrays, (gradient, exponent) => fill(arrays, gradient, exponent));
      takeOver(arrays, state, tensor.offset, tensor.size);
      const copies = state.copy.subarray(tensor.offset, tensor.offset + tensor.size);
      arrays.copies!.set(pack4(copies), tensor.offset / 4);
      notice(arrays, weightSlot(name), state.exponents.seen[weightSlot(name)] as number);
      notice(arrays, SLOT_COUNT + tensor.index, state.gradientScales.seen[tensor.index] as number);
    },
  };
}

/** The exponent of a dense tensor's gradient, docs/NUMERICS.md section 6. */
function denseExponent(shape: Shape, shifts: Words, name: string): number {
  if (name === "embedding") return -(shifts[shape.places.copyShifts + weightSlot("embedding")] as number);
  if (name === "logitsBias") return shifts[shape.places.logitShift] as number;
  const matrix = MATRIX_NAMES.find((each) => `${each}Bias` === name);
  if (matrix === undefined || matrix === "logits") return 0;
  return shifts[gradientSlot(matrix)] as number;
}

function dense(streams: number, isCalibrating = false, contexts = 0): KernelCase {
  const shape = shapeWith({ streams, contexts });
  const { offset, count } = denseRange(shape.layout);
  const tensors = shape.layout.tensors.filter((tensor) => tensor.offset >= offset);
  const reference = new ReferenceOptimizer(shape);
  return {
    kernel: "optimise_dense",
    title: `${streams} streams, ${contexts} contexts${isCalibrating ? ", calibrating" : ""}`,
    shared: shape.shared,
    constants: {},
    workgroups: elementGroups(count),
    inputs: {
      ...trainedInputs(shape, isCalibrating),
      gradient: values(count, ANY_I32),
      embedding: values(256 * shape.hyper.embedding, ACTIVATION),
    },
    expect: (arrays: Named) => {
      const state = reference.run(arrays, (gradient, exponent) => {
        gradient.set(arrays.gradient as Words, offset);
        for (const { name, index } of tensors) {
          exponent[index] = denseExponent(shape, arrays.shifts as Words, name);
        }
      });
      takeOver(arrays, state, offset, count);
      arrays.embedding!.set(state.embedding);
      arrays.gradient!.fill(0);
      notice(arrays, weightSlot("embedding"), state.exponents.seen[weightSlot("embedding")] as number);
      for (const { index } of tensors) {
        notice(arrays, SLOT_COUNT + index, state.gradientScales.seen[index] as number);
      }
    },
  };
}

export const OPTIMIZER_CASES: readonly KernelCase[] = [
  weights("newest", 5),
  weights("fine", 33),
  weights("logits", 1),
  weights("down", 256),
  weights("memory", 5),
  weights("fine", 5, true),
  dense(5),
  dense(5, true),
  dense(5, false, 4),
  weights("recallGate", 33, false, 12),
  weights("feature", 5, false, 4),
];
