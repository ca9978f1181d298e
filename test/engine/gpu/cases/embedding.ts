/**
 * Cases of the embedding: the gather of each stream's history, and the scatter of its gradient, which may wrap.
 */
import { clampGradient, roundShift } from "../../../../src/model/fixed.ts";
import { range, values } from "../../../support/gpu-values.ts";
import {
  ACTIVATION,
  ANY_I32,
  foldedGroups,
  GRADIENT,
  type KernelCase,
  type Named,
  output,
  type Shape,
  shapeWith,
  shiftsWith,
} from "./case.ts";

/** Rows of bytes after the history: the chunk's steps. */
const CHUNK_STEPS = 5;

function bytesInput(shape: Shape) {
  return range((shape.hyper.history + CHUNK_STEPS) * Math.ceil(shape.hyper.streams / 4), -(2 ** 31), ANY_I32);
}

/** The byte of a stream's history that element i of the embedded history belongs to. */
function byteAt(shape: Shape, { bytes, shifts }: Named, i: number): number {
  const { history, embedding, streams } = shape.hyper;
  const t = Math.floor(i / embedding) % history;
  const b = Math.floor(i / (embedding * history));
  const row = (shifts![shape.places.chunkStep] as number) + t;
  return new Uint8Array(bytes!.buffer)[row * Math.ceil(streams / 4) * 4 + b] as number;
}

function embed(history: number, embedding: number, streams: number): KernelCase {
  const shape = shapeWith({ history, embedding, streams });
  const count = streams * history * embedding;
  return {
    kernel: "embed",
    title: `${streams} x ${history} x ${embedding}`,
    shared: shape.shared,
    constants: {},
    workgroups: foldedGroups(Math.ceil(count / 64)),
    inputs: {
      bytes: bytesInput(shape),
      embedding: values(256 * embedding, ACTIVATION),
      shifts: (random) => shiftsWith(shape, { [shape.places.chunkStep]: random.between(0, CHUNK_STEPS - 1) }),
      embedded: output(count),
    },
    expect: (arrays: Named) => {
      for (let i = 0; i < count; i++) {
        const at = byteAt(shape, arrays, i) * embedding + (i % embedding);
        arrays.embedded![i] = arrays.embedding![at] as number;
      }
    },
  };
}

function embedBackward(history: number, embedding: number, streams: number): KernelCase {
  const shape = shapeWith({ history, embedding, streams });
  const count = streams * history * embedding;
  return {
    kernel: "embed_backward",
    title: `${streams} x ${history} x ${embedding}`,
    shared: shape.shared,
    constants: {},
    workgroups: foldedGroups(Math.ceil(count / 64)),
    inputs: {
      bytes: bytesInput(shape),
      shifts: (random) => shiftsWith(shape, { [shape.places.chunkStep]: random.between(0, CHUNK_STEPS - 1) }),
      d_input: values(count, GRADIENT),
      d_local: values(count, GRADIENT),
      gradient: values(256 * embedding, ANY_I32),
    },
    expect: (arrays: Named) => {
      const { d_input, d_local, gradient } = arrays;
      for (let i = 0; i < count; i++) {
        const at = byteAt(shape, arrays, i) * embedding + (i % embedding);
        const d = clampGradient((d_input![i] as number) + (d_local![i] as number));
        gradient![at] = (gradient![at] as number) + roundShift(d, 3);
      }
    },
  };
}

export const EMBEDDING_CASES: readonly KernelCase[] = [
  embed(4, 8, 5),
  embed(16, 64, 33),
  embedBackward(4, 8, 33),
  embedBackward(64, 16, 1),
];
