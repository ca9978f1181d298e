/**
 * Coder groups: how B streams share a few range-coder streams.
 *
 * A group is a contiguous share of the streams; at each step it codes one byte of each of them, in order. Groups are
 * what workers take, and their number is stored in the archive, so the bytes do not depend on how many workers there
 * are. One coder per stream would cost a tail of bytes per stream instead of per group.
 */
import { type HyperParameters, hasNetwork } from "../contract/hyper.ts";
import type { RangeDecoder, RangeEncoder } from "./range.ts";

/**
 * A group costs a tail of two bytes and its length in the archive, so small inputs should have few. More than this
 * gains nothing: a thread needs several groups' work before it pays (DECODE_STREAMS_PER_THREAD).
 */
const STREAMS_PER_GROUP = 256;
export const GROUPS_MAX = 16;

/** G, the number of coder groups that an encoder chooses for `streams` streams: 1 to 16. */
export function coderGroupsFor(streams: number): number {
  return Math.max(1, Math.min(GROUPS_MAX, Math.floor(streams / STREAMS_PER_GROUP)));
}

/** G of a model: every lane of a mixer has a coder of its own. */
export function groupsFor(hyper: HyperParameters): number {
  return hasNetwork(hyper) ? coderGroupsFor(hyper.streams) : hyper.streams;
}

/** Bytes that are coded or decoded sooner than a thread has started. */
export const LONE_BYTES = 1 << 16;

/** A contiguous share of the streams: first to end - 1. */
export interface StreamShare {
  readonly first: number;
  readonly end: number;
}

/** The streams of group `group` of `groups`; shares differ by at most one stream, and none is empty if G <= B. */
export function shareOfGroup(group: number, groups: number, streams: number): StreamShare {
  return {
    first: Math.floor((group * streams) / groups),
    end: Math.floor(((group + 1) * streams) / groups),
  };
}

/** Every `count`-th group from `index`: each group belongs to exactly one of `count` threads. */
export function ownedGroups(index: number, count: number, groups: number): number[] {
  const owned: number[] = [];
  for (let group = index; group < groups; group += count) owned.push(group);
  return owned;
}

/** @throws RangeError unless 1 <= groups <= streams */
export function checkGroups(groups: number, streams: number): void {
  if (!Number.isInteger(groups) || groups < 1 || groups > streams) {
    throw new RangeError(`${groups} coder groups for ${streams} streams: must be 1 to ${streams}`);
  }
}

/** A chunk of consecutive steps; in its last step only the first `liveInLastStep` streams have a byte. */
interface ChunkShape {
  readonly streams: number;
  readonly steps: number;
  readonly liveInLastStep: number;
}

/** Codes one group's share of a chunk of `intervals` (steps x streams x (start, frequency)). */
export function encodeGroup(
  encoder: RangeEncoder,
  share: StreamShare,
  intervals: Uint32Array,
  { streams, steps, liveInLastStep }: ChunkShape,
): void {
  for (let step = 0; step < steps; step += 1) {
    const end = step === steps - 1 ? Math.min(share.end, liveInLastStep) : share.end;
    encoder.encodeRun(intervals, step * streams + share.first, end - share.first);
  }
}

/**
 * Decodes one group's bytes of one step into bytes[first] to bytes[end - 1]; streams that have ended get 0.
 *
 * @param ends streams x 256 cumulative frequencies
 * @throws CorruptDataError
 */
export function decodeGroup(
  decoder: RangeDecoder,
  share: StreamShare,
  ends: Uint32Array,
  live: number,
  bytes: Uint8Array,
): void {
  const end = Math.min(share.end, live);
  for (let stream = share.first; stream < end; stream += 1) bytes[stream] = decoder.decode(ends, stream * 256);
  if (end < share.end) bytes.fill(0, Math.max(share.first, end), share.end);
}
