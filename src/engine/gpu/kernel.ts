/**
 * From a shader's text to a dispatch that can be recorded again and again.
 *
 * A kernel's own text says what it binds, so this file reads the bindings from it and matches buffers by name: no bind
 * group or layout is written by hand anywhere. Numbers become a generated header of `const` lines; those that the text
 * calls `model.NAME` become fields of a uniform, with their values in a buffer. That is how texts name all that follows
 * from the number of streams or the size of a memory: a pipeline is compiled once per text, which takes seconds, and
 * then serves models of all such sizes.
 */
import { CONSTANTS } from "../../contract/constants.ts";
import type { Slice } from "./arena.ts";
import { type KernelName, LIBRARIES, type LibraryName, shaderText } from "./shaders.ts";

/** One binding as the shader declares it. */
interface Binding {
  readonly index: number;
  readonly access: "read" | "read_write";
  readonly name: string;
}

const BINDING = /@group\(0\) @binding\((\d+)\) var<storage, (read|read_write)> (\w+)/g;

/** The storage bindings of a shader, in the order of its text. */
export function bindingsOf(source: string): Binding[] {
  return [...source.matchAll(BINDING)].map((match) => ({
    index: Number(match[1]),
    access: match[2] as Binding["access"],
    name: match[3] as string,
  }));
}

/** Numbers for a kernel's generated header; arrays become arrays of i32. */
export type Constants = Readonly<Record<string, number | readonly number[]>>;

/** The uniform's binding, behind those of all storage buffers. */
const MODEL_BINDING = 15;

const withoutComments = (text: string) => text.replaceAll(/\/\/.*/g, "");

/** What a text calls `model.NAME`, each once, in an order that depends on nothing else. */
export function modelFieldsOf(text: string): string[] {
  const names = [...withoutComments(text).matchAll(/\bmodel\.(\w+)/g)].map(([, name]) => name as string);
  return [...new Set(names)].sort();
}

/** The uniform's declaration; nothing if the text needs none. */
function modelHeader(fields: readonly string[]): string[] {
  if (fields.length === 0) return [];
  const members = fields.map((name) => `  ${name}: u32,`);
  return ["struct Model {", ...members, "}", `@group(0) @binding(${MODEL_BINDING}) var<uniform> model: Model;`];
}

/** Constants that a text uses: others would tell texts apart that do the same. */
function header(constants: Constants, text: string): string[] {
  const words = new Set(withoutComments(text).match(/(?<!\bmodel\.)\b[A-Z]\w*/g));
  const line = ([name, value]: [string, number | readonly number[]]) =>
    typeof value === "number"
      ? `const ${name} = ${value};`
      : `const ${name} = array<i32, ${value.length}>(${value.join(", ")});`;
  return Object.entries(constants)
    .filter(([name]) => words.has(name))
    .map(line);
}

/** Whether a kernel calls a function of a library. */
function uses(own: string, library: string): boolean {
  return [...library.matchAll(/^fn (\w+)/gm)].some(([, name]) => new RegExp(`\\b${name}\\(`).test(own));
}

/** Whether eight invocations of a subgroup load words together; else each loads its own. */
const loadsTogether = ({ TOGETHER }: Constants) => TOGETHER === 8;

/** Whether several invocations of a fused kernel work on a stream. */
const sharesStreams = ({ LANES, TILE }: Constants) =>
  typeof LANES === "number" && typeof TILE === "number" && LANES > TILE;

/** Pairs of libraries with the same functions, of which constants choose the second or the first. */
const CHOICES: readonly (readonly [LibraryName, LibraryName, (constants: Constants) => boolean])[] = [
  ["eightApart", "eightTogether", loadsTogether],
  ["forwardApart", "forwardShared", sharesStreams],
  ["backwardApart", "backwardShared", sharesStreams],
  ["decodeAlone", "decodeTogether", ({ LANES }) => LANES !== 1],
  ["mixerNoCounters", "mixerCounters", ({ HAS_COUNTERS }) => HAS_COUNTERS === 1],
  ["mixerNoTallies", "mixerTallies", ({ HAS_TALLIES }) => HAS_TALLIES === 1],
  ["mixerRowsWithin", "mixerRowsApart", ({ ROWS_APART }) => ROWS_APART === 1],
];

/** The libraries that a kernel needs: those whose functions it calls, and those that these need. */
function librariesFor(own: string, constants: Constants): string[] {
  const left = CHOICES.map(([first, second, takesSecond]) => (takesSecond(constants) ? first : second));
  const { prelude, ...others } = LIBRARIES;
  const all = Object.entries(others).flatMap(([name, text]) => (left.includes(name as LibraryName) ? [] : [text]));
  let needed: string[] = [];
  for (;;) {
    const text = [own, ...needed].join("\n");
    const more = all.filter((library) => needed.includes(library) || uses(text, library));
    if (more.length === needed.length) return [prelude, ...more];
    needed = more;
  }
}

/** Kernels that use subgroups say themselves why all of a subgroup come there; the compiler cannot see it. */
const SUBGROUPS = "enable subgroups;\ndiagnostic(off, subgroup_uniformity);";

/** The complete text of a kernel: constants, the contract's and its own, uniform, prelude, libraries, the kernel. */
export function kernelSource(name: KernelName, constants: Constants): string {
  const own = shaderText(name);
  const libraries = librariesFor(own, constants);
  const directives = libraries.includes(LIBRARIES.eightTogether) ? [SUBGROUPS] : [];
  const text = [...libraries, own].join("\n");
  const consts = header({ ...CONSTANTS, ...constants }, text);
  return [...directives, ...consts, ...modelHeader(modelFieldsOf(text)), text].join("\n");
}

/** What a binding may be bound to. */
export type Bindable = GPUBuffer | Slice;

const isSlice = (bound: Bindable): bound is Slice => "isShared" in bound;

/**
 * The text in which parts of one buffer are all declared as written: WebGPU refuses a dispatch that binds a buffer for
 * reading in one place and for writing in another, even if the parts are apart.
 */
function sharedSource(source: string, bindings: readonly Binding[]): string {
  const names = bindings.filter(({ access }) => access === "read_write").map(({ name }) => name);
  return source.replace(BINDING, (text, _index, access, name: string) =>
    access === "read" && names.includes(name) ? text.replace("var<storage, read>", "var<storage, read_write>") : text,
  );
}

/** A kernel bound to its buffers, ready to be recorded. */
export interface Dispatch {
  readonly name: KernelName;
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly workgroups: readonly [number, number, number];
}

/** What another bind group can be made of. */
export interface BoundDispatch extends Dispatch {
  readonly bindings: readonly Binding[];
  readonly buffers: Readonly<Record<string, Bindable>>;
  /** What its text calls `model`; undefined if it needs nothing of it. */
  readonly model: GPUBuffer | undefined;
}

/** A shader that the device's compiler refused: a defect of fade, with the compiler's words. */
export class ShaderError extends Error {
  constructor(
    readonly kernel: KernelName,
    readonly reason: string,
  ) {
    super(`shader ${kernel} does not compile on this device: ${reason}`);
    this.name = "ShaderError";
  }
}

/**
 * What was compiled on each device, by its text: the next model of a shape finds it all. A text takes a driver up to
 * seconds, and its pipeline some kilobytes, so none is forgotten before its device.
 */
const pipelinesOf = new WeakMap<GPUDevice, Map<string, Promise<GPUComputePipeline>>>();

const UNIFORM_AND_COPY_TARGET = 0x40 | 0x08;

/** Compiles kernels for one device, each text once, and binds them for one model. */
export class KernelCompiler {
  readonly #pipelines: Map<string, Promise<GPUComputePipeline>>;
  /** The uniforms of its dispatches, by their values: some have them in common. */
  readonly #models = new Map<string, GPUBuffer>();

  /** @param shared constants that every kernel of the model sees */
  constructor(
    readonly device: GPUDevice,
    readonly shared: Constants,
  ) {
    this.#pipelines = pipelinesOf.get(device) ?? new Map();
    pipelinesOf.set(device, this.#pipelines);
  }

  /**
   * Compiles a kernel and binds its buffers by the names of its bindings.
   * @throws ShaderError if the compiler refuses it, Error if a buffer or a number is missing (a programmer's error)
   */
  async bind(
    name: KernelName,
    constants: Constants,
    buffers: Readonly<Record<string, Bindable>>,
    workgroups: readonly [number, number, number],
  ): Promise<BoundDispatch> {
    const numbers = { ...this.shared, ...constants };
    const text = kernelSource(name, numbers);
    const bindings = bindingsOf(text).map((binding) => {
      const bindable = buffers[binding.name];
      const isShared = bindable !== undefined && isSlice(bindable) && bindable.isShared;
      return isShared ? { ...binding, access: "read_write" as const } : binding;
    });
    const source = sharedSource(text, bindings);
    const model = this.#modelOf(name, modelFieldsOf(text), numbers);
    const pipeline = await this.#pipeline(name, source, bindings, model !== undefined);
    const unbound = { name, pipeline, bindings, buffers, model, workgroups };
    return { ...unbound, bindGroup: this.#bindGroup(unbound) };
  }

  /** The same dispatch of other buffers. @param named those that change */
  rebind(dispatch: BoundDispatch, named: Readonly<Record<string, Bindable>>): BoundDispatch {
    const rebound = { ...dispatch, buffers: { ...dispatch.buffers, ...named } };
    return { ...rebound, bindGroup: this.#bindGroup(rebound) };
  }

  /** A uniform with the numbers of these names. @throws Error if one is missing */
  #modelOf(kernel: KernelName, fields: readonly string[], numbers: Constants): GPUBuffer | undefined {
    if (fields.length === 0) return undefined;
    const values = fields.map((field) => {
      const value = numbers[field];
      if (typeof value !== "number") throw new Error(`kernel ${kernel} has no number for model.${field}`);
      return value;
    });
    const key = values.join();
    const known = this.#models.get(key);
    if (known !== undefined) return known;
    const words = Uint32Array.from([...values, 0, 0, 0].slice(0, 4 * Math.ceil(values.length / 4)));
    const buffer = this.device.createBuffer({ label: "model", size: words.byteLength, usage: UNIFORM_AND_COPY_TARGET });
    this.device.queue.writeBuffer(buffer, 0, words);
    this.#models.set(key, buffer);
    return buffer;
  }

  /** @throws Error if a buffer is missing */
  #bindGroup({ name, pipeline, bindings, buffers, model }: Omit<BoundDispatch, "bindGroup">): GPUBindGroup {
    const entries: GPUBindGroupEntry[] = bindings.map((binding) => {
      const bindable = buffers[binding.name];
      if (bindable === undefined) throw new Error(`kernel ${name} has no buffer for its binding ${binding.name}`);
      const resource = isSlice(bindable)
        ? { buffer: bindable.buffer, offset: bindable.offset, size: bindable.size }
        : { buffer: bindable };
      return { binding: binding.index, resource };
    });
    if (model !== undefined) entries.push({ binding: MODEL_BINDING, resource: { buffer: model } });
    return this.device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  }

  #pipeline(
    name: KernelName,
    source: string,
    bindings: readonly Binding[],
    hasModel: boolean,
  ): Promise<GPUComputePipeline> {
    const known = this.#pipelines.get(source);
    if (known !== undefined) return known;
    const compiled = this.#compile(name, source, bindings, hasModel);
    this.#pipelines.set(source, compiled);
    return compiled;
  }

  async #compile(
    name: KernelName,
    source: string,
    bindings: readonly Binding[],
    hasModel: boolean,
  ): Promise<GPUComputePipeline> {
    const { device } = this;
    const visibility = 4; // GPUShaderStage.COMPUTE
    const storage = bindings.map(({ index, access }) => {
      const type = access === "read" ? ("read-only-storage" as const) : ("storage" as const);
      return { binding: index, visibility, buffer: { type } };
    });
    const uniforms = hasModel ? [{ binding: MODEL_BINDING, visibility, buffer: { type: "uniform" as const } }] : [];
    const layout = device.createBindGroupLayout({ entries: [...storage, ...uniforms] });
    device.pushErrorScope("validation");
    const module = device.createShaderModule({ label: name, code: source });
    const refused = await device.popErrorScope();
    if (refused !== null) throw new ShaderError(name, refused.message);
    return device.createComputePipelineAsync({
      label: name,
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: "main" },
    });
  }

  /** Frees what its dispatches were told; what was compiled stays. */
  destroy(): void {
    for (const buffer of this.#models.values()) buffer.destroy();
  }
}

/** Most workgroups that one dimension of a dispatch may have on every device. */
const DIMENSION_MAX = 65535;

/** Workgroups for a flat list of `count` groups, folded into two dimensions (see flat_group in the prelude). */
export function flatGroups(count: number): readonly [number, number, number] {
  if (count <= DIMENSION_MAX) return [count, 1, 1];
  const rows = Math.ceil(count / DIMENSION_MAX);
  return [Math.ceil(count / rows), rows, 1];
}

/** Workgroups of 64 invocations for `count` elements. */
export function elementGroups(count: number): readonly [number, number, number] {
  return flatGroups(Math.ceil(count / 64));
}

/** Records dispatches into a pass, in order; each sees what the ones before it wrote. */
export function record(pass: GPUComputePassEncoder, dispatches: readonly Dispatch[]): void {
  for (const dispatch of dispatches) {
    pass.setPipeline(dispatch.pipeline);
    pass.setBindGroup(0, dispatch.bindGroup);
    pass.dispatchWorkgroups(...dispatch.workgroups);
  }
}
