/**
 * Runs one kernel alone: named input arrays in, every array that it may write out.
 *
 * Arrays that a kernel writes are longer on the device than it may know, and what lies beyond must come back as it
 * went in; what a kernel leaves out of its own part shows as well, because outputs start with a conspicuous number.
 */
import { bindingsOf, type Constants, KernelCompiler, record } from "../../src/engine/gpu/kernel.ts";
import { type KernelName, shaderText } from "../../src/engine/gpu/shaders.ts";

export type Arrays = Readonly<Record<string, Int32Array<ArrayBuffer>>>;

/** What outputs hold before the kernel runs. */
export const CANARY = 0x5ca1ab1e;
const MARGIN_WORDS = 8;
const STORAGE = 0x80 | 0x04 | 0x08; // and copies both ways
const STAGING = 0x01 | 0x08;

interface KernelRun {
  readonly kernel: KernelName;
  /** What sharedConstants gives for a model, or the part of it that the kernel uses. */
  readonly shared: Constants;
  readonly constants: Constants;
  readonly workgroups: readonly [number, number, number];
}

export class GpuHarness {
  /** One compiler per set of shared constants, so that every text is compiled once per device. */
  readonly #compilers = new Map<Constants, KernelCompiler>();

  constructor(readonly device: GPUDevice) {}

  /** @returns the arrays that the kernel declares as read_write, @throws Error if it wrote beyond one of them */
  async run(run: KernelRun, inputs: Arrays): Promise<Arrays> {
    const { device } = this;
    const compiler = this.#compilers.get(run.shared) ?? new KernelCompiler(device, run.shared);
    this.#compilers.set(run.shared, compiler);
    const bindings = bindingsOf(shaderText(run.kernel));
    const written = bindings.filter(({ access }) => access === "read_write");
    const buffers: Record<string, GPUBuffer> = {};
    for (const { name, access } of bindings) {
      const values = inputs[name];
      if (values === undefined) throw new Error(`the test of ${run.kernel} has no ${name}`);
      // No margin for what is only read: arrayLength may be part of a kernel's input.
      buffers[name] = this.#upload(values, access === "read" ? 0 : MARGIN_WORDS);
    }
    const dispatch = await compiler.bind(run.kernel, run.constants, buffers, run.workgroups);
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    record(pass, [dispatch]);
    pass.end();
    const staging = written.map(({ name }) => {
      const buffer = buffers[name] as GPUBuffer;
      const copy = device.createBuffer({ size: buffer.size, usage: STAGING });
      encoder.copyBufferToBuffer(buffer, 0, copy, 0, buffer.size);
      return { name, copy, words: (inputs[name] as Int32Array).length };
    });
    device.queue.submit([encoder.finish()]);
    const outputs: Record<string, Int32Array<ArrayBuffer>> = {};
    for (const { name, copy, words } of staging) outputs[name] = await takeWords(copy, words, `${run.kernel} ${name}`);
    for (const buffer of Object.values(buffers)) buffer.destroy();
    return outputs;
  }

  #upload(values: Int32Array<ArrayBuffer>, margin: number): GPUBuffer {
    const buffer = this.device.createBuffer({ size: 4 * (values.length + margin), usage: STORAGE });
    const padded = new Int32Array(values.length + margin).fill(CANARY);
    padded.set(values);
    this.device.queue.writeBuffer(buffer, 0, padded);
    return buffer;
  }
}

async function takeWords(copy: GPUBuffer, words: number, what: string): Promise<Int32Array<ArrayBuffer>> {
  await copy.mapAsync(1);
  const all = new Int32Array(copy.getMappedRange().slice(0));
  copy.destroy();
  if (all.subarray(words).some((value) => value !== CANARY)) throw new Error(`${what} was written beyond its end`);
  return all.slice(0, words);
}
