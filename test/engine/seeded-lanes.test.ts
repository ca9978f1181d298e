/** Lanes that wait for the next file: which are made again of their copies, and that memory bounds how many wait. */
import { afterEach, expect, test } from "bun:test";
import type { LanePrior } from "../../src/contract/prior.ts";
import { MixerLane } from "../../src/engine/mixer/lane.ts";
import { leaveLane, takeLane } from "../../src/engine/mixer/seeded-lanes.ts";
import { keepLanesWithin } from "../../src/platform/idle-room.ts";

const CONTEXTS = 4;
const bytes = (text: string) => new TextEncoder().encode(text.repeat(9));
const priorOf = (text: string): LanePrior => ({ contexts: CONTEXTS, stride: 0, content: bytes(text) });
const PLAIN = bytes("what stands in a file, and what stands in another one");

/** Codes a file behind the prior. @returns the lane, and its payload */
function used(prior: LanePrior, lineBits: number) {
  const seeded = takeLane(prior, { contexts: CONTEXTS, lineBits });
  seeded.lane.begin();
  seeded.lane.encode(PLAIN);
  const payload = seeded.lane.finishEncoding();
  leaveLane(seeded);
  return { lane: seeded.lane, payload };
}

function fresh(prior: LanePrior, lineBits: number): Uint8Array {
  const lane = new MixerLane({ contexts: CONTEXTS, lineBits });
  lane.seed(prior);
  lane.begin();
  lane.encode(PLAIN);
  return lane.finishEncoding();
}

afterEach(() => keepLanesWithin(Number.POSITIVE_INFINITY));

test("from the second file on, lanes of several priors and sizes wait beside each other, and are as new ones", () => {
  const wanted = ["one file", "another"].flatMap((text) =>
    [8, 9].map((lineBits) => [priorOf(text), lineBits] as const),
  );
  const firsts = wanted.map((each) => used(...each).lane);
  const seconds = wanted.map((each) => used(...each).lane);
  for (const [i, first] of firsts.entries()) expect(seconds[i]).not.toBe(first);
  for (const [i, [prior, lineBits]] of wanted.entries()) {
    const { lane, payload } = used(prior, lineBits);
    expect(lane).toBe(seconds[i] as InstanceType<typeof MixerLane>);
    expect(payload).toEqual(fresh(prior, lineBits));
  }
});

test("where there is no memory to spare, only the last one waits", () => {
  const [one, other] = [priorOf("one file"), priorOf("another")];
  keepLanesWithin(-1);
  used(one, 8);
  const { lane } = used(one, 8);
  expect(used(one, 8).lane).toBe(lane);
  expect(used(other, 8).lane).not.toBe(lane);
  expect(used(one, 8).lane).not.toBe(lane);
});

test("those that were used last wait, as many as there is room for", () => {
  const priors = ["a", "b", "c"].map((text) => priorOf(`file ${text}`));
  for (const prior of priors) used(prior, 8);
  const [first, second, third] = priors.map((prior) => used(prior, 8).lane);
  keepLanesWithin(4.5 * (first?.memoryBytes ?? 0));
  const [a, b, c] = priors as [LanePrior, LanePrior, LanePrior];
  // Two wait beside the one at work.
  expect(used(c, 8).lane).toBe(third as InstanceType<typeof MixerLane>);
  expect(used(b, 8).lane).toBe(second as InstanceType<typeof MixerLane>);
  expect(used(a, 8).lane).not.toBe(first as InstanceType<typeof MixerLane>);
});
