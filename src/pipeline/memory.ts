/**
 * How much memory a frame needs, estimated before anything is allocated. A header of forty bytes can ask for a model of
 * many gigabytes; a machine that swaps or kills the process is no answer to that.
 */
import { REACH } from "../contract/contexts.ts";
import { type HyperParameters, hasNetwork, widthOf } from "../contract/hyper.ts";
import { layoutOf } from "../contract/tensors.ts";
import { lineBytesOf } from "../model/levels.ts";
import { MemoryLimitError } from "./errors.ts";

export { MemoryLimitError } from "./errors.ts";

/** Master weights, two moments and a gradient in 32 bits each, and an int8 copy. */
const BYTES_PER_PARAMETER = 4 * 4 + 1;
/** Values of the network's width that a step keeps per stream, in 32 bits, generously counted. */
const WIDTHS_PER_STREAM = 32;

const MIB = 2 ** 20;

/** Slots of 32 bits, rows of 256 logits of 32 bits, and the past of each stream. */
function recallMemoryBytes({ contexts, slotBits, tables, tableBits, streams }: HyperParameters): number {
  return 4 * contexts * 2 ** slotBits + 4 * tables * 2 ** (tableBits + 8) + streams * REACH;
}

/** Weights, maps and places of a lane, and what its program takes. */
const LANE_BYTES = 10 * MIB;

/** Lines, for each lane. */
function mixerMemoryBytes(hyper: HyperParameters): number {
  return hyper.streams * (lineBytesOf(hyper) * 2 ** hyper.mixerBits + LANE_BYTES);
}

/** Bytes that a model and its working values take, to about a factor of two. */
export function modelMemoryBytes(hyper: HyperParameters): number {
  if (!hasNetwork(hyper)) return mixerMemoryBytes(hyper);
  const { streams, globalHidden, fineHidden, history } = hyper;
  const perStream = 4 * (2 * globalHidden + 6 * fineHidden + WIDTHS_PER_STREAM * widthOf(hyper) + 4 * 256) + history;
  const network = layoutOf(hyper).parameterCount * BYTES_PER_PARAMETER;
  return network + recallMemoryBytes(hyper) + streams * perStream;
}

/** @throws MemoryLimitError if the model and the plain bytes together need more than `limitBytes` */
export function checkMemory(hyper: HyperParameters, plainBytes: number, limitBytes: number): void {
  const neededBytes = modelMemoryBytes(hyper) + plainBytes;
  if (neededBytes > limitBytes) throw new MemoryLimitError(neededBytes, limitBytes);
}
