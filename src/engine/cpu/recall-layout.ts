/**
 * Where the recall stream's memory lies in the shared memory, the record by which its kernels find it, and the state
 * back out of it for tests.
 *
 * Slots and tables may be a gigabyte. Nothing here writes to them: fresh pages of a shared memory are 0, which is what
 * the contract starts from, and cost nothing until a slot or a row in them learns.
 */

import { CONTEXT_RECORD_WORDS, PLAIN_DATA, packPlan, planFor, REACH } from "../../contract/contexts.ts";
import type { HyperParameters } from "../../contract/hyper.ts";
import { gateCount } from "../../contract/network.ts";
import { BUCKETS, boostShift, bucketOf, initialBoosts } from "../../contract/recall.ts";
import type { RecallState } from "../../contract/recall-state.ts";

/** The record's 32-bit fields in order: constants of assembly/contract.ts, which scripts/generate.ts writes. */
export const RECALL_FIELDS = [
  "contexts",
  "tables",
  "slotBits",
  "tableBits",
  "streams",
  "rows", // streams, padded to a multiple of four
  "gateColumns", // outputs of the gates' matrix: of contexts, then of tables, padded to a multiple of eight
  "boostShift", // how far a boost's step is shifted down
  "plan", // packed contexts, then packed tables, then positions
  "past", // the byte of stream b in step t is at (t mod REACH) * pastPitch + b
  "pastPitch",
  "words", // hashes of each stream's word and, `rows` words behind them, of the one before
  "slots",
  "entries",
  "boosts",
  "bucketOf", // a byte for the upper 8 bits of a slot: its bucket, 0 for an empty one
  "hashes", // of a step's look-ups, finished
  "found", // the slots that they found, 0: missed
  "tableRows", // addresses
  "features",
  "gates", // int16 sigmoids, gateColumns a stream
] as const;
type RecallField = (typeof RECALL_FIELDS)[number];

/** What the recall stream's record says, by name, and where the record is. */
export type RecallPlace = Readonly<Record<RecallField, number>> & { readonly record: number };

const padded = (count: number, to: number) => Math.ceil(count / to) * to;

/** Values per stream of the gates and their gradients: products make eight outputs at once. */
export const gateColumns = (hyper: HyperParameters): number => padded(gateCount(hyper), 8);

/**
 * Hands out addresses for everything.
 *
 * @param rows streams, padded to a multiple of four
 * @param features, gates int16 arrays that products read and write
 */
export function placeRecall(
  hyper: HyperParameters,
  rows: number,
  take: (bytes: number) => number,
  { features, gates }: { readonly features: number; readonly gates: number },
): RecallPlace {
  const { contexts, tables, slotBits, tableBits, streams } = hyper;
  // An odd number of cache lines: the last bytes of a stream must not all fall into the same set of the cache.
  const pastPitch = padded(rows, 64) + (padded(rows, 64) % 128 === 0 ? 64 : 0);
  return {
    record: take(RECALL_FIELDS.length * 4),
    contexts,
    tables,
    slotBits,
    tableBits,
    streams,
    rows,
    gateColumns: gateColumns(hyper),
    boostShift: boostShift(hyper),
    plan: take(((contexts + tables) * CONTEXT_RECORD_WORDS + hyper.history) * 4),
    past: take(REACH * pastPitch),
    pastPitch,
    words: take(2 * rows * 4),
    boosts: take(contexts * BUCKETS * 8),
    bucketOf: take(256),
    hashes: take(contexts * rows * 4),
    found: take(contexts * rows * 4),
    tableRows: take(tables * rows * 4),
    features,
    gates,
    // Last, because their sizes follow from the input's.
    entries: take(tables * 2 ** (tableBits + 8) * 4),
    slots: take(contexts * 2 ** slotBits * 4),
  };
}

const recordOf = (place: RecallPlace, buffer: ArrayBufferLike) =>
  new Uint32Array(buffer, place.record, RECALL_FIELDS.length);

/** The record, the buckets of all slots, the first boosts, and the plan for plain data. */
export function writeRecall(place: RecallPlace, hyper: HyperParameters, buffer: ArrayBufferLike): void {
  const record = recordOf(place, buffer);
  for (const [i, name] of RECALL_FIELDS.entries()) record[i] = place[name];
  const buckets = new Uint8Array(buffer, place.bucketOf, 256);
  for (let upper = 0; upper < 256; upper++) {
    // No slot has a count of 0 but the empty one; bits below the counts do not matter.
    buckets[upper] = upper % 32 === 0 ? 0 : bucketOf(upper * 2 ** 24);
  }
  const boosts = initialBoosts(hyper.contexts);
  new Int32Array(buffer, place.boosts, boosts.length).set(boosts);
  writePlan(place, hyper, PLAIN_DATA.stride, buffer);
}

/** How much of the slots and tables a model uses that is smaller than the one for which they were placed. */
export function writeSizes(place: RecallPlace, hyper: HyperParameters, buffer: ArrayBufferLike): void {
  const record = recordOf(place, buffer);
  record[RECALL_FIELDS.indexOf("slotBits")] = hyper.slotBits;
  record[RECALL_FIELDS.indexOf("tableBits")] = hyper.tableBits;
}

/** Takes all slots that the last model had back to 0. */
export function clearSlots(place: RecallPlace, buffer: ArrayBufferLike): void {
  const slotBits = recordOf(place, buffer)[RECALL_FIELDS.indexOf("slotBits")] as number;
  new Uint32Array(buffer, place.slots, place.contexts * 2 ** slotBits).fill(0);
}

/** Bytes of a row of a table: 256 logits. */
export const ROW_BYTES = 1024;

/** What the next steps look at. @throws RangeError if the stride is out of reach */
export function writePlan(place: RecallPlace, hyper: HyperParameters, stride: number, buffer: ArrayBufferLike): void {
  const packed = packPlan(planFor(hyper, { stride }), hyper.streams);
  new Int32Array(buffer, place.plan, packed.length).set(packed);
}

/** The recall stream's memory in the reference's order. */
export type RecallMemory = Pick<RecallState, "slots" | "tables" | "boosts" | "word" | "previousWord" | "past">;

/** All that the recall stream remembers, for tests. */
export function readRecall(place: RecallPlace, buffer: ArrayBufferLike): RecallMemory {
  const { contexts, slotBits, tables, tableBits, streams, rows } = place;
  const past = new Uint8Array(streams * REACH);
  const bytes = new Uint8Array(buffer, place.past, REACH * place.pastPitch);
  for (let at = 0; at < past.length; at++) {
    past[at] = bytes[(at % REACH) * place.pastPitch + Math.floor(at / REACH)] as number;
  }
  const tableWords = 2 ** (tableBits + 8);
  return {
    slots: new Uint32Array(buffer, place.slots, contexts * 2 ** slotBits),
    tables: Array.from({ length: tables }, (_, m) => {
      return new Int32Array(buffer, place.entries + m * tableWords * 4, tableWords);
    }),
    boosts: new Int32Array(buffer, place.boosts, contexts * BUCKETS * 2),
    word: new Uint32Array(buffer, place.words, streams),
    previousWord: new Uint32Array(buffer, place.words + rows * 4, streams),
    past,
  };
}
