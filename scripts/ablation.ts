/**
 * What each part of the model is worth: by how much the archive grows when it is taken away.
 *
 *     bun scripts/ablation.ts FILE… [--level 5] [--bytes 100000] [--parts fine,words] [--json A.results.json]
 *         [--shape fineHidden=128]
 *
 * The first --bytes of each file are cut and described as the compressor does it, and then go through the CPU engine
 * once as the level has it, and once more for each part without that part. Sizes are ideal code lengths plus the list
 * of copies. Prints a Markdown table in percent; --json writes the bytes. A file named *.results.json is what --json of
 * an earlier run has written: its results join the table, so several processes can make one. --shape is for a level as
 * it was, or might be.
 *
 * A part of the network is off when its tensors are pinned: they are set before the first step and after each one. A
 * context is off when its slot is emptied after each step; the shape stays as it was.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import {
  type Context,
  type ContextPlan,
  type DataKind,
  packPlan,
  planFor,
  SEQUENCE,
} from "../src/contract/contexts.ts";
import type { HyperParameters } from "../src/contract/hyper.ts";
import { MATRIX_NAMES, type MatrixName } from "../src/contract/network.ts";
import { finishHash } from "../src/contract/recall.ts";
import type { TensorName } from "../src/contract/tensors.ts";
import type { CpuModel } from "../src/engine/cpu/engine.ts";
import { hyperForSize, networkOf } from "../src/model/levels.ts";
import { Pacer } from "../src/pipeline/pacer.ts";
import { provenStride } from "../src/pipeline/records-trial.ts";
import { gatherSteps, layoutOf, liveAt } from "../src/pipeline/streams.ts";
import { encodeCopies } from "../src/repeats/copies.ts";
import { cut } from "../src/repeats/cut.ts";
import { cutOptionsFor, policyOfNetwork } from "../src/repeats/policy.ts";
import { headOf, optionsAndWords, row } from "./shared.ts";

await (await import("../src/engine/cpu/assembly/build.ts")).buildAssembly();
const { CpuModel: Cpu } = await import("../src/engine/cpu/engine.ts");

/** Tensors and the Q24 value that all of their elements keep; matrices can only be 0. */
type Pins = Readonly<Partial<Record<TensorName, number>>>;

/** Something that can be taken away. */
export interface Part {
  readonly name: string;
  readonly pins?: Pins;
  /** The contexts that belong to it. */
  readonly owns?: (context: Context, stride: number) => boolean;
  /** Another shape; undefined if there is nothing to take away. */
  readonly reshape?: (hyper: HyperParameters) => HyperParameters | undefined;
  /** Something the compressor does before the model. */
  readonly stage?: "stride" | "repeats";
}

/** So far from 0 that a sigmoid is open or closed: to 5 of 16,384. */
const ALWAYS = 2 ** 30;

const isPlain = ({ words, offsets }: Context) => words === 0 && offsets.length === 0;
const ofOrders = (from: number, to: number) => (context: Context) =>
  isPlain(context) && context.order >= from && context.order <= to;
/** Whether a context looks at what lies a stride before. */
const isAbove = ({ offsets }: Context, stride: number) =>
  stride > SEQUENCE && offsets.some((offset) => offset >= stride - 1);
const firstContexts = (contexts: number) => (hyper: HyperParameters) =>
  hyper.contexts > contexts ? { ...hyper, contexts } : undefined;

/** In the order of the table. */
export const PARTS: readonly Part[] = [
  { name: "recall", reshape: (hyper) => ({ ...hyper, contexts: 0, tables: 0 }) },
  { name: "contexts", reshape: (hyper) => ({ ...hyper, contexts: 0 }) },
  { name: "contexts from the 5th on", reshape: firstContexts(4) },
  { name: "contexts from the 9th on", reshape: firstContexts(8) },
  { name: "orders 1 to 3", owns: ofOrders(1, 3) },
  { name: "orders 4 to 7", owns: ofOrders(4, 7) },
  { name: "orders 8 and more", owns: ofOrders(8, Infinity) },
  { name: "words", owns: ({ words }) => words > 0 },
  {
    name: "gaps",
    owns: (context, stride) => context.words === 0 && context.offsets.length > 0 && !isAbove(context, stride),
  },
  { name: "above", owns: isAbove },
  { name: "tables", reshape: (hyper) => ({ ...hyper, tables: 0 }) },
  { name: "features", pins: { feature: 0, featureBias: 0 } },
  { name: "gates", pins: { recallGate: 0, recallGateBias: 0 } },
  // The gates remain, and so does what they are made of.
  { name: "own logits", pins: { logits: 0, logitsBias: 0 } },
  // What a stream gives is 0, and the router gives all to the other one.
  { name: "global", pins: { global: 0, globalBias: 0, globalSkip: 0, router: 0, routerBias: -ALWAYS } },
  { name: "local", pins: { tap: 0, tapBias: 0, router: 0, routerBias: ALWAYS } },
  { name: "router", pins: { router: 0, routerBias: 0 } },
  { name: "coarse", pins: { up: 0, upBias: 0, memoryBias: 0 } },
  { name: "fine", pins: { fineOut: 0, fineOutBias: 0, lastNormShift: 0 } },
  { name: "stride", stage: "stride" },
  { name: "repeats", stage: "repeats" },
];

/** Finds nothing once its only slot is emptied. */
const DEAD: Context = { words: 0, order: 0, offsets: [] };

/** Places of a plan's contexts that belong to a part. */
export function ownedBy(part: Part, plan: ContextPlan, { stride }: DataKind): readonly number[] {
  return [...plan.contexts.keys()].filter((i) => part.owns?.(plan.contexts[i] as Context, stride));
}

/** A plan in which some contexts are dead. */
export function planWithout(plan: ContextPlan, dead: readonly number[]): ContextPlan {
  return { ...plan, contexts: plan.contexts.map((context, i) => (dead.includes(i) ? DEAD : context)) };
}

/** Where the slots of dead contexts are that could be found. */
export function deadSlots({ slotBits }: HyperParameters, dead: readonly number[]): readonly number[] {
  return dead.map((c) => c * 2 ** slotBits + (finishHash(0) >>> (32 - slotBits)));
}

const isMatrix = (name: TensorName): name is MatrixName => MATRIX_NAMES.some((each) => each === name);

/** A model without a part, or a complete one. One thread, so that nobody works while tensors are pinned. */
export class Ablated {
  readonly #pins: (() => void)[] = [];

  private constructor(
    readonly model: CpuModel,
    kind: DataKind,
    part: Part | undefined,
  ) {
    const { at, buffer } = model.inspect();
    const { hyper } = at;
    for (const [name, value] of Object.entries(part?.pins ?? {}) as [TensorName, number][]) {
      if (isMatrix(name)) {
        if (value !== 0) throw new RangeError(`${name} can only be 0`);
        const { state, forward, backward } = at.matrices[name];
        const [outputs, inputs] = at.shapes[name];
        const size = outputs * inputs;
        this.#pin(new Int32Array(buffer, state, 3 * size));
        this.#pin(new Int16Array(buffer, forward, size));
        this.#pin(new Int16Array(buffer, backward, size));
      } else {
        this.#pin(new Int32Array(buffer, at.master(name), at.layout.byName[name].size), value);
      }
    }
    const plan = planFor(hyper, kind);
    const dead = part ? ownedBy(part, plan, kind) : [];
    const packed = packPlan(planWithout(plan, dead), hyper.streams);
    new Int32Array(buffer, at.recall.plan, packed.length).set(packed);
    for (const slot of deadSlots(hyper, dead)) this.#pin(new Int32Array(buffer, at.recall.slots + 4 * slot, 1));
    this.#pinAll();
  }

  static async open(hyper: HyperParameters, kind: DataKind, part?: Part): Promise<Ablated> {
    return new Ablated(await Cpu.open(hyper, 1), kind, part);
  }

  #pin(values: Int32Array | Int16Array, value = 0): void {
    this.#pins.push(() => values.fill(value));
  }

  #pinAll(): void {
    for (const pin of this.#pins) pin();
  }

  /** One step; the intervals of its bytes. */
  async step(bytes: Uint8Array, intervals: Uint32Array): Promise<void> {
    await this.model.fillIntervals(bytes, 1, intervals);
    this.#pinAll();
  }
}

/** Log2 of what all frequencies of a byte add up to. */
const FREQUENCY_BITS = 22;

/** Ideal code length of what the model sees of a block. */
async function idealBytes(seen: Uint8Array, hyper: HyperParameters, stride: number, part?: Part): Promise<number> {
  const ablated = await Ablated.open(hyper, { stride }, part);
  const { streams } = hyper;
  const layout = layoutOf(seen.length, streams);
  const intervals = new Uint32Array(2 * streams);
  let bits = 0;
  for (let step = 0; step < layout.steps; step++) {
    await ablated.step(gatherSteps(seen, layout, step, 1), intervals);
    for (let stream = 0; stream < liveAt(layout, step); stream++) {
      bits += FREQUENCY_BITS - Math.log2(intervals[2 * stream + 1] as number);
    }
  }
  await ablated.model.close();
  return bits / 8;
}

/** The sizes of one file: complete, and without each part that is there. */
interface Result {
  readonly file: string;
  readonly level: number;
  readonly bytes: number;
  readonly stride: number;
  readonly complete: number;
  readonly without: Record<string, number>;
}

const strideOf = (seen: Uint8Array, hyper: HyperParameters) => provenStride(seen, hyper, new Pacer(undefined));

/** @returns undefined if the part is not there */
async function withoutPart(
  part: Part,
  { plain, seen, hyper, stride }: { plain: Uint8Array; seen: Uint8Array; hyper: HyperParameters; stride: number },
): Promise<number | undefined> {
  if (part.stage === "stride") return stride === 0 ? undefined : await idealBytes(seen, hyper, 0);
  if (part.stage === "repeats") {
    if (seen.length === plain.length) return undefined;
    return await idealBytes(plain, hyper, await strideOf(plain, hyper));
  }
  if (part.owns && ownedBy(part, planFor(hyper, { stride }), { stride }).length === 0) return undefined;
  const shape = part.reshape ? part.reshape(hyper) : hyper;
  return shape && (await idealBytes(seen, shape, stride, part));
}

interface Settings {
  readonly bytes: number;
  readonly level: number;
  readonly shape: Readonly<Record<string, number>>;
  readonly parts: readonly Part[];
}

async function measure(path: string, { bytes, level, shape, parts }: Settings): Promise<Result> {
  const plain = new Uint8Array(readFileSync(path).subarray(0, bytes));
  const { rest, copies } = cut(plain, new Uint8Array(0), cutOptionsFor(plain, false, policyOfNetwork(level)));
  const seen = copies.count > 0 ? rest : plain;
  const list = copies.count > 0 ? encodeCopies(copies).length : 0;
  const hyper = { ...hyperForSize(networkOf(level), plain.length), ...shape };
  const stride = await strideOf(seen, hyper);
  const complete = list + (await idealBytes(seen, hyper, stride));
  console.error(`${basename(path)} ${complete.toFixed(0)}`);
  const without: Record<string, number> = {};
  for (const part of parts) {
    const size = await withoutPart(part, { plain, seen, hyper, stride });
    if (size === undefined) continue;
    without[part.name] = size + (part.stage === "repeats" ? 0 : list);
    console.error(`  ${part.name} ${without[part.name]?.toFixed(0)}`);
  }
  return { file: basename(path), level, bytes: plain.length, stride, complete, without };
}

/** Percent by which something is larger, with its sign. */
function growth(without: number, complete: number): string {
  const percent = (100 * (without / complete - 1)).toFixed(1);
  return Number(percent) === 0 ? "0" : percent.replace("-", "−");
}

/** A row for each part; where a part is not there, nothing is lost. */
export function tableOf(results: readonly Result[], parts: readonly Part[]): string {
  const total = (size: (result: Result) => number) => results.reduce((sum, result) => sum + size(result), 0);
  const complete = total((result) => result.complete);
  const measured = parts.filter(({ name }) => results.some(({ without }) => without[name] !== undefined));
  return [
    headOf(["without", "total", ...results.map(({ file }) => file.split(".").at(-1) as string)]),
    row(["nothing, bytes", complete.toFixed(0), ...results.map((result) => result.complete.toFixed(0))]),
    ...measured.map(({ name }) => {
      const all = total(({ without, complete }) => without[name] ?? complete);
      const each = results.map(({ without, complete }) => {
        const size = without[name];
        return size === undefined ? "" : growth(size, complete);
      });
      return row([name, growth(all, complete), ...each]);
    }),
  ].join("\n");
}

async function main(): Promise<void> {
  const { values, positionals } = optionsAndWords({ level: 5, bytes: 100000, shape: "" }, ["parts", "json"]);
  const wanted = values.parts?.split(",");
  const parts = PARTS.filter(({ name }) => wanted?.includes(name) ?? true);
  const changed = values.shape.split(",").filter((each) => each !== "");
  const shape = Object.fromEntries(changed.map((each) => [each.split("=")[0], Number(each.split("=")[1])]));
  const settings = { ...values, shape, parts };
  const results: Result[] = [];
  for (const path of positionals) {
    if (path.endsWith(".results.json")) results.push(...(JSON.parse(readFileSync(path, "utf8")) as Result[]));
    else results.push(await measure(path, settings));
    if (values.json) writeFileSync(values.json, `${JSON.stringify(results, null, 1)}\n`);
  }
  console.log(tableOf(results, parts));
}

if (import.meta.main) {
  await main();
  process.exit(0);
}
