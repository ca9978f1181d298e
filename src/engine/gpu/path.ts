/**
 * Which of the two ways a model's step takes: a kernel to a box, some hundred dispatches, or fused kernels, seven of
 * them; and how many invocations decode. All ways give the same bits, so the choice is about speed and about what a
 * device can bind.
 */
import { MATRIX_NAMES } from "../../contract/network.ts";
import type { ModelBuffers } from "./buffers.ts";
import type { GpuDevice } from "./device.ts";
import type { TileSize } from "./fused-plan.ts";
import { canLoadTogether } from "./together.ts";
import { FUSED_WEIGHTS_MAX } from "./weights-plan.ts";

export interface PathFacts {
  /** What the device allows. */
  readonly storageBuffers: number;
  readonly bindingBytes: number;
  readonly invocations: number;
  /** A driver that runs shaders on the CPU. */
  readonly isSoftware: boolean;
  /** Eight invocations can load words together: together.ts. */
  readonly loadsTogether: boolean;
  /** What the model needs; undefined if its arena does not fit into one buffer. */
  readonly arenaBytes: number | undefined;
  /** Weights of all matrices that streams share. */
  readonly sharedWeights: number;
}

/** Storage buffers of a stage that fused kernels bind. */
export const FUSED_BUFFERS = 10;
/** On the CPU barriers are dear, so that invocations have two streams each to themselves, and need none. */
export const SOFTWARE_TILE: TileSize = { streams: 16, lanes: 8, together: 1 };
/** The same with the loads of weights shared: a step takes half as long on lavapipe (docs/GPU.md). */
export const TOGETHER_TILE: TileSize = { ...SOFTWARE_TILE, together: 8 };
/**
 * Thirty-two invocations to a stream, and a tile to each multiprocessor of a large GPU from some hundred streams on: an
 * invocation waits for what it loads, so each should load little (docs/GPU.md).
 */
export const HARDWARE_TILE: TileSize = { streams: 4, lanes: 128, together: 1 };

/** The tile of the fused kernels, or undefined for a kernel to a box. */
export function fusedTile(facts: PathFacts): TileSize | undefined {
  const { arenaBytes, isSoftware, loadsTogether } = facts;
  if (arenaBytes === undefined || arenaBytes > facts.bindingBytes) return undefined;
  if (facts.storageBuffers < FUSED_BUFFERS || facts.sharedWeights > FUSED_WEIGHTS_MAX) return undefined;
  const software = loadsTogether ? TOGETHER_TILE : SOFTWARE_TILE;
  const tile = isSoftware ? software : HARDWARE_TILE;
  return tile.lanes <= facts.invocations ? tile : undefined;
}

/** The same for a model on a device. */
export async function tileFor(gpu: GpuDevice, { layout, arena }: ModelBuffers): Promise<TileSize | undefined> {
  const { device, isSoftware } = gpu;
  return fusedTile({
    storageBuffers: device.limits.maxStorageBuffersPerShaderStage,
    bindingBytes: device.limits.maxStorageBufferBindingSize,
    invocations: device.limits.maxComputeInvocationsPerWorkgroup,
    isSoftware,
    loadsTogether: isSoftware && (await canLoadTogether(gpu.device)),
    arenaBytes: arena && 4 * arena.words,
    sharedWeights: MATRIX_NAMES.reduce((sum, name) => sum + layout.byName[name].size, 0),
  });
}

/** Invocations of a coder group: on the CPU one, which needs no barriers. */
export const SOFTWARE_DECODE_LANES = 1;
/** As many as bring the frequencies of eight streams in 32 loads each: a guess. */
export const HARDWARE_DECODE_LANES = 64;

/**
 * Who decodes: the host's coder, or the device, with so many invocations to a coder group. It is always the device: on
 * software adapters it is faster where steps are short, since nobody waits for a round trip a step, and as fast where
 * they are long (docs/GPU.md). On hardware that is a guess; scripts/gpu-report.ts times both ways.
 */
export function decoderFor(isSoftware: boolean): "host" | number {
  return isSoftware ? SOFTWARE_DECODE_LANES : HARDWARE_DECODE_LANES;
}

/**
 * Invocations to a lane of the bit mixer. On hardware a subgroup of most devices, so that a barrier costs next to
 * nothing, and a word of each weight set to an invocation. On the CPU as many as a vector holds.
 */
export const HARDWARE_MIXER_LANES = 32;
export const SOFTWARE_MIXER_LANES = 8;

export function mixerLanes(isSoftware: boolean): number {
  return isSoftware ? SOFTWARE_MIXER_LANES : HARDWARE_MIXER_LANES;
}
