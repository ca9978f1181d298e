/**
 * The layers of src: no import goes upward, or to a neighbour, or round in a circle; what would be found; and what the
 * decoder is made of.
 */
import { expect, test } from "bun:test";
import { bundle } from "../scripts/bundles.ts";
import { circles, importGraph, placeOf, wrongImports } from "../scripts/imports.ts";

const graph = importGraph();

test("there is something to look at, and all of it has a place", () => {
  expect(graph.size).toBeGreaterThan(150);
  for (const file of graph.keys()) expect(placeOf(file).layer).toBeGreaterThanOrEqual(0);
  expect(graph.get("src/engine/registry.ts")).toContain("src/engine/cpu/engine.ts"); // an import that waits
  expect(() => placeOf("src/elsewhere/a.ts")).toThrow("belongs to no layer");
});

test("every import goes downward", () => {
  expect(wrongImports(graph)).toEqual([]);
});

test("there is no circle", () => {
  expect(circles(graph)).toEqual([]);
});

test("what is wrong would be found", () => {
  const wrong = new Map([
    ["src/contract/a.ts", ["src/engine/cpu/b.ts"]],
    ["src/engine/cpu/b.ts", ["src/engine/gpu/c.ts", "src/contract/a.ts"]],
    ["src/engine/gpu/c.ts", ["src/contract/d.ts"]],
    ["src/contract/d.ts", []],
  ]);
  expect(wrongImports(wrong)).toEqual([
    "src/contract/a.ts imports src/engine/cpu/b.ts",
    "src/engine/cpu/b.ts imports src/engine/gpu/c.ts",
  ]);
  expect(circles(wrong)).toEqual(["src/contract/a.ts -> src/engine/cpu/b.ts -> src/contract/a.ts"]);
});

/** What only compression needs. */
const ENCODING = [
  "archive/write",
  "coder/encode-pool",
  "engine/host-encoder",
  ...["compress", "content", "fills", "frames", "numbers", "pixel-trial", "repeats", "sound-trial", "stride"].map(
    (name) => `pipeline/${name}`,
  ),
  ...["byte-statistics", "choose", "cut", "estimate", "find", "policy"].map((name) => `repeats/${name}`),
].map((name) => `src/${name}.ts`);

test("a program that only decodes contains no encoder", async () => {
  const [decoder, encoder] = [await bundle("decoder", "engine"), await bundle("encoder", "engine")];
  for (const path of ["pipeline/decompress", "engine/host-decoder", "coder/decode-pool"]) {
    expect(decoder.modules).toContain(`src/${path}.ts`);
  }
  expect(decoder.modules.filter((module) => ENCODING.includes(module))).toEqual([]);
  expect(ENCODING.filter((module) => !encoder.modules.includes(module))).toEqual([]);
  expect((await bundle("decoder", "alone")).modules.filter((module) => /\/(coder|engine)\//.test(module))).toEqual([
    "src/coder/errors.ts",
    "src/coder/groups.ts",
  ]);
  expect(encoder.modules.filter((module) => /restore|decompress|paste|decode/.test(module))).toEqual([]);
});
