/** Archives of every published version decode for ever: test/golden/README.md has the rule, and what they hold. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pullFrom } from "../../src/archive/stream.ts";
import { readArchive } from "../../src/archive/whole.ts";
import { createCpuEngine } from "../../src/engine/cpu/engine.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { createReferenceEngine } from "../../src/model/reference/engine.ts";
import { restore } from "../../src/pipeline/restore.ts";

const golden = (name: string) => new Uint8Array(readFileSync(join(import.meta.dir, "../golden", name)));
const hello = new TextEncoder().encode("hello");

const [mixed, text] = [golden("mixed.bin"), golden("text.bin")];
const again = Buffer.concat([mixed, mixed.subarray(500), text.subarray(0, 1500), mixed.subarray(3000)]);

const CASES: readonly [archive: string, plain: Uint8Array, kinds: string][] = [
  ["v1-stored.fade", hello, "stored"],
  ["v1-coded.fade", golden("text.bin"), "coded"],
  ["v2-stored.fade", hello, "stored"],
  ["v2-coded.fade", golden("text.bin"), "coded"],
  ["v2-blocks.fade", golden("mixed.bin"), "coded coded learned learned coded stored"],
  ["v2-stored-then-coded.fade", golden("chance.bin"), "stored coded"],
  ["v2-concatenated.fade", new Uint8Array(Buffer.concat([hello, golden("text.bin")])), "stored,,coded"],
  ["v3-stored.fade", hello, "stored"],
  ["v3-coded.fade", golden("text.bin"), "coded"],
  ["v3-blocks.fade", golden("mixed.bin"), "coded coded learned learned coded stored"],
  ["v3-run.fade", golden("chance.bin"), "stored stored coded coded"],
  ["v3-concatenated.fade", new Uint8Array(Buffer.concat([hello, golden("text.bin")])), "stored,,coded"],
  ["v3-copies.fade", new Uint8Array(again), "coded learned coded coded coded coded stored stored"],
];

async function decode(archive: Uint8Array, engine: Engine): Promise<Buffer> {
  const plain: Uint8Array[] = [];
  const sink = async (bytes: Uint8Array) => void plain.push(bytes.slice());
  const options = { workers: 1, memoryBytesMax: 2 ** 30 };
  await restore(pullFrom(archive, 100), sink, async () => engine, options);
  return Buffer.concat(plain);
}

describe("golden archives decode", () => {
  test.each(CASES)(
    "%s",
    async (name, plain) => {
      const engine = await createCpuEngine({ threads: 1 });
      try {
        expect(Buffer.compare(await decode(golden(name), engine), plain)).toBe(0);
      } finally {
        await engine.close();
      }
    },
    60_000,
  );

  test("with the reference, too", async () => {
    for (const name of ["v2-stored-then-coded.fade", "v3-run.fade"]) {
      const decoded = await decode(golden(name), createReferenceEngine());
      expect(Buffer.compare(decoded, golden("chance.bin"))).toBe(0);
    }
  }, 60_000);
});

test("v3-copies.fade has rests of all lengths", () => {
  const [frame] = readArchive(golden("v3-copies.fade"));
  const rests = frame?.blocks.map(({ copies }) => copies?.restBytes);
  expect(rests).toEqual([1758, undefined, 1476, 894, 1000, 1318, 0, 0]);
});

test.each(CASES)("%s has the blocks that it should", (name, _plain, kinds) => {
  const frames = readArchive(golden(name));
  expect(frames.map(({ blocks }) => blocks.map(({ kind }) => kind).join(" ")).join(",")).toBe(kinds);
});
