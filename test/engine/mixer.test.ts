/** The bit mixer's WebAssembly lane against the reference: payloads, whole states, and both give the bytes back. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { histories } from "../../src/contract/histories.ts";
import { mix32 } from "../../src/contract/initial.ts";
import { contextsOf, type Family, type MixerShape, squashTable, stretchTable } from "../../src/contract/mixer.ts";
import { buildMixer } from "../../src/engine/cpu/assembly/mixer/build.ts";
import { MixerReference } from "../../src/engine/reference/mixer.ts";

await buildMixer();
const { MixerLane } = await import("../../src/engine/cpu/mixer/lane.ts");

const GOLDEN = join(import.meta.dir, "..", "golden");
const file = (name: string, bytes: number) => new Uint8Array(readFileSync(join(GOLDEN, name))).slice(0, bytes);
const made = (bytes: number, byte: (i: number) => number) => Uint8Array.from({ length: bytes }, (_, i) => byte(i));

const DATA: Record<string, Uint8Array> = {
  text: file("text.bin", 1600),
  mixed: file("mixed.bin", 1600),
  chance: made(900, mix32),
  zeros: new Uint8Array(1200),
  rows: made(1600, (i) => (i % 12 < 4 ? i / 12 : i % 12 < 6 ? mix32(i) & 3 : i % 12)),
  letters: made(1600, (i) => "ACGT".charCodeAt(mix32(i % 700) & 3)),
};
const SHAPES: readonly [Family, number, number, number, number][] = [
  ["plain", 6, 1, 4, 0],
  ["plain", 10, 8, 8, 0],
  ["plain", 18, 3, 6, 0],
  ["records", 18, 4, 5, 12],
  ["records", 8, 32, 10, 12],
  ["genome", 18, 7, 6, 0],
];

function shapeOf([family, count, streams, lineBits, stride]: (typeof SHAPES)[number]): MixerShape {
  return { contexts: contextsOf(family, count, stride), streams, lineBits, stride, rate: 4194, finalRate: 2000 };
}

const hash = (bytes: ArrayBufferView) =>
  Bun.SHA256.hash(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength), "hex");

/** Hashes of all parts of the state that learning changes. */
function statesOf(lane: InstanceType<typeof MixerLane>, reference: MixerReference) {
  const parts = [
    "maps",
    "mapInputs",
    "masters",
    "copies",
    "finals",
    "order0",
    "matchMap",
    "refine1",
    "refine2",
  ] as const;
  const ofLane = [...parts.map((part) => [part, hash(lane.part(part))]), ["lines", hash(lane.part("lines"))]];
  const ofReference = [...parts.map((part) => [part, hash(reference[part])]), ["lines", hash(reference.lines.bytes)]];
  return [ofLane, ofReference];
}

describe.each(SHAPES)("%s, %d contexts, %d streams, 2^%d lines, stride %d", (...numbers) => {
  const shape = shapeOf(numbers);

  test.each(Object.keys(DATA))("%s: the same payload and state as the reference, and back", (name) => {
    const lane = new MixerLane(shape);
    const reference = new MixerReference(shape);
    const data = DATA[name] as Uint8Array;
    const payload = lane.encode(data);
    expect(hash(payload)).toBe(hash(reference.encode(data.slice())));
    const [ofLane, ofReference] = statesOf(lane, reference);
    expect(ofLane).toEqual(ofReference as string[][]);
    const back = new MixerLane(shape);
    expect(hash(back.decode(payload, data.length))).toBe(hash(data));
    expect(hash(back.part("lines"))).toBe(hash(lane.part("lines")));
  });

  test("what one block taught is there in the next, in both", () => {
    const blocks = [DATA.text, DATA.rows, new Uint8Array(0), new Uint8Array([7]), DATA.text] as Uint8Array[];
    const judge = new MixerReference(shape);
    const encoder = new MixerLane(shape);
    const decoder = new MixerLane(shape);
    const sizes = blocks.map((block) => {
      const payload = encoder.encode(block.slice(0, 900));
      expect(hash(payload)).toBe(hash(judge.encode(block.slice(0, 900))));
      expect(hash(decoder.decode(payload, Math.min(900, block.length)))).toBe(hash(block.slice(0, 900)));
      return payload.length;
    });
    expect(sizes[4] as number).toBeLessThan(sizes[0] as number);
  });
});

test("the reference decodes", () => {
  const shape = shapeOf(["plain", 6, 5, 6, 0]);
  const data = DATA.mixed as Uint8Array;
  const payload = new MixerReference(shape).encode(data.slice());
  expect(hash(new MixerReference(shape).decode(payload, data.length))).toBe(hash(data));
});

test("a damaged payload decodes to other bytes of the same number", () => {
  const shape = shapeOf(["plain", 6, 4, 6, 0]);
  const data = DATA.text as Uint8Array;
  const payload = new MixerLane(shape).encode(data);
  for (let i = 0; i < 20; i++) {
    const damaged = payload.slice(0, mix32(i) % payload.length);
    if (damaged.length > 0) damaged[mix32(i + 99) % damaged.length]! ^= 1 + (i & 127);
    expect(new MixerLane(shape).decode(damaged, data.length).length).toBe(data.length);
  }
});

test("chance costs less than 0.5 % more than it is long", () => {
  const shape = shapeOf(["plain", 10, 8, 12, 0]);
  const data = made(100_000, mix32);
  expect(new MixerLane(shape).encode(data).length).toBeLessThan(100_500);
});

test("tables: log odds and probabilities belong together, states stay within a byte", () => {
  const squash = squashTable();
  const stretch = stretchTable(squash);
  expect([squash[4096], squash[4096 + 256], squash[4096 - 256], squash[8192], squash[0]]).toEqual([
    32768, 47911, 17625, 65535, 1,
  ]);
  for (const [k, x] of stretch.entries()) {
    const least = 16 * k + 8;
    const isLeast = (squash[4096 + x] as number) >= least && (squash[4095 + x] as number) < least;
    expect(isLeast || Math.abs(x) === 2047).toBe(true);
  }
  const { count, next, total } = histories();
  expect([count, next.length, Math.max(...next), total[0]]).toEqual([123, 246, 122, 0]);
});
