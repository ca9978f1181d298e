/** Blocks whose repeats are cut out, through the whole pipeline: every kind of block, windows, sizes, memory. */
import { describe, expect, test } from "bun:test";
import { type CompressOptions, sourceOf } from "../../src/pipeline/frames.ts";
import { MemoryLimitError } from "../../src/pipeline/memory.ts";
import { release } from "../../src/platform/release.ts";
import { MIXER_POLICY } from "../../src/repeats/policy.ts";
import { joined, noise } from "../support/bytes.ts";
import { FakeEngine, tinyHyper } from "../support/fake-engine.ts";
import { Random } from "../support/gpu-values.ts";
import { archiveOf, plainOf, readArchive } from "../support/in-memory.ts";
import { fileOf, listFrames } from "../support/listing.ts";
import { trainingBytes } from "../support/text.ts";

/** Bytes that order-0 counts can halve, and in which nothing comes again. */
function soft(seed: number, count: number): Uint8Array {
  const random = new Random(seed);
  return Uint8Array.from({ length: count }, () => random.next() % 12);
}

const hard = (seed: number, count: number) => noise(count, seed);

interface Result {
  readonly archive: Uint8Array;
  /** Of each block: its kind, and how long its rest is if it has copies. */
  readonly blocks: string[];
}

async function compress(
  plain: Uint8Array,
  options: Partial<CompressOptions> = {},
  isSizeKnown = true,
): Promise<Result> {
  const engine = new FakeEngine();
  // As from a file: what was freed is gone.
  const source = sourceOf(plain, isSizeKnown);
  const read = async (count: number) => (await source.read(count)).slice();
  const all = { blockBytes: Math.max(1, plain.length), ...options };
  const archive = await archiveOf({ ...source, read, free: release }, all, engine);
  expect(engine.openModels).toBe(0);
  const blocks = (await readArchive(archive)).flatMap((frame) =>
    frame.blocks.map(({ kind, copies }) => (copies ? `${kind} ${copies.restBytes}` : kind)),
  );
  return { archive, blocks };
}

/** Compresses with and without a known size, restores both, and gives the first. */
async function roundTrip(plain: Uint8Array, options: Partial<CompressOptions>): Promise<Result> {
  const known = await compress(plain, options);
  const unknown = await compress(plain, options, false);
  for (const { archive } of [known, unknown]) {
    expect(Buffer.compare(await plainOf(archive), plain)).toBe(0);
    const [frame] = await listFrames(fileOf(archive));
    expect(frame?.plainBytes).toBe(plain.length);
    const cutKinds = (await readArchive(archive))[0]?.blocks.map(
      ({ kind, copies }) => `${kind} ${copies !== undefined}`,
    );
    expect(frame?.blocks.map(({ kind, isCut = false }) => `${kind} ${isCut}`)).toEqual(cutKinds ?? []);
  }
  return known;
}

const repeats = { timeUnits: 0 };
const from16 = { timeUnits: 0, minLength: 16 };

describe("one block", () => {
  test("the model sees the rest, and its streams follow from it", async () => {
    const text = soft(1, 5000);
    const asked: number[] = [];
    const hyperFor = (bytes: number) => {
      asked.push(bytes);
      return tinyHyper(4);
    };
    const { blocks, archive } = await roundTrip(joined(text, text, text), { repeats, hyperFor });
    expect(blocks).toEqual(["coded 5000"]);
    expect(asked[0]).toBe(5000);
    const { archive: alone } = await compress(text);
    expect(archive.length).toBeLessThan(alone.length + 40);
  });

  test("noise that comes again is stored once", async () => {
    const chance = hard(2, 10_000);
    const { blocks, archive } = await roundTrip(joined(chance, chance), { repeats });
    expect(blocks).toEqual(["stored 10000"]);
    expect(archive.length).toBeLessThan(10_100);
  });

  test("a run takes next to nothing", async () => {
    // Of a pattern that is too long for a fill.
    const pattern = hard(4, 5000);
    const { blocks, archive } = await roundTrip(joined(...Array.from({ length: 60 }, () => pattern)), { repeats });
    expect(blocks).toEqual(["stored 5000"]);
    expect(archive.length).toBeLessThan(5080);
  });

  test("without repeats, without a policy, or too short: as ever", async () => {
    const text = soft(3, 5000);
    expect((await roundTrip(text, { repeats })).archive).toEqual((await compress(text)).archive);
    expect((await roundTrip(joined(text, text), {})).blocks).toEqual(["coded"]);
    const short = joined(text.subarray(0, 60), text.subarray(0, 60));
    expect((await roundTrip(short, { repeats: from16 })).blocks[0]).not.toInclude(" ");
    for (let size = 0; size < 40; size += 1) await roundTrip(new Uint8Array(size), { repeats: from16 });
  });

  test("progress speaks of plain bytes", async () => {
    const text = soft(1, 5000);
    const seen: number[] = [];
    const onProgress = ({ bytesDone }: { bytesDone: number }) => void seen.push(bytesDone);
    await compress(joined(text, text, text), { repeats, onProgress });
    expect(seen.at(-1)).toBe(15_000);
  });

  test("an abort is heard while cutting", async () => {
    const controller = new AbortController();
    const plain = hard(9, 2 ** 22).map((byte) => byte % 100);
    const run = compress(plain, { repeats, signal: controller.signal });
    setTimeout(() => controller.abort(new Error("stop")), 60);
    await expect(run).rejects.toThrow("stop");
  });
});

describe("several blocks", () => {
  const options = { blockBytes: 1000, repeats: from16 };

  test("copies reach into the block before, of every kind, and no farther", async () => {
    const [a, b] = [hard(1, 1000), soft(2, 1000)];
    const plain = joined(a, a, b, b, b, soft(3, 1000), a.subarray(0, 500), b.subarray(0, 500));
    const { blocks } = await roundTrip(plain, { ...options, blockBytes: 1000 });
    // The first ones come as they are; their copies have no rest; at last, they are too far away.
    expect(blocks.slice(0, 5)).toEqual(["stored", "stored 0", "coded", "stored 0", "stored 0"]);
    expect(blocks[5]).toBe("coded");
    expect(blocks[6]).not.toInclude(" ");
  });

  test("a learned block with copies leads the model through its rest only", async () => {
    const text = soft(5, 1000);
    const chance = hard(6, 970); // too short and too repetitive to look like chance at once
    const plain = joined(
      text,
      text.subarray(0, 500),
      chance.map((byte) => (byte * 7) & 255).subarray(0, 500),
      soft(7, 1000),
    );
    const { blocks } = await roundTrip(plain, options);
    expect(blocks).toEqual(["coded", "learned 500", "coded"]);
  });

  test("any mixture of texts, noise and their copies comes back", async () => {
    const random = new Random(31);
    for (let trial = 0; trial < 40; trial += 1) {
      const pieces: Uint8Array[] = [];
      for (let i = random.between(1, 12); i > 0; i -= 1) {
        const kind = random.between(0, 3);
        const count = random.between(1, 900);
        if (kind === 0) pieces.push(soft(random.next(), count));
        else if (kind === 1) pieces.push(hard(random.next(), count));
        else if (kind === 2) pieces.push(new Uint8Array(count));
        else pieces.push((pieces[random.between(0, pieces.length - 1)] ?? hard(1, 9)).slice(random.between(0, 50)));
      }
      const minLength = random.between(12, 40);
      const blockBytes = random.between(200, 2000);
      await roundTrip(joined(...pieces), { blockBytes, repeats: { timeUnits: 0, minLength } });
    }
  });

  test("by estimate as by length: text with copies comes back", async () => {
    const text = trainingBytes(40_000, 1);
    const plain = joined(text, text.subarray(5000, 30_000), hard(1, 3000), text);
    const { blocks } = await roundTrip(plain, { blockBytes: 30_000, repeats: { timeUnits: 4 } });
    expect(blocks.filter((block) => block.includes(" ")).length).toBeGreaterThan(2);
  });
});

describe("for mixers", () => {
  const policy = { repeats: MIXER_POLICY };

  test("long copies are cut out of text, and of the block before", async () => {
    const text = trainingBytes(40_000, 1);
    const plain = joined(text, text.subarray(10_000, 13_000));
    const { blocks } = await roundTrip(plain, policy);
    expect(Number(blocks[0]?.split(" ")[1])).toBeWithin(39_900, 40_001);
    const later = joined(text, trainingBytes(20_000, 2).subarray(0, 30_000), text.subarray(10_000, 20_000));
    const blocksOfLater = (await roundTrip(later, { ...policy, blockBytes: 40_000 })).blocks;
    expect(Number(blocksOfLater[1]?.split(" ")[1])).toBeWithin(29_900, 30_001);
  });

  test("blocks of less than a kilobyte are not searched, except by length", async () => {
    const text = trainingBytes(500, 1);
    expect((await roundTrip(joined(text, text), policy)).blocks).toEqual(["coded"]);
    const byLength = { repeats: { ...MIXER_POLICY, minLength: 300 } };
    expect((await roundTrip(joined(text, text), byLength)).blocks).toEqual(["coded 500"]);
  });
});

describe("memory", () => {
  const chance = hard(1, 200_000);
  const plain = joined(chance, chance);

  test("where there is too little of it, blocks stay whole", async () => {
    const memoryBytesMax = 2 ** 24; // the estimate's tables alone take more than half
    const { blocks } = await compress(plain, { repeats, memoryBytesMax });
    expect(blocks).toEqual(["stored"]);
  });

  test("a window that does not fit is left out", async () => {
    const blockBytes = 200_000;
    const enough = (await compress(plain, { repeats, blockBytes, memoryBytesMax: 2 ** 26 })).blocks;
    expect(enough).toEqual(["stored", "stored 0"]);
    const little = (await compress(plain, { repeats, blockBytes, memoryBytesMax: 25_000_000 })).blocks;
    expect(little).toEqual(["stored", "stored"]);
  });

  test("a decoder holds the window against its limit", async () => {
    const text = joined(soft(1, 100_000), soft(1, 100_000));
    const { archive, blocks } = await compress(text, { repeats, blockBytes: 100_000 });
    expect(blocks).toEqual(["coded", "stored 0"]);
    await expect(plainOf(archive, { memoryBytesMax: 400_000 })).rejects.toThrow(MemoryLimitError);
    expect(Buffer.compare(await plainOf(archive, { memoryBytesMax: 2_000_000 }), text)).toBe(0);
  });
});
