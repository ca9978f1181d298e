/**
 * Every text that the GPU engine can give to a compiler, in all of its shapes: with and without recall, each way that a
 * step can go, decoders, mixers with and without counters, behind tallies and not. No GPU is needed: the engine makes
 * them for a device that runs nothing.
 */
import { planDevice } from "../../src/bench/plan-device.ts";
import type { HyperParameters } from "../../src/contract/hyper.ts";
import { ModelBuffers, sharedConstants } from "../../src/engine/gpu/buffers.ts";
import { GpuDecoder } from "../../src/engine/gpu/decoder.ts";
import type { TileSize } from "../../src/engine/gpu/fused-plan.ts";
import { KernelCompiler, kernelSource } from "../../src/engine/gpu/kernel.ts";
import { mixerConstants } from "../../src/engine/gpu/mixer-layout.ts";
import {
  HARDWARE_DECODE_LANES,
  HARDWARE_MIXER_LANES,
  HARDWARE_TILE,
  SOFTWARE_DECODE_LANES,
  SOFTWARE_MIXER_LANES,
  SOFTWARE_TILE,
  TOGETHER_TILE,
} from "../../src/engine/gpu/path.ts";
import { buildStep } from "../../src/engine/gpu/step.ts";
import { networkShape, PAPER } from "../../src/model/levels.ts";

export interface ShaderText {
  readonly kernel: string;
  readonly text: string;
}

/** So many that rows are cut into slices. */
const STREAMS = 70;
const CHUNK_STEPS = 16;
const SHAPES: readonly HyperParameters[] = [
  { ...networkShape(1), streams: STREAMS },
  { ...networkShape(9), streams: STREAMS },
  { ...networkShape(5), contexts: 0, tables: 0, streams: STREAMS },
];
const TILES: readonly (TileSize | undefined)[] = [undefined, HARDWARE_TILE, SOFTWARE_TILE, TOGETHER_TILE];

async function networkTexts(hyper: HyperParameters, tile: TileSize | undefined): Promise<ShaderText[]> {
  const texts: ShaderText[] = [];
  const device = planDevice(undefined, (kernel, text) => texts.push({ kernel, text }));
  const buffers = new ModelBuffers(device, hyper, CHUNK_STEPS);
  const compiler = new KernelCompiler(device, sharedConstants(hyper, buffers.layout, buffers.pastRows));
  await buildStep(compiler, buffers, tile);
  for (const lanes of [SOFTWARE_DECODE_LANES, HARDWARE_DECODE_LANES]) {
    await new GpuDecoder(device, buffers, lanes, compiler).open([new Uint8Array(8)]);
  }
  return texts;
}

function mixerTexts(): ShaderText[] {
  const either = [false, true];
  const kinds = [SOFTWARE_MIXER_LANES, HARDWARE_MIXER_LANES].flatMap((lanes) =>
    [0, 8].flatMap((counters) =>
      either.flatMap((isApart) => either.map((isTallied) => mixerConstants(lanes, counters, isApart, isTallied))),
    ),
  );
  return kinds.map((constants) => ({ kernel: "mixer", text: kernelSource("mixer", constants) }));
}

/** Each once. */
export async function allShaderTexts(): Promise<readonly ShaderText[]> {
  const texts: ShaderText[] = [];
  for (const hyper of SHAPES) for (const tile of TILES) texts.push(...(await networkTexts(hyper, tile)));
  texts.push(...(await networkTexts({ ...PAPER, streams: STREAMS }, undefined)), ...mixerTexts());
  for (const TOGETHER of [1, 8]) {
    texts.push({ kernel: "probe_together", text: kernelSource("probe_together", { LANES: 8, TOGETHER }) });
  }
  return [...new Map(texts.map((each) => [each.text, each])).values()];
}
