/** What a frame's compressor knows of a block on its way, and what it makes of it in the end. */
import type { Fill, PlainBlock } from "../archive/format.ts";
import type { FoundNumbers } from "./numbers.ts";
import type { Cut } from "./repeats.ts";

/** What is known of a block before the model has seen it. */
export interface BlockPlan {
  readonly isLast: boolean;
  /** Whether it is for a small frame. */
  readonly isSmall?: boolean;
  /** Whether it looks like chance. */
  readonly isChance: boolean;
  /** Where numbers stand. */
  readonly numbers: readonly FoundNumbers[];
  readonly cut?: Cut;
  readonly fills?: readonly Fill[];
  /** Of the plain bytes, with what fills give. */
  readonly check: bigint;
  /** What a coded block must save to be smaller than a stored one. */
  readonly gainMin: number;
}

/** What a model is shown of a block. */
export interface ShownBytes {
  readonly bytes: Uint8Array;
  /** The coded list of stretches that are predicted, if there are any. */
  readonly stretches?: Uint8Array;
  /** The stride, if predictors know it. */
  readonly stride?: number;
}

export function plainBlock(
  kind: "stored" | "learned",
  plain: Uint8Array,
  facts: BlockPlan,
  stride = 0,
  shown: ShownBytes = { bytes: facts.cut?.rest ?? plain },
): PlainBlock {
  return { kind, ...factsOf(plain, facts, stride, shown), payload: shown.bytes };
}

export function factsOf(
  plain: Uint8Array,
  { cut, fills, check }: BlockPlan,
  stride: number,
  { stretches }: ShownBytes,
) {
  const facts = { plainBytes: plain.length, check, ...(fills && { fills }), ...(stretches && { stretches }) };
  return { ...facts, ...(cut && { copies: cut.copies }), ...(stride > 0 && { stride }) };
}
