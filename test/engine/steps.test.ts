/** Every case of step-cases.ts on the CPU engine, and on every test adapter and way of the GPU engine, with ==. */
import { describe, test } from "bun:test";
import { REACH } from "../../src/contract/contexts.ts";
import { NORM_NAMES, QUANTISED_ACTIVATIONS, QUANTISED_GRADIENTS } from "../../src/contract/network.ts";
import { Command, Control } from "../../src/engine/cpu/control.ts";
import { readKernels } from "../../src/engine/cpu/kernels.ts";
import { CpuLayout } from "../../src/engine/cpu/layout.ts";
import { Network } from "../../src/engine/cpu/network.ts";
import { readRecall, writePlan } from "../../src/engine/cpu/recall-layout.ts";
import { readState, writeInitialState, writeState } from "../../src/engine/cpu/weights.ts";
import { record } from "../../src/engine/gpu/kernel.ts";
import { GpuModel } from "../../src/engine/gpu/model.ts";
import type { ReferenceModel } from "../../src/engine/reference/engine.ts";
import { testAdapters } from "../setup/adapters.ts";
import { testDevice } from "../support/gpu-device.ts";
import { pathsOf } from "../support/gpu-paths.ts";
import { pack4 } from "../support/packed.ts";
import { expectEqual, expectSameCpuState } from "../support/same-cpu-state.ts";
import { expectSameState, writeState as writeGpuState } from "../support/same-state.ts";
import { bytesOf, ROUNDS, STEP_CASES, type StepCase, stateOf } from "./step-cases.ts";

/** The reference before and after its step, and the intervals: nobody changes them. */
interface Expected {
  readonly before: ReferenceModel;
  readonly reference: ReferenceModel;
  readonly intervals: Uint32Array;
}

async function runReference(each: StepCase, round: number): Promise<Expected> {
  const reference = stateOf(each, round);
  const intervals = new Uint32Array(2 * each.hyper.streams);
  await reference.fillIntervals(bytesOf(each, round), 1, intervals);
  return { before: stateOf(each, round), reference, intervals };
}

const expectations = new Map<string, Promise<Expected>>();

/** Made once for all engines. */
function expected(each: StepCase, round: number): Promise<Expected> {
  const key = `${each.title} ${round}`;
  const known = expectations.get(key) ?? runReference(each, round);
  expectations.set(key, known);
  return known;
}

/** Boxes whose values both engines keep in 16 bits. */
const BOXES = [
  ...(["newest", "local", "near", "alpha", "mixed", "down", "recalled", "up", "gate"] as const),
  ...(["coarse", "fine", "fineOut"] as const),
];

const TABLE = STEP_CASES.map((each) => [each.title, each] as const);

describe("steps on the CPU engine", () => {
  test.each(TABLE)("%s", async (_title, each) => {
    const { hyper } = each;
    const at = new CpuLayout(hyper, 1);
    const memory = new WebAssembly.Memory({ initial: at.pages, maximum: at.pages, shared: true });
    writeInitialState(at, memory.buffer);
    const setup = { hyper, index: 0, threads: 1, memory, kernels: readKernels() };
    const network = new Network(setup);
    for (const round of ROUNDS) {
      const { before, reference, intervals } = await expected(each, round);
      loadCpu(network, memory.buffer, before, each.stride);
      new Uint8Array(memory.buffer, at.bytes, hyper.streams).set(bytesOf(each, round));
      network.thread.control[Control.COMMAND] = Command.ENCODE;
      network.thread.control[Control.STEPS] = 1;
      network.obey();
      const what = `round ${round}: `;
      expectSameValues(at, memory.buffer, reference, what);
      expectEqual(new Uint32Array(memory.buffer, at.intervals, intervals.length), intervals, `${what}intervals`);
      const { buffer } = memory;
      const { exponents, gradientScales } = network.thread;
      const seen = {
        ...readState(at, buffer),
        ...readRecall(at.recall, buffer),
        exponents,
        gradientScales,
        at,
        buffer,
      };
      expectSameCpuState(seen, reference, what);
    }
  });
});

type CpuNetwork = InstanceType<typeof Network>;

/** What the forward pass left: the values of all boxes. */
function expectSameValues(
  at: InstanceType<typeof CpuLayout>,
  buffer: ArrayBufferLike,
  { forward }: ReferenceModel,
  what: string,
): void {
  for (const name of [...BOXES, "embedded", "hidden", "last"] as const) {
    const wanted = forward[name];
    expectEqual(new Int16Array(buffer, at.activations[name], wanted.length), wanted, `${what}${name}`);
  }
  for (const name of ["global", "far"] as const) {
    expectEqual(new Int32Array(buffer, at.wide[name], forward[name].length), forward[name], `${what}${name}`);
  }
  for (const name of NORM_NAMES) {
    const wanted = forward[name].out;
    expectEqual(new Int16Array(buffer, at.norms[name].out, wanted.length), wanted, `${what}${name}`);
  }
}

function loadCpu(
  { thread, optimizer }: CpuNetwork,
  buffer: ArrayBufferLike,
  { state }: ReferenceModel,
  stride: number,
) {
  const { at, exponents, gradientScales } = thread;
  const { hyper, recall } = state;
  writeState(at, buffer, state);
  // The copies are made of the masters, as the reference's are.
  exponents.shift.set(state.exponents.copyShift);
  optimizer.run(0);
  thread.seen.fill(0);
  for (const name of ["shift", "copyShift", "held", "seen"] as const) exponents[name].set(state.exponents[name]);
  for (const name of ["scale", "moved", "seen", "window"] as const)
    gradientScales[name].set(state.gradientScales[name]);
  thread.step = state.step;
  thread.trained = state.trained;
  new Int16Array(buffer, at.activations.ring, state.cache.length).set(state.cache);
  const mine = readRecall(at.recall, buffer); // views, but for the past
  mine.slots.set(recall.slots);
  mine.boosts.set(recall.boosts);
  mine.word.set(recall.word);
  mine.previousWord.set(recall.previousWord);
  for (const [m, table] of mine.tables.entries()) table.set(recall.tables[m] as Int32Array);
  const past = new Uint8Array(buffer, at.recall.past, REACH * at.recall.pastPitch);
  for (let i = 0; i < recall.past.length; i++) {
    past[(i % REACH) * at.recall.pastPitch + Math.floor(i / REACH)] = recall.past[i] as number;
  }
  writePlan(at.recall, hyper, stride, buffer);
}

const WAYS = (await Promise.all(testAdapters.map(async (which) => [which, await pathsOf(which)] as const))).flatMap(
  ([which, paths]) => paths.map(([title, path]) => [which, title, path] as const),
);

describe.each(WAYS)("steps on %s, %s", (which, _title, path) => {
  const gpu = testDevice(which);

  // Kernels to a box have cases of their own, and a hundred of them take long to compile.
  test.each(path === "boxes" ? TABLE.slice(1, 2) : TABLE)("%s", async (_name, each) => {
    const model = await GpuModel.open(gpu(), each.hyper, 1, { firstStep: each.step, path });
    await model.describe({ stride: each.stride });
    for (const round of ROUNDS) {
      const { before, reference, intervals } = await expected(each, round);
      await writeGpuState(model, before.state, bytesOf(each, round));
      const run = (dispatches: typeof model.step.forward) => {
        const encoder = gpu().device.createCommandEncoder();
        const pass = encoder.beginComputePass();
        record(pass, dispatches);
        pass.end();
        gpu().device.queue.submit([encoder.finish()]);
      };
      run(model.step.forward);
      await expectSameForward(model, reference, `round ${round}: `);
      run(model.step.backward);
      await expectSameBackward(model, reference, `round ${round}: `);
      const found = new Uint32Array((await model.readBuffer("intervals")).buffer);
      expectEqual(found, intervals, `round ${round}: intervals`);
      await expectSameState(model, reference.state);
    }
    await model.close();
  });
});

/** What a forward pass leaves: the values of all boxes, operands, and the frequencies' ends. */
async function expectSameForward(model: GpuModel, { forward, hyper }: ReferenceModel, what: string): Promise<void> {
  const same = async (name: string, wanted: ArrayLike<number>) =>
    expectEqual(await model.readBuffer(name), wanted, `${what}${name}`);
  for (const name of [...BOXES, "global", "far", "embedded"] as const) await same(name, forward[name]);
  for (const name of NORM_NAMES) {
    await same(`${name}.normalised`, forward[name].normalised);
    await same(`${name}.out`, forward[name].out);
  }
  for (const name of QUANTISED_ACTIVATIONS) {
    await same(`operand.${name}`, pack4(Int32Array.from(forward.operands[name])));
  }
  const ends = new Int32Array(256 * hyper.streams);
  forward.frequencies.forEach((frequency, i) => {
    ends[i] = frequency + (i % 256 === 0 ? 0 : (ends[i - 1] as number));
  });
  await same("ends", ends);
}

/** What a backward pass leaves: the operands of all products, which the weights are made of. */
async function expectSameBackward(model: GpuModel, { backward }: ReferenceModel, what: string): Promise<void> {
  for (const name of [...QUANTISED_GRADIENTS, "logits" as const]) {
    expectEqual(await model.readBuffer(`gradient.${name}`), backward.operands[name], `${what}gradient.${name}`);
  }
}
