/**
 * The table by which one dispatch updates all weights: a record for each tensor, and for each workgroup the record that
 * it works on. It stands in a buffer, so the kernel's text does not depend on the model.
 */
import {
  activationSlot,
  gradientSlot,
  MATRIX_NAMES,
  type MatrixName,
  type Tensor,
  type TensorName,
  WEIGHT_SLOTS,
  weightSlot,
} from "../../model/tensors.ts";
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
  "X_STRIDE",
  "MASTER",
  "ACTIVATION",
  "GRADIENT",
  "SIGN",
  "SLOT",
  "TENSOR",
] as const;
type WeightRecord = Readonly<Record<(typeof FIELDS)[number], number>>;

/** Invocations of a workgroup, each with a task: a tile of a matrix, or one element of what is none. */
const GROUP_TASKS = 64;

export interface WeightsPlan {
  /** Records, then for each workgroup its record and its first task. */
  readonly numbers: Int32Array;
  readonly groups: number;
  /** Where the second part starts. */
  readonly groupsAt: number;
}

/** The slot of a tensor's largest weight; a place that is always 0 for tensors that have none. */
function slotOf({ places }: ModelFacts, name: TensorName): number {
  const found = WEIGHT_SLOTS.find((each) => each === name);
  return found === undefined ? places.zero : weightSlot(found);
}

/** Outputs and inputs that one invocation owns. */
const TILE = 8;

function matrixNamed(name: TensorName): MatrixName {
  const found = MATRIX_NAMES.find((each) => each === name);
  if (found === undefined) throw new Error(`${name} is no matrix`);
  return found;
}

function matrixRecord(model: ModelFacts, tensor: Tensor): WeightRecord {
  const { hyper } = model;
  const place = (name: string) => model.arena?.starts[name] ?? 0;
  const common = { MASTER: tensor.offset, SIGN: 1, SLOT: slotOf(model, tensor.name), TENSOR: tensor.index };
  if (tensor.name === "memory") {
    const C = hyper.coarseHidden;
    return {
      ...common,
      TASKS: hyper.streams * (C / TILE) ** 2,
      ROWS: 2,
      OUTPUTS: C,
      INPUTS: C,
      G: place("gradient.memory"),
      X: place("operand.downOut"),
      X_STRIDE: C / 4,
      ACTIVATION: activationSlot("downOut"),
      GRADIENT: gradientSlot("memory"),
    };
  }
  const facts = matrixFacts(model, matrixNamed(tensor.name));
  return {
    ...common,
    TASKS: Math.ceil(facts.outputs / TILE) * (facts.inputs / TILE),
    ROWS: facts.rows,
    OUTPUTS: facts.outputs,
    INPUTS: facts.inputs,
    G: place(facts.gradient),
    X: place(facts.operand) + facts.operandStart,
    X_STRIDE: facts.operandStride,
    ACTIVATION: facts.activationPlace,
    GRADIENT: facts.gradientPlace,
  };
}

function denseRecord(model: ModelFacts, tensor: Tensor): WeightRecord {
  const { sign, place } = denseExponent(model.layout, model.places, tensor.name);
  return {
    TASKS: tensor.size,
    ROWS: 0,
    OUTPUTS: 0,
    INPUTS: 0,
    G: 0,
    X: 0,
    X_STRIDE: 0,
    MASTER: tensor.offset,
    ACTIVATION: model.places.zero,
    GRADIENT: place,
    SIGN: sign,
    SLOT: slotOf(model, tensor.name),
    TENSOR: tensor.index,
  };
}

const isProduct = ({ kind }: Tensor) => kind === "matrix" || kind === "streamMatrix";

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
    .map((tensor) => (isProduct(tensor) ? matrixRecord(model, tensor) : denseRecord(model, tensor)));
  const groups = mixed(records.flatMap(groupsOf)).flatMap(({ record, task }) => [record, task]);
  const fields = records.flatMap((record) => FIELDS.map((field) => record[field]));
  return {
    numbers: Int32Array.from([...fields, ...groups]),
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
