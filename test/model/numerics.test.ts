/**
 * docs/NUMERICS.md is to be enough for another implementer, so the lists in it are read from the text and held against
 * the source: legal hyper-parameters, contexts and tables, first boosts, and which tensors have elements.
 */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CONTEXTS_MAX, type Context, planFor, SEQUENCE, STRIDE_MAX, TABLES_MAX } from "../../src/contract/contexts.ts";
import { checkHyperParameters, type HyperParameters, NO_NETWORK } from "../../src/contract/hyper.ts";
import { INITIAL_BOOSTS } from "../../src/contract/recall.ts";
import { layoutOf } from "../../src/contract/tensors.ts";
import { networkShape } from "../../src/model/levels.ts";
import { TINY_RECALL } from "./tiny.ts";

const TEXT = readFileSync(join(import.meta.dir, "../../docs/NUMERICS.md"), "utf8");

/** The cells below the head of the only table whose head begins so. */
function tableOf(head: string): string[][] {
  const [before, after, ...more] = TEXT.split(`\n${head}`);
  expect([before === undefined, after === undefined, more.length]).toEqual([false, false, 0]);
  const lines = (after as string).split("\n").slice(2);
  const rows = lines.slice(
    0,
    lines.findIndex((line) => !line.startsWith("|")),
  );
  return rows.map((row) =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** `words/order @ offsets`, for a stride. */
function contextOf(text: string, stride: number): Context {
  const [, words, order, offsets] = /^([012])\/(\d+)(?: @ (.+))?$/.exec(text) ?? [];
  const offsetOf = (word: string) => {
    const [, times, more] = /^(2?)s([+−]1)?$/.exec(word) ?? [];
    if (times === undefined) return Number(word);
    return (times === "2" ? 2 : 1) * stride + Number((more ?? "0").replace("−", "-"));
  };
  return {
    words: Number(words) as 0 | 1 | 2,
    order: Number(order),
    offsets: (offsets ?? "").split(" ").filter(Boolean).map(offsetOf),
  };
}

const FULL: HyperParameters = { ...TINY_RECALL, history: 16, contexts: CONTEXTS_MAX, tables: TABLES_MAX };
/** The column of the tables that stands for each stride. */
const COLUMNS: readonly (readonly [stride: number, column: number])[] = [
  [0, 1],
  [2, 2],
  [64, 2],
  [STRIDE_MAX, 2],
  [SEQUENCE, 3],
];

test.each(COLUMNS)("contexts and tables for stride %d", (stride, column) => {
  const { contexts, tables } = planFor(FULL, { stride });
  const written = tableOf("| context | stride 0 |").map((row) => contextOf(row[column] as string, stride));
  expect(written).toEqual([...contexts]);
  const writtenTables = tableOf("| table | stride 0 |").map((row) => {
    const [context, rate, crowdLog2] = (row[column] as string).split(", ");
    return { ...contextOf(context as string, stride), rate: Number(rate), crowdLog2: Number(crowdLog2) };
  });
  expect(writtenTables).toEqual([...tables]);
});

test("first boosts", () => {
  const rows = tableOf("| y | x = 0 |").map((row) => row.slice(1).map(Number));
  const written = Array.from({ length: 8 }, (_, x) => rows.map((row) => row[x] as number));
  expect(written.flat()).toEqual([...INITIAL_BOOSTS]);
});

const LEGAL: HyperParameters = { ...networkShape(1), streams: 8 };
/** What else makes a network's hyper-parameters those of a mixer. */
const MIXER = { ...NO_NETWORK, streams: 1, mixerContexts: 10 };
const isLegal = (changed: Partial<HyperParameters>) => {
  try {
    checkHyperParameters({ ...LEGAL, ...changed });
    return true;
  } catch {
    return false;
  }
};

test("legal hyper-parameters: the ends that are written, and nothing beyond or between", () => {
  const rows = tableOf("| field | lowest | highest |");
  expect(rows.map(([name]) => name?.split(" ")[0]).sort()).toEqual(Object.keys(LEGAL).sort());
  for (const [name = "", lowest, highest, rule = ""] of rows) {
    const field = name.split(" ")[0] as keyof HyperParameters;
    const [low, high] = [Number(lowest), Number(highest)];
    const multiple = Number(/a multiple of (\d+)/.exec(rule)?.[1] ?? 1);
    // What a value must fit besides its own range.
    const around = (value: number): Partial<HyperParameters> => ({
      ...(field === "cacheStep" ? { globalHidden: Math.ceil(value) * 32 } : {}),
      ...(field === "globalHidden" ? { cacheStep: 4 } : {}),
      ...(field === "mixerContexts" ? MIXER : {}),
      ...(field === "mixerCounters" ? { ...MIXER, mixerContexts: 28 } : {}),
      [field]: value,
    });
    const step = rule.startsWith("a power of two") ? low : multiple;
    const legal = [low, high, low + step].map((value) => isLegal(around(value)));
    const illegal = [low - multiple, high + multiple, low + 0.5, ...(step > 1 ? [low + step + 1] : [])];
    expect({ field, legal }).toEqual({ field, legal: [true, true, true] });
    for (const value of illegal)
      expect({ field, value, legal: isLegal(around(value)) }).toMatchObject({ legal: false });
  }
  expect([isLegal({ history: 64, embedding: 16 }), isLegal({ history: 64, embedding: 32 })]).toEqual([true, false]);
  const mixers = [MIXER, { ...MIXER, streams: 4096 }, { ...MIXER, streams: 4097 }, { ...MIXER, mixerContexts: 0 }];
  expect(mixers.map(isLegal)).toEqual([true, true, false, false]);
  const counted = [10, 11].map((mixerCounters) => ({ ...MIXER, mixerCounters }));
  expect([...counted, { mixerCounters: 1 }].map(isLegal)).toEqual([true, false, false]);
  const networkFields = Object.keys(NO_NETWORK) as (keyof typeof NO_NETWORK)[];
  for (const field of networkFields) {
    expect({ field, legal: isLegal({ ...MIXER, [field]: LEGAL[field] }) }).toEqual({ field, legal: false });
    expect({ field, legal: isLegal({ [field]: 0 }) }).toEqual({ field, legal: false });
  }
  expect([isLegal({ globalHidden: 96, cacheStep: 48 }), isLegal({ globalHidden: 96, cacheStep: 36 })]).toEqual([
    true,
    false,
  ]);
});

test("a recall stream of tables alone has gates and no features; one of nothing has neither", () => {
  const sizes = (contexts: number, tables: number) => {
    const { byName } = layoutOf({ ...LEGAL, contexts, tables });
    return (["feature", "featureBias", "recallGate", "recallGateBias"] as const).map((name) => byName[name].size);
  };
  const width = LEGAL.history * LEGAL.embedding;
  expect(TEXT).toContain("36 and 38 have no elements if N = 0; 37 and 39 have none only if N and M are both 0.");
  expect(sizes(0, 0)).toEqual([0, 0, 0, 0]);
  expect(sizes(0, 3)).toEqual([0, 0, 4 * width, 4]);
  expect(sizes(8, 5)).toEqual([width * 64, width, 16 * width, 16]);
});
