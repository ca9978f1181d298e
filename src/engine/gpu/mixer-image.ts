/**
 * What the lanes of a mixer begin with on the device, and the tables that they read: made on the host once and copied
 * to every lane. Without a prior that is the contract's first state; with one, the state of a WebAssembly lane that was
 * given it, whose areas are laid out anew.
 */
import { histories } from "../../contract/histories.ts";
import { instructionTable } from "../../contract/instructions.ts";
import {
  familyOf,
  mixerContexts,
  REFINE_NODES,
  reciprocalTable,
  squashTable,
  stretchTable,
} from "../../contract/mixer.ts";
import {
  initialFinals,
  initialMaps,
  initialMatchMap,
  initialRefine,
  initialRunMap,
  initialWeights,
  REFINE_ROWS,
} from "../../contract/mixer-initial.ts";
import type { LanePrior } from "../../contract/prior.ts";
import { SPEC_PARTS, SPEC_WORDS, specsOf } from "../mixer/first-state.ts";
import type { LaneShape } from "../mixer/lane.ts";
import type { Area } from "../mixer/lane-areas.ts";
import { leaveLane, takeLane } from "../mixer/seeded-lanes.ts";
import { learntPlaces, linesPlaces, REFINE_ROW_WORDS, REGISTERS, SEEN, TABLES, TALLY_HEADS } from "./mixer-layout.ts";
import { tallyWords } from "./mixer-tallies.ts";

type Words = Uint32Array<ArrayBuffer>;

/** Areas in the record of what a lane has learnt, each with its words. Rows of the refining map have one half more. */
export function learntAreas(contexts: number, counters: number) {
  const places = learntPlaces(contexts, counters);
  return [
    ["matchMap", places.matchMap, places.order0 - places.matchMap],
    ["order0", places.order0, places.finals - places.order0],
    ["finals", places.finals, places.refine - places.finals],
    ["runMap", places.runMap, places.maps - places.runMap],
    ["maps", places.maps, places.weights - places.maps],
    ["weights", places.weights, places.end - places.weights],
  ] as const;
}

type AreaSource = (name: Area) => ArrayBufferView;

const bytesOf = (values: ArrayBufferView) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** Lays values at a place; those behind `words` are padding. */
function put(into: Words, at: number, values: ArrayBufferView, words: number): void {
  new Uint8Array(into.buffer, 4 * at, 4 * words).set(bytesOf(values).subarray(0, 4 * words));
}

function learntImage({ contexts, counters = 0 }: LaneShape, areaOf: AreaSource): Words {
  const places = learntPlaces(contexts, counters);
  const image = new Uint32Array(places.end);
  for (const [name, at, words] of learntAreas(contexts, counters)) put(image, at, areaOf(name), words);
  const refine = bytesOf(areaOf("refine"));
  const rows = new Uint8Array(image.buffer, 4 * places.refine, 4 * REFINE_ROW_WORDS * REFINE_ROWS);
  const rowBytes = 2 * REFINE_NODES;
  for (let row = 0; row < REFINE_ROWS; row++) {
    rows.set(refine.subarray(row * rowBytes, (row + 1) * rowBytes), row * 4 * REFINE_ROW_WORDS);
  }
  return image;
}

/** What lanes begin with. */
export interface LaneImage {
  readonly learnt: Words;
  /** Absent where a lane has seen nothing: then these are all zeros. */
  readonly seen?: Words;
  readonly lines?: Words;
  /** Bytes that it has gone through. */
  readonly content: Uint8Array;
}

function firstImage(shape: LaneShape): LaneImage {
  const { contexts, counters } = shape;
  const squash = squashTable();
  const maps = initialMaps(contexts, histories(), stretchTable());
  const areas: Partial<Record<Area, ArrayBufferView>> = {
    matchMap: initialMatchMap(),
    order0: new Uint16Array(256).fill(32768),
    finals: initialFinals(counters),
    runMap: initialRunMap(contexts),
    maps: maps.cells,
    weights: initialWeights(contexts, counters),
    refine: initialRefine(squash),
  };
  return { learnt: learntImage(shape, (name) => areas[name] as ArrayBufferView), content: new Uint8Array(0) };
}

/** @throws RangeError if the prior is for lanes of another shape */
function seededImage(shape: LaneShape, prior: LanePrior): LaneImage {
  const seeded = takeLane(prior, shape);
  const { lane } = seeded;
  lane.keep();
  const seen = new Uint32Array(SEEN.end);
  put(seen, SEEN.registers, lane.area("kept"), REGISTERS.low);
  put(seen, SEEN.opened, lane.area("opened"), SEEN.taps - SEEN.opened);
  put(seen, SEEN.taps, lane.area("taps"), SEEN.deltas - SEEN.taps);
  put(seen, SEEN.deltas, lane.area("deltas"), SEEN.followers1 - SEEN.deltas);
  put(seen, SEEN.followers1, lane.area("followers1"), SEEN.followers2 - SEEN.followers1);
  put(seen, SEEN.followers2, lane.area("followers2"), SEEN.places - SEEN.followers2);
  put(seen, SEEN.places, lane.area("places"), SEEN.end - SEEN.places);
  const places = linesPlaces(shape.contexts, shape.lineBits, shape.counters ?? 0);
  const lines = new Uint32Array(places.end);
  put(lines, places.lines, lane.area("lines"), places.runs - places.lines);
  put(lines, places.runs, lane.area("runs"), places.counters - places.runs);
  put(lines, places.counters, lane.area("counters"), places.end - places.counters);
  const learnt = learntImage(shape, (name) => lane.area(name));
  leaveLane(seeded);
  return { learnt, seen, lines, content: prior.content };
}

export function imageOf(shape: LaneShape, prior?: LanePrior): LaneImage {
  return prior ? seededImage(shape, prior) : firstImage(shape);
}

/** Tables, with the records of the contexts that a block of this stride has. */
export function tablesOf(contexts: number, stride: number): Words {
  const words = new Uint32Array(TABLES.end);
  const { next, total } = histories();
  const bytes = new Uint8Array(words.buffer);
  const lay = (at: number, values: ArrayBufferView) => bytes.set(bytesOf(values), 4 * at);
  lay(TABLES.stretch, stretchTable());
  lay(TABLES.squash, Uint16Array.from(squashTable()));
  lay(TABLES.reciprocals, reciprocalTable());
  lay(TABLES.next, next);
  lay(TABLES.total, total);
  lay(TABLES.instructions, instructionTable());
  const family = familyOf(stride);
  for (const isBinary of [false, true]) {
    const specs = specsOf(mixerContexts(family, contexts, stride, isBinary));
    lay(isBinary ? TABLES.binarySpecs : TABLES.specs, specs);
    const bits = specs.filter((_, i) => i % SPEC_WORDS === SPEC_PARTS);
    words[TABLES.parts + Number(isBinary)] = bits.reduce((all, some) => all | some, 0);
  }
  return words;
}

/** The tables of lanes behind a prior, with its tallies. */
export function firstTablesOf(contexts: number, prior: LanePrior | undefined): Words {
  const tables = tablesOf(contexts, prior?.stride ?? 0);
  if (!prior?.tallies) return tables;
  const tallies = tallyWords(prior.tallies, contexts);
  const words = new Uint32Array(TALLY_HEADS + tallies.length);
  words.set(tables);
  words.set(tallies, TALLY_HEADS);
  return words;
}

/** Where the records begin, which are all that changes from block to block. */
export const SPECS_AT = TABLES.specs;
