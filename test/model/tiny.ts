/** The smallest models that have every part, and bytes for them. */
import type { HyperParameters } from "../../src/contract/hyper.ts";
import type { State } from "../../src/contract/state.ts";
import { tinyHyper } from "../support/fake-engine.ts";

/** 13,000 shared parameters: a step takes a millisecond. */
export const TINY: HyperParameters = { ...tinyHyper(4), globalHidden: 64, cacheStep: 8 };

/** The same with a recall stream. */
export const TINY_RECALL: HyperParameters = { ...TINY, contexts: 4, slotBits: 10, tables: 2, tableBits: 8 };

/** The last T bytes of each stream, oldest first, B x T. */
export function historyOf({ hyper, recall, step }: State): Uint8Array {
  const { streams, history: T } = hyper;
  return Uint8Array.from({ length: streams * T }, (_, i) => recall.byteBefore(Math.floor(i / T), step, T - (i % T)));
}

const TEXT =
  "We hold these truths to be self-evident, that all men are created equal, that they are endowed by their Creator " +
  "with certain unalienable Rights, that among these are Life, Liberty and the pursuit of Happiness. ";

/** The byte of each stream at one step: the streams read the same text from different places. */
export function textBytes(step: number, streams: number): Uint8Array {
  return Uint8Array.from({ length: streams }, (_, stream) => TEXT.charCodeAt((step + stream * 37) % TEXT.length));
}

/** Bytes without any pattern, the same at every call. */
export function noiseBytes(step: number, streams: number): Uint8Array {
  return Uint8Array.from({ length: streams }, (_, stream) => {
    const mixed = Math.imul((step * 1021 + stream) ^ 0x5bd1e995, 0x9e3779b1);
    return (mixed ^ (mixed >>> 15)) & 255;
  });
}
