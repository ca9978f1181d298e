/**
 * Cases of the recall stream's kernels against the reference's own functions: look-ups with and without words and
 * strides, gates, boosts and tables at their limits, streams that want the same slot, and slots that differ only above
 * the bits by which their owners are told apart.
 */
import { type Context, contextHash, SEQUENCE } from "../../../../src/contract/contexts.ts";
import { GRADIENT_BITS } from "../../../../src/contract/formats.ts";
import type { HyperParameters } from "../../../../src/contract/hyper.ts";
import { gateCount } from "../../../../src/contract/network.ts";
import { finishHash } from "../../../../src/contract/recall.ts";
import type { RecallState } from "../../../../src/contract/recall-state.ts";
import { Random, range, values, type Words } from "../../../support/gpu-values.ts";
import { pack4 } from "../../../support/packed.ts";
import {
  ACTIVATION,
  ANY_I32,
  controlWith,
  foldedGroups,
  type KernelCase,
  lutsInput,
  type Named,
  output,
  shapeWith,
} from "./case.ts";
import {
  bytesInput,
  lookupsInput,
  OWNERS,
  ownersOf,
  planInput,
  type RecallShape,
  recallOf,
  rowOf,
} from "./recall-model.ts";

const DIFFERENCE = 1 << GRADIENT_BITS;

function shapeOf(changes: Partial<HyperParameters>, stride = 0): RecallShape {
  return { ...shapeWith({ slotBits: 8, tableBits: 8, ...changes }), kind: { stride } };
}

const titleOf = ({ hyper, kind }: RecallShape) =>
  `${hyper.streams} streams, ${hyper.contexts} contexts of 2^${hyper.slotBits}, ${hyper.tables} tables, ` +
  `stride ${kind.stride}`;

/** Steps before the reach is full, and late ones. */
const stepIn = (random: Random) => random.between(0, 1 << random.between(0, 30));

/** The whole hash of a context, of which the reference keeps only the parts that it needs. */
function hashOf(state: RecallState, context: Context, b: number, step: number): number {
  const [word, previousWord] = [state.word[b] as number, state.previousWord[b] as number];
  const byteBefore = (offset: number) => state.byteBefore(b, step, offset);
  return finishHash(contextHash(context, { word, previousWord, byteBefore }));
}

function lookUp(changes: Partial<HyperParameters>, stride: number): KernelCase {
  const shape = shapeOf(changes, stride);
  const { hyper, places } = shape;
  const { streams: B, contexts: N, tables: M, slotBits } = hyper;
  return {
    kernel: "look_up",
    title: titleOf(shape),
    shared: shape.shared,
    workgroups: foldedGroups(Math.ceil((B * (N + M)) / 64)),
    inputs: {
      bytes: bytesInput(shape),
      plan: planInput(shape),
      control: (random) => controlWith(shape, { [places.step]: stepIn(random) }),
      words: range(2 * B, -(2 ** 31), ANY_I32),
      slots: range(Math.max(4, N << slotBits), -(2 ** 31), ANY_I32),
      owners: () => new Int32Array(Math.max(4, N * OWNERS)),
      lookups: output(2 * B * N + B * M),
      features: output(Math.max(4, 2 * B * N)),
    },
    mixedRounds: 5,
    expect: (arrays: Named) => {
      const { lookups, owners, features } = arrays;
      const recall = recallOf(shape, {
        ...arrays,
        lookups: new Int32Array(0),
        slots: arrays.slots!.subarray(0, N << slotBits),
      });
      const step = arrays.control![places.step] as number;
      const { contexts } = recall.state.plan;
      recall.lookUp(step);
      const hashes = Int32Array.from({ length: B * N }, (_, at) =>
        hashOf(recall.state, contexts[at % N] as Context, Math.floor(at / N), step),
      );
      lookups!.set(Int32Array.of(...recall.found, ...hashes, ...recall.row));
      features!.set(pack4(recall.features));
      owners!.set(ownersOf(shape, hashes));
    },
  };
}

function gateGradient(changes: Partial<HyperParameters>): KernelCase {
  const shape = shapeOf(changes);
  const { streams: B, contexts: N, tables: M } = shape.hyper;
  const gates = gateCount(shape.hyper);
  return {
    kernel: "gate_gradient",
    title: titleOf(shape),
    shared: shape.shared,
    workgroups: foldedGroups(Math.ceil((B * gates) / 64)),
    inputs: {
      difference: values(256 * B, DIFFERENCE),
      lookups: lookupsInput(shape),
      boosts: values(Math.max(4, N * 66), ANY_I32),
      entries: values(Math.max(4, M << 16), ANY_I32),
      gates: values(B * gates, ACTIVATION),
      constants: lutsInput,
      out: output(B * gates),
    },
    expect: (arrays: Named) => {
      arrays.out!.set(recallOf(shape, arrays).gateGradient(arrays.difference as Words));
    },
  };
}

function learnRecall(changes: Partial<HyperParameters>, stride: number): KernelCase {
  const shape = shapeOf(changes, stride);
  const { streams: B, contexts: N, tables: M } = shape.hyper;
  return {
    kernel: "learn_recall",
    title: titleOf(shape),
    shared: shape.shared,
    workgroups: foldedGroups(B),
    inputs: {
      difference: values(256 * B, DIFFERENCE),
      lookups: lookupsInput(shape),
      plan: planInput(shape),
      gates: values(B * gateCount(shape.hyper), ACTIVATION),
      constants: lutsInput,
      boosts: values(Math.max(4, N * 66), ANY_I32),
      entries: values(Math.max(4, M << 16), ANY_I32),
    },
    mixedRounds: 5,
    expect: (arrays: Named) => {
      const recall = recallOf(shape, arrays);
      recall.learn(new Uint8Array(B), arrays.difference as Words);
      arrays.boosts!.set(recall.state.boosts);
      recall.state.tables.forEach((rows, m) => void arrays.entries!.set(rows, m << 16));
    },
  };
}

/** @param spread bits in which hashes differ: few, so that streams want the same slots */
function remember(changes: Partial<HyperParameters>, spread: number): KernelCase {
  const shape = shapeOf(changes);
  const { hyper, places } = shape;
  const { streams: B, contexts: N, slotBits } = hyper;
  const drawn = new Random(B);
  const hashes = Int32Array.from({ length: B * N }, () => drawn.next() & spread);
  return {
    kernel: "remember",
    title: titleOf(shape),
    shared: shape.shared,
    workgroups: foldedGroups(Math.ceil((B * (N + 1)) / 64)),
    inputs: {
      bytes: bytesInput(shape),
      control: (random) => controlWith(shape, { [places.step]: stepIn(random) }),
      lookups: lookupsInput(shape, hashes),
      owners: () => ownersOf(shape, hashes),
      slots: range(N << slotBits, -(2 ** 31), ANY_I32),
      words: (random) => Int32Array.from({ length: 2 * B }, () => (random.between(0, 2) === 0 ? 0 : random.next() | 0)),
    },
    mixedRounds: 5,
    expect: (arrays: Named) => {
      const recall = recallOf(shape, arrays);
      const { state } = recall;
      const step = arrays.control![places.step] as number;
      const bytes = rowOf(shape, arrays.bytes as Words, step);
      recall.learn(bytes, new Int32Array(256 * B));
      state.append(step, bytes);
      arrays.slots!.set(state.slots);
      arrays.words!.set(Int32Array.of(...state.word, ...state.previousWord));
      arrays.owners!.fill(0);
    },
  };
}

export const RECALL_CASES: readonly KernelCase[] = [
  lookUp({ streams: 300, contexts: 4, tables: 4 }, 0),
  lookUp({ streams: 33, contexts: 20 }, 0),
  lookUp({ streams: 33, contexts: 20, tables: 4 }, 16),
  lookUp({ streams: 33, contexts: 20, tables: 4 }, SEQUENCE),
  lookUp({ streams: 5, contexts: 4, slotBits: 17, tables: 1, tableBits: 11 }, 2),
  lookUp({ streams: 5, tables: 2 }, 3),
  gateGradient({ streams: 300, contexts: 4, tables: 2 }),
  gateGradient({ streams: 33, contexts: 8, tables: 6 }),
  gateGradient({ streams: 5, tables: 4 }),
  gateGradient({ streams: 5, contexts: 20 }),
  learnRecall({ streams: 300, contexts: 12, tables: 4 }, 0),
  learnRecall({ streams: 3, contexts: 20, tables: 1 }, 16),
  learnRecall({ streams: 5, tables: 2 }, 3),
  remember({ streams: 300, contexts: 4 }, -1),
  remember({ streams: 33, contexts: 20 }, 0x70000003),
  remember({ streams: 300, contexts: 4, slotBits: 17 }, 0x800fc07f),
];
