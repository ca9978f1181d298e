/** Frames: when storing wins, and what is refused before anything is allocated. */
import { expect, test } from "bun:test";
import { pullFrom } from "../../src/archive/stream.ts";
import { encodeFrame } from "../../src/archive/write.ts";
import type { HyperParameters } from "../../src/contract/hyper.ts";
import { PAPER } from "../../src/model/levels.ts";
import { compressStream, sourceOf } from "../../src/pipeline/frames.ts";
import { MemoryLimitError, modelMemoryBytes } from "../../src/pipeline/memory.ts";
import { STORED_BELOW_BYTES } from "../../src/pipeline/prepare.ts";
import { restore } from "../../src/pipeline/restore.ts";
import { tinyHyper } from "../support/fake-engine.ts";
import { archiveOf, collected, LIMITS, readArchive } from "../support/in-memory.ts";

const noEngine = async () => Promise.reject(new Error("an engine was opened"));

test("what is stored needs no engine, neither when written nor when read", async () => {
  const plain = new Uint8Array(STORED_BELOW_BYTES - 1);
  const options = { ...LIMITS, blockBytes: plain.length, hyperFor: () => tinyHyper(2) };
  const archive = await collected((sink) => compressStream(sourceOf(plain), sink, noEngine, options));
  expect((await readArchive(archive))[0]?.header.model).toBeUndefined();
  expect(await collected((sink) => restore(pullFrom(archive), sink, noEngine, LIMITS))).toEqual(plain);
});

test("what coding does not shrink is stored", async () => {
  const plain = Uint8Array.from({ length: 256 }, (_, i) => (i * 167) & 255);
  const archive = await archiveOf(plain, { blockBytes: plain.length, hyperFor: () => tinyHyper(1) });
  expect((await readArchive(archive))[0]?.blocks[0]?.kind).toBe("stored");
  expect(archive.length - plain.length).toBeLessThanOrEqual(64);
});

test("a header that asks for too much memory is refused before an engine opens", async () => {
  const wide = { ...PAPER, coarseHidden: 128, streams: 16384 };
  const mindful = { ...tinyHyper(4), contexts: 20, slotBits: 24 };
  const crowded = { ...tinyHyper(4), tables: 4, tableBits: 18 };
  for (const hyper of [wide, mindful, crowded]) await expectRefusal(hyper);
});

async function expectRefusal(hyper: HyperParameters): Promise<void> {
  const header = { model: { hyper, groupCount: 1 }, plainBytes: 70_000, blockBytes: 70_000 };
  const block = { kind: "coded", plainBytes: 70_000, check: 0n, groups: [new Uint8Array(100)] } as const;
  expect(modelMemoryBytes(hyper)).toBeGreaterThan(LIMITS.memoryBytesMax);
  const restored = collected((sink) => restore(pullFrom(encodeFrame(header, [block])), sink, noEngine, LIMITS));
  await expect(restored).rejects.toBeInstanceOf(MemoryLimitError);
}
