/**
 * What a step of a network makes a GPU do, kernel by kernel, counted without a GPU: the engine builds the step for a
 * device that runs nothing (plan-device.ts), and this file reads what that was told. What counts on hardware is how
 * many invocations have something to do, and how many iterations each goes through one after the other.
 */
import { coderGroupsFor } from "../coder/groups.ts";
import type { HyperParameters } from "../contract/hyper.ts";
import { ModelBuffers, sharedConstants } from "../engine/gpu/buffers.ts";
import { GpuDecoder } from "../engine/gpu/decoder.ts";
import { GpuDevice } from "../engine/gpu/device.ts";
import type { PlannedProduct, TileSize } from "../engine/gpu/fused-plan.ts";
import { type Dispatch, kernelSource } from "../engine/gpu/kernel.ts";
import { HARDWARE_DECODE_LANES, tileFor } from "../engine/gpu/path.ts";
import type { KernelName } from "../engine/gpu/shaders.ts";
import { buildStep } from "../engine/gpu/step.ts";
import { GROUP_TASKS, SLICE_ROWS, type WeightRecord } from "../engine/gpu/weights-plan.ts";
import { backwardWalks, forwardWalks, normCount, walkCount } from "./gpu-walks.ts";
import type { PlanPart, PlanResult } from "./kernel-results.ts";
import { type BoundCall, workOf } from "./kernel-work.ts";
import { HARDWARE_LIMITS, type PlanLimits, planDevice } from "./plan-device.ts";
import { WatchedCompiler } from "./watched-compiler.ts";

const CHUNK_STEPS = 16;
/** Streams whose frequencies the decoder brings at a time. */
const DECODE_BATCH = 4;

/** Work of some invocations: what is of use, and what they could have done in their iterations. */
interface Count {
  readonly iterations: number;
  readonly multiplyAdds: number;
  readonly slots: number;
  readonly words: number;
}

/** Rows that an invocation of the fused kernels multiplies at a time, and outputs. */
const ROWS_EACH = 4;
const OUTPUTS_EACH = 4;
/** Words of operands that it asks for at a time, forward. */
const WORDS_EACH = 2;

const groupsOf = ({ streams }: HyperParameters, tile: TileSize) => Math.ceil(streams / tile.streams);

/**
 * Steps of the inner dimension that an invocation goes through: all of them for each of its tasks, or, where there are
 * fewer tasks than invocations, a slice of them.
 */
function stepsAlong(tasks: number, steps: number, { lanes }: TileSize): number {
  if (tasks === 0) return 0;
  const slices = Math.min(steps, Math.max(1, Math.floor(lanes / tasks)));
  return slices > 1 ? Math.ceil(steps / slices) : Math.ceil(tasks / lanes) * steps;
}

const rowGroups = (tile: TileSize, rowsPerStream: number) => Math.ceil((tile.streams * rowsPerStream) / ROWS_EACH);

/** A product of `forward`: four rows of the tile by four outputs to an invocation, two words at a time. */
export function forwardProduct({ fields }: PlannedProduct, hyper: HyperParameters, tile: TileSize): Count {
  const { OUTPUTS = 0, WORDS = 0, ROWS_PER_STREAM = 0 } = fields;
  const groups = groupsOf(hyper, tile);
  const tasks = (OUTPUTS / OUTPUTS_EACH) * rowGroups(tile, ROWS_PER_STREAM);
  const iterations = Math.ceil(stepsAlong(tasks, WORDS, tile) / WORDS_EACH);
  return {
    iterations,
    multiplyAdds: hyper.streams * ROWS_PER_STREAM * OUTPUTS * 4 * WORDS,
    slots: groups * tile.lanes * iterations * WORDS_EACH * ROWS_EACH * OUTPUTS_EACH * 4,
    words: groups * tasks * WORDS * (OUTPUTS_EACH + ROWS_EACH) + hyper.streams * ROWS_PER_STREAM * OUTPUTS,
  };
}

/** One of `backward`: four rows by a word of inputs, four outputs at a time; and the sum of the bias. */
export function backwardProduct({ fields }: PlannedProduct, hyper: HyperParameters, tile: TileSize): Count {
  const { OUTPUTS = 0, FROM = 0, UNTIL = 0, ROWS_PER_STREAM = 0, ADDS = 0 } = fields;
  const groups = groupsOf(hyper, tile);
  const rows = rowGroups(tile, ROWS_PER_STREAM);
  const tasks = (UNTIL - FROM) * rows;
  const steps = OUTPUTS / OUTPUTS_EACH;
  const along = stepsAlong(tasks, steps, tile);
  return {
    iterations: along + Math.ceil((OUTPUTS * rows) / tile.lanes),
    multiplyAdds: hyper.streams * ROWS_PER_STREAM * OUTPUTS * 4 * (UNTIL - FROM),
    slots: groups * tile.lanes * along * ROWS_EACH * OUTPUTS_EACH * 4,
    words:
      groups * tasks * steps * OUTPUTS_EACH * (1 + ROWS_EACH) +
      hyper.streams * ROWS_PER_STREAM * (OUTPUTS + 4 * (UNTIL - FROM) * (1 + ADDS)),
  };
}

/** Words of a weight's master, moments and copy, read and written. */
const WEIGHT_WORDS = 6.25;
/** And of its second copy, where sums are made before. */
const SECOND_COPY_WORDS = 0.25;

/** A tensor of `weights`: an invocation's eight outputs by eight inputs, over all rows; master, moments and copy. */
export function tensorCount(record: WeightRecord): Count {
  const { TASKS, ROWS, OUTPUTS, INPUTS, SUMS } = record;
  if (ROWS === 0) {
    const values = SUMS > 0 ? 4 * TASKS : TASKS;
    const each = WEIGHT_WORDS + 2 + (SUMS > 0 ? SECOND_COPY_WORDS : 0);
    return { iterations: values / TASKS, multiplyAdds: 0, slots: 0, words: each * values };
  }
  const groups = Math.ceil(TASKS / GROUP_TASKS);
  const across = INPUTS / 8;
  const matrices = TASKS / (Math.ceil(OUTPUTS / 8) * across);
  return {
    iterations: ROWS,
    multiplyAdds: matrices * ROWS * OUTPUTS * INPUTS,
    slots: groups * GROUP_TASKS * ROWS * 64,
    words: TASKS * ROWS * 10 + matrices * OUTPUTS * INPUTS * WEIGHT_WORDS,
  };
}

/** A matrix of `gradients`: the same products in slices of rows, two of which are asked for at a time. */
export function slicesCount(record: WeightRecord): Count {
  const { TASKS, ROWS, OUTPUTS, INPUTS } = record;
  const slices = Math.ceil(ROWS / SLICE_ROWS);
  return {
    iterations: SLICE_ROWS / 2,
    multiplyAdds: ROWS * OUTPUTS * INPUTS,
    slots: slices * Math.ceil(TASKS / GROUP_TASKS) * GROUP_TASKS * SLICE_ROWS * 64,
    words: TASKS * ROWS * 10 + slices * OUTPUTS * INPUTS,
  };
}

/** Rows and the rest that one invocation of a kernel to a box multiplies in an iteration. */
const BOX_ITERATIONS: Readonly<Record<string, (tile: number) => readonly [along: string, each: number]>> = {
  linear: (tile) => ["INPUTS", tile * 8],
  linear_inputs: (tile) => ["OUTPUTS", tile * 8],
  linear_weights: (tile) => ["MATRIX_ROWS", tile * 8],
};

const numberOf = ({ constants }: BoundCall, name: string) => {
  const value = constants[name];
  return typeof value === "number" ? value : 0;
};

const groupCount = ({ workgroups: [x, y, z] }: BoundCall) => x * y * z;

/** Invocations of a workgroup, as the kernel's text says. */
function invocationsOf({ kernel, constants }: BoundCall): number {
  const [, sizes = ""] = /@workgroup_size\(([^)]*)\)/.exec(kernelSource(kernel as KernelName, constants)) ?? [];
  return sizes.split(",").reduce((product, size) => {
    const value = constants[size.trim()];
    return product * (typeof value === "number" ? value : Number(size));
  }, 1);
}

/** Others that one invocation goes through, where they are more than one. */
const BOX_LOOPS: Readonly<Record<string, (of: (name: string) => number) => number>> = {
  bias_gradient: (of) => of("ROWS") / 8,
  norm: (of) => (3 * of("WIDTH")) / of("LANES"),
  norm_backward: (of) => (2 * of("WIDTH")) / of("LANES"),
  gelu_skip_backward: (of) => of("WIDTH") / 64,
  coarse_gate_backward: (of) => of("WIDTH") / 64,
  local_backward: (of) => (of("HISTORY") * of("EMBEDDING")) / 64,
  gate_gradient: (of) => (of("LOGIT_TABLES") > 0 ? 256 : 1),
  frequencies: (of) => of("LOGIT_TABLES") + 1,
  learn_recall: (of) => 4 * of("LOGIT_TABLES") + 1,
};

/** A kernel to a box. Those that are no products go over their values. */
function boxCount(call: BoundCall): Count {
  const work = workOf(call);
  const known = BOX_ITERATIONS[call.kernel];
  const { multiplyAdds = 0, bytes = 0 } = work ?? {};
  if (known === undefined) {
    const loops = BOX_LOOPS[call.kernel]?.((name) => numberOf(call, name)) ?? 1;
    return { iterations: Math.max(1, Math.ceil(loops)), multiplyAdds: 0, slots: 0, words: bytes / 4 };
  }
  const [along, each] = known(numberOf(call, "TILE"));
  const inner = numberOf(call, along);
  const slots = groupCount(call) * invocationsOf(call) * inner * each;
  return { iterations: call.kernel === "linear" ? inner / 4 : inner, multiplyAdds, slots, words: bytes / 4 };
}

interface Built {
  readonly hyper: HyperParameters;
  readonly buffers: ModelBuffers;
  readonly tile: TileSize | undefined;
}

function passParts(kernel: "forward" | "backward", { hyper, buffers }: Built, tile: TileSize): PlanPart[] {
  const countOf = kernel === "forward" ? forwardProduct : backwardProduct;
  const walks = walkCount(kernel === "forward" ? forwardWalks(hyper) : backwardWalks(hyper), hyper, tile);
  const nothing = { multiplyAdds: 0, slots: 0 };
  return [
    ...buffers.fused.products[kernel].map((product) => ({ part: product.name, ...countOf(product, hyper, tile) })),
    { part: "norms", ...normCount(kernel, hyper, tile), ...nothing },
    { part: "values", ...walks, ...nothing },
  ];
}

/** What a call is made of; one part if it is one thing. */
function partsOf(call: BoundCall, built: Built): PlanPart[] {
  const { kernel } = call;
  if (built.tile && (kernel === "forward" || kernel === "backward")) return passParts(kernel, built, built.tile);
  const { weights, layout } = built.buffers;
  const nameOf = ({ TENSOR }: WeightRecord) => layout.tensors[TENSOR]?.name ?? "";
  if (kernel === "gradients") {
    return weights.slices.records.map((record) => ({ part: nameOf(record), ...slicesCount(record) }));
  }
  if (kernel === "weights") {
    return weights.summed.records.map((record) => ({ part: nameOf(record), ...tensorCount(record) }));
  }
  if (kernel === "decode") {
    const perGroup = Math.ceil(built.hyper.streams / groupCount(call));
    // A byte is looked for, then taken out; frequencies of a batch are waited for.
    const iterations = 2 * perGroup + Math.ceil(perGroup / DECODE_BATCH);
    return [{ part: "bytes", iterations, multiplyAdds: 0, slots: 0, words: 257 * built.hyper.streams }];
  }
  return [{ part: "", ...boxCount(call) }];
}

/** Tensors are worked on side by side, parts of all else one after the other. */
function iterationsOf(kernel: string, parts: readonly PlanPart[]): number {
  const each = parts.map(({ iterations }) => iterations);
  return kernel === "weights" || kernel === "gradients" ? Math.max(...each) : each.reduce((sum, n) => sum + n, 0);
}

const total = (parts: readonly PlanPart[], field: "multiplyAdds" | "slots" | "words") =>
  parts.reduce((sum, part) => sum + part[field], 0);

function resultOf(setting: string, kernel: string, calls: readonly BoundCall[], built: Built): PlanResult {
  const all = calls.map((call) => partsOf(call, built));
  const parts = all.flat();
  const [multiplyAdds, slots] = [total(parts, "multiplyAdds"), total(parts, "slots")];
  return {
    kind: "plan",
    setting,
    streams: built.hyper.streams,
    kernel,
    calls: calls.length,
    workgroups: calls.reduce((sum, call) => sum + groupCount(call), 0),
    invocations: invocationsOf(calls[0] as BoundCall),
    iterations: all.reduce((sum, each) => sum + iterationsOf(kernel, each), 0),
    multiplyAdds,
    ...(slots > 0 && { lanesUsed: multiplyAdds / slots }),
    bytes: Math.round(4 * total(parts, "words")),
    ...(parts.length > 1 && calls.length === 1 && { parts }),
  };
}

/** The kernels of a step that trains, in their order, each once; last what decompression has besides. */
export async function planOf(
  setting: string,
  hyper: HyperParameters,
  limits: PlanLimits = HARDWARE_LIMITS,
): Promise<PlanResult[]> {
  const device = planDevice(limits);
  const buffers = new ModelBuffers(device, hyper, CHUNK_STEPS);
  const tile = await tileFor(new GpuDevice(device, "none"), buffers);
  const compiler = new WatchedCompiler(device, sharedConstants(hyper, buffers.layout, buffers.pastRows));
  const step = await buildStep(compiler, buffers, tile);
  const called = (dispatches: readonly Dispatch[]) => {
    return dispatches.map((dispatch) => compiler.calls.get(dispatch) as BoundCall);
  };
  const decoder = new GpuDecoder(device, buffers, HARDWARE_DECODE_LANES, compiler);
  const payloads = Array.from({ length: coderGroupsFor(hyper.streams) }, () => new Uint8Array(16));
  const decode = await decoder.open(payloads);
  const built: Built = { hyper, buffers, tile };
  const calls = called([...step.forward, ...step.backward]);
  const names = [...new Set(calls.map(({ kernel }) => kernel))];
  const results = names.map((name) => {
    const own = calls.filter(({ kernel }) => kernel === name);
    return resultOf(setting, name, own, built);
  });
  const decoding = decode ? [resultOf(setting, "decode", called([decode]), built)] : [];
  return [...results, ...decoding.map((result) => ({ ...result, isDecodingOnly: true as const }))];
}
