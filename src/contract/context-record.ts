/**
 * A plan of contexts as numbers: the record that kernels in WebAssembly and in WGSL read for each context.
 *
 * The table below is the record's layout. Kernels find a field by a constant that is made of its name (constants.ts),
 * so a new field of a context is a row here, its part in `contextHash`, and the same in the two kernels that hash.
 */
import {
  CONTEXT_OFFSETS_MAX,
  type Context,
  type ContextPlan,
  crowdShift,
  isDirect,
  type TableContext,
} from "./contexts.ts";
import { mixInto } from "./recall.ts";

interface RecordField {
  /** How many numbers it has; 1 if nothing is said. */
  readonly words?: number;
  readonly of: (context: Context & Partial<TableContext>, streams: number) => number | readonly number[];
}

const offsetsOf = ({ offsets }: Context) => Array.from({ length: CONTEXT_OFFSETS_MAX }, (_, i) => offsets[i] ?? 0);

const FIELDS = {
  words: { of: ({ words }) => words },
  order: { of: ({ order }) => order },
  offsetCount: { of: ({ offsets }) => offsets.length },
  offsets: { words: CONTEXT_OFFSETS_MAX, of: offsetsOf },
  /** 1 if a table's row is the byte itself. */
  direct: { of: (context) => (isDirect(context) ? 1 : 0) },
  rate: { of: ({ rate = 0 }) => rate },
  /** How far a table's steps are shifted down. */
  crowdShift: { of: ({ crowdLog2 }, streams) => (crowdLog2 === undefined ? 0 : crowdShift(streams, crowdLog2)) },
} as const satisfies Record<string, RecordField>;

export type RecordFieldName = keyof typeof FIELDS;

const names = Object.keys(FIELDS) as readonly RecordFieldName[];
const wordsOf = (name: RecordFieldName) => (FIELDS[name] as RecordField).words ?? 1;

/** 32-bit words of one context's record. */
export const CONTEXT_RECORD_WORDS = names.reduce((sum, name) => sum + wordsOf(name), 0);

/** The first word of each field. */
export const CONTEXT_RECORD_PLACES = Object.fromEntries(
  names.map((name, i) => [name, names.slice(0, i).reduce((sum, before) => sum + wordsOf(before), 0)]),
) as Readonly<Record<RecordFieldName, number>>;

/** A plan as numbers for engines: a record of each context, then of each table, then the positions. */
export function packPlan(plan: ContextPlan, streams: number): Int32Array {
  const pack = (context: Context) => names.flatMap((name) => FIELDS[name].of(context, streams));
  return Int32Array.from([...plan.contexts.flatMap(pack), ...plan.tables.flatMap(pack), ...plan.positions]);
}

/** What a context is made of, at one step of one stream. */
export interface StreamView {
  /** The hash of the current word, and of the one before it; 0 is none. */
  readonly word: number;
  readonly previousWord: number;
  /** The byte `offset` steps back; 1 is the newest. */
  byteBefore(offset: number): number;
}

/** The hash of one context, before its last step (finishHash). */
export function contextHash(context: Context, view: StreamView): number {
  let hash = 0;
  if (context.words >= 1) hash = mixInto(hash, view.word);
  if (context.words >= 2) hash = mixInto(hash, view.previousWord);
  for (let offset = 1; offset <= context.order; offset++) hash = mixInto(hash, view.byteBefore(offset));
  for (const offset of context.offsets) hash = mixInto(hash, view.byteBefore(offset));
  return hash;
}
