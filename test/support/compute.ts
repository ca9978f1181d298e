/** Runs a shader alone, over arrays that it binds in their order: for tests of devices and drivers. */

/** @returns what the last of the arrays is afterwards */
export async function compute(
  device: GPUDevice,
  code: string,
  arrays: readonly Int32Array<ArrayBuffer>[],
  workgroups: number,
  dispatches = 1,
): Promise<ArrayBuffer> {
  const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  const buffers = arrays.map((values) => {
    const buffer = device.createBuffer({ size: values.byteLength, usage: STORAGE | COPY_SRC | COPY_DST });
    device.queue.writeBuffer(buffer, 0, values);
    return buffer;
  });
  const last = buffers.at(-1) as GPUBuffer;
  const staging = device.createBuffer({ size: last.size, usage: MAP_READ | COPY_DST });
  const module = device.createShaderModule({ code });
  const pipeline = device.createComputePipeline({ layout: "auto", compute: { module } });
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
  for (let i = 0; i < dispatches; i++) pass.dispatchWorkgroups(workgroups);
  pass.end();
  encoder.copyBufferToBuffer(last, 0, staging, 0, last.size);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  return staging.getMappedRange().slice(0);
}
