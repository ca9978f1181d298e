/**
 * What the fused kernels `forward` and `backward` do in which order, as records in a buffer: eight stages each, every
 * one with the norms and the matrix products that it runs; and the constants by which they find parts of the arena.
 */
import { ACTIVATION_BITS, ceilLog2, NORM_INPUT_BITS, WEIGHT_BITS } from "../../model/fixed.ts";
import { widthOf } from "../../model/hyper.ts";
import {
  ACTIVATION_SLOTS,
  type ActivationSlot,
  activationSlot,
  GRADIENT_SLOTS,
  gradientSlot,
  type MatrixName,
  NORM_NAMES,
  type NormName,
  normWidth,
  SLOT_COUNT,
  weightSlot,
} from "../../model/tensors.ts";
import { rowsMax } from "./arena.ts";
import type { Constants } from "./kernel.ts";
import { type ModelFacts, matrixFacts } from "./matrices.ts";
import { denseRange } from "./places.ts";

/** Streams of a workgroup, and its invocations. */
export interface TileSize {
  readonly streams: number;
  readonly lanes: number;
  /** Neighbouring invocations that load words together (see together.ts); 1: each for itself. */
  readonly together: 1 | 8;
}

/** A part of a pass: norms by their place in NORM_NAMES, and products. */
interface Stage {
  readonly norms: readonly NormName[];
  readonly products: readonly MatrixName[];
}

const stage = (norms: readonly NormName[], ...products: readonly MatrixName[]): Stage => ({ norms, products });

const FORWARD: readonly Stage[] = [
  stage(["inputNorm", "localNorm"], "newest", "router", "feature"),
  stage([], "global"),
  stage(["coarseNorm"], "down", "gate"),
  stage([], "up"),
  stage(["fineNorm"], "fine"),
  stage([], "fineOut"),
  stage(["lastNorm"], "logits", "recallGate"),
  stage([]),
];

const BACKWARD: readonly Stage[] = [
  stage([], "logits", "recallGate"),
  stage(["lastNorm"], "fineOut"),
  stage([], "fine"),
  stage(["fineNorm"], "gate", "up", "feature"),
  stage([], "down"),
  stage(["coarseNorm"], "router", "global"),
  stage([], "newest"),
  stage(["inputNorm", "localNorm"]),
];

/** Where a product's result goes, and where the gradient of its input does. */
const OUTPUT_OF: Readonly<Record<MatrixName, string>> = {
  newest: "newest",
  global: "global",
  router: "router",
  down: "down",
  up: "up",
  gate: "gatePre",
  fine: "fine",
  fineOut: "fineOut",
  logits: "logits",
  feature: "remembered",
  recallGate: "recallGate",
};
const INPUT_GRADIENT_OF: Readonly<Record<MatrixName, string>> = {
  newest: "dNewestIn",
  global: "dCache",
  router: "dInput",
  down: "dDownIn",
  up: "dRecalled",
  gate: "dGateIn",
  fine: "dFine",
  fineOut: "dHidden",
  logits: "dLast",
  feature: "", // features are not trained
  recallGate: "dLast",
};

/** What enters each norm, whose operand it makes, and what its gradient comes from and goes to. */
const NORM_PARTS: Readonly<Record<NormName, { x: string; slot?: ActivationSlot; d: string; dOut: string }>> = {
  inputNorm: { x: "embedded", slot: "input", d: "dGlobal", dOut: "dEmbedded" },
  localNorm: { x: "embedded", d: "dThroughGelu", dOut: "dLocal" },
  coarseNorm: { x: "mixed", slot: "coarse", d: "dThroughGelu", dOut: "dMixed" },
  fineNorm: { x: "coarse", slot: "fineIn", d: "dThroughGelu", dOut: "dCoarse" },
  lastNorm: { x: "fineOut", d: "dThroughGelu", dOut: "dFineOut" },
};

/** Named numbers, one record after the other; every record has the same names. */
type Records = readonly Readonly<Record<string, number>>[];

const numbersOf = (records: Records) => records.flatMap((record) => Object.values(record));

/** Constants that say how many fields a record has, and which number each field is. */
function fieldConstants(prefix: string, records: Records): Constants {
  const names = Object.keys(records[0] ?? {});
  return {
    [`${prefix}_FIELDS`]: names.length,
    ...Object.fromEntries(names.map((name, i) => [`${prefix}_${name}`, i])),
  };
}

function placeIn({ arena }: ModelFacts, name: string): number {
  return arena?.starts[name] ?? 0;
}

function normRecord(model: ModelFacts, name: NormName) {
  const { hyper, layout } = model;
  const width = normWidth(hyper, name);
  const { x, slot, d, dOut } = NORM_PARTS[name];
  const dense = denseRange(layout).offset;
  return {
    X: placeIn(model, x),
    NORMALISED: placeIn(model, `${name}.normalised`),
    DEVIATIONS: placeIn(model, `${name}.deviations`),
    OUT: placeIn(model, `${name}.out`),
    WIDTH: width,
    WIDTH_LOG2: ceilLog2(width),
    SCALE: layout.byName[`${name}Scale`].offset,
    SHIFT: layout.byName[`${name}Shift`].offset,
    SLOT: slot === undefined ? SLOT_COUNT : activationSlot(slot),
    OPERAND: slot === undefined ? 0 : placeIn(model, `operand.${slot}`),
    D: placeIn(model, d),
    D_OUT: placeIn(model, dOut),
    SCALE_DENSE: layout.byName[`${name}Scale`].offset - dense,
    SHIFT_DENSE: layout.byName[`${name}Shift`].offset - dense,
    ROWS_LOG2: ceilLog2((hyper.streams * widthOf(hyper)) / width),
    MORE: name === "inputNorm" || name === "localNorm" ? 0 : ACTIVATION_BITS - NORM_INPUT_BITS,
  };
}

function productRecord(model: ModelFacts, name: MatrixName) {
  const facts = matrixFacts(model, name);
  const { inputBits, outputBits, outputLimit } = facts.format;
  return {
    OUTPUTS: facts.outputs,
    WORDS: facts.inputs / 4,
    ROWS_PER_STREAM: facts.rowsPerStream,
    X: placeIn(model, facts.operand) + facts.operandStart,
    X_STRIDE: facts.operandStride,
    OUT: placeIn(model, OUTPUT_OF[name]),
    COPY: facts.offset / 4,
    BIAS: facts.biasOffset,
    BIAS_SHIFT: WEIGHT_BITS - outputBits,
    SHIFT: WEIGHT_BITS + inputBits - outputBits,
    LIMIT: outputLimit,
    ACTIVATION: facts.activationPlace,
    WEIGHT: model.places.copyShifts + facts.weightSlot,
  };
}

function gradientRecord(model: ModelFacts, name: MatrixName) {
  const { hyper, layout, places } = model;
  const facts = matrixFacts(model, name);
  const words = facts.inputs / 4;
  // Of the cache's gradient only the newest slot goes anywhere.
  const from = name === "global" ? (hyper.globalHidden - hyper.slot) / 4 : 0;
  return {
    OUTPUTS: facts.outputs,
    WORDS: words,
    FROM: from,
    UNTIL: name === "feature" ? 0 : words,
    ROWS_PER_STREAM: facts.rowsPerStream,
    G: placeIn(model, facts.gradient),
    OUT: placeIn(model, INPUT_GRADIENT_OF[name]),
    ADDS: name === "recallGate" ? 1 : 0,
    COPY: facts.offset / 4,
    BIAS_DENSE: facts.biasOffset - denseRange(layout).offset,
    GRADIENT: facts.gradientPlace,
    WEIGHT: places.copyShifts + facts.weightSlot,
  };
}

/** The products of all stages one after the other; matrices of no elements are left out. */
function productsOf(model: ModelFacts, stages: readonly Stage[]): readonly (readonly MatrixName[])[] {
  return stages.map(({ products }) => products.filter((name) => model.layout.byName[name].size > 0));
}

function stageRecords(stages: readonly Stage[], products: readonly (readonly MatrixName[])[]) {
  let from = 0;
  return stages.map(({ norms }, i) => {
    const first = from;
    from += products[i]?.length ?? 0;
    const norm = norms[0] === undefined ? 0 : NORM_NAMES.indexOf(norms[0]);
    return { NORMS: norm, NORMS_END: norm + norms.length, PRODUCTS: first, PRODUCTS_END: from };
  });
}

export interface FusedPlan {
  readonly numbers: Int32Array;
  /** Constants of each kernel, if the numbers start at word `at` of their buffer. */
  constants(at: number): Readonly<Record<"forward" | "backward", Constants>>;
}

export function fusedPlan(model: ModelFacts): FusedPlan {
  const forwardProducts = productsOf(model, FORWARD);
  const backwardProducts = productsOf(model, BACKWARD);
  const tables: Readonly<Record<string, Records>> = {
    NORMS_AT: NORM_NAMES.map((name) => normRecord(model, name)),
    PRODUCTS_AT: forwardProducts.flat().map((name) => productRecord(model, name)),
    GRADIENTS_AT: backwardProducts.flat().map((name) => gradientRecord(model, name)),
    FORWARD_AT: stageRecords(FORWARD, forwardProducts),
    BACKWARD_AT: stageRecords(BACKWARD, backwardProducts),
  };
  const of = (name: string) => tables[name] ?? [];
  const common = { ...fieldConstants("NORM", of("NORMS_AT")), ...fieldConstants("STAGE", of("FORWARD_AT")) };
  return {
    numbers: Int32Array.from(Object.values(tables).flatMap(numbersOf)),
    constants: (at) => {
      let next = at;
      const starts: Record<string, number> = {};
      for (const [name, records] of Object.entries(tables)) {
        starts[name] = next;
        next += numbersOf(records).length;
      }
      const shared = { ...common, ...starts, FORWARD_STAGES: FORWARD.length, BACKWARD_STAGES: BACKWARD.length };
      return {
        forward: { ...shared, ...fieldConstants("PRODUCT", of("PRODUCTS_AT")) },
        backward: { ...shared, ...fieldConstants("PRODUCT", of("GRADIENTS_AT")), GRADIENT_FIELDS: fieldCount(of) },
      };
    },
  };
}

const fieldCount = (of: (name: string) => Records) => Object.keys(of("GRADIENTS_AT")[0] ?? {}).length;

/** "lastNorm.out" as LAST_NORM_OUT. */
const constantName = (name: string) =>
  name
    .replace(/[A-Z]/g, (letter) => `_${letter}`)
    .replace(".", "_")
    .toUpperCase();

/** Parts of the arena whose names mean sizes in the shaders. */
const OTHER_NAMES: Readonly<Record<string, string>> = { cache: "CACHE_RING", coarse: "COARSE_PLACE" };

/** Places of all parts of the arena, of tensors and of slots, and the model's shape. */
export function placeConstants(model: ModelFacts, { streams, lanes, together }: TileSize): Constants {
  const { hyper, layout, arena } = model;
  const entries = [
    ...Object.entries(arena?.starts ?? {}).map(([name, at]) => [OTHER_NAMES[name] ?? constantName(name), at] as const),
    ...layout.tensors.map(({ name, offset }) => [`AT_${constantName(name)}`, offset] as const),
    ...ACTIVATION_SLOTS.map((name) => [`SLOT_${constantName(name)}`, activationSlot(name)] as const),
    ...GRADIENT_SLOTS.map((name) => [`SLOT_D_${constantName(name)}`, gradientSlot(name)] as const),
  ];
  return {
    ...Object.fromEntries(entries),
    WEIGHT_MEMORY: weightSlot("memory"),
    WIDTH: widthOf(hyper),
    WIDTH_LOG2: ceilLog2(widthOf(hyper)),
    FINE_HIDDEN: hyper.fineHidden,
    POSITIONS_LOG2: ceilLog2(hyper.streams * hyper.history),
    ROWS_MAX: rowsMax(hyper),
    TILE: streams,
    LANES: lanes,
    TOGETHER: together,
  };
}
