/** Golden archives decode for ever, or are refused with what to do: test/golden/README.md has the rule. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pullFrom } from "../../src/archive/stream.ts";
import { readArchive } from "../../src/archive/whole.ts";
import { complaintOf } from "../../src/cli/errors.ts";
import { MODEL_CONTRACT_VERSION } from "../../src/contract/hyper.ts";
import { createCpuEngine } from "../../src/engine/cpu/engine.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { createReferenceEngine } from "../../src/engine/reference/engine.ts";
import { restore } from "../../src/pipeline/restore.ts";
import { patchPrior } from "../../src/prior/file.ts";
import { decodeCopies } from "../../src/repeats/copies.ts";
import {
  genomeOf,
  withFills,
  withFilm,
  withHeader,
  withNews,
  withPixels,
  withRepeats,
  withSound,
  withSounds,
  withTable,
} from "../support/golden-plain.ts";
import { rowsOf } from "../support/rows.ts";

const DIRECTORY = join(import.meta.dir, "../golden");
const golden = (name: string) => new Uint8Array(readFileSync(join(DIRECTORY, name)));
const hello = new TextEncoder().encode("hello");

const [mixed, text] = [golden("mixed.bin"), golden("text.bin")];
const again = withRepeats(mixed, text);

const CASES: readonly [archive: string, plain: Uint8Array, kinds: string][] = [
  ["v1-stored.fade", hello, "stored"],
  ["v2-stored.fade", hello, "stored"],
  ["v3-stored.fade", hello, "stored"],
  ["v4-stored.fade", hello, "stored"],
  ["v4-coded.fade", text, "coded"],
  ["v4-blocks.fade", mixed, "coded coded learned learned coded stored"],
  ["v4-run.fade", golden("chance.bin"), "stored stored coded coded"],
  ["v4-concatenated.fade", new Uint8Array(Buffer.concat([hello, text])), "stored,,coded"],
  ["v4-copies.fade", again, "coded learned coded coded coded stored stored stored"],
  ["v4-stride.fade", rowsOf(200, 90), "coded"],
  ["v5-stored.fade", hello, "stored"],
  ["v5-coded.fade", text, "coded"],
  ["v5-blocks.fade", mixed, "coded coded learned learned coded stored"],
  ["v5-run.fade", golden("chance.bin"), "stored stored coded coded"],
  ["v5-concatenated.fade", new Uint8Array(Buffer.concat([hello, text])), "stored,,coded"],
  ["v5-copies.fade", again, "coded learned coded coded coded stored stored stored"],
  ["v5-mirrored.fade", genomeOf(text), "coded coded coded"],
  ["v5-stride.fade", rowsOf(200, 90), "coded"],
  ["v6-stored.fade", hello, "stored"],
  ["v6-pattern.fade", new Uint8Array(Buffer.alloc(1000, "ab")), "stored"],
  ["v6-coded.fade", text, "coded"],
  ["v6-level-5.fade", text, "coded"],
  ["v6-cut.fade", again, "coded"],
  ["v6-blocks.fade", mixed, "coded coded learned learned coded stored"],
  ["v6-run.fade", golden("chance.bin"), "stored stored coded coded"],
  ["v6-concatenated.fade", new Uint8Array(Buffer.concat([hello, text])), "stored,,coded"],
  ["v6-copies.fade", again, "coded learned coded coded coded stored stored stored"],
  ["v6-mirrored.fade", genomeOf(text), "coded coded coded"],
  ["v6-stride.fade", rowsOf(200, 90), "coded"],
  ["v6-fills.fade", withFills(text, mixed), "coded"],
  ["v8-stored.fade", hello, "stored"],
  ["v8-pattern.fade", new Uint8Array(Buffer.alloc(1000, "ab")), "stored"],
  ["v8-coded.fade", text, "coded"],
  ["v8-level-5.fade", text, "coded"],
  ["v8-level-9.fade", text, "coded"],
  ["v8-counters.fade", text, "coded"],
  ["v8-lanes.fade", mixed, "coded coded learned learned coded stored"],
  ["v8-network.fade", text, "coded"],
  ["v8-cut.fade", again, "coded"],
  ["v8-blocks.fade", mixed, "coded coded learned learned coded stored"],
  ["v8-run.fade", golden("chance.bin"), "stored stored coded coded"],
  ["v8-concatenated.fade", new Uint8Array(Buffer.concat([hello, text])), "stored,,coded"],
  ["v8-copies.fade", again, "coded stored coded coded coded stored stored stored"],
  ["v8-mirrored.fade", genomeOf(text), "coded coded coded"],
  ["v8-stride.fade", rowsOf(200, 90), "coded"],
  ["v8-fills.fade", withFills(text, mixed), "coded"],
  ["v8-sound.fade", withSound(text), "coded"],
  ["v8-pixels.fade", withPixels(text), "coded"],
  ["v8-table.fade", withTable(text), "coded"],
  ["v8-patch.fade", withNews(text), "coded"],
  ["v9-stored.fade", hello, "stored"],
  ["v9-pattern.fade", new Uint8Array(Buffer.alloc(1000, "ab")), "stored"],
  ["v9-coded.fade", text, "coded"],
  ["v9-level-5.fade", text, "coded"],
  ["v9-level-9.fade", text, "coded"],
  ["v9-lanes.fade", mixed, "coded coded learned learned coded stored"],
  ["v9-network.fade", text, "coded"],
  ["v9-cut.fade", again, "coded"],
  ["v9-blocks.fade", mixed, "coded coded learned learned coded stored"],
  ["v9-run.fade", golden("chance.bin"), "stored stored coded coded"],
  ["v9-concatenated.fade", new Uint8Array(Buffer.concat([hello, text])), "stored,,coded"],
  ["v9-copies.fade", again, "coded stored coded coded coded stored stored stored"],
  ["v9-mirrored.fade", genomeOf(text), "coded coded coded"],
  ["v9-stride.fade", rowsOf(200, 90), "coded"],
  ["v9-fills.fade", withFills(text, mixed), "coded"],
  ["v9-sound.fade", withSound(text), "coded"],
  ["v9-pixels.fade", withPixels(text), "coded"],
  ["v9-table.fade", withTable(text), "coded"],
  ["v9-counters.fade", text, "coded"],
  ["v9-film.fade", withFilm(text), "coded"],
  ["v9-panel.fade", withSounds(text), "coded"],
  ["v9-damped.fade", withHeader(text), "coded"],
];

/** Of an older model contract: what stands before the model still comes out, and then it is refused. */
const REFUSED: readonly [archive: string, plain: Uint8Array][] = [
  ["v1-coded.fade", new Uint8Array(0)],
  ["v2-coded.fade", new Uint8Array(0)],
  ["v2-blocks.fade", new Uint8Array(0)],
  ["v2-stored-then-coded.fade", new Uint8Array(0)],
  ["v2-concatenated.fade", hello],
  ["v3-coded.fade", new Uint8Array(0)],
  ["v3-blocks.fade", new Uint8Array(0)],
  ["v3-run.fade", golden("chance.bin").subarray(0, 5000)],
  ["v3-concatenated.fade", hello],
  ["v3-copies.fade", new Uint8Array(0)],
  ["v4-coded-contract-2.fade", new Uint8Array(0)],
];

async function decode(archive: Uint8Array, engine: Engine, plain: Uint8Array[] = []): Promise<Buffer> {
  const sink = async (bytes: Uint8Array) => void plain.push(bytes.slice());
  const options = { workers: 1, memoryBytesMax: 2 ** 30, priors: [patchPrior(text)] };
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
    for (const [name, plain] of CASES.filter(([file]) =>
      [
        "v6-run.fade",
        "v6-coded.fade",
        "v6-mirrored.fade",
        "v8-lanes.fade",
        "v8-patch.fade",
        "v8-counters.fade",
      ].includes(file),
    )) {
      expect(Buffer.compare(await decode(golden(name), createReferenceEngine()), plain)).toBe(0);
    }
  }, 120_000);
});

test("the golden archive of mirrored copies has some", () => {
  const [frame] = readArchive(golden("v5-mirrored.fade"));
  const distances = (frame?.blocks ?? []).flatMap(({ plainBytes, copies }) => {
    if (!copies) return [];
    const limits = { blockBytes: plainBytes, restBytes: copies.restBytes, windowBytes: 4000 };
    return [...decodeCopies(copies.list, limits).distances];
  });
  expect(distances.filter((distance) => distance < 0).length).toBeGreaterThanOrEqual(3);
  expect(distances.some((distance) => distance > 0)).toBe(true);
});

describe("golden archives of a model that is gone", () => {
  test.each(REFUSED)("%s is refused, with what to do", async (name, plainBefore) => {
    const plain: Uint8Array[] = [];
    const error = await decode(golden(name), createReferenceEngine(), plain).catch((thrown: unknown) => thrown);
    const contract = name.endsWith("contract-2.fade") ? 2 : 1;
    const known = `this program knows ${MODEL_CONTRACT_VERSION}`;
    const says = `needs another version of fade: its model contract is ${contract}, ${known}`;
    expect(complaintOf(error)).toMatchObject({
      message: expect.stringContaining(says),
      hint: `fade 0.${contract} wrote it and decompresses it; before 1.0 the model may change`,
      exitCode: 3,
    });
    expect(Buffer.compare(Buffer.concat(plain), plainBefore)).toBe(0);
  });
});

test("every golden archive is tried", () => {
  const names = [...CASES, ...REFUSED].map(([name]) => name).sort();
  expect(names).toEqual(
    readdirSync(DIRECTORY)
      .filter((name) => name.endsWith(".fade"))
      .sort(),
  );
});

test("v4-copies.fade has rests of all lengths", () => {
  const [frame] = readArchive(golden("v4-copies.fade"));
  const rests = frame?.blocks.map(({ copies }) => copies?.restBytes);
  expect(rests).toEqual([1758, undefined, 500, 823, 1477, 0, 0, 0]);
});

test("v4-stride.fade has a stride", () => {
  expect(readArchive(golden("v4-stride.fade"))[0]?.blocks.map(({ stride }) => stride)).toEqual([200]);
});

test.each(CASES)("%s has the blocks that it should", (name, _plain, kinds) => {
  const frames = readArchive(golden(name));
  expect(frames.map(({ blocks }) => blocks.map(({ kind }) => kind).join(" ")).join(",")).toBe(kinds);
});
