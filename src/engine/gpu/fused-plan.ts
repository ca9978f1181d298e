/**
 * What the fused kernels `forward` and `backward` do in which order, as records in a buffer: eight stages each, every
 * one with the norms and the matrix products that it runs; and the constants by which they find parts of the arena.
 */
import { ceilLog2 } from "../../contract/fixed.ts";
import { WEIGHT_BITS } from "../../contract/formats.ts";
import { widthOf } from "../../contract/hyper.ts";
import {
  activationExponent,
  EXPONENT_COUNT,
  gradientExponent,
  MATRICES,
  type MatrixName,
  NORM_NAMES,
  NORMS,
  type NormName,
  normRows,
  normWidth,
  QUANTISED_ACTIVATIONS,
  QUANTISED_GRADIENTS,
  weightExponent,
} from "../../contract/network.ts";
import { rowsMax } from "./arena.ts";
import type { Constants } from "./kernel.ts";
import { gradientStart, type ModelFacts, matrixFacts } from "./matrices.ts";
import { denseRange } from "./places.ts";
import { acrossPlace } from "./weights-plan.ts";

/** Streams of a workgroup, and its invocations. */
export interface TileSize {
  readonly streams: number;
  readonly lanes: number;
  /** Neighbouring invocations that load words together (see together.ts); 1: each for itself. */
  readonly together: 1 | 8;
}

/** A part of a pass: norms by their place in NORM_NAMES, and products. Its name is a constant of the kernel. */
interface Stage {
  readonly name: string;
  readonly norms: readonly NormName[];
  readonly products: readonly MatrixName[];
}

const stage = (name: string, norms: readonly NormName[], ...products: readonly MatrixName[]): Stage => ({
  name,
  norms,
  products,
});

const FORWARD: readonly Stage[] = [
  stage("EMBED", ["inputNorm", "localNorm"], "newest", "router", "feature"),
  stage("CACHE", [], "global"),
  stage("MIX", ["coarseNorm"], "down", "gate"),
  stage("MEMORY", [], "up"),
  stage("COARSE", ["fineNorm"], "fine"),
  stage("HIDDEN", [], "fineOut"),
  stage("LAST", ["lastNorm"], "logits", "recallGate"),
  stage("FREQUENCIES", []),
];

const BACKWARD: readonly Stage[] = [
  stage("DIFFERENCE", [], "logits", "recallGate"),
  stage("FINE_OUT", ["lastNorm"], "fineOut"),
  stage("FINE", [], "fine"),
  stage("COARSE", ["fineNorm"], "gate", "up", "feature"),
  stage("MEMORY", [], "down"),
  stage("UNMIX", ["coarseNorm"], "router", "global"),
  stage("NEWEST", [], "newest"),
  stage("INPUT", ["inputNorm", "localNorm"]),
];

/** Named numbers, one record after the other; every record has the same names. */
type Records = readonly Readonly<Record<string, number>>[];

/** A product as a kernel's record describes it, for those who count. */
export interface PlannedProduct {
  readonly name: MatrixName;
  readonly fields: Readonly<Record<string, number>>;
}

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
  const { input, inputShift, operand, gradient, inputGradient } = NORMS[name];
  const dense = denseRange(layout).offset;
  return {
    X: placeIn(model, input),
    NORMALISED: placeIn(model, `${name}.normalised`),
    DEVIATIONS: placeIn(model, `${name}.deviations`),
    OUT: placeIn(model, `${name}.out`),
    WIDTH: width,
    WIDTH_LOG2: ceilLog2(width),
    SCALE: layout.byName[`${name}Scale`].offset,
    SHIFT: layout.byName[`${name}Shift`].offset,
    EXPONENT: operand === undefined ? EXPONENT_COUNT : activationExponent(operand),
    OPERAND: operand === undefined ? 0 : placeIn(model, `operand.${operand}`),
    D: placeIn(model, gradient),
    D_OUT: placeIn(model, inputGradient),
    SCALE_DENSE: layout.byName[`${name}Scale`].offset - dense,
    SHIFT_DENSE: layout.byName[`${name}Shift`].offset - dense,
    ROWS_LOG2: ceilLog2(hyper.streams * normRows(hyper, name)),
    MORE: inputShift,
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
    X_PITCH: facts.operandPitch,
    OUT: placeIn(model, MATRICES[name].output),
    COPY: facts.offset / 4,
    ACROSS: acrossPlace(model.layout, model.layout.byName[name]),
    BIAS: model.layout.byName[`${name}Bias`].offset,
    BIAS_SHIFT: WEIGHT_BITS - outputBits,
    SHIFT: WEIGHT_BITS + inputBits - outputBits,
    LIMIT: outputLimit,
    ACTIVATION: facts.activationPlace,
    WEIGHT: model.places.copyShifts + facts.weightExponent,
  };
}

function gradientRecord(model: ModelFacts, name: MatrixName) {
  const { hyper, layout, places } = model;
  const { inputGradient, addsGradient } = MATRICES[name];
  const facts = matrixFacts(model, name);
  const words = facts.inputs / 4;
  const from = gradientStart(hyper, name) / 4;
  return {
    OUTPUTS: facts.outputs,
    WORDS: words,
    // Nothing is made of a gradient that goes nowhere.
    FROM: inputGradient === undefined ? 0 : from,
    UNTIL: inputGradient === undefined ? 0 : words,
    ROWS_PER_STREAM: facts.rowsPerStream,
    G: placeIn(model, facts.gradient),
    OUT: inputGradient === undefined ? 0 : placeIn(model, inputGradient),
    ADDS: addsGradient ? 1 : 0,
    COPY: facts.offset / 4,
    BIAS_DENSE: layout.byName[`${name}Bias`].offset - denseRange(layout).offset,
    GRADIENT: facts.gradientPlace,
    WEIGHT: places.copyShifts + facts.weightExponent,
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
  readonly products: Readonly<Record<"forward" | "backward", readonly PlannedProduct[]>>;
  /** Constants of each kernel, if the numbers start at word `at` of their buffer. */
  constants(at: number): Readonly<Record<"forward" | "backward", Constants>>;
}

/** The records of one kernel: those of its products and of its stages; the norms' serve both. */
function passOf(model: ModelFacts, stages: readonly Stage[], recordOf: typeof productRecord | typeof gradientRecord) {
  const products = productsOf(model, stages);
  return {
    products: products.flat().map((name) => ({ name, fields: recordOf(model, name) })),
    PRODUCTS_AT: products.flat().map((name) => recordOf(model, name)) as Records,
    STAGES_AT: stageRecords(stages, products),
    names: Object.fromEntries(stages.map(({ name }, i) => [`STAGE_${name}`, i])),
  };
}

export function fusedPlan(model: ModelFacts): FusedPlan {
  const norms = NORM_NAMES.map((name) => normRecord(model, name));
  const passes = {
    forward: passOf(model, FORWARD, productRecord),
    backward: passOf(model, BACKWARD, gradientRecord),
  };
  const parts = [norms, ...Object.values(passes).flatMap(({ PRODUCTS_AT, STAGES_AT }) => [PRODUCTS_AT, STAGES_AT])];
  const numbers = parts.map(numbersOf);
  const startOf = (part: Records, at: number) =>
    numbers.slice(0, parts.indexOf(part)).reduce((sum, { length }) => sum + length, at);
  const constantsOf = ({ PRODUCTS_AT, STAGES_AT, names }: (typeof passes)["forward"], at: number): Constants => ({
    ...fieldConstants("NORM", norms),
    ...fieldConstants("PRODUCT", PRODUCTS_AT),
    ...fieldConstants("STAGE", STAGES_AT),
    ...names,
    NORMS_AT: startOf(norms, at),
    PRODUCTS_AT: startOf(PRODUCTS_AT, at),
    STAGES_AT: startOf(STAGES_AT, at),
    STAGES: STAGES_AT.length,
  });
  return {
    numbers: Int32Array.from(numbers.flat()),
    products: { forward: passes.forward.products, backward: passes.backward.products },
    constants: (at) => ({ forward: constantsOf(passes.forward, at), backward: constantsOf(passes.backward, at) }),
  };
}

/** "lastNorm.out" as LAST_NORM_OUT. */
const constantName = (name: string) =>
  name
    .replace(/[A-Z]/g, (letter) => `_${letter}`)
    .replace(".", "_")
    .toUpperCase();

/** Parts of the arena whose names mean sizes in the shaders. */
const OTHER_NAMES: Readonly<Record<string, string>> = { cache: "CACHE_RING", coarse: "COARSE_PLACE" };

/** By which kernels find all parts of the arena, tensors and exponents; and the model's shape. */
export function placeConstants(model: ModelFacts, { streams, lanes, together }: TileSize): Constants {
  const { hyper, layout, arena } = model;
  const dense = denseRange(layout).offset;
  const entries = [
    ...Object.entries(arena?.before ?? {}).map(([name, at]) => [OTHER_NAMES[name] ?? constantName(name), at] as const),
    ...layout.tensors.map(({ name, offset }) => [`AT_${constantName(name)}`, offset] as const),
    ...layout.tensors.map(({ name, offset }) => [`DENSE_${constantName(name)}`, offset - dense] as const),
    ...QUANTISED_ACTIVATIONS.map((name) => [`EXPONENT_${constantName(name)}`, activationExponent(name)] as const),
    ...QUANTISED_GRADIENTS.map((name) => [`EXPONENT_D_${constantName(name)}`, gradientExponent(name)] as const),
  ];
  return {
    ...Object.fromEntries(entries),
    PITCH: arena?.pitch ?? 0,
    EXPONENT_W_MEMORY: weightExponent("memory"),
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
