/** Where a lane's memory lies: src/contract/mixer.ts has the shapes, src/engine/reference/mixer.ts the meaning. */

export let contexts: u32 = 0;
/** The first so many have counters. If any has, more sets are mixed, by more choices. */
export let counted: u32 = 0;
/** Inputs of a bit, a multiple of eight. */
export let inputs: u32 = 0;
export let lineBits: u32 = 0;
export let stride: u32 = 0;

/** A bit's inputs (i16). For each context: its state (u8), its line of the nibble (u32). */
export const INPUTS: usize = 64;
export const STATES: usize = 256;
export const LINES_AT: usize = 320;
/**
 * Of the byte's runs, for each context (u32): where it lies, the byte that it expects, its cell in the map of runs; and
 * the contexts times four whose run has been right about all bits so far, of which there are `going` in bits.ts.
 */
export const RUN_AT: usize = 448;
export const RUN_BYTES: usize = 576;
export const RUN_CELLS: usize = 704;
export const GOING: usize = 832;
/** Hashes of the contexts (u32), and of the last 0 … 31 bytes. */
export const HASHES: usize = 960;
export const ORDERS: usize = 1088;
/** For each weight set: address, probability, log odds. */
export const CHOSEN: usize = 1216;
/** What the contexts are made of: SPEC_BYTES each. */
export const SPECS: usize = 1344;
export const SPEC_BYTES: usize = 32;
/** What stood before the brackets that are open: the innermost of OPENED_MAX. */
export const OPENED: usize = 2368;
export const OPENED_MAX: u32 = 16;
/** Weights of the guess of the next sample (i32, Q20), and the differences that they weigh. */
export const TAPS: usize = 2432;
export const DELTAS: usize = 2496;
export const TAP_COUNT: usize = 16;
/** As SPECS, for bytes that do not follow text. */
export const BINARY_SPECS: usize = 2560;
/** What is known of the bytes so far and lies in no memory, while a copy of the memory is made or laid back. */
export const KEPT: usize = 3584;
/** Of the lines that are looked for, for each context (u8): the check. */
export const CHECKS: usize = 3712;
/** Of what is gone through, for each context (u32): a bit for each kilobyte that it learns, the first one's lowest. */
export const LESSONS: usize = 3776;

/**
 * Tables and maps whose size is the same for every lane, or has room for the most contexts, lie at addresses that the
 * compiler knows: what a bit needs of them takes a tenth less time than with addresses from memory.
 */
const CONTEXTS_MAX: usize = 28;
export const STRETCH: usize = 4096;
export const SQUASH: usize = STRETCH + 4096 * 2;
export const RECIPROCALS: usize = SQUASH + 8208 * 4;
export const NEXT: usize = RECIPROCALS + 1024 * 2;
export const TOTAL: usize = NEXT + 512;
/** x86 opcodes, those behind an escape, opcodes of WebAssembly (u8). */
export const INSTRUCTIONS: usize = TOTAL + 256;
export const MAPS: usize = INSTRUCTIONS + 768;
export const MAP_INPUTS: usize = MAPS + CONTEXTS_MAX * 1024;
export const ORDER0: usize = MAP_INPUTS + CONTEXTS_MAX * 512;
export const MATCH_MAP: usize = ORDER0 + 512;
export const RUN_MAP: usize = MATCH_MAP + 64;
export const FOLLOWERS1: usize = RUN_MAP + CONTEXTS_MAX * 64;
export const FOLLOWERS2: usize = FOLLOWERS1 + 512;
export const PLACES: usize = FOLLOWERS2 + 65536 * 2;
const FIXED_BYTES: usize = PLACES + (4 << 18);

/** Choices of six sets, and of those that mix them; and of either what there is besides where there are counters. */
const SETS_ALL: u32 = 256 + 2048 + 512 + 4096 + 2048 + 512;
const FINALS_ALL: u32 = 512;
const MORE_ALL: u32 = 8192;
/** Weight sets that a bit chooses, and bytes of the weights that mix them. */
export let setCount: u32 = 6;
export let finalBytes: u32 = 24;
export const REFINE_NODES: u32 = 33;
export const RUN_CLASSES: u32 = 32;
export const PLACE_BITS: u32 = 18;

export let weights: usize = 0;
export let finals: usize = 0;
export let refine: usize = 0;
export let lines: usize = 0;
export let runs: usize = 0;
/** Of the contexts that have them: for each line 16 counters (u32) by node, the first of them nothing. */
export let counters: usize = 0;
/** Bytes of the lines of these contexts. */
export let countedBytes: usize = 0;
/** For each row of `refine` (u8): whether its nodes are there; before, it is as `refineRow`. */
export let made: usize = 0;
export let refineRow: usize = 0;
/** Of tallies: states that stand for zeros and ones, by their levels; levels of numbers, counts (u8); sums (u32). */
export let tallyStates: usize = 0;
/** Coded bytes of a chunk, either way. */
export let coded: usize = 0;
/** The bytes of the block so far. */
export let data: usize = 0;

let top: usize = 0;
function take(bytes: usize): usize {
  const at = top;
  top = (top + bytes + 63) & ~63;
  return at;
}

/** Lays a lane out; returns the bytes of memory that it takes before the block's. */
export function configure(n: u32, bits: u32, withCounters: u32, strideBytes: u32, codedBytes: u32): usize {
  contexts = n;
  counted = withCounters;
  inputs = (2 * n + 4 + counted + 7) & ~7;
  setCount = counted > 0 ? 8 : 6;
  finalBytes = setCount * 4;
  const more: u32 = counted > 0 ? MORE_ALL : 0;
  lineBits = bits;
  stride = strideBytes;
  top = FIXED_BYTES;
  weights = take(<usize>(SETS_ALL + more) * inputs * 2);
  finals = take(<usize>(FINALS_ALL + more) * finalBytes);
  refine = take(65536 * <usize>REFINE_NODES * 2);
  lines = take((<usize>n << lineBits) << 4);
  runs = take((<usize>n << lineBits) << 1);
  countedBytes = (<usize>counted << lineBits) << 4;
  counters = take(countedBytes << 2);
  made = take(65536);
  refineRow = take(<usize>REFINE_NODES * 2 + 14);
  tallyStates = take(640);
  coded = take(codedBytes);
  data = top;
  return top;
}

/** The block's bytes, of which there are none yet, will lie elsewhere. */
export function moveData(to: usize): void {
  data = (to + 63) & ~63;
}

/** Where the next block's records lie; 0 without. */
export function setStride(strideBytes: u32): void {
  stride = strideBytes;
}

/** Addresses that the host fills or that tests compare: see src/engine/mixer/lane-areas.ts for their order. */
export function addressOf(what: u32): usize {
  if (what == 0) return STRETCH;
  if (what == 1) return SQUASH;
  if (what == 2) return RECIPROCALS;
  if (what == 3) return NEXT;
  if (what == 4) return TOTAL;
  if (what == 5) return SPECS;
  if (what == 6) return BINARY_SPECS;
  if (what == 7) return INSTRUCTIONS;
  if (what == 8) return MAPS;
  if (what == 9) return MAP_INPUTS;
  if (what == 10) return weights;
  if (what == 11) return finals;
  if (what == 12) return ORDER0;
  if (what == 13) return MATCH_MAP;
  if (what == 14) return refine;
  if (what == 15) return FOLLOWERS1;
  if (what == 16) return FOLLOWERS2;
  if (what == 17) return PLACES;
  if (what == 18) return lines;
  if (what == 19) return runs;
  if (what == 20) return RUN_MAP;
  if (what == 21) return made;
  if (what == 22) return refineRow;
  if (what == 23) return counters;
  if (what == 24) return coded;
  if (what == 25) return OPENED;
  if (what == 26) return TAPS;
  if (what == 27) return DELTAS;
  if (what == 28) return KEPT;
  if (what == 29) return tallyStates;
  if (what == 30) return LESSONS;
  return data;
}
