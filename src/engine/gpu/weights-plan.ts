/**
 * The tables by which all weights are updated: a record for each tensor, and for each workgroup the record that it
 * works on. They stand in a buffer, so the kernels' texts do not depend on the model.
 *
 * There are two ways. On the CPU one dispatch does all of it: an invocation goes through all rows of its part of a
 * matrix, and updates that. On hardware, where thousands of rows one after the other would be waited for, a dispatch
 * before it (`gradients`) cuts the rows into slices, which add up in the buffer `dense`, behind what stands there for
 * tensors that are no matrices; `weights` then finds all sums made.
 *
 * For hardware, matrices that streams share have a second int8 copy behind all others, in which the words of
 * neighbouring outputs are neighbours: word k of output n at k * outputs + n. Invocations side by side make outputs
 * side by side, and so load from few lines of memory.
 */
import { GRADIENT_NAMES, type GradientName, QUANTISED_WEIGHTS, weightExponent } from "../../contract/network.ts";
import type { Layout, Tensor, TensorName } from "../../contract/tensors.ts";
import type { Constants } from "./kernel.ts";
import { type ModelFacts, matrixFacts } from "./matrices.ts";
import { denseExponent, denseRange } from "./places.ts";

/** The fields of a record, in their order. */
const FIELDS = [
  "TASKS",
  "ROWS",
  "OUTPUTS",
  "INPUTS",
  "G",
  "X",
  "X_PITCH",
  "MASTER",
  "ACTIVATION",
  "GRADIENT",
  "SIGN",
  "EXPONENT",
  "TENSOR",
  "SUMS",
  "ACROSS",
] as const;
export type WeightRecord = Readonly<Record<(typeof FIELDS)[number], number>>;

/** Invocations of a workgroup, each with a task: a tile of a matrix, or one element of what is none. */
export const GROUP_TASKS = 64;
/**
 * Rows of a slice. On an H100 a row takes a microsecond, whatever is multiplied in it (docs/GPU.md); a slice more costs
 * an addition in memory for each weight.
 */
export const SLICE_ROWS = 64;
/**
 * Models with more weights in matrices that streams share take a kernel to a box: every tile reading all matrices costs
 * more than dispatches do. The levels are below, the preset `paper` is above.
 */
export const FUSED_WEIGHTS_MAX = 1 << 22;

interface WeightsPlan {
  /** Records, then for each workgroup its record, its first task, and the first row of its slice. */
  readonly numbers: Int32Array;
  readonly records: readonly WeightRecord[];
  readonly groups: number;
  readonly multiplyAdds: number;
  /** Where the second part starts. */
  readonly groupsAt: number;
}

/** One dispatch that does all; or a first one that sums slices of rows, and a second that updates. */
export interface WeightsPlans {
  readonly whole: WeightsPlan;
  readonly slices: WeightsPlan;
  readonly summed: WeightsPlan;
}

/** The exponent of a tensor's largest weight; a place that is always 0 for tensors that have none. */
function exponentOf({ places }: ModelFacts, name: TensorName): number {
  const found = QUANTISED_WEIGHTS.find((each) => each === name);
  return found === undefined ? places.zero : weightExponent(found);
}

/** Outputs and inputs that one invocation owns. */
const TILE = 8;

function matrixRecord(model: ModelFacts, tensor: Tensor, name: GradientName): WeightRecord {
  const place = (part: string) => model.arena?.starts[part] ?? 0;
  const facts = matrixFacts(model, name);
  const matrices = facts.rows / facts.matrixRows;
  return {
    TASKS: matrices * Math.ceil(facts.outputs / TILE) * (facts.inputs / TILE),
    ROWS: facts.matrixRows,
    OUTPUTS: facts.outputs,
    INPUTS: facts.inputs,
    G: place(facts.gradient),
    X: place(facts.operand) + facts.operandStart,
    X_PITCH: facts.operandPitch,
    MASTER: tensor.offset,
    ACTIVATION: facts.activationPlace,
    GRADIENT: facts.gradientPlace,
    SIGN: 1,
    EXPONENT: exponentOf(model, tensor.name),
    TENSOR: tensor.index,
    SUMS: 0,
    ACROSS: acrossPlace(model.layout, tensor),
  };
}

function denseRecord(model: ModelFacts, tensor: Tensor): WeightRecord {
  const { sign, place } = denseExponent(model.places, tensor);
  return {
    TASKS: tensor.size,
    ROWS: 0,
    OUTPUTS: 0,
    INPUTS: 0,
    G: 0,
    X: 0,
    X_PITCH: 0,
    MASTER: tensor.offset,
    ACTIVATION: model.places.zero,
    GRADIENT: place,
    SIGN: sign,
    EXPONENT: exponentOf(model, tensor.name),
    TENSOR: tensor.index,
    SUMS: 0,
    ACROSS: 0,
  };
}

/** Words of the sums of all shared matrices: as they lie among the weights, of which they are the first. */
export const sumWords = ({ byName }: Layout): number =>
  byName.memory.offset <= FUSED_WEIGHTS_MAX ? byName.memory.offset : 0;

/** Where the second copy of a matrix starts, in words of `copies`; 0 if it has none. */
export function acrossPlace(layout: Layout, { kind, offset }: Tensor): number {
  if (kind !== "matrix" || sumWords(layout) === 0) return 0;
  return (denseRange(layout).offset + offset) / 4;
}

/** All int8 copies, from those in the order of the weights. */
export function withSecondCopies(layout: Layout, copies: Int32Array): Int32Array {
  const out = new Int32Array(copies.length + sumWords(layout) / 4);
  out.set(copies);
  for (const tensor of layout.tensors) {
    const to = acrossPlace(layout, tensor);
    if (to === 0) continue;
    const words = tensor.columns / 4;
    for (let n = 0; n < tensor.rows; n++) {
      const from = tensor.offset / 4 + n * words;
      for (let k = 0; k < words; k++) out[to + k * tensor.rows + n] = copies[from + k] as number;
    }
  }
  return out;
}

/** A matrix whose sums are made by slices: a task is a word of its copy, four weights. */
function summedRecord(model: ModelFacts, record: WeightRecord): WeightRecord {
  const { count } = denseRange(model.layout);
  return { ...record, TASKS: (record.OUTPUTS * record.INPUTS) / 4, ROWS: 0, SUMS: count + record.MASTER };
}

/** What a workgroup works on, and how long that takes. */
interface Group {
  readonly record: number;
  readonly task: number;
  readonly row: number;
  readonly cost: number;
}

/** Groups of matrices do thousands of times as much as others. */
function groupsOf({ TASKS, ROWS }: WeightRecord, record: number): Group[] {
  const count = Math.ceil(TASKS / GROUP_TASKS);
  return Array.from({ length: count }, (_, i) => ({ record, task: i * GROUP_TASKS, row: 0, cost: ROWS }));
}

/** Those of one matrix, slice after slice. */
function slicesOf(record: WeightRecord, index: number): Group[] {
  const slices = Math.ceil(record.ROWS / SLICE_ROWS);
  const groups = groupsOf(record, index);
  return Array.from({ length: slices }, (_, i) => groups.map((group) => ({ ...group, row: i * SLICE_ROWS }))).flat();
}

/** Dear groups and cheap ones evenly mixed: software adapters give each core a run of neighbours. */
function mixed(groups: readonly Group[]): readonly Group[] {
  const byCost = [...new Set(groups.map(({ cost }) => cost))];
  const placed = byCost.flatMap((cost) => {
    const alike = groups.filter((group) => group.cost === cost);
    return alike.map((group, i) => ({ group, place: (i + 0.5) / alike.length }));
  });
  return placed.sort((a, b) => a.place - b.place).map(({ group }) => group);
}

/** Streams' own matrices are many with one record. */
function multiplyAddsOf({ TASKS, ROWS, OUTPUTS, INPUTS }: WeightRecord): number {
  if (ROWS === 0) return 0;
  const matrices = TASKS / (Math.ceil(OUTPUTS / TILE) * (INPUTS / TILE));
  return matrices * ROWS * OUTPUTS * INPUTS;
}

function planWith(records: readonly WeightRecord[], groups: readonly Group[]): WeightsPlan {
  const fields = records.flatMap((record) => FIELDS.map((field) => record[field]));
  return {
    numbers: Int32Array.from([...fields, ...groups.flatMap(({ record, task, row }) => [record, task, row])]),
    records,
    groups: groups.length,
    multiplyAdds: records.reduce((sum, record) => sum + multiplyAddsOf(record), 0),
    groupsAt: fields.length,
  };
}

export function weightsPlans(model: ModelFacts): WeightsPlans {
  const records = model.layout.tensors
    .filter(({ size }) => size > 0)
    .map((tensor) => {
      const matrix = GRADIENT_NAMES.find((name) => name === tensor.name);
      return matrix === undefined ? denseRecord(model, tensor) : matrixRecord(model, tensor, matrix);
    });
  // Streams' own matrices have two rows each, and few streams few: these are summed where they are updated.
  const isCut = ({ ROWS }: WeightRecord) => ROWS > SLICE_ROWS && sumWords(model.layout) > 0;
  const cut = records.filter(isCut);
  const summed = records.map((record) => (isCut(record) ? summedRecord(model, record) : record));
  return {
    whole: planWith(records, mixed(records.flatMap(groupsOf))),
    slices: planWith(cut, cut.flatMap(slicesOf)),
    summed: planWith(summed, mixed(summed.flatMap(groupsOf))),
  };
}

/** What the kernel must know to read the table, which starts at word `at` of its buffer. */
export function weightsConstants(plan: WeightsPlan, at: number): Constants {
  return {
    WEIGHTS_AT: at,
    WEIGHT_FIELDS: FIELDS.length,
    WEIGHT_GROUPS: plan.groups,
    WEIGHT_GROUPS_AT: at + plan.groupsAt,
    SLICE_ROWS,
    ...Object.fromEntries(FIELDS.map((field, i) => [`FIELD_${field}`, i])),
  };
}
