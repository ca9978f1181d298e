/** Patches: frames whose copies and model begin with an old file; restored with it only. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CorruptError, MissingPriorError } from "../../src/archive/errors.ts";
import { mix32 } from "../../src/contract/fixed.ts";
import { createCpuEngine } from "../../src/engine/cpu/engine.ts";
import { createReferenceEngine } from "../../src/engine/reference/engine.ts";
import { hyperForSize, levelOf } from "../../src/model/levels.ts";
import type { CompressOptions } from "../../src/pipeline/frames.ts";
import { MemoryLimitError } from "../../src/pipeline/memory.ts";
import type { RestoreOptions } from "../../src/pipeline/restore.ts";
import { type Prior, patchPrior, rawPrior } from "../../src/prior/file.ts";
import { MIXER_POLICY } from "../../src/repeats/policy.ts";
import { joined } from "../support/bytes.ts";
import { archiveOf, plainOf, readArchive } from "../support/in-memory.ts";

const TEXT = new Uint8Array(readFileSync(join(import.meta.dir, "..", "golden", "text.bin")));
const NOISE = Uint8Array.from({ length: 60_000 }, (_, i) => mix32(i));
const OLD = joined(NOISE.slice(0, 30_000), TEXT, NOISE.slice(30_000));
const engines = { cpu: await createCpuEngine({ threads: 2 }), reference: createReferenceEngine() };
type Name = keyof typeof engines;

function compress(plain: Uint8Array, old: Uint8Array, options: Partial<CompressOptions> = {}, name: Name = "cpu") {
  const hyperFor = (bytes: number) => hyperForSize(levelOf(1), bytes);
  const own = { blockBytes: 1 << 20, hyperFor, prior: patchPrior(old, 8), repeats: MIXER_POLICY };
  return archiveOf(plain, { ...own, ...options }, engines[name]);
}

const decompress = (
  archive: Uint8Array,
  priors: readonly Prior[],
  options: Partial<RestoreOptions> = {},
  name: Name = "cpu",
) => plainOf(archive, { priors, ...options }, engines[name]);

/** Changes here and there. */
const changed = joined(NOISE.slice(0, 20_000), TEXT.slice(0, 300), NOISE.slice(20_500, 30_000), TEXT.slice(9), NOISE);

describe("a patch", () => {
  test.each([
    ["with changes", changed, 1 << 20],
    ["of many blocks", changed, 1 << 14],
    ["that is all of the old file", OLD, 1 << 20],
    ["a few bytes of it", OLD.slice(100, 300), 1 << 20],
    ["text that stands there", joined(TEXT.slice(1000), TEXT.slice(0, 1000)), 1 << 20],
  ])("%s", async (_, plain, blockBytes) => {
    const archive = await compress(plain, OLD, { blockBytes });
    expect(archive.length).toBeLessThan(plain.length / 20 + 700);
    expect((await readArchive(archive))[0]?.header).toMatchObject({
      isPatch: true,
      prior: { hash: patchPrior(OLD).hash },
    });
    // Restored by who knows nothing of the level.
    expect(await decompress(archive, [rawPrior(OLD), patchPrior(OLD)])).toEqual(plain);
  });

  test("is the same from both engines, and restored by both", async () => {
    const [old, plain] = [TEXT.slice(0, 900), joined(TEXT.slice(0, 500), TEXT.slice(1000, 1400), TEXT.slice(480, 900))];
    const archive = await compress(plain, old, { blockBytes: 700 });
    expect(archive).toEqual(await compress(plain, old, { blockBytes: 700 }, "reference"));
    expect(await decompress(archive, [patchPrior(old, 20)], {}, "reference")).toEqual(plain);
  });

  test("of nothing, or beside nothing that helps, needs no old file", async () => {
    expect(await decompress(await compress(new Uint8Array(0), OLD), [])).toEqual(new Uint8Array(0));
    const other = NOISE.map((byte, i) => byte ^ (mix32(i + 9) & 255)).slice(0, 5000);
    expect(await decompress(await compress(other, OLD), [])).toEqual(other);
  });

  test("needs the old file, as it was", async () => {
    const archive = await compress(changed, OLD);
    const hash = patchPrior(OLD).hash.toString(16).padStart(16, "0");
    const message = `is a patch of a file whose xxHash64 is ${hash}, which was not given`;
    await expect(decompress(archive, [])).rejects.toThrow(message);
    await expect(decompress(archive, [rawPrior(OLD)])).rejects.toThrow(MissingPriorError);
    await expect(decompress(archive, [patchPrior(changed)])).rejects.toThrow(`${hash}, and not `);
    await expect(decompress(archive, [{ ...patchPrior(changed), hash: patchPrior(OLD).hash }])).rejects.toThrow(
      CorruptError,
    );
  });

  test("counts the old file in the memory, both ways", async () => {
    const archive = await compress(changed, OLD);
    const tight = { memoryBytesMax: 12_000_000 };
    await expect(compress(changed, OLD, tight)).rejects.toThrow(MemoryLimitError);
    await expect(decompress(archive, [patchPrior(OLD)], { memoryBytesMax: 100_000 })).rejects.toThrow(MemoryLimitError);
  });
});

test("of a long old file a model goes through the last 256 KiB, from a multiple of four on", () => {
  const old = new Uint8Array((1 << 18) + 6).fill(1);
  const { content } = patchPrior(old);
  expect(content.length).toBe((1 << 18) - 2);
  expect(patchPrior(old.subarray(0, 1 << 18)).content.length).toBe(1 << 18);
});
