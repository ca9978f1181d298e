/** What a decoder has at one time is held against the limit together: blocks, a window for copies, an open model. */
import { expect, test } from "bun:test";
import { CHECK_START, chainCheck } from "../../src/archive/checksum.ts";
import { encodeFrame } from "../../src/archive/write.ts";
import { MemoryLimitError, modelMemoryBytes } from "../../src/pipeline/memory.ts";
import { tinyHyper } from "../support/fake-engine.ts";
import { Random } from "../support/gpu-values.ts";
import { archiveOf, plainOf } from "../support/in-memory.ts";

const KIB = 2 ** 10;

const decode = (archive: Uint8Array, memoryBytesMax: number) =>
  plainOf(archive, { memoryBytesMax }).catch((error: unknown) => {
    if (error instanceof MemoryLimitError) return error;
    throw error;
  });

test("a window that does not fit is left out, and what needs it refused: never called corrupt", async () => {
  const random = new Random(3);
  const hard = Uint8Array.from({ length: 64 * KIB }, () => random.next());
  const plain = Buffer.concat([hard, hard, hard]);
  const repeats = { timeUnits: 0, minLength: 16 };
  const archive = await archiveOf(plain, { blockBytes: 64 * KIB, hyperFor: () => tinyHyper(1), repeats });
  expect(archive.length).toBeLessThan(hard.length + 500);
  const refusals: number[] = [];
  for (let memory = 64 * KIB; memory <= 512 * KIB; memory += 16 * KIB) {
    const found = await decode(archive, memory);
    if (found instanceof MemoryLimitError) refusals.push(memory);
    else expect(Buffer.compare(found, plain)).toBe(0);
  }
  // The first block alone takes 128 KiB; the second three times its length and the window.
  expect([refusals.includes(128 * KIB), Math.max(...refusals)]).toEqual([true, 336 * KIB]);
});

test("a stored run counts beside the model that is open", async () => {
  const hyper = tinyHyper(16);
  const coded = new Uint8Array(100).fill(97);
  const run = new Uint8Array(300 * KIB).fill(5);
  const check = chainCheck(coded, CHECK_START);
  const learned = { kind: "learned", plainBytes: coded.length, check, payload: coded } as const;
  let runCheck = check;
  for (let at = 0; at < run.length; at += 100) runCheck = chainCheck(run.subarray(at, at + 100), runCheck);
  const stored = { kind: "stored", plainBytes: run.length, check: runCheck, payload: run } as const;
  const archive = encodeFrame({ model: { hyper, groupCount: 1 }, blockBytes: 100 }, [learned, stored]);
  const neededBytes = modelMemoryBytes(hyper) + 2 * run.length;
  expect(await decode(archive, neededBytes)).toBeInstanceOf(Uint8Array);
  expect(await decode(archive, neededBytes - 1)).toMatchObject({ neededBytes, limitBytes: neededBytes - 1 });
});
