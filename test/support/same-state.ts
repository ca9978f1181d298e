/** Compares everything that outlives a step between a model on the GPU and the reference, number by number. */

import { REACH } from "../../src/contract/contexts.ts";
import { rateAt } from "../../src/contract/schedule.ts";
import type { State } from "../../src/contract/state.ts";
import type { GpuModel } from "../../src/engine/gpu/model.ts";
import { denseRange } from "../../src/engine/gpu/places.ts";
import { sumWords, withSecondCopies } from "../../src/engine/gpu/weights-plan.ts";

/** A part of a device buffer, and the reference's values for it. */
interface Part {
  readonly what: string;
  readonly buffer: string;
  readonly place: number;
  readonly values: Int32Array;
}

function partsOf(model: GpuModel, state: State): Part[] {
  const { places } = model.buffers;
  const { exponents, gradientScales, layout } = state;
  const control = (what: string, place: number, values: Int32Array): Part => ({
    what,
    buffer: "control",
    place,
    values,
  });
  const whole = (buffer: string, values: Int32Array): Part => ({ what: buffer, buffer, place: 0, values });
  return [
    whole("master", state.master),
    whole("moment", state.moment),
    whole("square", state.square),
    whole("copies", copiesOf(model, state)),
    whole("embedding", Int32Array.from(state.embedding)),
    whole("cache", state.cache),
    control("shift", 0, exponents.shift),
    control("copyShift", places.copyShifts, exponents.copyShift),
    control("held", places.held, exponents.held),
    control("scale", places.scales, gradientScales.scale),
    control("moved", places.moved, gradientScales.moved),
    control("window", places.window, gradientScales.window),
    control("step", places.step, Int32Array.of(state.step)),
    control("trained", places.trained, Int32Array.of(state.trained)),
    ...recallParts(state, whole),
    whole("seen", Int32Array.of(...exponents.seen, ...gradientScales.seen)),
    whole("dense", new Int32Array(denseRange(layout).count + sumWords(layout))),
  ];
}

/** Kernels for hardware keep a second copy of shared matrices, of which every word stands where its output's does. */
function copiesOf({ step: { tile } }: GpuModel, { copy, layout }: State): Int32Array {
  const first = new Int32Array(copy.buffer, 0, denseRange(layout).offset / 4);
  return tile && tile.lanes > tile.streams ? withSecondCopies(layout, first) : first;
}

function recallParts({ recall }: State, whole: (buffer: string, values: Int32Array) => Part): Part[] {
  const { contexts: N, tables: M, tableBits } = recall.hyper;
  if (N + M === 0) return []; // nothing of it runs: it is not even kept up
  const words = (values: Uint32Array) => new Int32Array(values.buffer);
  const tables = recall.tables.map((values, m) => ({
    what: `table ${m}`,
    buffer: "entries",
    place: m << (tableBits + 8),
    values,
  }));
  return [
    whole("slots", words(recall.slots)),
    whole("boosts", recall.boosts),
    whole("words", Int32Array.of(...words(recall.word), ...words(recall.previousWord))),
    ...tables,
  ];
}

/** @throws Error if the bytes within reach differ */
async function expectSamePast(model: GpuModel, { recall, step, hyper }: State): Promise<void> {
  const { pastRows, rowWords } = model.buffers;
  const device = new Uint8Array((await model.readBuffer("bytes")).buffer);
  for (let offset = 1; offset <= Math.min(step, REACH); offset++) {
    const row = ((step - offset) % pastRows) * rowWords * 4;
    for (let b = 0; b < hyper.streams; b++) {
      const expected = recall.byteBefore(b, step, offset);
      if (device[row + b] === expected) continue;
      throw new Error(`stream ${b}, ${offset} bytes back: ${device[row + b]} on the GPU, ${expected} in the reference`);
    }
  }
}

/** The tensor that a place among all weights belongs to. */
function tensorAt(state: State, place: number): string {
  const found = state.layout.tensors.find(({ offset, size }) => place >= offset && place < offset + size);
  return found ? `${found.name} element ${place - found.offset}` : `element ${place}`;
}

/** @throws Error naming the first number that differs; the model must have trained on all that it was given, and both
 * or none have begun the next step */
export async function expectSameState(model: GpuModel, state: State): Promise<void> {
  await expectSamePast(model, state);
  const read = new Map<string, Int32Array>();
  for (const { what, buffer, place, values } of partsOf(model, state)) {
    const device = read.get(buffer) ?? (await model.readBuffer(buffer));
    read.set(buffer, device);
    const at = values.findIndex((value, i) => value !== device[place + i]);
    if (at < 0) continue;
    const where = values.length === state.master.length ? tensorAt(state, at) : `element ${at}`;
    throw new Error(`${what}, ${where}: ${device[place + at]} on the GPU, ${values[at]} in the reference`);
  }
}

/** Puts a state, and the bytes that come in its step, in the place of a model's own; the plan stays as it is. */
export async function writeState(model: GpuModel, state: State, bytes: Uint8Array): Promise<void> {
  const { places, pastRows, rowWords, hyper, device } = model.buffers;
  const control = new Int32Array(await model.readBuffer("control"));
  for (const { buffer, place, values } of partsOf(model, state)) {
    if (buffer === "control") control.set(values, place);
    else write(model, buffer, place, values);
  }
  control[places.chunkStep] = 0;
  control[places.rate] = rateAt(state.rates, state.trained);
  write(model, "control", 0, control);
  const rows = new Uint8Array(4 * rowWords * pastRows);
  for (let b = 0; b < hyper.streams; b++) {
    for (let offset = 1; offset <= REACH; offset++) {
      const row = (state.step + pastRows - offset) % pastRows;
      rows[row * rowWords * 4 + b] = state.recall.byteBefore(b, state.step, offset);
    }
    rows[(state.step % pastRows) * rowWords * 4 + b] = bytes[b] as number;
  }
  device.queue.writeBuffer(model.buffers.get("bytes"), 0, rows);
}

function write(model: GpuModel, name: string, place: number, values: Int32Array): void {
  const { buffer, offset } = model.buffers.slice(name);
  model.buffers.device.queue.writeBuffer(buffer, offset + 4 * place, values as Int32Array<ArrayBuffer>);
}
