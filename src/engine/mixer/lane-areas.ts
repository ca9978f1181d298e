/** What mixer.wasm exports, and the areas of a lane's memory. */

export interface LaneExports {
  configure(contexts: number, lineBits: number, counters: number, stride: number, codedBytes: number): number;
  addressOf(what: number): number;
  describe(stride: number): void;
  setForeseen(likelihoods: number): void;
  setRates(ofSets: number, ofFinals: number): void;
  begin(): void;
  beginBehind(): void;
  keep(): void;
  recall(): void;
  replay(count: number): number;
  rehearse(count: number): number;
  skim(count: number): void;
  takeTallies(size: number, room: number): number;
  encode(count: number): number;
  finishEncoding(): number;
  tailBytes(): number;
  beginDecoding(codedBytes: number): number;
  decode(count: number, codedBytes: number): number;
  study(count: number): void;
}

/** In the order of addressOf in assembly/state.ts. */
export const AREAS = [
  "stretch",
  "squash",
  "reciprocals",
  "next",
  "total",
  "specs",
  "binarySpecs",
  "instructions",
  "maps",
  "mapInputs",
  "weights",
  "finals",
  "order0",
  "matchMap",
  "refine",
  "followers1",
  "followers2",
  "places",
  "lines",
  "runs",
  "runMap",
  "made",
  "refineRow",
  "counters",
  "coded",
  "opened",
  "taps",
  "deltas",
  "kept",
  "tallyStates",
  "lessons",
  "data",
] as const;
export type Area = (typeof AREAS)[number];

/** Areas that have room for the most contexts, whatever a lane has, and what each of these takes. */
export const CONTEXT_BYTES: Partial<Record<Area, number>> = { maps: 1024, mapInputs: 512, runMap: 64 };
