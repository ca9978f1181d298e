/**
 * A device that is none: it takes what the GPU engine makes for a model, buffers, texts of shaders, dispatches, and
 * runs nothing. So what a GPU would be told can be counted (gpu-plan.ts) and its shaders be read by other compilers, on
 * machines that have no GPU.
 */

export interface PlanLimits {
  readonly storageBuffers: number;
  readonly bindingBytes: number;
}

/** Of the H100 that docs/PERFORMANCE.md has figures of. */
export const HARDWARE_LIMITS: PlanLimits = { storageBuffers: 16, bindingBytes: 2 ** 31 - 4 };

/** What every kernel's text is given to, with its name. */
type TextListener = (kernel: string, text: string) => void;

const nothing = () => {};

/** An object of some calls that do nothing. */
const idle = (...calls: readonly string[]) => Object.fromEntries(calls.map((call) => [call, nothing]));

/** As much of WebGPU's device as a model and a mixer need until the first step. */
export function planDevice(
  { storageBuffers, bindingBytes }: PlanLimits = HARDWARE_LIMITS,
  onText: TextListener = nothing,
): GPUDevice {
  const device = {
    limits: {
      maxStorageBuffersPerShaderStage: storageBuffers,
      maxStorageBufferBindingSize: bindingBytes,
      maxBufferSize: bindingBytes,
      maxComputeInvocationsPerWorkgroup: 256,
    },
    features: new Set<string>(),
    lost: new Promise(nothing),
    queue: idle("writeBuffer", "submit"),
    ...idle("addEventListener", "pushErrorScope", "destroy", "createBindGroupLayout", "createPipelineLayout"),
    popErrorScope: async () => null,
    createBuffer: ({ size, label = "" }: GPUBufferDescriptor) => ({ size, label, ...idle("destroy") }),
    createBindGroup: () => ({}),
    createShaderModule: ({ label = "", code }: GPUShaderModuleDescriptor) => onText(label, code),
    createComputePipelineAsync: async () => ({ getBindGroupLayout: nothing }),
    createCommandEncoder: () => idle("copyBufferToBuffer", "clearBuffer", "finish"),
  };
  // Who calls what is not here has found a part of the engine that a plan does not reach.
  return device as unknown as GPUDevice;
}
