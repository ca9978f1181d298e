/**
 * A compiler that remembers what each dispatch was bound to: the list of a step's kernels is what the engine itself
 * binds, so that nothing has to be kept up to date by hand and nothing is forgotten.
 */
import {
  type Bindable,
  type BoundDispatch,
  bindingsOf,
  type Constants,
  type Dispatch,
  KernelCompiler,
} from "../engine/gpu/kernel.ts";
import { type KernelName, shaderText } from "../engine/gpu/shaders.ts";
import type { BoundCall } from "./kernel-work.ts";

export class WatchedCompiler extends KernelCompiler {
  readonly calls = new Map<Dispatch, BoundCall>();

  override async bind(
    name: KernelName,
    constants: Constants,
    buffers: Readonly<Record<string, Bindable>>,
    workgroups: readonly [number, number, number],
  ): Promise<BoundDispatch> {
    const dispatch = await super.bind(name, constants, buffers, workgroups);
    const bindings = bindingsOf(shaderText(name)).map((binding) => ({
      name: binding.name,
      access: binding.access,
      sizeBytes: buffers[binding.name]?.size ?? 0,
    }));
    this.calls.set(dispatch, { kernel: name, constants: { ...this.shared, ...constants }, bindings, workgroups });
    return dispatch;
  }
}
