/**
 * The multiply-adds of a whole step, from the model's layout: they do not depend on how an engine cuts the step into
 * kernels, so a step can be held against the peak even where its kernels have no case.
 */
import type { HyperParameters } from "../contract/hyper.ts";
import { layoutOf } from "../contract/tensors.ts";

/** Matrices of the coarse refiner see each stream twice: once for each of its branches. */
const TWICE = new Set(["down", "up", "gate", "memory"]);
/** Forward, the gradient of the inputs, the gradient of the weights. */
const PRODUCTS = 3;

export function multiplyAddsOfStep(hyper: HyperParameters): number {
  let products = 0;
  let unused = 0;
  for (const { name, kind, size } of layoutOf(hyper).tensors) {
    const rows = TWICE.has(name) ? 2 : 1;
    if (kind === "matrix") products += size * rows * hyper.streams;
    // Of the cache's gradient only the newest slot goes anywhere.
    if (name === "global")
      unused = (size * hyper.streams * (hyper.globalHidden - hyper.cacheStep)) / hyper.globalHidden;
    // One matrix for each stream: its size has the streams in it.
    if (kind === "streamMatrix") products += size * rows;
  }
  return PRODUCTS * products - unused;
}
