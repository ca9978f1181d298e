/**
 * The table by which one dispatch updates all weights: a record for each tensor, and for each workgroup the record that
 * it works on. It stands in a buffer, so the kernel's text does not depend on the model.
 */
import { GRADIENT_NAMES, type GradientName, QUANTISED_WEIGHTS, weightExponent } from "../../contract/network.ts";
import type { Tensor, TensorName } from "../../contract/tensors.ts";
import type { Constants } from "./kernel.ts";
import { type ModelFacts, matrixFacts } from "./matrices.ts";
import { denseExponent } from "./places.ts";

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
] as const;
export type WeightRecord = Readonly<Record<(typeof FIELDS)[number], number>>;

/** Invocations of a workgroup, each with a task: a tile of a matrix, or one element of what is none. */
export const GROUP_TASKS = 64;

export interface WeightsPlan {
  /** Records, then for each workgroup its record and its first task. */
  readonly numbers: Int32Array;
  readonly records: readonly WeightRecord[];
  readonly groups: number;
  /** Where the second part starts. */
  readonly groupsAt: number;
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
  };
}

/** What a workgroup works on, and how long that takes. */
interface Group {
  readonly record: number;
  readonly task: number;
  readonly cost: number;
}

/** Groups of matrices do thousands of times as much as others. */
function groupsOf({ TASKS, ROWS }: WeightRecord, record: number): Group[] {
  const count = Math.ceil(TASKS / GROUP_TASKS);
  return Array.from({ length: count }, (_, i) => ({ record, task: i * GROUP_TASKS, cost: ROWS }));
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

export function weightsPlan(model: ModelFacts): WeightsPlan {
  const records = model.layout.tensors
    .filter(({ size }) => size > 0)
    .map((tensor) => {
      const matrix = GRADIENT_NAMES.find((name) => name === tensor.name);
      return matrix === undefined ? denseRecord(model, tensor) : matrixRecord(model, tensor, matrix);
    });
  const groups = mixed(records.flatMap(groupsOf)).flatMap(({ record, task }) => [record, task]);
  const fields = records.flatMap((record) => FIELDS.map((field) => record[field]));
  return {
    numbers: Int32Array.from([...fields, ...groups]),
    records,
    groups: groups.length / 2,
    groupsAt: fields.length,
  };
}

/** What the kernel must know to read the table, which starts at word `at` of its buffer. */
export function weightsConstants(plan: WeightsPlan, at: number): Constants {
  return {
    WEIGHTS_AT: at,
    WEIGHT_FIELDS: FIELDS.length,
    WEIGHT_GROUPS: plan.groups,
    WEIGHT_GROUPS_AT: at + plan.groupsAt,
    ...Object.fromEntries(FIELDS.map((field, i) => [`FIELD_${field}`, i])),
  };
}
