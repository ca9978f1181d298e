/**
 * Where everything of the bit mixer lies on the device, in words of 32 bits: the tables that all lanes read, the jobs
 * of a dispatch, and the two records of a lane: what it has learnt, and what it has seen in this block. The kernels
 * (shaders/mixer*.wgsl) get all of it as constants.
 */
import { constantName, numbersOf } from "../../contract/constants.ts";
import * as instructions from "../../contract/instructions.ts";
import * as mixer from "../../contract/mixer.ts";
import {
  choicesOf,
  finalsOf,
  inputsOf,
  MATCH_LENGTH_CLASSES,
  MIXER_CONTEXTS_MAX,
  PARTS,
  REFINE_NODES,
  setsOf,
} from "../../contract/mixer.ts";
import { REFINE_ROWS } from "../../contract/mixer-initial.ts";
import * as numbers from "../../contract/mixer-numbers.ts";
import { OPENED_MAX, PLACE_BITS, TAP_COUNT } from "../../contract/mixer-numbers.ts";
import { SPEC_WORDS } from "../mixer/first-state.ts";
import type { Constants } from "./kernel.ts";

/** Sizes in words, in their order, as places; the last is where all ends. */
function placesOf<Name extends string>(sizes: readonly (readonly [Name, number])[]): Record<Name | "end", number> {
  let at = 0;
  const places = sizes.map(([name, words]) => {
    const place = at;
    at += words;
    return [name, place];
  });
  return Object.fromEntries([...places, ["end", at]]) as Record<Name | "end", number>;
}

/** Tables that all lanes read: 16 bits or 8 to a value, packed; then the records of the contexts. */
export const TABLES = placesOf([
  ["stretch", 4096 / 2],
  ["squash", Math.ceil((2 * mixer.SQUASH_ZERO + 1) / 2)],
  ["reciprocals", (1 << mixer.COUNT_BITS) / 2],
  ["next", 512 / 4],
  ["total", 256 / 4],
  ["instructions", 768 / 4],
  ["specs", MIXER_CONTEXTS_MAX * SPEC_WORDS],
  ["binarySpecs", MIXER_CONTEXTS_MAX * SPEC_WORDS],
  /** Bits of all parts that those contexts have, and of those in binary data. */
  ["parts", 2],
]);

/** Where a prior's tallies lie, behind the tables: for each context two words, and all else (mixer-tallies.ts). */
export const TALLY_HEADS = TABLES.end;
export const TALLY_HEAD_WORDS = 2 * MIXER_CONTEXTS_MAX;
export const TALLY_RECORD_WORDS = 2;

/** What a dispatch is told, the same for all lanes of the bank. */
export const JOBS = placesOf([
  ["mode", 1],
  /** 1: the coders begin. */
  ["begins", 1],
  ["stride", 1],
  ["contexts", 1],
  /** The first so many contexts have counters. */
  ["counters", 1],
  /** Words of a bit's inputs, two to a word. */
  ["inputWords", 1],
  ["lineBits", 1],
  /** Words that each lane has of the history, of a chunk's plain bytes, and of what is coded. */
  ["historyWords", 1],
  ["plainWords", 1],
  ["lanes", 1],
  /** Words of each lane, behind all lanes' jobs, with a bit to a byte: it is a cue. 0: none is. */
  ["cueWords", 1],
  /** Lanes whose rows of the refining map lie in one buffer, where these are apart. */
  ["refineLanes", 1],
]);

/** And what each lane is told. */
export const LANE_JOB = placesOf([
  /** Bytes of this dispatch, and those of the block before them. */
  ["count", 1],
  ["time", 1],
  /** Where its coded bytes begin, in words; while decoding, how many bytes they are. */
  ["codedAt", 1],
  ["codedBytes", 1],
]);

/** The last is the kernel's own, of single bytes. */
export const MODES = { encode: 0, decode: 1, study: 2, cue: 3 } as const;

/** What a dispatch says of each lane, in front of the plain bytes: the place in the coded bytes, the coder's low. */
export const RESULT_WORDS = 2;

/** Scalars of a lane: those of KEPT in ../mixer/assembly/state.ts, in its order, then the coder's. */
export const REGISTERS = placesOf([
  ["time", 1],
  ["last", 1],
  ["word", 1],
  ["wordBefore", 1],
  ["wordThird", 1],
  ["shape", 1],
  ["depth", 1],
  ["lineStart", 1],
  ["lineBefore", 1],
  ["guess", 1],
  ["guessedDelta", 1],
  ["expected", 1],
  ["matchLength", 1],
  ["matchAt", 1],
  ["score", 1],
  ["place", 1],
  ["left", 1],
  ["opcode", 1],
  ["isSecond", 1],
  ["modrm", 1],
  ["entry", 1],
  ["displacement", 1],
  ["immediate", 1],
  ["opcodes", 1],
  ["wasmOpcodes", 1],
  ["wasmLeft", 1],
  ["letters", 1],
  ["low", 1],
  ["high", 1],
  ["code", 1],
  ["position", 1],
]);

/** What a lane has seen of a block: all of it is 0 where a block begins. */
export const SEEN = placesOf([
  ["registers", 32],
  ["opened", OPENED_MAX],
  ["taps", TAP_COUNT],
  ["deltas", TAP_COUNT],
  ["followers1", 256 / 2],
  ["followers2", 65536 / 2],
  ["places", 1 << PLACE_BITS],
]);

/** Words of a row of the refining map: one half more than its nodes, so that rows share no word. */
export const REFINE_ROW_WORDS = (REFINE_NODES + 1) / 2;
/** Words of all rows, and buffers that they are dealt to where they are apart. */
export const REFINE_WORDS = REFINE_ROWS * REFINE_ROW_WORDS;
export const REFINE_BUFFERS = 4;
const RUN_MAP_ROW_WORDS = mixer.RUN_CLASSES / 2;

/** Words of the second layer's weights. @param counters contexts that have them */
const finalWords = (counters: number) => choicesOf(finalsOf(counters)) * setsOf(counters).length;

/** What a lane has learnt, up to the parts whose size depends on the number of contexts. */
const learntStart = (counters: number, isApart: boolean) =>
  placesOf([
    ["matchMap", MATCH_LENGTH_CLASSES / 2],
    ["order0", 256 / 2],
    ["finals", finalWords(counters)],
    ["refine", isApart ? 0 : REFINE_WORDS],
  ]);

/**
 * The same with those parts: maps of runs, maps of histories, weights.
 *
 * @param counters contexts that have them
 * @param isApart whether the refining map lies in buffers of its own
 */
export function learntPlaces(contexts: number, counters: number, isApart = false) {
  const { end, ...fixed } = learntStart(counters, isApart);
  const rest = placesOf([
    ["runMap", contexts * RUN_MAP_ROW_WORDS],
    ["maps", 256 * contexts],
    ["weights", (choicesOf(setsOf(counters)) * inputsOf(contexts, counters)) / 2],
  ]);
  const moved = Object.fromEntries(Object.entries(rest).map(([name, at]) => [name, end + at])) as typeof rest;
  return { ...fixed, ...moved };
}

/** Where a lane's lines lie, behind them their runs, and behind these the counters; in words. */
export function linesPlaces(contexts: number, lineBits: number, counters: number) {
  const lines = contexts * 2 ** lineBits;
  return placesOf([
    ["lines", lines * (mixer.LINE_BYTES / 4)],
    ["runs", lines / 2],
    ["counters", counters * 2 ** lineBits * (mixer.COUNTER_LINE_BYTES / 4)],
  ]);
}

const named = (prefix: string, places: Readonly<Record<string, number>>) =>
  Object.fromEntries(Object.entries(places).map(([name, place]) => [`${prefix}_${constantName(name)}`, place]));

const partNumbers = Object.fromEntries(PARTS.map((part, i) => [`PART_${constantName(part)}`, i]));

/** Where the choices of each entry of a list begin. */
const startsOf = (list: readonly number[]) => list.map((_, j) => choicesOf(list.slice(0, j)));

/**
 * Constants that the mixer's kernels see.
 *
 * @param lanes invocations of a workgroup: a power of two, at most 64
 * @param counters contexts that have them; the text depends on whether there are any, and not on how many
 * @param isApart whether the refining map lies in buffers of its own
 * @param isTallied whether the tables have tallies
 */
export function mixerConstants(lanes: number, counters: number, isApart = false, isTallied = false): Constants {
  const [sets, finals] = [setsOf(counters), finalsOf(counters)];
  return {
    ...numbersOf(mixer),
    ...numbersOf(numbers),
    ...numbersOf(instructions),
    ...partNumbers,
    ...named("TABLE", TABLES),
    ...named("JOB", JOBS),
    ...named("LANE_JOB", LANE_JOB),
    ...named("MODE", MODES),
    ...named("REGISTER", REGISTERS),
    ...named("SEEN", SEEN),
    ...named("LEARNT", learntStart(counters, isApart)),
    HAS_COUNTERS: Number(counters > 0),
    ROWS_APART: Number(isApart),
    HAS_TALLIES: Number(isTallied),
    TALLY_HEADS,
    TALLY_RECORD_WORDS,
    REFINE_ROWS,
    RATE: mixer.rateOf(counters),
    RESULT_WORDS,
    REFINE_ROW_WORDS,
    RUN_MAP_ROW_WORDS,
    SPEC_WORDS,
    COUNTER_LINE_WORDS: mixer.COUNTER_LINE_BYTES / 4,
    PART_COUNT: PARTS.length,
    SET_COUNT: sets.length,
    WEIGHT_SETS: choicesOf(sets),
    SET_STARTS: startsOf(sets),
    FINAL_COUNT: finals.length,
    FINAL_STARTS: startsOf(finals),
    KNOWN_FIRST: numbers.KNOWN_CONTEXTS[0],
    KNOWN_END: numbers.KNOWN_CONTEXTS[1],
    CONTEXT_ROOM: MIXER_CONTEXTS_MAX,
    INPUT_ROOM: inputsOf(MIXER_CONTEXTS_MAX, counters > 0 ? MIXER_CONTEXTS_MAX : 0) / 2,
    LANES: lanes,
  };
}
