/**
 * What kernel.ts reads out of shaders and makes of them, and what every shader must keep to so that every device runs
 * it: WebGPU's default limits, and bindings that say what they hold.
 */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { planDevice } from "../../../src/bench/plan-device.ts";
import { MIXER_BUFFERS } from "../../../src/engine/gpu/adapters.ts";
import {
  bindingsOf,
  elementGroups,
  flatGroups,
  KernelCompiler,
  kernelSource,
  modelFieldsOf,
} from "../../../src/engine/gpu/kernel.ts";
import { mixerConstants } from "../../../src/engine/gpu/mixer-layout.ts";
import { FUSED_BUFFERS, HARDWARE_TILE, SOFTWARE_TILE } from "../../../src/engine/gpu/path.ts";
import {
  FUSED_KERNELS,
  KERNELS,
  type KernelName,
  LIBRARIES,
  MIXER_KERNELS,
  PROBES,
} from "../../../src/engine/gpu/shaders.ts";
import { forAll } from "../../support/for-all.ts";

/** WebGPU's default limits. Fused kernels bind more buffers, and run where the device has them. */
const STORAGE_BUFFERS_MAX = 8;
const INVOCATIONS_MAX = 256;
/** Of the fused kernels' tiles. */
const LANES_MAX = Math.max(SOFTWARE_TILE.lanes, HARDWARE_TILE.lanes);
const WORKGROUPS_MAX = 65535;

const kernels = Object.entries({ ...KERNELS, ...FUSED_KERNELS, ...MIXER_KERNELS, ...PROBES }) as [KernelName, string][];

describe("bindingsOf", () => {
  test("reads index, access and name in the order of the text", () => {
    const source = [
      "@group(0) @binding(1) var<storage, read_write> out: array<atomic<i32>>; // B",
      "// @group(0) @binding is spoken of here",
      "@group(0) @binding(0) var<storage, read> x: array<i32>;   // B",
    ].join("\n");
    expect(bindingsOf(source)).toEqual([
      { index: 1, access: "read_write", name: "out" },
      { index: 0, access: "read", name: "x" },
    ]);
  });

  test("finds none in a library, but the four buffers of rows that lie apart, which follow the mixer's", () => {
    const { mixerRowsApart, ...others } = LIBRARIES;
    for (const text of Object.values(others)) expect(bindingsOf(text)).toEqual([]);
    expect(bindingsOf(mixerRowsApart).map(({ name }) => name)).toEqual(["refine0", "refine1", "refine2", "refine3"]);
    const bound = bindingsOf(kernelSource("mixer", mixerConstants(32, 0, true)));
    expect(bound.map(({ index }) => index).sort((a, b) => a - b)).toEqual(
      Array.from({ length: MIXER_BUFFERS }, (_, i) => i),
    );
    for (const isTallied of [false, true]) {
      const within = kernelSource("mixer", mixerConstants(32, 0, false, isTallied));
      expect(bindingsOf(within).length).toBe(STORAGE_BUFFERS_MAX);
    }
  });
});

describe("kernelSource", () => {
  test("starts with the constants that it uses; lists become arrays", () => {
    const source = kernelSource("optimise_dense", { UNUSED: 3, DENSE_STARTS: [1, -2], DENSE_TENSORS: -7 });
    const lines = source.split("\n");
    expect(lines.slice(lines.indexOf("const DENSE_TENSORS = -7;") - 1).slice(0, 2)).toEqual([
      "const DENSE_STARTS = array<i32, 2>(1, -2);",
      "const DENSE_TENSORS = -7;",
    ]);
    expect(source).not.toContain("UNUSED");
  });

  test("what the text calls model.NAME is a uniform, whatever its value", () => {
    const source = kernelSource("quantise_gradient", { COUNT: 3, START: 5 });
    expect(source).toContain(
      "struct Model {\n  COUNT: u32,\n  GRADIENT_OPERAND_LIMIT: u32,\n  START: u32,\n}\n" +
        "@group(0) @binding(15) var<uniform> model: Model;",
    );
    expect(source).not.toContain("const COUNT");
    expect(kernelSource("quantise_gradient", { COUNT: 4, START: 6 })).toBe(source);
    expect(modelFieldsOf("model.B + model.A * model.B; // model.C")).toEqual(["A", "B"]);
    expect(kernelSource("end_step", {})).not.toContain("var<uniform>");
  });

  test("a number that is missing is a programmer's error", async () => {
    const compiler = new KernelCompiler(planDevice(), { GRADIENT_OPERAND_LIMIT: 1, START: 0 });
    const bound = compiler.bind("quantise_gradient", {}, {}, [1, 1, 1]);
    await expect(bound).rejects.toThrow("kernel quantise_gradient has no number for model.COUNT");
  });

  test.each(kernels)("%s comes with the libraries whose functions it calls, and with no other", (name, own) => {
    const source = kernelSource(name, {});
    expect(source).toContain(LIBRARIES.prelude);
    expect(source.endsWith(own)).toBe(true);
    for (const library of ["luts", "optimizer", "past", "recall"] as const) {
      const functions = [...LIBRARIES[library].matchAll(/^fn (\w+)/gm)].map((match) => match[1] as string);
      const isUsed = functions.some((each) => new RegExp(`\\b${each}\\(`).test(own));
      expect({ library, isThere: source.includes(LIBRARIES[library]) }).toEqual({ library, isThere: isUsed });
    }
  });
});

describe("kernels that load words together", () => {
  test.each(["forward", "backward", "weights", "probe_together"] as const)("%s: one of two libraries", (name) => {
    const apart = kernelSource(name, { TOGETHER: 1 });
    const together = kernelSource(name, { TOGETHER: 8 });
    expect(apart).toContain(LIBRARIES.eightApart);
    expect(apart).not.toContain("subgroup");
    expect(together).not.toContain(LIBRARIES.eightApart);
    expect(together).toContain(LIBRARIES.eightTogether);
    expect(together.startsWith("enable subgroups;\n")).toBe(true);
  });

  test("no other kernel needs subgroups", () => {
    expect(kernelSource("embed", { TOGETHER: 8 })).not.toContain("subgroup");
  });
});

describe("flatGroups", () => {
  test("a list that fits stays flat", () => {
    expect(flatGroups(1)).toEqual([1, 1, 1]);
    expect(flatGroups(WORKGROUPS_MAX)).toEqual([WORKGROUPS_MAX, 1, 1]);
    expect(flatGroups(WORKGROUPS_MAX + 1)).toEqual([32768, 2, 1]);
  });

  test("covers every group with few more, in dimensions that every device has", () => {
    forAll([fc.integer({ min: 1, max: 2 ** 31 })], (count) => {
      const [columns, rows, layers] = flatGroups(count);
      expect(layers).toBe(1);
      expect(Math.max(columns, rows)).toBeLessThanOrEqual(WORKGROUPS_MAX);
      expect(columns * rows).toBeGreaterThanOrEqual(count);
      expect(columns * rows).toBeLessThan(count + rows);
    });
  });

  test("elementGroups counts workgroups of 64", () => {
    expect(elementGroups(64)).toEqual([1, 1, 1]);
    expect(elementGroups(65)).toEqual([2, 1, 1]);
  });
});

describe.each(kernels)("shader %s", (name, source) => {
  const bindings = bindingsOf(source);

  test("binds no more storage buffers than every device has, numbered from 0, and says what each holds", () => {
    expect(bindings.length).toBeLessThanOrEqual(name in FUSED_KERNELS ? FUSED_BUFFERS : STORAGE_BUFFERS_MAX);
    expect(bindings.map(({ index }) => index)).toEqual(bindings.map((_, i) => i));
    const lines = source.split("\n").filter((line) => line.startsWith("@group"));
    expect(lines.length).toBe(bindings.length);
    const HOLDS = /^@group\(0\) @binding\(\d\) var<storage, (read|read_write)> \w+: array<[\w<>]+>; +\/\/ \S.*$/;
    for (const line of lines) expect(line).toMatch(HOLDS);
  });

  test("has one entry point of no more invocations than every device has", () => {
    const sizes = [...source.matchAll(/@compute @workgroup_size\(([\d, ]+|LANES)\)\nfn main\(/g)];
    expect(sizes.length).toBe(1);
    const invocations = (sizes[0]?.[1] ?? "")
      .split(",")
      .reduce((product, each) => product * (each === "LANES" ? LANES_MAX : Number(each)), 1);
    expect(invocations).toBeGreaterThan(0);
    expect(invocations).toBeLessThanOrEqual(INVOCATIONS_MAX);
  });

  test("uses every binding that it declares", () => {
    // The mixer's libraries are its own, and use what it declares.
    const text = name in MIXER_KERNELS ? kernelSource(name, {}).replaceAll(/\/\/.*/g, "") : source;
    for (const { name } of bindings) {
      const uses = [...text.matchAll(new RegExp(`\\b${name}\\b`, "g"))].length;
      const throughLuts = name === "constants" && /gelu\(|gelu_slope\(|sigmoid\(/.test(source);
      const throughPast = name === "bytes" && source.includes("byte_before(");
      const throughTile = name === "seen" && source.includes("note_all(");
      const throughEffects = name === "entries" && source.includes("effect_of_one_table(");
      const isUsed = uses > 1 || throughLuts || throughPast || throughTile || throughEffects;
      expect({ name, isUsed }).toEqual({ name, isUsed: true });
    }
  });
});
