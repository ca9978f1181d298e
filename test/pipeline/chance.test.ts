/** Blocks that are cut where chance begins and ends: what becomes of the parts, and that all comes back. */
import { describe, expect, test } from "bun:test";
import { modelBytesOf, splitAtChance } from "../../src/pipeline/chance.ts";
import { type PlainSource, sourceOf } from "../../src/pipeline/frames.ts";
import { joined, noise } from "../support/bytes.ts";
import { tinyHyper } from "../support/fake-engine.ts";
import { Random } from "../support/gpu-values.ts";
import { archiveOf, plainOf, readArchive } from "../support/in-memory.ts";
import { trainingBytes } from "../support/text.ts";

const KIB = 1024;
const TEXT = trainingBytes(500_000, 1);
/** Words, so that they are no fills. */
const soft = (count: number) => TEXT.slice(0, count);
const split = (bytes: Uint8Array) => splitAtChance({ bytes, totalBytes: bytes.length, isEnd: true });

/** The archive, and how many bytes each opened model was made for. */
async function compress(source: PlainSource, blockBytes: number, minLength = 0): Promise<[Uint8Array, number[]]> {
  const chosenFor: number[] = [];
  const hyperFor = (bytes: number) => {
    chosenFor.push(bytes);
    return tinyHyper(4);
  };
  const repeats = minLength === 0 ? {} : { repeats: { timeUnits: 0, minLength } };
  return [await archiveOf(source, { blockBytes, hyperFor, ...repeats }), chosenFor];
}

/** A source whose bytes are of no use to anybody once it has been told so. */
function strictSource(plain: Uint8Array, isSizeKnown = true): PlainSource {
  const source = sourceOf(plain, isSizeKnown);
  return {
    ...source,
    read: async (count) => (await source.read(count)).slice(),
    free: (bytes) => void bytes.fill(0xee),
  };
}

describe("parts", () => {
  test("begin and end within 32 KiB of where chance does, and are the block in its order", () => {
    const bytes = joined(soft(100_000), noise(300_000), soft(70_000), noise(200_000));
    const parts = split(bytes);
    expect(Buffer.compare(joined(...parts.map((part) => part.bytes)), bytes)).toBe(0);
    expect(parts.map(({ isEnd }) => isEnd)).toEqual([false, false, false, true]);
    let [at, found] = [0, 0];
    for (const part of parts.slice(0, -1)) {
      at += part.bytes.length;
      expect(part.totalBytes).toBe(part.bytes.length);
      const place = [100_000, 400_000, 470_000][found] as number;
      expect(Math.abs(at - place)).toBeLessThan(32 * KIB);
      found += 1;
    }
    expect(modelBytesOf(parts)).toBe((parts[0] as (typeof parts)[0]).bytes.length + (parts[2]?.bytes.length ?? 0));
  });

  test("there are none where all is of one kind, chance is short, or fills stand between", () => {
    for (const bytes of [soft(500_000), noise(500_000), joined(soft(300_000), noise(90_000), soft(300_000))]) {
      const block = { bytes, totalBytes: bytes.length, isEnd: false };
      expect(splitAtChance(block)).toEqual([block]);
    }
    const bytes = joined(soft(200_000), noise(300_000));
    const fills = [{ gapBytes: 5, lengthBytes: 40_000, pattern: Uint8Array.of(0) }];
    const filled = { bytes, fills, totalBytes: bytes.length + 40_000, isEnd: false };
    expect(splitAtChance(filled)).toEqual([filled]);
  });

  test("what looks like chance window by window, and repeats as a whole, goes to the model", () => {
    const once = noise(32 * KIB);
    expect(split(joined(soft(200_000), once, once, once, once, once, once))).toHaveLength(1);
  });
});

describe("a frame", () => {
  test("stores what is chance, codes the rest, and chooses its model for the rest alone", async () => {
    const plain = joined(soft(100_000), noise(600_000), soft(50_000));
    const [archive, chosenFor] = await compress(strictSource(plain), 2 ** 23);
    const [frame] = await readArchive(archive);
    expect(frame?.blocks.map(({ kind }) => kind)).toEqual(["coded", "stored", "coded"]);
    expect(chosenFor).toHaveLength(1);
    expect(Math.abs((chosenFor[0] as number) - 150_000)).toBeLessThan(64 * KIB);
    expect(Buffer.compare(await plainOf(archive), plain)).toBe(0);
  });

  test("of one block becomes one of several, whose copies reach into those before", async () => {
    const text = soft(150_000);
    const plain = joined(text, noise(400_000), text, noise(300_000, 5), text.slice(1000));
    const [archive] = await compress(strictSource(plain), 2 ** 23, 100);
    const [frame] = await readArchive(archive);
    expect(frame?.header.plainBytes).toBe(plain.length);
    expect(frame?.header.blockBytes).toBe(plain.length);
    expect(frame?.blocks.map(({ copies }) => copies !== undefined)).toEqual([false, false, true, false, true]);
    expect(archive.length).toBeLessThan(1_000_000);
    expect(Buffer.compare(await plainOf(archive), plain)).toBe(0);
  });

  test("comes back, whatever stands where: runs, odd lengths, ends of blocks, repeats, pipes", async () => {
    const random = new Random(7);
    for (let round = 0; round < 8; round += 1) {
      const pieces = Array.from({ length: random.between(2, 5) }, (_, i) => {
        const count = random.between(1, 250_000);
        return random.between(0, 1) === 0 ? noise(count, random.between(1, 3)) : TEXT.slice(i, i + count);
      });
      const plain = joined(...pieces);
      const blockBytes = random.between(250_000, 700_000);
      const source = strictSource(plain, random.between(0, 1) === 0);
      const [archive] = await compress(source, blockBytes, random.between(0, 1) * 1000);
      expect(Buffer.compare(await plainOf(archive), plain)).toBe(0);
      expect(archive.length).toBeLessThan(plain.length + 1000);
    }
  });
});
