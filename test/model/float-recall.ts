/**
 * The recall stream in plain floating point: the part of the float twin that remembers.
 *
 * Nothing but the gates and the features' matrix is trained by the network's gradient, so what a step found, the boosts
 * and the rows of the logit tables are constants here, taken from the reference before it learns.
 */
import type { Forward } from "../../src/engine/reference/forward.ts";
import { sigmoidFloat } from "./float-functions.ts";

/** A remembered byte pair of one context in one stream. */
interface Hit {
  readonly context: number;
  readonly a: number;
  readonly b: number | undefined;
  /** Logits before the gate scales them. */
  readonly boostOfA: number;
  readonly boostOfB: number;
}

/** docs/NUMERICS.md section 12: the first counts of the classes 1 to 7. */
const COUNT_STARTS = [2, 3, 4, 6, 9, 15, 25];
const OTHER_STARTS = [1, 2, 4];

const classOf = (starts: readonly number[], value: number) => starts.filter((start) => value >= start).length;

export class FloatRecall {
  /** Of each stream. */
  readonly hits: readonly (readonly Hit[])[];
  readonly #features: readonly Float64Array[];
  /** Of each stream, the rows of its tables. */
  readonly #tables: readonly (readonly Float64Array[])[];
  readonly #contexts: number;

  /** @param forward of a step that has run forward and not yet backward */
  constructor(forward: Forward) {
    const { hyper, recall: memory } = forward.state;
    const { recall } = forward;
    const streams = Array.from({ length: hyper.streams }, (_, b) => b);
    const found = (b: number, c: number) => recall.found[b * hyper.contexts + c] as number;
    const contexts = Array.from({ length: hyper.contexts }, (_, c) => c);
    this.hits = streams.map((b) => contexts.flatMap((c) => hitOf(found(b, c), c, memory.boosts)));
    this.#features = streams.map((b) => Float64Array.from(contexts.flatMap((c) => featuresOf(found(b, c)))));
    this.#contexts = hyper.contexts;
    this.#tables = streams.map((b) =>
      memory.tables.map((table, m) => {
        const row = (recall.row[b * hyper.tables + m] as number) * 256;
        return Float64Array.from(table.subarray(row, row + 256), (entry) => entry / 2 ** 20);
      }),
    );
  }

  /** Bits of the remembered bytes, as plus or minus their confidence. */
  features(stream: number): Float64Array {
    return this.#features[stream] as Float64Array;
  }

  /** Adds tables and boosts to a stream's logits; `gates`: of contexts, then of tables, before their sigmoid. */
  addTo(logits: Float64Array, stream: number, gates: Float64Array): void {
    const add = (v: number, logit: number) => {
      logits[v] = (logits[v] as number) + logit;
    };
    this.#tables[stream]?.forEach((row, m) => {
      const scale = 2 * sigmoidFloat(gates[this.#contexts + m] as number);
      row.forEach((logit, v) => {
        add(v, scale * logit);
      });
    });
    for (const { context, a, b, boostOfA, boostOfB } of this.hits[stream] as readonly Hit[]) {
      const scale = 2 * sigmoidFloat(gates[context] as number);
      add(a, scale * boostOfA);
      if (b !== undefined) add(b, scale * boostOfB);
    }
  }
}

const countOf = (word: number) => (word >>> 24) & 31;
const otherOf = (word: number) => word >>> 29;

function hitOf(word: number, context: number, boosts: Int32Array): Hit[] {
  if (word === 0) return [];
  const bucket = 1 + 4 * classOf(COUNT_STARTS, countOf(word)) + classOf(OTHER_STARTS, otherOf(word));
  const at = (context * 33 + bucket) * 2;
  return [
    {
      context,
      a: (word >>> 8) & 255,
      b: otherOf(word) > 0 ? (word >>> 16) & 255 : undefined,
      boostOfA: (boosts[at] as number) / 2 ** 20,
      boostOfB: (boosts[at + 1] as number) / 2 ** 20,
    },
  ];
}

function featuresOf(word: number): number[] {
  const size = word === 0 ? 0 : (15 * (classOf(COUNT_STARTS, countOf(word)) + 1)) / 128;
  return Array.from({ length: 8 }, (_, bit) => ((word >>> (8 + bit)) & 1 ? size : -size));
}
