/** The library from source: the archives are the command line's, streams hold back, errors keep their classes. */
import { describe, expect, test } from "bun:test";
import { createCpuEngine } from "../../src/engine/cpu/engine.ts";
import * as fade from "../../src/index.ts";
import { errorOf, failureOf } from "../../src/library/failures.ts";
import { compressOptionsOf, modelOfLevel, modelOfPreset } from "../../src/library/work.ts";
import { sourceOf } from "../../src/pipeline/frames.ts";
import { archiveOf } from "../support/in-memory.ts";
import { trainingBytes } from "../support/text.ts";

const TEXT = trainingBytes(2_000, 3);

/** What the command line would write. */
async function expected(plain: Uint8Array, isSizeKnown: boolean, choice = modelOfLevel()): Promise<Uint8Array> {
  const engine = await createCpuEngine({ threads: 1 });
  const options = compressOptionsOf({ ...choice, threads: 1, memoryBytesMax: 2 ** 30 });
  return await archiveOf(sourceOf(plain, isSizeKnown), options, engine).finally(() => engine.close());
}

const same = (a: Uint8Array, b: Uint8Array) => expect(Buffer.compare(a, b)).toBe(0);

/** What a promise rejects with. */
const thrownBy = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

/** In pieces of so many bytes. */
function streamOf(bytes: Uint8Array, pieceBytes: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at + pieceBytes));
      at += pieceBytes;
    },
  });
}

describe("whole arrays", () => {
  test.each([1, 5])("level %d: the command line's archive, and back", async (level) => {
    const archive = await fade.compress(TEXT, { level });
    same(archive, await expected(TEXT, true, modelOfLevel(level)));
    same(await fade.decompress(archive), TEXT);
  });

  test("a preset, on several threads", async () => {
    const plain = TEXT.subarray(0, 3000);
    const archive = await fade.compress(plain, { preset: "network-1", threads: 2 });
    same(archive, await expected(plain, true, modelOfPreset("network-1")));
    same(await fade.decompress(archive, { threads: 2, engine: "cpu" }), plain);
  });

  test("nothing, a byte, and part of a larger array", async () => {
    for (const plain of [new Uint8Array(0), Uint8Array.of(7), TEXT.subarray(100, 400)]) {
      same(await fade.decompress(await fade.compress(plain)), plain);
    }
  });

  test("with a prior, and as a patch", async () => {
    const [prior, plain] = [TEXT.subarray(0, 3000), TEXT.subarray(3000, 4000)];
    const archive = await fade.compress(plain, { prior });
    same(await fade.decompress(archive, { priors: [prior] }), plain);
    expect(await thrownBy(fade.decompress(archive))).toBeInstanceOf(fade.MissingPriorError);
    const patch = await fade.compress(TEXT, { patchFrom: TEXT.subarray(500) });
    expect(patch.length).toBeLessThan(1000);
    same(await fade.decompress(patch, { patchFrom: TEXT.subarray(500) }), TEXT);
  });

  test("many calls at once", async () => {
    const plains = Array.from({ length: 12 }, (_, i) => TEXT.subarray(i * 100, i * 100 + 200));
    const archives = await Promise.all(plains.map((plain) => fade.compress(plain)));
    const back = await Promise.all(archives.map((archive) => fade.decompress(archive)));
    for (const [i, plain] of plains.entries()) same(back[i]!, plain);
  });

  test("progress, up to the end", async () => {
    const seen: fade.Progress[] = [];
    const archive = await fade.compress(TEXT, { onProgress: (progress) => seen.push(progress) });
    expect(seen.at(-1)).toEqual({ plainBytes: TEXT.length, archiveBytes: archive.length, totalBytes: TEXT.length });
  });

  test("a list", async () => {
    const one = await fade.compress(TEXT);
    const joined = Buffer.concat([one, await fade.compress(TEXT.subarray(0, 500))]);
    const facts = await fade.list(joined);
    expect(facts).toMatchObject({ plainBytes: TEXT.length + 500, archiveBytes: joined.length });
    expect(facts.frames.map(({ offsetBytes }) => offsetBytes)).toEqual([0, one.length]);
    expect(facts.frames[0]?.check).toBe(Bun.hash.xxHash64(TEXT).toString(16).padStart(16, "0").slice(-8));
    expect(await thrownBy(fade.list(TEXT))).toBeInstanceOf(fade.NotAnArchiveError);
  });
});

describe("streams", () => {
  test("pieces of any length; of a length that is known, the same bytes as a whole array", async () => {
    for (const pieceBytes of [TEXT.length, 2000]) {
      const unknown = await bytesOf(streamOf(TEXT, pieceBytes).pipeThrough(fade.fadeCompress()));
      same(unknown, await expected(TEXT, false));
      const known = await bytesOf(
        streamOf(TEXT, pieceBytes).pipeThrough(fade.fadeCompress({ sizeBytes: TEXT.length })),
      );
      same(known, await fade.compress(TEXT));
      same(await bytesOf(streamOf(known, 100).pipeThrough(fade.fadeDecompress())), TEXT);
    }
  });

  test("one behind the other", async () => {
    const both = streamOf(TEXT, 5000)
      .pipeThrough(fade.fadeCompress({ level: 1 }))
      .pipeThrough(fade.fadeDecompress());
    same(await bytesOf(both), TEXT);
  });

  test("a reader that stops holds the archive back, and may give it up", async () => {
    // Many zeros are few bytes of an archive.
    const zeros = await fade.compress(new Uint8Array(2 ** 26));
    let taken = 0;
    const { readable, writable } = fade.fadeDecompress();
    const writing = thrownBy(new Response(zeros).body!.pipeTo(writable));
    const reader = readable.getReader();
    for (let i = 0; i < 3; i += 1) taken += (await reader.read()).value?.length ?? 0;
    await Bun.sleep(50);
    expect(taken).toBeLessThanOrEqual(3 * 2 ** 20);
    await reader.cancel(new Error("enough"));
    expect(await writing).toBeInstanceOf(Error);
  });

  test("what is wrong errors both ends", async () => {
    const archive = await fade.compress(TEXT);
    const { readable, writable } = fade.fadeDecompress();
    const writing = streamOf(archive.slice(0, -5), 1000).pipeTo(writable);
    const outcomes = await Promise.allSettled([bytesOf(readable), writing]);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: "rejected", reason: expect.any(fade.TruncatedError) });
    }
  });

  test("of a length that is said, both ends hear whether it was true", async () => {
    for (const [said, isTrue] of [
      [TEXT.length, true],
      [TEXT.length + 1, false],
      // In the middle of a piece, and where one ends.
      [TEXT.length - 1, false],
      [2000, false],
    ] as const) {
      const { readable, writable } = fade.fadeCompress({ sizeBytes: said });
      const outcomes = await Promise.allSettled([bytesOf(readable), streamOf(TEXT, 1000).pipeTo(writable)]);
      const right = isTrue ? { status: "fulfilled" } : { status: "rejected", reason: expect.any(fade.InputSizeError) };
      for (const outcome of outcomes) expect(outcome).toMatchObject(right);
    }
  });
});

describe("errors", () => {
  test("are what they were in the thread, with what they carry", async () => {
    const archive = await fade.compress(TEXT);
    const damaged = archive.slice();
    damaged[archive.length >> 1] = (damaged[archive.length >> 1] as number) ^ 1;
    const error = await thrownBy(fade.decompress(damaged));
    expect(error).toBeInstanceOf(fade.CorruptError);
    expect(error).toBeInstanceOf(fade.ArchiveError);
    expect(error).toMatchObject({ name: "CorruptError", offsetBytes: expect.any(Number), field: expect.any(String) });
    const refused = await thrownBy(fade.decompress(archive, { outputBytesMax: 100 }));
    expect(refused).toBeInstanceOf(fade.OutputLimitError);
    expect(refused).toMatchObject({ limitBytes: 100, claimedBytes: TEXT.length });
    expect(await thrownBy(fade.decompress(archive, { memoryBytesMax: 1000 }))).toBeInstanceOf(fade.MemoryLimitError);
  });

  test("of every class that is exported", () => {
    const inner = new fade.CorruptError(7, "a field", "one thing", "another");
    const all: Error[] = [
      inner,
      new fade.ArchiveError("words", 3),
      new fade.BlockError(inner, 2, 100),
      new fade.EngineDeviceError("cpu", "words"),
      new fade.EngineLimitError("cpu", "words"),
      new fade.EngineUnavailableError("gpu", "words", "a hint"),
      new fade.InputSizeError(1, 2),
      new fade.MemoryLimitError(2, 1),
      new fade.MissingPriorError(0, "12", true, ["34"]),
      new fade.NotAnArchiveError(0, "empty"),
      new fade.OptionError("level", 0, "another"),
      new fade.OutputLimitError(2, 1),
      new fade.SimdUnavailableError(new Error("no AVX")),
      new fade.ThreadLimitError(new Error("EAGAIN")),
      new fade.TimeLimitError(2, 1),
      new fade.TrailingBytesError(10, 0, 3),
      new fade.TruncatedError(1, "a field", 2, 3),
      new fade.UnsupportedVersionError(0, "format version", 9, 8),
    ];
    expect(new Set(all.map(({ name }) => name))).toEqual(
      new Set(Object.keys(fade).filter((name) => name.endsWith("Error"))),
    );
    for (const error of all) {
      const back = errorOf(structuredClone(failureOf(error)));
      expect(back.constructor).toBe(error.constructor);
      expect({ ...back, message: back.message, cause: String(back.cause) }).toEqual({
        ...error,
        message: error.message,
        cause: String(error.cause),
      });
    }
  });

  test.each([
    [{ level: 10 }],
    [{ level: 1.5 }],
    [{ preset: "network-0" }],
    [{ preset: "paper", level: 1 }],
    [{ threads: 0 }],
    [{ blockBytes: 100 }],
    [{ repeatBytesMin: 3 }],
    [{ prior: TEXT, patchFrom: TEXT }],
    [{ builtInPrior: "no" as unknown as boolean }],
    [{ maxOutput: 5 } as object],
  ])("of options, case %#", async (options) => {
    expect(await thrownBy(fade.compress(TEXT, options))).toBeInstanceOf(fade.OptionError);
  });

  test("an abort ends a call in the middle, before it, and while it waits", async () => {
    const controller = new AbortController();
    const chance = Uint8Array.from({ length: 4_000_000 }, (_, i) => (i * i) >> 7);
    const work = fade.compress(chance, { level: 9, signal: controller.signal });
    const others = Array.from({ length: 3 * navigator.hardwareConcurrency }, () =>
      fade.compress(chance, { level: 9, signal: controller.signal }),
    );
    setTimeout(() => controller.abort(new Error("no more")), 100);
    for (const reason of await Promise.all([work, ...others].map(thrownBy)))
      expect(String(reason)).toBe("Error: no more");
    expect(String(await thrownBy(fade.compress(TEXT, { signal: controller.signal })))).toBe("Error: no more");
    const { signal } = controller;
    expect(String(await thrownBy(bytesOf(streamOf(TEXT, 100).pipeThrough(fade.fadeCompress({ signal })))))).toBe(
      "Error: no more",
    );
    // The next call is not disturbed.
    same(await fade.decompress(await fade.compress(TEXT)), TEXT);
  });
});
