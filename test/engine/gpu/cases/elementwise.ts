/**
 * Cases of the kernels that work element by element: gates, GeGLU, skips, the router's mix, the convolution, sums.
 * The expectations are the formulas of docs/NUMERICS.md sections 5 and 6.
 */

import {
  ceilLog2,
  clamp,
  clampActivation,
  clampGradient,
  mulRound,
  roundShift,
} from "../../../../src/contract/fixed.ts";
import {
  ACTIVATION_BITS,
  HIDDEN_BITS,
  HIDDEN_LIMIT,
  NORM_INPUT_BITS,
  SCALE_BITS,
  SLOPE_BITS,
  WIDE_LIMIT,
} from "../../../../src/contract/formats.ts";
import { gelu, geluSlope, luts, sigmoid, sigmoidSlope } from "../../../../src/contract/luts.ts";
import { elementGroups } from "../../../../src/engine/gpu/kernel.ts";
import { range, values } from "../../../support/gpu-values.ts";
import {
  ACTIVATION,
  ANY_I32,
  biasOf,
  controlWith,
  foldedGroups,
  GRADIENT,
  type KernelCase,
  lutsInput,
  type Named,
  output,
  scaleOf,
  shapeWith,
  WEIGHT,
} from "./case.ts";

const table = luts();
const GATE_LIMIT = 1 << SLOPE_BITS;

/** A sum in the format of activations as what enters a norm. */
function asNormInput(sum: number): number {
  return clampActivation(roundShift(sum, ACTIVATION_BITS - NORM_INPUT_BITS));
}

function geglu(N: number, ring: number, streams: number, bound = ACTIVATION): KernelCase {
  const shape = shapeWith({ streams });
  const { step } = shape.places;
  return {
    kernel: "geglu",
    title: `${streams} rows of ${N}, ring of ${ring}, up to ${bound}`,
    shared: shape.shared,
    constants: { N, RING: ring },
    workgroups: foldedGroups(Math.ceil((streams * N) / 64)),
    inputs: {
      x: values(2 * N * streams, bound),
      constants: lutsInput,
      control: (random) => controlWith(shape, { [step]: random.between(0, 1 << 30) }),
      out: output(streams * ring * N),
    },
    expect: ({ x, out, control }: Named) => {
      const slot = (control![step] as number) % ring;
      for (let i = 0; i < streams * N; i++) {
        const u = Math.floor(i / N) * 2 * N + (i % N);
        const product = gelu(table, x![u] as number) * (x![u + N] as number);
        const rounded = roundShift(product, 2 * ACTIVATION_BITS - HIDDEN_BITS);
        out![Math.floor(i / N) * ring * N + slot * N + (i % N)] = clamp(rounded, HIDDEN_LIMIT);
      }
    },
  };
}

function gegluBackward(N: number, pitch: number, start: number, streams: number, bound = ACTIVATION): KernelCase {
  return {
    kernel: "geglu_backward",
    title: `${streams} rows of ${N} in rows of ${pitch}, up to ${bound}`,
    shared: shapeWith({ streams }).shared,
    constants: { N, D_PITCH: pitch, D_START: start },
    workgroups: foldedGroups(Math.ceil((streams * N) / 64)),
    inputs: {
      x: values(2 * N * streams, bound),
      d: values(pitch * streams, ANY_I32),
      constants: lutsInput,
      out: output(2 * N * streams),
    },
    expect: ({ x, d, out }: Named) => {
      for (let i = 0; i < streams * N; i++) {
        const row = Math.floor(i / N);
        const at = row * 2 * N + (i % N);
        const product = gelu(table, x![at] as number) * (x![at + N] as number);
        const inside = Math.abs(roundShift(product, 2 * ACTIVATION_BITS - HIDDEN_BITS)) <= HIDDEN_LIMIT;
        const gradient = inside ? (d![row * pitch + start + (i % N)] as number) : 0;
        const toGelu = mulRound(gradient, x![at + N] as number, ACTIVATION_BITS);
        out![at] = clampGradient(mulRound(toGelu, geluSlope(table, x![at] as number), SLOPE_BITS));
        out![at + N] = clampGradient(mulRound(gradient, gelu(table, x![at] as number), ACTIVATION_BITS));
      }
    },
  };
}

function geluSkip(count: number, limit: number): KernelCase {
  return {
    kernel: "gelu_skip",
    title: `${count} values of ±${limit}`,
    constants: { COUNT: count, SKIP_AT: 3, LIMIT: limit },
    workgroups: elementGroups(count),
    inputs: {
      x: values(count, limit),
      skipped: values(count, ACTIVATION),
      master: values(4, WEIGHT),
      constants: lutsInput,
      out: output(count),
    },
    expect: ({ x, skipped, master, out }: Named) => {
      for (let i = 0; i < count; i++) {
        const kept = roundShift((skipped![i] as number) * scaleOf(master![3] as number), SCALE_BITS);
        out![i] = clamp(gelu(table, x![i] as number) + kept, limit);
      }
    },
  };
}

/** What a skip does to the gradient of its scalar, `at`, and of what was skipped. */
function skipBackward(arrays: Named, width: number, streams: number, skipAt: number, at: number): void {
  const { d, skipped, master, gradient, d_skipped } = arrays;
  for (let b = 0; b < streams; b++) {
    let row = 0;
    for (let i = b * width; i < (b + 1) * width; i++) {
      row += mulRound(d![i] as number, skipped![i] as number, ACTIVATION_BITS + ceilLog2(width));
      d_skipped![i] = mulRound(d![i] as number, scaleOf(master![skipAt] as number), SCALE_BITS);
    }
    gradient![at] = (gradient![at] as number) + roundShift(row | 0, ceilLog2(streams));
  }
}

function geluSkipBackward(width: number, streams: number): KernelCase {
  const count = width * streams;
  return {
    kernel: "gelu_skip_backward",
    title: `${streams} rows of ${width}`,
    shared: shapeWith({ streams }).shared,
    constants: { WIDTH: width, WIDTH_LOG2: ceilLog2(width), SKIP_AT: 1, SKIP_DENSE: 2 },
    workgroups: foldedGroups(streams),
    inputs: {
      d: values(count, ANY_I32),
      x: values(count, WIDE_LIMIT),
      skipped: values(count, ACTIVATION),
      master: values(2, WEIGHT),
      constants: lutsInput,
      d_x: output(count),
      d_skipped: output(count),
      gradient: values(4, ANY_I32),
    },
    expect: (arrays: Named) => {
      const { d, x, d_x } = arrays;
      for (let i = 0; i < count; i++)
        d_x![i] = mulRound(d![i] as number, geluSlope(table, x![i] as number), SLOPE_BITS);
      skipBackward(arrays, width, streams, 1, 2);
    },
  };
}

function coarseGate(count: number, contexts: number): KernelCase {
  return {
    kernel: "coarse_gate",
    title: `${count} values, ${contexts} contexts`,
    shared: shapeWith({ contexts }).shared,
    constants: { COUNT: count, SKIP_AT: 0, STREAM_BIAS_AT: 2 },
    workgroups: foldedGroups(Math.ceil(count / 64)),
    inputs: {
      up: values(count, ACTIVATION),
      g: values(count, ACTIVATION),
      skipped: values(count, ACTIVATION),
      remembered: values(contexts > 0 ? count : 4, ACTIVATION),
      master: values(2 + count, WEIGHT),
      constants: lutsInput,
      gate: output(count),
      out: output(count),
    },
    expect: ({ up, g, skipped, remembered, master, gate, out }: Named) => {
      for (let i = 0; i < count; i++) {
        const open = sigmoid(table, g![i] as number);
        gate![i] = open;
        const kept = roundShift((skipped![i] as number) * scaleOf(master![0] as number), SCALE_BITS);
        const gated = roundShift((up![i] as number) * open, SLOPE_BITS);
        const recalled = contexts > 0 ? (remembered![i] as number) : 0;
        out![i] = asNormInput(gated + biasOf(master![2 + i] as number) + kept + recalled);
      }
    },
  };
}

function coarseGateBackward(width: number, streams: number): KernelCase {
  const count = width * streams;
  return {
    kernel: "coarse_gate_backward",
    title: `${streams} rows of ${width}`,
    shared: shapeWith({ streams }).shared,
    constants: {
      WIDTH: width,
      WIDTH_LOG2: ceilLog2(width),
      SKIP_AT: 1,
      SKIP_DENSE: 1,
      STREAM_BIAS_AT: 0,
      STREAM_BIAS_DENSE: 3,
    },
    workgroups: foldedGroups(streams),
    inputs: {
      d: values(count, ANY_I32),
      up: values(count, ACTIVATION),
      gate: range(count, 0, GATE_LIMIT),
      skipped: values(count, ACTIVATION),
      master: values(2, WEIGHT),
      d_up_gate: output(2 * count),
      d_skipped: output(count),
      gradient: values(3 + count, ANY_I32),
    },
    expect: (arrays: Named) => {
      const { d, up, gate, d_up_gate, gradient } = arrays;
      for (let i = 0; i < count; i++) {
        d_up_gate![i] = mulRound(d![i] as number, gate![i] as number, SLOPE_BITS);
        const toGate = mulRound(d![i] as number, up![i] as number, ACTIVATION_BITS);
        d_up_gate![count + i] = clampGradient(mulRound(toGate, sigmoidSlope(gate![i] as number), SLOPE_BITS));
        gradient![3 + i] = d![i] as number;
      }
      skipBackward(arrays, width, streams, 1, 1);
    },
  };
}

function mix(count: number): KernelCase {
  return {
    kernel: "mix",
    title: `${count} values`,
    constants: { COUNT: count },
    workgroups: foldedGroups(Math.ceil(count / 64)),
    inputs: {
      r: values(count, ACTIVATION),
      far: values(count, WIDE_LIMIT),
      near: values(count, ACTIVATION),
      constants: lutsInput,
      alpha: output(count),
      mixed: output(count),
    },
    expect: ({ r, far, near, alpha, mixed }: Named) => {
      for (let i = 0; i < count; i++) {
        alpha![i] = sigmoid(table, r![i] as number);
        const apart = (far![i] as number) - (near![i] as number);
        mixed![i] = asNormInput((near![i] as number) + mulRound(apart, alpha![i] as number, SLOPE_BITS));
      }
    },
  };
}

function mixBackward(count: number): KernelCase {
  return {
    kernel: "mix_backward",
    title: `${count} values`,
    constants: { COUNT: count },
    workgroups: foldedGroups(Math.ceil(count / 64)),
    inputs: {
      d: values(count, ANY_I32),
      alpha: range(count, 0, GATE_LIMIT),
      far: values(count, WIDE_LIMIT),
      near: values(count, ACTIVATION),
      d_far: output(count),
      d_near: output(count),
      d_router: output(count),
    },
    expect: ({ d, alpha, far, near, d_far, d_near, d_router }: Named) => {
      for (let i = 0; i < count; i++) {
        d_far![i] = mulRound(d![i] as number, alpha![i] as number, SLOPE_BITS);
        d_near![i] = (d![i] as number) - (d_far![i] as number);
        const apart = asNormInput((far![i] as number) - (near![i] as number));
        const toAlpha = mulRound(d![i] as number, apart, NORM_INPUT_BITS);
        d_router![i] = clampGradient(mulRound(toAlpha, sigmoidSlope(alpha![i] as number), SLOPE_BITS));
      }
    },
  };
}

const TAP_AT = 5;

function local(history: number, embedding: number, streams: number): KernelCase {
  const D = embedding;
  const count = streams * history * D;
  const biasAt = TAP_AT + 3 * D;
  return {
    kernel: "local",
    title: `${streams} x ${history} x ${D}`,
    shared: shapeWith({ history, embedding, streams }).shared,
    constants: { TAP_AT, TAP_BIAS_AT: biasAt },
    workgroups: foldedGroups(Math.ceil(count / 64)),
    inputs: {
      z: values(count, ACTIVATION),
      master: values(biasAt + D, WEIGHT),
      constants: lutsInput,
      pre: output(count),
      near: output(count),
    },
    expect: ({ z, master, pre, near }: Named) => {
      const product = (i: number, tap: number) =>
        roundShift((z![i] as number) * scaleOf(master![TAP_AT + tap] as number), SCALE_BITS);
      for (let i = 0; i < count; i++) {
        const d = i % D;
        const t = Math.floor(i / D) % history;
        const before = t > 0 ? product(i - D, d) : 0;
        const after = t < history - 1 ? product(i + D, 2 * D + d) : 0;
        const sum = before + product(i, D + d) + after + biasOf(master![biasAt + d] as number);
        pre![i] = clampActivation(sum);
        near![i] = gelu(table, pre![i] as number);
      }
    },
  };
}

/** The convolution backwards, as the reference's localStream writes it. */
function expectLocalBackward(arrays: Named, T: number, D: number, right: number): void {
  const { d_near, pre, z, master, d_z, gradient } = arrays;
  const d = d_near!.map((value, i) => mulRound(value, geluSlope(table, pre![i] as number), SLOPE_BITS));
  const add = (at: number, value: number) => {
    gradient![at] = (gradient![at] as number) + value;
  };
  const through = (i: number, tap: number) =>
    mulRound(d[i] as number, scaleOf(master![TAP_AT + tap] as number), SCALE_BITS);
  for (let i = 0; i < d.length; i++) {
    const at = i % D;
    const t = Math.floor(i / D) % T;
    const here = d[i] as number;
    let sum = through(i, D + at);
    add(D + at, mulRound(here, z![i] as number, ACTIVATION_BITS + right));
    add(3 * D + at, roundShift(here, right));
    if (t > 0) {
      add(at, mulRound(here, z![i - D] as number, ACTIVATION_BITS + right));
      sum += through(i - D, 2 * D + at);
    }
    if (t < T - 1) {
      add(2 * D + at, mulRound(here, z![i + D] as number, ACTIVATION_BITS + right));
      sum += through(i + D, at);
    }
    d_z![i] = clampGradient(sum);
  }
}

function localBackward(history: number, embedding: number, streams: number): KernelCase {
  const D = embedding;
  const count = streams * history * D;
  const right = ceilLog2(streams * history);
  return {
    kernel: "local_backward",
    title: `${streams} x ${history} x ${D}`,
    shared: shapeWith({ history, embedding, streams }).shared,
    constants: { TAP_AT, TAP_DENSE: 0, TAP_BIAS_DENSE: 3 * D, ROWS_LOG2: right },
    workgroups: foldedGroups(streams),
    inputs: {
      d_near: values(count, GRADIENT),
      pre: values(count, ACTIVATION),
      z: values(count, ACTIVATION),
      master: values(TAP_AT + 3 * D, WEIGHT),
      constants: lutsInput,
      d_z: output(count),
      gradient: values(4 * D, ANY_I32),
    },
    expect: (arrays: Named) => expectLocalBackward(arrays, history, D, right),
  };
}

function sumGradients(rows: number, width: number, cWidth: number): KernelCase {
  const count = rows * width;
  return {
    kernel: "sum_gradients",
    title: `${rows} x ${width}, the last ${cWidth} columns thrice`,
    constants: { ROWS: rows, WIDTH: width, C_WIDTH: cWidth },
    workgroups: elementGroups(count),
    inputs: {
      a: values(count, GRADIENT),
      b: values(count, 1 << 29),
      c: values(Math.max(4, rows * cWidth), GRADIENT),
      out: output(count),
    },
    expect: ({ a, b, c, out }: Named) => {
      for (let i = 0; i < count; i++) {
        const column = (i % width) - (width - cWidth);
        const third = column >= 0 ? (c![Math.floor(i / width) * cWidth + column] as number) : 0;
        out![i] = clampGradient((a![i] as number) + (b![i] as number) + third);
      }
    },
  };
}

export const ELEMENTWISE_CASES: readonly KernelCase[] = [
  geglu(4, 8, 33),
  geglu(32, 1, 5),
  geglu(32, 1, 7, 4500),
  gegluBackward(4, 32, 28, 33),
  gegluBackward(32, 32, 0, 5),
  gegluBackward(32, 32, 0, 7, 4500),
  geluSkip(5 * 32, WIDE_LIMIT),
  geluSkip(1, ACTIVATION),
  geluSkipBackward(32, 5),
  geluSkipBackward(1024, 1),
  geluSkipBackward(256, 33),
  coarseGate(5 * 32, 0),
  coarseGate(5 * 32, 4),
  coarseGateBackward(32, 5),
  coarseGateBackward(512, 3),
  mix(5 * 32),
  mixBackward(5 * 32),
  local(4, 8, 3),
  local(16, 64, 2),
  localBackward(4, 8, 3),
  localBackward(16, 64, 2),
  localBackward(64, 8, 5),
  sumGradients(5, 32, 8),
  sumGradients(3, 16, 0),
  sumGradients(7, 16, 16),
];
