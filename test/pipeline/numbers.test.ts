/** Stretches of numbers through the whole pipeline: found, spared by the cutter, restored, refused when forged. */
import { describe, expect, test } from "bun:test";
import { CorruptError } from "../../src/archive/errors.ts";
import type { Block } from "../../src/archive/format.ts";
import { encodeFrame } from "../../src/archive/write.ts";
import { hyperForSize, levelOf } from "../../src/model/levels.ts";
import { stretchesOf } from "../../src/pipeline/block-facts.ts";
import { foresightOf } from "../../src/pipeline/block-plan.ts";
import type { CompressOptions } from "../../src/pipeline/frames.ts";
import { Budget, TimeLimitError } from "../../src/pipeline/limits.ts";
import { MemoryLimitError, modelMemoryBytes } from "../../src/pipeline/memory.ts";
import { findNumbers } from "../../src/pipeline/numbers.ts";
import { NO_FORESIGHT, predictNumbers } from "../../src/pipeline/predicted.ts";
import { decodeStretches, encodeStretches, type Stretch } from "../../src/predict/list.ts";
import { NO_COPIES } from "../../src/repeats/copies.ts";
import { joined, noise } from "../support/bytes.ts";
import { tinyHyper } from "../support/fake-engine.ts";
import { Random } from "../support/gpu-values.ts";
import { archiveOf, type Frame, plainOf, readArchive } from "../support/in-memory.ts";
import { drawingOf, filmOf, gradientOf, pixelsOf, type SoundShape, soundOf, tableOf } from "../support/numbers.ts";
import { trainingBytes } from "../support/text.ts";

const MONO: SoundShape = { channels: 1, width: 2, isBig: false };

const compress = (plain: Uint8Array, options: Partial<CompressOptions> = {}) =>
  archiveOf(plain, { blockBytes: plain.length, ...options });

/** Of each block: its kind, and the stretches that it has. */
const stretchesIn = async (archive: Uint8Array) =>
  (await readArchive(archive)).flatMap(({ blocks }) =>
    blocks.map(({ stretches, copies, plainBytes, isForeseen = false }) =>
      stretches ? decodeStretches(stretches, copies?.restBytes ?? plainBytes, isForeseen) : [],
    ),
  );

describe("found and restored", () => {
  const shapes = [2, 3].flatMap((width) =>
    [1, 2].flatMap((channels) => [false, true].map((isBig) => ({ channels, width, isBig }))),
  );
  test.each(shapes.map((shape) => [`${8 * shape.width} bits, ${shape.channels}, big: ${shape.isBig}`, shape] as const))(
    "%s",
    async (_, shape) => {
      // Behind a header of 44 bytes, as WAV has it, and with an odd byte at the end.
      const plain = joined(new Uint8Array(44), soundOf(25_000, shape), new Uint8Array(1));
      const archive = await compress(plain);
      expect(Buffer.compare(archive, await compress(plain))).toBe(0);
      const [stretch] = (await stretchesIn(archive)).flat() as [Stretch];
      expect(stretch.numbers).toEqual({ kind: "sound", isUnsigned: false, ...shape });
      expect(stretch.lengthBytes).toBeGreaterThan(plain.length - 2 ** 14);
      expect(Buffer.compare(await plainOf(archive), plain)).toBe(0);
    },
  );

  test("several in one block, between texts", async () => {
    const text = trainingBytes(40_000, 1);
    const plain = joined(text, soundOf(30_000, MONO), text, soundOf(30_000, { ...MONO, isBig: true }, 2), text);
    const archive = await compress(plain, { repeats: { timeUnits: 0 } });
    const found = (await stretchesIn(archive)).flat();
    expect(found.map(({ numbers }) => numbers.kind === "sound" && numbers.isBig)).toEqual([false, true]);
    expect(Buffer.compare(await plainOf(archive), plain)).toBe(0);
  });

  test("over blocks, from a pipe, some of them learned", async () => {
    const plain = joined(soundOf(100_000, MONO), noise(60_000), soundOf(100_000, MONO, 2));
    const archive = await compress(plain, { blockBytes: 65_536 });
    expect((await stretchesIn(archive)).filter((list) => list.length > 0).length).toBeGreaterThan(4);
    expect(Buffer.compare(await plainOf(archive), plain)).toBe(0);
  });
});

test("the same sound again is one copy, and short copies are spared", async () => {
  const sound = soundOf(60_000, MONO);
  const plain = joined(sound, sound.subarray(1000, 1900), sound, sound.subarray(5000, 5200));
  const archive = await compress(plain, { repeats: { timeUnits: 0, minLength: 32 } });
  const [block] = (await readArchive(archive)).flatMap(({ blocks }) => blocks) as [Block];
  expect(block.copies?.restBytes).toBeLessThan(130_000);
  expect((await stretchesIn(archive)).flat().length).toBeGreaterThan(0);
  expect(Buffer.compare(await plainOf(archive), plain)).toBe(0);
});

test("nothing is found in text, chance, silence, or little", async () => {
  for (const plain of [trainingBytes(100_000, 1), noise(100_000), new Uint8Array(100_000), soundOf(2000, MONO)]) {
    expect(await findNumbers(plain)).toEqual([]);
  }
});

test("sound is found between texts, though the ends of its run are half of them", async () => {
  const text = trainingBytes(70_000, 1);
  for (const isBig of [false, true]) {
    const found = await findNumbers(joined(text, soundOf(40_000, { ...MONO, isBig }), text));
    expect(found.map(({ numbers }) => numbers)).toMatchObject([{ kind: "sound", width: 2, isBig }]);
  }
});

test.each([1, 2])("sound of bytes and %i channels is found, signed or not", async (channels) => {
  for (const isUnsigned of [false, true]) {
    const shape = { channels, width: 1, isBig: false, isUnsigned };
    const plain = joined(new Uint8Array(44), soundOf(60_000 / channels, shape));
    expect((await findNumbers(plain)).map(({ numbers }) => numbers)).toMatchObject([{ kind: "sound", ...shape }]);
  }
});

test("pixels whose channels follow from each other exactly are found", async () => {
  const [found] = await findNumbers(pixelsOf(160, { channels: 3, width: 240 }, 5));
  expect(found?.numbers).toMatchObject({ kind: "pixels", channels: 3, isRanked: true });
});

describe("drawings and gradients", () => {
  const head = new TextEncoder().encode("P6\n200 120\n255\n");
  const drawing = drawingOf(120, 200, 6);

  test.each([
    ["three bytes, behind a header", joined(head, drawing), 3],
    ["four", drawingOf(120, 200, 6, 4), 4],
    ["two, with an odd byte", joined(Uint8Array.of(1), drawingOf(120, 200, 20, 2)), 2],
  ])("few colours are found and restored: %s", async (_, plain, channels) => {
    const found = await findNumbers(plain);
    expect(found.map(({ numbers }) => numbers)).toMatchObject([{ kind: "colours", channels }]);
    const archive = await compress(plain);
    expect((await stretchesIn(archive)).flat()).toHaveLength(1);
    expect(Buffer.compare(await plainOf(archive), plain)).toBe(0);
  });

  test("headers and what is behind are not among the colours", async () => {
    const [found] = await findNumbers(joined(head, drawing, new TextEncoder().encode("the end.")));
    expect(found).toMatchObject({ start: head.length, end: head.length + drawing.length });
  });

  test.each([
    ["of bytes", gradientOf(200, 300, 2, 3)],
    ["of three channels", gradientOf(150, 600, 3, 3)],
    ["without rows", gradientOf(1, 60_000, 5, 1)],
  ])("gradients are found and restored: %s", async (_, plain) => {
    const found = await findNumbers(joined(head, plain));
    expect(found).toMatchObject([{ numbers: { kind: "differences" } }]);
    const archive = await compress(joined(head, plain), { repeats: { timeUnits: 0 } });
    expect(Buffer.compare(await plainOf(archive), joined(head, plain))).toBe(0);
  });

  test("the same drawing again is a copy, and what is left of each piece is restored", async () => {
    const plain = joined(head, drawing, head, drawing, trainingBytes(3000, 1));
    const archive = await compress(plain, { repeats: { timeUnits: 0 } });
    const [block] = (await readArchive(archive)).flatMap(({ blocks }) => blocks) as [Block];
    expect(block.copies?.restBytes).toBeLessThan(drawing.length + 5000);
    expect(Buffer.compare(await plainOf(archive), plain)).toBe(0);
  });

  test("what has as few colours by chance is left alone", async () => {
    const random = new Random(8);
    const letters = Uint8Array.from({ length: 100_000 }, () => "ACGT".charCodeAt(random.next() % 4));
    for (const plain of [letters, noise(100_000).map((byte) => byte & 3)]) {
      expect(await findNumbers(plain)).toEqual([]);
    }
  });

  test("no version before 9 has any", async () => {
    for (const numbers of [
      { kind: "colours", channels: 3, isRelative: false },
      { kind: "differences", distances: [3] },
    ] as const) {
      const stretches = encodeStretches([{ gapBytes: 0, lengthBytes: 5000, numbers }]);
      const block = { kind: "learned", plainBytes: 5000, check: 0n, payload: new Uint8Array(5000), stretches } as const;
      expect(stretchesOf(block, 9, 0)).toHaveLength(1);
      expect(() => stretchesOf(block, 8, 0)).toThrow("version 8");
    }
  });
});

describe("limits and forgery", () => {
  const sound = soundOf(50_000, MONO);

  test("where a decoder would have no room, numbers are not predicted", async () => {
    const memoryBytesMax = modelMemoryBytes(tinyHyper(4)) + 6 * sound.length;
    const tight = await compress(sound, { memoryBytesMax });
    expect((await stretchesIn(tight)).flat()).toEqual([]);
    expect(Buffer.compare(await plainOf(tight, { memoryBytesMax }), sound)).toBe(0);
    await expect(plainOf(await compress(sound), { memoryBytesMax })).rejects.toThrow(MemoryLimitError);
  });

  test("the time of predictors counts", async () => {
    const cost = { openSeconds: () => 0, stepsSeconds: () => 0 };
    const archive = await compress(sound);
    const restoreWithin = (secondsMax: number) => plainOf(archive, { limits: { secondsMax, cost } });
    await expect(restoreWithin(0.1)).rejects.toThrow(TimeLimitError);
    await restoreWithin(1);
  });

  test("the time of foresight counts beside it", () => {
    const head = { kind: "coded", plainBytes: 1e6, stretchBytes: 9, lengths: [9], check: 0n } as const;
    const header = { version: 9, blockBytes: 2 ** 20 };
    const budget = new Budget({ secondsMax: 5 });
    budget.admit(head, header, 0);
    expect(() => budget.admit({ ...head, isForeseen: true }, header, 0)).toThrow(TimeLimitError);
  });

  async function withStretches(stretches: Uint8Array): Promise<Uint8Array> {
    const [frame] = (await readArchive(await compress(sound))) as [Frame];
    const { version: _version, small: _small, ...header } = frame.header;
    return encodeFrame(
      header,
      frame.blocks.map((block) => ({ ...block, stretches })),
    );
  }

  test.each([
    ["a stretch beyond the block", Uint8Array.of(0, 0xc0, 0x9a, 0x0c, 0, 0x08)],
    ["no kind", Uint8Array.of(0, 0x80, 0x20, 0x77, 0x08)],
    ["half a stretch", Uint8Array.of(0, 0x80, 0x20)],
    ["a panel that lanes do not foresee", Uint8Array.of(0, 0x80, 0x20, 0, 0x88)],
  ])("%s is corrupt", async (_, stretches) => {
    await expect(plainOf(await withStretches(stretches))).rejects.toThrow(CorruptError);
  });

  test("another predictor than the one that was used gives a wrong check", async () => {
    const numbers = { kind: "sound", channels: 2, width: 2, isBig: false, isUnsigned: false } as const;
    const stretches = encodeStretches([{ gapBytes: 0, lengthBytes: 100_000, numbers }]);
    await expect(plainOf(await withStretches(stretches))).rejects.toThrow("checksum of the decoded bytes");
  });
});

describe("a panel for sound", () => {
  const stereo = soundOf(30_000, { channels: 2, width: 2, isBig: false });
  const seenWith = async (lanes: number, panelWidths: number[]) =>
    await predictNumbers(stereo, await findNumbers(stereo), NO_COPIES, { lanes, panelWidths });

  test("is for blocks whose lanes foresee, cut where lanes begin", async () => {
    const alone = await seenWith(1, [2]);
    expect(alone?.foreseen?.stretches.map(({ numbers }) => numbers)).toEqual([
      { kind: "sound", channels: 2, width: 2, isBig: false, isUnsigned: false, isByPanel: true },
    ]);
    const three = await seenWith(3, [1, 2]);
    const starts = three?.foreseen?.stretches.map(({ lengthBytes }) => lengthBytes);
    expect(starts).toHaveLength(3);
    expect(decodeStretches(three?.stretches as Uint8Array, stereo.length, true)).toEqual([
      ...(three?.foreseen?.stretches ?? []),
    ]);
    for (const seen of [await seenWith(0, [2]), await seenWith(1, [1, 3])]) {
      expect(seen?.foreseen).toBeUndefined();
      expect(decodeStretches(seen?.stretches as Uint8Array, stereo.length, false)).toHaveLength(1);
    }
  });

  test("is for models of 28 contexts, or of 20 and 8 or 24 bits, in one lane or in long ones", () => {
    const of = (level: number, bytes: number, lanes?: number) =>
      foresightOf(hyperForSize(levelOf(level), bytes, lanes), bytes);
    expect(of(9, 2 ** 20)).toEqual({ lanes: 1, panelWidths: [1, 2, 3] });
    expect(of(8, 2 ** 20)).toEqual({ lanes: 1, panelWidths: [1, 3] });
    expect(of(5, 2 ** 20)).toEqual({ lanes: 1, panelWidths: [1, 3] });
    expect(of(4, 2 ** 20)).toEqual({ lanes: 1, panelWidths: [] });
    expect(of(9, 2 ** 22, 4)).toEqual({ lanes: 4, panelWidths: [1, 2, 3] });
    expect(of(9, 3 * 2 ** 18, 4)).toEqual({ lanes: 4, panelWidths: [1, 2, 3] });
    expect(of(9, 3 * 2 ** 18 - 1, 4)).toEqual(NO_FORESIGHT);
    // Lanes of no level are too short, unless repeats take a fourth of their bytes.
    for (const level of [1, 2, 3, 4, 5, 6, 7, 8, 9]) {
      for (const bytes of [2 ** 18, 2 ** 19, 2 ** 20, 2 ** 21, 2 ** 22, 4.75 * 2 ** 20]) {
        const { streams } = hyperForSize(levelOf(level), bytes);
        expect(of(level, bytes).lanes).toBe(streams);
      }
    }
  });
});

describe("pixels", () => {
  const shapes = [1, 3, 4].map((channels) => ({ channels, width: 320 }));
  test.each(shapes.map((shape) => [shape.channels, shape] as const))(
    "%i channels are found and restored",
    async (_, shape) => {
      const plain = joined(new Uint8Array(13), pixelsOf(300, shape), new Uint8Array(2));
      const archive = await compress(plain);
      const [stretch] = (await stretchesIn(archive)).flat() as [Stretch];
      expect(stretch.numbers).toMatchObject({ kind: "pixels", ...shape });
      expect(stretch.lengthBytes).toBeGreaterThan(plain.length - 2 ** 13);
      expect(Buffer.compare(await plainOf(archive), plain)).toBe(0);
    },
  );

  test("films are found and restored", async () => {
    const film = { width: 160, height: 120 };
    const plain = filmOf(8, film);
    const archive = await compress(plain);
    expect((await stretchesIn(archive)).flat()).toEqual([
      { gapBytes: 0, lengthBytes: plain.length, numbers: { kind: "film", ...film } },
    ]);
    expect(Buffer.compare(await plainOf(archive), plain)).toBe(0);
  });

  test("beside sound and text in one block", async () => {
    const parts = [trainingBytes(40_000, 1), pixelsOf(300, { channels: 3, width: 200 }), soundOf(40_000, MONO)];
    const archive = await compress(joined(...parts));
    expect((await stretchesIn(archive)).flatMap((list) => list.map(({ numbers }) => numbers.kind))).toEqual([
      "pixels",
      "sound",
    ]);
    expect(Buffer.compare(await plainOf(archive), joined(...parts))).toBe(0);
  });
});

describe("tables", () => {
  const shapes = [
    { format: "float32", isBig: false, columns: 1, row: 90 },
    { format: "float32", isBig: true, columns: 3, row: 0 },
    { format: "float64", isBig: false, columns: 1, row: 0 },
    { format: "int32", isBig: true, columns: 1, row: 120 },
    { format: "int64", isBig: false, columns: 2, row: 0 },
  ] as const;
  test.each(shapes.map((shape) => [JSON.stringify(shape), shape] as const))("%s", async (_, shape) => {
    const table = tableOf(Math.ceil(30_000 / shape.columns), shape);
    const plain = joined(trainingBytes(16_384, 1), table, new Uint8Array(3));
    const archive = await compress(plain, { repeats: { timeUnits: 0 } });
    expect(Buffer.compare(archive, await compress(plain, { repeats: { timeUnits: 0 } }))).toBe(0);
    const [stretch] = (await stretchesIn(archive)).flat() as [Stretch];
    expect(stretch.numbers).toMatchObject({ kind: "table", ...shape, row: shape.row * shape.columns });
    expect(stretch.lengthBytes).toBeGreaterThan(table.length - 2 ** 14);
    expect(Buffer.compare(await plainOf(archive), plain)).toBe(0);
  });

  test("rows in frames are found", async () => {
    const shape = { format: "float32", row: 60 } as const;
    const still = new Float32Array(tableOf(2400, shape).buffer);
    const frames = Array.from({ length: 20 }, (_, i) => {
      const moving = new Float32Array(tableOf(2400, shape, 2 + i).buffer);
      return still.map((value, at) => value + (moving[at] as number) / 20);
    });
    const plain = joined(...frames.map(({ buffer }) => new Uint8Array(buffer)));
    const [found] = await findNumbers(plain);
    // Any number of frames is one.
    if (found?.numbers.kind !== "table") throw new Error("no table");
    expect(found.numbers).toMatchObject({ format: "float32", row: 60 });
    expect(found.numbers.frame).toBeGreaterThan(0);
    expect(found.numbers.frame % 2400).toBe(0);
  });

  test("numbers that do not follow each other are no table", async () => {
    const random = new Random(6);
    const chance = Float32Array.from({ length: 40_000 }, () => random.between(-1000, 1000) * random.between(0, 1000));
    expect(await findNumbers(new Uint8Array(chance.buffer))).toEqual([]);
  });
});
