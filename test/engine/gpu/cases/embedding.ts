/**
 * Cases of the embedding: the gather of each stream's history, and the scatter of its gradient, which may wrap.
 */
import { type DataKind, planFor } from "../../../../src/contract/contexts.ts";
import { clampGradient, roundShift } from "../../../../src/contract/fixed.ts";
import type { HyperParameters } from "../../../../src/contract/hyper.ts";
import { range, values, type Words } from "../../../support/gpu-values.ts";
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

/** What both kernels see, the ring of bytes and where in it to look; `expect` for each element and its place. */
function embeddingCase(
  kernel: "embed" | "embed_backward",
  changes: Partial<HyperParameters>,
  stride: number,
  inputsOf: (count: number, embedding: number) => KernelCase["inputs"],
  expect: (arrays: Named, i: number, at: number) => void,
): KernelCase {
  const shape = shapeWith(changes);
  const { history, embedding, streams } = shape.hyper;
  const kind = { stride };
  const count = streams * history * embedding;
  return {
    kernel,
    title: `${streams} x ${history} x ${embedding}, stride ${stride}`,
    shared: shape.shared,
    workgroups: foldedGroups(Math.ceil(count / 64)),
    inputs: {
      bytes: range(PAST_ROWS * Math.ceil(streams / 4), -(2 ** 31), ANY_I32),
      control: (random) => controlWith(shape, { [shape.places.step]: random.between(0, 1 << 30) }),
      plan: planInput({ ...shape, kind }),
      ...inputsOf(count, embedding),
    },
    expect: (arrays) => {
      for (let i = 0; i < count; i++) expect(arrays, i, byteAt(shape, kind, arrays, i) * embedding + (i % embedding));
    },
  };
}

function embed(changes: Partial<HyperParameters>, stride = 0): KernelCase {
  const inputsOf = (count: number, embedding: number) => ({
    embedding: values(256 * embedding, ACTIVATION),
    embedded: output(count),
  });
  return embeddingCase("embed", changes, stride, inputsOf, ({ embedding, embedded }, i, at) => {
    embedded![i] = embedding![at] as number;
  });
}

function embedBackward(changes: Partial<HyperParameters>, stride = 0): KernelCase {
  const inputsOf = (count: number, embedding: number) => ({
    d_input: values(count, GRADIENT),
    d_local: values(count, GRADIENT),
    gradient: values(256 * embedding, ANY_I32),
  });
  return embeddingCase("embed_backward", changes, stride, inputsOf, ({ d_input, d_local, gradient }, i, at) => {
    const d = clampGradient((d_input![i] as number) + (d_local![i] as number));
    gradient![at] = (gradient![at] as number) + roundShift(d, 3);
  });
}

export const EMBEDDING_CASES: readonly KernelCase[] = [
  embed({ history: 4, embedding: 8, streams: 5 }),
  embed({ history: 16, embedding: 64, streams: 33 }, 34),
  embed({ contexts: 8, tables: 2 }, 3),
  embedBackward({ history: 4, embedding: 8, streams: 33 }, 34),
  embedBackward({ history: 64, embedding: 16, streams: 1 }),
  embedBackward({ contexts: 8, tables: 2 }, 3),
];
