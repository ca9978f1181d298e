/**
 * The contexts that the recall stream remembers, and the places that the local stream looks at.
 *
 * A context is a recipe: words, the last bytes, bytes farther back. Which ones pay depends on the data: text has words,
 * an image has rows, a table has columns. So a block states its stride (the distance at which its bytes resemble
 * themselves, 0 if there is none), and the plan of contexts follows from that and the hyper-parameters by the fixed
 * lists below, which are part of the numeric contract (docs/NUMERICS.md section 12).
 *
 * Engines get a plan as numbers, a record for each context. Kernels find a record's fields by constants that are made
 * of the table at the end of this file (constants.ts), so a new field is its place there, its part in `contextHash`,
 * and the same in the two kernels that hash.
 */
import { crowdShift, mixInto } from "./recall.ts";

/** Bytes of each stream that a model can look back on, a power of two; before the first step they are 0. */
export const REACH = 8192;
/** Most last bytes of a context: the CPU engine has room for so many hashes. */
export const ORDER_MAX = 32;
/** Offsets that a context may have besides the last bytes. */
export const CONTEXT_OFFSETS_MAX = 4;
/** Most contexts of a plan, a multiple of 4. */
export const CONTEXTS_MAX = 20;
/** Most logit tables of a plan. */
export const TABLES_MAX = 6;

/** What is hashed, in this order. */
export interface Context {
  /** 0: no words; 1: the current word; 2: the current word and the one before it. */
  readonly words: 0 | 1 | 2;
  /** The last so many bytes, the newest first. */
  readonly order: number;
  /** Bytes at these offsets (1 is the newest byte), in this order. */
  readonly offsets: readonly number[];
}

/** A context whose rows hold a logit for each byte. */
export interface TableContext extends Context {
  /** Learning rate in Q8 at few streams, below 128. */
  readonly rate: number;
  /** From more than 2^crowdLog2 streams on the rate falls, since many streams then teach the same row at once. */
  readonly crowdLog2: number;
}

/** What a block says of its data. */
export interface DataKind {
  /** Bytes between things that resemble each other, up to STRIDE_MAX; 0: none known; SEQUENCE: few letters. */
  readonly stride: number;
}

export const PLAIN_DATA: DataKind = { stride: 0 };
/** Stands in place of a stride for data that is made of few letters, such as genomes. */
export const SEQUENCE = 1;
/** Twice the stride, and one more, must be within reach. */
export const STRIDE_MAX = (REACH - 2) / 2;

/** What a plan must know of a model. */
interface PlanSize {
  readonly contexts: number;
  readonly tables: number;
  readonly history: number;
}

/** All that depends on the kind of data. */
export interface ContextPlan {
  /** `hyper.contexts` of them. */
  readonly contexts: readonly Context[];
  /** `hyper.tables` of them. */
  readonly tables: readonly TableContext[];
  /** `hyper.history` offsets of the bytes that are embedded, in the order of the positions: the newest is last. */
  readonly positions: readonly number[];
}

const bytes = (order: number, ...offsets: number[]): Context => ({ words: 0, order, offsets });
const words = (count: 1 | 2, order = 0, ...offsets: number[]): Context => ({ words: count, order, offsets });
const table = (context: Context, rate: number, crowdLog2: number): TableContext => ({ ...context, rate, crowdLog2 });

/** Without a stride; a level uses the first ones, so what serves most kinds of data comes first. */
const PLAIN_CONTEXTS: readonly Context[] = [
  bytes(2),
  bytes(3),
  bytes(4),
  bytes(6),
  words(1),
  bytes(5),
  bytes(1),
  bytes(8),
  words(2),
  bytes(12),
  bytes(0, 2, 3),
  bytes(7),
  words(1, 1),
  bytes(16),
  bytes(0, 1, 3),
  bytes(0, 2, 3, 4),
  bytes(10),
  bytes(20),
  bytes(0, 3, 4),
  words(2, 1),
];

/** With a stride s: the byte above is the byte s before. */
function stridedContexts(s: number): readonly Context[] {
  return [
    bytes(1, s),
    bytes(2),
    bytes(3),
    bytes(0, s, 2 * s),
    bytes(2, s),
    bytes(4),
    bytes(0, s, s + 1),
    bytes(6),
    bytes(0, s),
    bytes(0, s, s - 1),
    bytes(1),
    bytes(5),
    bytes(1, s, 2 * s),
    bytes(3, s),
    bytes(0, 2, 3),
    bytes(8),
    bytes(1, s, s + 1),
    bytes(12),
    bytes(1, s, s - 1),
    words(1),
  ];
}

const PLAIN_TABLES: readonly TableContext[] = [
  table(bytes(2), 38, 11),
  table(bytes(1), 10, 10),
  table(bytes(3), 58, 12),
  table(words(1, 1), 58, 12),
  table(bytes(4), 58, 12),
  table(bytes(6), 58, 12),
];

function stridedTables(s: number): readonly TableContext[] {
  return [
    table(bytes(1, s), 38, 11),
    table(bytes(1), 10, 10),
    table(bytes(0, s), 10, 10),
    table(bytes(2), 38, 11),
    table(bytes(0, s, 2 * s), 38, 11),
    table(bytes(3), 58, 12),
  ];
}

/** Sequences of few letters (genomes): short contexts say little, words nothing, and only long ones recur by kin. */
const SEQUENCE_CONTEXTS: readonly Context[] = [
  bytes(12),
  bytes(16),
  bytes(10),
  bytes(20),
  bytes(14),
  bytes(8),
  bytes(11),
  bytes(24),
  bytes(6),
  bytes(18),
  bytes(4),
  bytes(13),
  bytes(9),
  bytes(32),
  bytes(2),
  bytes(22),
  bytes(0, 2, 3, 4, 5),
  bytes(7),
  bytes(28),
  bytes(3),
];

/** Rates are low: the letters come nearly evenly, so a fast table mostly learns chance. */
const SEQUENCE_TABLES: readonly TableContext[] = [
  table(bytes(6), 5, 11),
  table(bytes(3), 2, 10),
  table(bytes(8), 8, 12),
  table(bytes(11), 16, 12),
  table(bytes(4), 3, 10),
  table(bytes(12), 16, 12),
];

/** Strides up to this are seen by the local stream without help. */
const NEAR_STRIDE = 4;

/** The last T bytes; what lies about a far stride takes the places of the oldest ones, a quarter of all. */
function positionsFor(history: number, stride: number): readonly number[] {
  const near = Array.from({ length: history }, (_, i) => history - i);
  if (stride + NEAR_STRIDE <= history) return near;
  const above = [stride + 1, stride];
  const far = history >= 16 ? [2 * stride, ...above, stride - 1] : above.slice(history >= 8 ? 0 : 1);
  return [...far, ...near.slice(far.length)];
}

function listsFor(stride: number): Omit<ContextPlan, "positions"> {
  if (stride === 0) return { contexts: PLAIN_CONTEXTS, tables: PLAIN_TABLES };
  if (stride === SEQUENCE) return { contexts: SEQUENCE_CONTEXTS, tables: SEQUENCE_TABLES };
  return { contexts: stridedContexts(stride), tables: stridedTables(stride) };
}

/** @throws RangeError if the stride is out of reach */
export function planFor(hyper: PlanSize, { stride }: DataKind): ContextPlan {
  if (!Number.isInteger(stride) || stride < 0 || stride > STRIDE_MAX) {
    throw new RangeError(`a stride of ${stride} bytes (0 to ${STRIDE_MAX})`);
  }
  const { contexts, tables } = listsFor(stride);
  return {
    contexts: contexts.slice(0, hyper.contexts),
    tables: tables.slice(0, hyper.tables),
    positions: positionsFor(hyper.history, stride === SEQUENCE ? 0 : stride),
  };
}

/** A table of one byte has a row for each; others have 2^tableBits rows. */
export function isDirect(context: Context): boolean {
  return context.words === 0 && context.order + context.offsets.length === 1;
}

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

type RecordFieldName = keyof typeof FIELDS;

const names = Object.keys(FIELDS) as readonly RecordFieldName[];
const wordsOf = (name: RecordFieldName) => (FIELDS[name] as RecordField).words ?? 1;

/** 32-bit words of one context's record. */
export const CONTEXT_RECORD_WORDS = names.reduce((sum, name) => sum + wordsOf(name), 0);

/** The first word of each field. */
export const CONTEXT_RECORD_PLACES = Object.fromEntries(
  names.map((name, i) => [name, names.slice(0, i).reduce((sum, before) => sum + wordsOf(before), 0)]),
) as Readonly<Record<RecordFieldName, number>>;

/**
 * A plan as numbers for engines: a record of each context, then of each table, then the positions.
 *
 * @throws RangeError if a context has more bytes than engines have room for
 */
export function packPlan(plan: ContextPlan, streams: number): Int32Array {
  const pack = (context: Context) => {
    const { order, offsets } = context;
    if (order > ORDER_MAX || offsets.length > CONTEXT_OFFSETS_MAX) {
      throw new RangeError(`a context of ${order} bytes and ${offsets.length} offsets`);
    }
    return names.flatMap((name) => FIELDS[name].of(context, streams));
  };
  return Int32Array.from([...plan.contexts.flatMap(pack), ...plan.tables.flatMap(pack), ...plan.positions]);
}

/** What a context is made of, at one step of one stream. */
interface StreamView {
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
