/** What a lane's memory holds before its first byte, and the records of its contexts. */
import { histories } from "../../contract/histories.ts";
import { instructionTable } from "../../contract/instructions.ts";
import { type Context, PARTS, reciprocalTable, squashTable, stretchTable } from "../../contract/mixer.ts";
import {
  initialFinals,
  initialMaps,
  initialMatchMap,
  initialRunMap,
  initialWeights,
  refineRow,
} from "../../contract/mixer-initial.ts";

/** Areas of the memory (AREAS in lane-areas.ts) that are not zero at first, whatever the lane begins behind. */
type FirstArea =
  | "stretch"
  | "squash"
  | "reciprocals"
  | "next"
  | "total"
  | "instructions"
  | "maps"
  | "mapInputs"
  | "weights"
  | "finals"
  | "order0"
  | "matchMap"
  | "refineRow"
  | "runMap";

/** Words of a context's record. */
export const SPEC_WORDS = 8;
/** Which of them has the bits of the context's parts. */
export const SPEC_PARTS = 1;

let kept: { readonly shape: string; readonly state: readonly [FirstArea, ArrayBufferView][] } | undefined;

/** What is not zero in a new lane. Kept for the next lane, which mostly has as many contexts: it takes milliseconds. */
export function firstState(contexts: number, counters = 0): readonly [FirstArea, ArrayBufferView][] {
  const shape = `${contexts} ${counters}`;
  if (kept?.shape === shape) return kept.state;
  const squash = squashTable();
  const stretch = stretchTable();
  const states = histories();
  const maps = initialMaps(contexts, states, stretch);
  const state: readonly [FirstArea, ArrayBufferView][] = [
    ["stretch", stretch],
    ["squash", squash],
    ["reciprocals", reciprocalTable()],
    ["next", states.next],
    ["total", states.total],
    ["instructions", instructionTable()],
    ["maps", maps.cells],
    ["mapInputs", maps.inputs],
    ["weights", initialWeights(contexts, counters)],
    ["finals", initialFinals(counters)],
    ["order0", new Uint16Array(256).fill(32768)],
    ["matchMap", initialMatchMap()],
    ["refineRow", refineRow(squash)],
    ["runMap", initialRunMap(contexts)],
  ];
  kept = { shape, state };
  return state;
}

/** Records of contexts, as SPECS in assembly/state.ts has them. */
export function specsOf(contexts: readonly Context[]): Int32Array {
  const words = contexts.flatMap(({ order, parts, offsets }) => {
    const bits = parts.reduce((all, part) => all | (1 << PARTS.indexOf(part)), 0);
    const spec = [order, bits, ...offsets];
    return [...spec, ...Array<number>(SPEC_WORDS - spec.length).fill(0)];
  });
  return Int32Array.from(words);
}
