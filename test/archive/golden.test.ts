/** Golden archives decode for ever, or are refused with what to do: test/golden/README.md has the rule. */
import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { pullFrom } from "../../src/archive/stream.ts";
import { complaintOf } from "../../src/cli/errors.ts";
import { MODEL_CONTRACT_VERSION } from "../../src/contract/hyper.ts";
import { createCpuEngine } from "../../src/engine/cpu/engine.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { createReferenceEngine } from "../../src/engine/reference/engine.ts";
import { restore } from "../../src/pipeline/restore.ts";
import { patchPrior } from "../../src/prior/file.ts";
import { decodeCopies } from "../../src/repeats/copies.ts";
import { utf8 } from "../support/bytes.ts";
import { GOLDEN_FOLDER, GOLDEN_PLAIN, goldenFile as golden } from "../support/golden-plain.ts";
import { LIMITS, readArchive } from "../support/in-memory.ts";

/** Those of each version that decode, by the rest of their names. */
const VERSIONS: Readonly<Record<string, string>> = {
  v1: "stored",
  v2: "stored",
  v3: "stored",
  v4: "stored coded blocks run concatenated copies stride",
  v5: "stored coded blocks run concatenated copies mirrored stride",
  v6: "stored pattern coded level-5 cut blocks run concatenated copies mirrored stride fills",
  v8:
    "stored pattern coded level-5 level-9 counters lanes network cut blocks run concatenated copies mirrored stride " +
    "fills sound pixels table patch",
  v9:
    "stored pattern coded level-5 level-9 counters lanes network cut blocks run concatenated copies mirrored stride " +
    "fills sound pixels table film panel damped colours stated",
};

/** The kinds of their blocks, by frame; those that are not here have one that is coded. */
const KINDS: Readonly<Record<string, string>> = {
  stored: "stored",
  pattern: "stored",
  lanes: "coded coded learned learned coded stored",
  blocks: "coded coded learned learned coded stored",
  run: "stored stored coded coded",
  concatenated: "stored,,coded",
  copies: "coded learned coded coded coded stored stored stored",
  "v8-copies": "coded stored coded coded coded stored stored stored",
  "v9-copies": "coded stored coded coded coded stored stored stored",
  mirrored: "coded coded coded",
};

const CASES = Object.entries(VERSIONS).flatMap(([version, names]) =>
  names.split(" ").map((name) => {
    const kinds = KINDS[`${version}-${name}`] ?? KINDS[name] ?? "coded";
    return [`${version}-${name}.fade`, GOLDEN_PLAIN[name] as Uint8Array, kinds] as const;
  }),
);

/** Of an older model contract: what stands before the model still comes out, and then it is refused. */
const REFUSED: readonly [archive: string, plain: Uint8Array][] = [
  ["v1-coded.fade", new Uint8Array(0)],
  ["v2-coded.fade", new Uint8Array(0)],
  ["v2-blocks.fade", new Uint8Array(0)],
  ["v2-stored-then-coded.fade", new Uint8Array(0)],
  ["v2-concatenated.fade", utf8("hello")],
  ["v3-coded.fade", new Uint8Array(0)],
  ["v3-blocks.fade", new Uint8Array(0)],
  ["v3-run.fade", golden("chance.bin").subarray(0, 5000)],
  ["v3-concatenated.fade", utf8("hello")],
  ["v3-copies.fade", new Uint8Array(0)],
  ["v4-coded-contract-2.fade", new Uint8Array(0)],
];

/** @param plain what came out, even if that is not all */
async function decode(archive: Uint8Array, engine: Engine, plain: Uint8Array[] = []): Promise<Buffer> {
  const sink = async (bytes: Uint8Array) => void plain.push(bytes.slice());
  const options = { ...LIMITS, priors: [patchPrior(golden("text.bin"))] };
  await restore(pullFrom(archive, 100), sink, async () => engine, options);
  return Buffer.concat(plain);
}

describe("golden archives decode", () => {
  test.each(CASES)("%s", async (name, plain) => {
    const engine = await createCpuEngine({ threads: 1 });
    try {
      expect(Buffer.compare(await decode(golden(name), engine), plain)).toBe(0);
    } finally {
      await engine.close();
    }
  });

  test("with the reference, too", async () => {
    const some = ["v6-run", "v6-coded", "v6-mirrored", "v8-lanes", "v8-patch", "v8-counters"];
    for (const [name, plain] of CASES.filter(([file]) => some.includes(file.replace(".fade", "")))) {
      expect(Buffer.compare(await decode(golden(name), createReferenceEngine()), plain)).toBe(0);
    }
  });
});

test("the golden archive of mirrored copies has some", async () => {
  const [frame] = await readArchive(golden("v5-mirrored.fade"));
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
    readdirSync(GOLDEN_FOLDER)
      .filter((name) => name.endsWith(".fade"))
      .sort(),
  );
});

test("v4-copies.fade has rests of all lengths", async () => {
  const [frame] = await readArchive(golden("v4-copies.fade"));
  const rests = frame?.blocks.map(({ copies }) => copies?.restBytes);
  expect(rests).toEqual([1758, undefined, 500, 823, 1477, 0, 0, 0]);
});

test("v4-stride.fade has a stride", async () => {
  expect((await readArchive(golden("v4-stride.fade")))[0]?.blocks.map(({ stride }) => stride)).toEqual([200]);
});

test.each(CASES)("%s has the blocks that it should", async (name, _plain, kinds) => {
  const frames = await readArchive(golden(name));
  expect(frames.map(({ blocks }) => blocks.map(({ kind }) => kind).join(" ")).join(",")).toBe(kinds);
});
