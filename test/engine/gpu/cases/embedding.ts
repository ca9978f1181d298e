/**
 * Cases of the embedding: the gather of each stream's history, and the scatter of its gradient, which may wrap.
 */
import { type DataKind, planFor } from "../../../../src/contract/contexts.ts";
import { clampGradient, roundShift } from "../../../../src/contract/fixed.ts";
import type { HyperParameters } from "../../../../src/contract/hyper.ts";
import { type Random, range, values, type Words } from "../../../support/gpu-values.ts";
import {
  ACTIVATION,
  ANY_I32,
  controlWith,
  foldedGroups,
  GRADIENT,
  type KernelCase,
  type Named,
  output,
  PAST_ROWS,
  type Shape,
  shapeWith,
} from "./case.ts";
import { planInput, rowOf } from "./recall-model.ts";

/** The byte that element i of the embedded bytes belongs to: of stream b, positions[t] steps back. */
function byteAt(shape: Shape, kind: DataKind, { bytes, control }: Named, i: number): number {
  const { history, embedding } = shape.hyper;
  const offset = planFor(shape.hyper, kind).positions[Math.floor(i / embedding) % history] as number;
  const row = rowOf(shape, bytes as Words, (control![shape.places.step] as number) - offset);
  return row[Math.floor(i / (embedding * history))] as number;
}

/** What both kernels see: the ring of bytes, and where in it to look. */
function pastInputs(shape: Shape, kind: DataKind) {
  return {
    bytes: range(PAST_ROWS * Math.ceil(shape.hyper.streams / 4), -(2 ** 31), ANY_I32),
    control: (random: Random) => controlWith(shape, { [shape.places.step]: random.between(0, 1 << 30) }),
    plan: planInput({ ...shape, kind }),
  };
}

const titleOf = ({ hyper }: Shape, { stride }: DataKind) =>
  `${hyper.streams} x ${hyper.history} x ${hyper.embedding}, stride ${stride}`;

function embed(changes: Partial<HyperParameters>, stride = 0): KernelCase {
  const shape = shapeWith(changes);
  const { history, embedding, streams } = shape.hyper;
  const kind = { stride };
  const count = streams * history * embedding;
  return {
    kernel: "embed",
    title: titleOf(shape, kind),
    shared: shape.shared,
    constants: {},
    workgroups: foldedGroups(Math.ceil(count / 64)),
    inputs: {
      ...pastInputs(shape, kind),
      embedding: values(256 * embedding, ACTIVATION),
      embedded: output(count),
    },
    expect: (arrays: Named) => {
      for (let i = 0; i < count; i++) {
        const at = byteAt(shape, kind, arrays, i) * embedding + (i % embedding);
        arrays.embedded![i] = arrays.embedding![at] as number;
      }
    },
  };
}

function embedBackward(changes: Partial<HyperParameters>, stride = 0): KernelCase {
  const shape = shapeWith(changes);
  const { history, embedding, streams } = shape.hyper;
  const kind = { stride };
  const count = streams * history * embedding;
  return {
    kernel: "embed_backward",
    title: titleOf(shape, kind),
    shared: shape.shared,
    constants: {},
    workgroups: foldedGroups(Math.ceil(count / 64)),
    inputs: {
      ...pastInputs(shape, kind),
      d_input: values(count, GRADIENT),
      d_local: values(count, GRADIENT),
      gradient: values(256 * embedding, ANY_I32),
    },
    expect: (arrays: Named) => {
      const { d_input, d_local, gradient } = arrays;
      for (let i = 0; i < count; i++) {
        const at = byteAt(shape, kind, arrays, i) * embedding + (i % embedding);
        const d = clampGradient((d_input![i] as number) + (d_local![i] as number));
        gradient![at] = (gradient![at] as number) + roundShift(d, 3);
      }
    },
  };
}

export const EMBEDDING_CASES: readonly KernelCase[] = [
  embed({ history: 4, embedding: 8, streams: 5 }),
  embed({ history: 16, embedding: 64, streams: 33 }, 34),
  embed({ contexts: 8, tables: 2 }, 3),
  embedBackward({ history: 4, embedding: 8, streams: 33 }, 34),
  embedBackward({ history: 64, embedding: 16, streams: 1 }),
  embedBackward({ contexts: 8, tables: 2 }, 3),
];
