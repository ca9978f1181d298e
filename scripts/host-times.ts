/**
 * What a step of a network costs the host: the calls that record its dispatches, the end of the recording, and the
 * submit, in microseconds of wall time, the least of some rounds. The device's own time is not counted.
 *
 *     bun scripts/host-times.ts [--adapter NAME] [--preset network-5] [--streams 64] [--steps 1,4,16,64,256]
 */
import { openDevice } from "../src/engine/gpu/dawn.ts";
import type { GpuDevice } from "../src/engine/gpu/device.ts";
import { record } from "../src/engine/gpu/kernel.ts";
import { GpuModel } from "../src/engine/gpu/model.ts";
import { hyperFor, modelOfPreset } from "../src/library/work.ts";
import { lastTestAdapterName } from "../test/setup/adapters.ts";
import { optionsOf } from "./shared.ts";

const values = optionsOf({ preset: "network-5", streams: 64, size: 2 ** 18, steps: "1,4,16,64,256" }, ["adapter"]);

const ROUNDS = 5;
const CHUNK_STEPS = 256;

const microseconds = (began: number) => (performance.now() - began) * 1e3;

/** Of so many steps in one submit: recording, ending, submitting. */
async function timesOf(gpu: GpuDevice, model: GpuModel, steps: number): Promise<readonly number[]> {
  const began = performance.now();
  const encoder = gpu.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  for (let step = 0; step < steps; step++) {
    record(pass, model.step.forward);
    record(pass, model.step.backward);
  }
  pass.end();
  const recorded = microseconds(began);
  const commands = encoder.finish();
  const finished = microseconds(began);
  gpu.device.queue.submit([commands]);
  const submitted = microseconds(began);
  await gpu.settled(gpu.device.queue.onSubmittedWorkDone());
  return [recorded, finished - recorded, submitted - finished];
}

const gpu = await openDevice(values.adapter ?? lastTestAdapterName());
const hyper = hyperFor({ ...modelOfPreset(values.preset), streams: values.streams }, values.size);
const model = await GpuModel.open(gpu, hyper, CHUNK_STEPS);
const dispatches = model.step.forward.length + model.step.backward.length;
console.log(
  `${values.preset}, ${values.streams} streams, ${gpu.name}: ${dispatches} dispatches and bind groups a step`,
);
await timesOf(gpu, model, 1); // some drivers compile now
for (const steps of values.steps.split(",").map(Number)) {
  const rounds: (readonly number[])[] = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push(await timesOf(gpu, model, steps));
  const [recorded, ended, submitted] = [0, 1, 2].map((i) => {
    return (Math.min(...rounds.map((times) => times[i] as number)) / steps).toFixed(1);
  });
  console.log(`${steps} steps a submit: a step ${recorded} µs to record, ${ended} to end, ${submitted} to submit`);
}
gpu.device.destroy();
process.exit(0);
