/**
 * Cases of the two kernels that train weights, against the reference's optimizer on a whole model's state: moments,
 * exponents and rates of the whole legal range, gradients at their limits, accumulators of every size.
 */

import { gradientBits, gradientOperandLimit } from "../../../../src/contract/exponents.ts";
import { GRADIENT_BITS } from "../../../../src/contract/formats.ts";
import {
  EXPONENT_COUNT,
  type GradientName,
  gradientExponent,
  MATRIX_NAMES,
  weightExponent,
} from "../../../../src/contract/network.ts";
import { State } from "../../../../src/contract/state.ts";
import type { Tensor } from "../../../../src/contract/tensors.ts";
import { elementGroups } from "../../../../src/engine/gpu/kernel.ts";
import { matrixFacts } from "../../../../src/engine/gpu/matrices.ts";
import { denseRange } from "../../../../src/engine/gpu/places.ts";
import type { Backward } from "../../../../src/engine/reference/backward.ts";
import { multiplyRows, rowsOf } from "../../../../src/engine/reference/linear.ts";
import { optimise } from "../../../../src/engine/reference/optimizer.ts";
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
    const control = arrays.control as Words;
    const scales = (place: number) => control.subarray(place, place + layout.tensors.length);
    state.master.set(arrays.master as Words);
    state.moment.set(arrays.moment as Words);
    state.square.set(arrays.square as Words);
    state.exponents.shift.set(control.subarray(0, EXPONENT_COUNT));
    state.exponents.copyShift.set(control.subarray(places.copyShifts, places.copyShifts + EXPONENT_COUNT));
    state.exponents.seen.fill(0);
    state.gradientScales.scale.set(scales(places.scales));
    state.gradientScales.moved.set(scales(places.moved));
    state.gradientScales.seen.fill(0);
    state.trained = control[places.trained] as number;
    state.rates[Math.min(state.trained, state.rates.length - 1)] = control[places.rate] as number;
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
  const control = new Int32Array(places.count);
  control.set(drawn(EXPONENT_COUNT, 0, 24), 0);
  control.set(drawn(EXPONENT_COUNT, 0, 24), places.copyShifts);
  control.set(drawn(count, -60, 60), places.scales);
  control.set(drawn(count, -1, 40), places.moved);
  control[places.step] = random.between(0, 9000);
  control[places.trained] = random.between(0, 9000);
  control[places.rate] = isCalibrating ? 0 : random.between(1, 65535);
  control[places.logitShift] = GRADIENT_BITS - gradientBits(shape.hyper.streams);
  return control;
}

/** The arrays of both kernels: everything that is trained, and what a step has seen so far. */
function trainedInputs(shape: Shape, isCalibrating: boolean) {
  const count = shape.layout.parameterCount;
  return {
    control: (random: Random) => drawShifts(shape, random, isCalibrating),
    seen: (random: Random) => {
      const exponents = draw(range(EXPONENT_COUNT, 0, WEIGHT), random.between(0, PATTERN_COUNT - 1), random);
      const needs = draw(range(shape.layout.tensors.length, 0, NEED_MAX), random.between(0, PATTERN_COUNT - 1), random);
      return Int32Array.of(...exponents, ...needs);
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
  readonly pitch: number;
  readonly start: number;
  readonly activation: number;
  readonly gradient: number;
}

function matrixOf({ hyper, layout, places }: Shape, name: GradientName): Matrix {
  const facts = matrixFacts({ hyper, layout, places, arena: undefined }, name);
  return {
    tensor: layout.byName[name],
    rows: facts.matrixRows,
    outputs: facts.outputs,
    inputs: facts.inputs,
    batch: facts.rows / facts.matrixRows,
    pitch: 4 * facts.operandPitch,
    start: 4 * facts.operandStart,
    activation: facts.activationPlace,
    gradient: facts.gradientPlace,
  };
}

/** @param contexts of the recall stream */
function weights(name: GradientName, streams: number, isCalibrating = false, contexts = 0): KernelCase {
  const shape = shapeWith({ streams, contexts });
  const matrix = matrixOf(shape, name);
  const { tensor, rows, outputs, inputs, batch, pitch, start } = matrix;
  const tile = name === "recallGate" ? 4 : 8;
  const reference = new ReferenceOptimizer(shape);
  const fill = (arrays: Named, gradient: Int32Array, exponent: Int32Array) => {
    const operand = Int16Array.from(arrays.gradient as Words);
    const x = unpack4(arrays.x as Words);
    for (let b = 0; b < batch; b++) {
      const left = rowsOf(operand, rows, outputs, b * rows * outputs);
      const right = rowsOf(x, rows, pitch, b * rows * pitch + start);
      multiplyRows(left, right, outputs, inputs, gradient, tensor.offset + b * outputs * inputs);
    }
    const control = arrays.control as Words;
    exponent[tensor.index] = (control[matrix.gradient] as number) + (control[matrix.activation] as number);
  };
  return {
    kernel: "linear_weights",
    title: `${name}, ${streams} streams${isCalibrating ? ", calibrating" : ""}`,
    shared: shape.shared,
    constants: {
      TILE: tile,
      MATRIX_ROWS: rows,
      OUTPUTS: outputs,
      INPUTS: inputs,
      X_PITCH: pitch / 4,
      X_START: start / 4,
      ACTIVATION_EXPONENT: matrix.activation,
      WEIGHT_EXPONENT: weightExponent(name),
      GRADIENT_EXPONENT: matrix.gradient,
      COPY_AT: tensor.offset / 4,
      MASTER_AT: tensor.offset,
      TENSOR: tensor.index,
    },
    workgroups: [Math.ceil(inputs / 64), Math.ceil(outputs / 8 / tile), batch],
    inputs: {
      gradient: values(batch * rows * outputs, gradientOperandLimit(streams)),
      x: operands(batch * rows * pitch),
      ...trainedInputs(shape, isCalibrating),
      copies: output(denseRange(shape.layout).offset / 4),
    },
    expect: (arrays: Named) => {
      const state = reference.run(arrays, (gradient, exponent) => fill(arrays, gradient, exponent));
      takeOver(arrays, state, tensor.offset, tensor.size);
      const copies = state.copy.subarray(tensor.offset, tensor.offset + tensor.size);
      arrays.copies!.set(pack4(copies), tensor.offset / 4);
      notice(arrays, weightExponent(name), state.exponents.seen[weightExponent(name)] as number);
      notice(arrays, EXPONENT_COUNT + tensor.index, state.gradientScales.seen[tensor.index] as number);
    },
  };
}

/** The exponent of a dense tensor's gradient, docs/NUMERICS.md section 6. */
function denseExponent(shape: Shape, control: Words, name: string): number {
  if (name === "embedding") return -(control[shape.places.copyShifts + weightExponent("embedding")] as number);
  if (name === "logitsBias") return control[shape.places.logitShift] as number;
  const matrix = MATRIX_NAMES.find((each) => `${each}Bias` === name);
  if (matrix === undefined || matrix === "logits") return 0;
  return control[gradientExponent(matrix)] as number;
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
          exponent[index] = denseExponent(shape, arrays.control as Words, name);
        }
      });
      takeOver(arrays, state, offset, count);
      arrays.embedding!.set(state.embedding);
      arrays.gradient!.fill(0);
      notice(arrays, weightExponent("embedding"), state.exponents.seen[weightExponent("embedding")] as number);
      for (const { index } of tensors) {
        notice(arrays, EXPONENT_COUNT + index, state.gradientScales.seen[index] as number);
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
