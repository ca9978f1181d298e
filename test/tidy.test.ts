/** The source keeps its rules: nothing in it may break exactness, and all of it stays readable. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import packageFacts from "../package.json" with { type: "json" };
import { generated, staleFiles } from "../scripts/generate.ts";
import { RULES, withoutComments } from "./setup/tidy-rules.ts";
import { unusedExports } from "./setup/unused-exports.ts";

const ROOT = join(import.meta.dir, "..");
const SOURCES = new Bun.Glob("{src,test,scripts,tools,shaders,web}/**/*.{ts,mjs,wgsl}");
const FILES = ["build.ts", ...SOURCES.scanSync({ cwd: ROOT })].map((path) => path.replaceAll("\\", "/")).sort();

test("there is something to read", () => {
  expect(FILES.length).toBeGreaterThan(50);
  for (const part of ["src/", "test/", "scripts/", "tools/", "shaders/"]) {
    expect([part, FILES.some((path) => path.startsWith(part))]).toEqual([part, true]);
  }
});

describe.each(RULES.map((rule) => [rule.name, rule] as const))("%s", (_, rule) => {
  test("in the whole repository", () => {
    const complaints = FILES.filter((path) => rule.applies(path)).flatMap((path) =>
      rule.check({ path, text: readFileSync(join(ROOT, path), "utf8") }).map((complaint) => `${path}:${complaint}`),
    );
    expect(complaints).toEqual([]);
  });
});

describe("exports", () => {
  test("are imported by somebody", () => {
    const sources = FILES.map((path) => ({ path, text: readFileSync(join(ROOT, path), "utf8") }));
    const aliases = Object.entries(packageFacts.imports).map(([name, choices]) => [
      name,
      Object.values(choices).map((path) => path.replace("./", "")),
    ]);
    expect(unusedExports(sources, Object.fromEntries(aliases))).toEqual([]);
  });

  test("that nobody imports are found", () => {
    const sources = {
      "src/a.ts": "export const one = 1;\nexport async function two() {}\nexport type Three = 3;\nexport class Four {}",
      "src/b.ts": 'import { one as first, type Three } from "./a.ts";\nexport { first as five };\n// two',
      "src/c.ts": "export const six = 6;\nexport const seven = 7;\nexport const eight = 8;",
      "src/d.ts": 'import * as all from "./c.ts";\nexport * from "./b.ts";',
      "src/e.ts": 'import { five } from "./d.ts";\nconst { six } = await import("./c.ts");\nexport const nine = 9;',
      "shaders/f.wgsl": "let x = eight;",
      "src/g/h.ts": 'import { nine } from "#e";\nimport ten, { eleven } from "../i";',
      "src/i.ts": "export const eleven = 11;\nexport const twelve = 12;",
    };
    const files = Object.entries(sources).map(([path, text]) => ({ path, text }));
    const unused = ["src/a.ts: two", "src/a.ts: Four", "src/c.ts: seven", "src/i.ts: twelve"];
    expect(unusedExports(files, { "#e": ["src/e.ts"] })).toEqual(unused);
  });
});

/** `bun scripts/generate.ts` writes what is stale. */
test("what is made of the contract's tables is as they are", () => {
  expect(generated().length).toBe(5);
  expect(staleFiles()).toEqual([]);
});

const long = (count: number) => "  x();\n".repeat(count);

/** For every rule: a file that breaks it, and one that comes close and does not. */
const SAMPLES: Record<string, { path: string; bad: string[]; good: string[] }> = {
  "no float functions": {
    path: "src/model/a.ts",
    bad: ["const y = Math.exp(x);", "Math.log2(n)", "a = Math.sqrt(b); // root"],
    good: ["Math.max(a, b)", "// never Math.exp(x)", "/* Math.pow\n Math.log */ Math.clz32(x)", "Math.imul(a, b)"],
  },
  "no float functions but roots in WebAssembly": {
    path: "src/engine/cpu/assembly/a.ts",
    bad: ["Math.exp(x)", "Mathf.tanh(x)"],
    good: ["<u32>Math.sqrt(<f64>x)", "i32x4.add(a, b)"],
  },
  "no compressors of the runtime": {
    path: "src/pipeline/a.ts",
    bad: ["Bun.zstdCompressSync(x)", 'import { gzipSync } from "node:zlib";'],
    good: ["hash.xxHash64(x)", "// Bun.zstdCompressSync"],
  },
  "the runtime behind its seam": {
    path: "src/pipeline/a.ts",
    bad: ["Bun.gc(true)", "Buffer.concat(x)", 'import { readFileSync } from "node:fs";'],
    good: ["host.concatenate(x)", 'import { host } from "../platform/host.ts";', "new ArrayBuffer(4)"],
  },
  "no chance": { path: "src/coder/a.ts", bad: ["Math.random()"], good: ["random(seed)"] },
  "no clocks": { path: "src/engine/x.ts", bad: ["new Date()", "performance.now()"], good: ["update(); // Date"] },
  "no relaxed SIMD": { path: "src/engine/cpu/a.ts", bad: ["i32x4.relaxed_dot(a)"], good: ["i32x4.dot_i16x8_s(a, b)"] },
  "no f16": { path: "shaders/a.wgsl", bad: ["enable f16;"], good: ["// no f16", "let f160 = 1;"] },
  "no float built-ins in shaders": {
    path: "shaders/a.wgsl",
    bad: ["let y = exp(x);", "inverseSqrt (x)", "tanh(x)", "fma(a, b, c)"],
    good: ["integer_sqrt(m << 14u)", "// exp(x)", "gelu_log2(x)"],
  },
  "no float division in shaders": {
    path: "shaders/a.wgsl",
    bad: ["let y = f32(a) / b;", "x / 2.0", "1f / x"],
    good: ["let b = i / 4u;", "let y = f32(a) * b; // a / b", "let w = WIDTH / LANES;"],
  },
  "only the command line prints and exits": {
    path: "src/archive/a.ts",
    bad: ["process.exit(1)", 'console.log("x")'],
    good: ["// console.log", "process.platform"],
  },
  "nothing left for later": { path: "src/a.ts", bad: ["// TODO: x", "// XXX"], good: ["// XXXL"] },
  "every test runs": {
    path: "test/a.test.ts",
    bad: ['test.skip("x")', "describe.each([1]).only(", "it.todo("],
    good: ['test("x")', "describe.each([1])("],
  },
  "modules are short": { path: "src/a.ts", bad: ["x\n".repeat(451)], good: ["x\n".repeat(450)] },
  "lines are short": { path: "src/a.ts", bad: ["x".repeat(121)], good: ["x".repeat(120), "é".repeat(120)] },
  "functions are short": {
    path: "src/a.ts",
    bad: [
      `export async function f() {\n${long(69)}}`,
      `class A {\n  async #f(a: B): C {\n${long(69)}  }\n}`,
      `const f = () => {\n${long(69)}};`,
    ],
    good: [
      `describe("a", () => {\n${long(99)}});`,
      `function f() {\n${long(68)}}`,
      `class A {\n${long(100)}}`,
      `  if (a) {\n${long(100)}  }`,
    ],
  },
  "files say what they are": {
    path: "src/a.ts",
    bad: ["const x = 1;", ""],
    good: ["/** What. */\nx", "#!/usr/bin/env bun\n/**\n * What\n */", "// What\nx"],
  },
  "shaders say what they compute": { path: "shaders/a.wgsl", bad: ["fn x() {}"], good: ["// y = a x\nfn x() {}"] },
};

describe("the rules themselves", () => {
  test("each has a sample", () => {
    expect(Object.keys(SAMPLES).sort()).toEqual(RULES.map(({ name }) => name).sort());
  });

  test.each(RULES.map((rule) => [rule.name, rule] as const))(
    "%s: found in its sample and nowhere else",
    (name, rule) => {
      const { path, bad, good } = SAMPLES[name]!;
      expect(rule.applies(path)).toBe(true);
      for (const text of bad)
        expect({ text, complaints: rule.check({ path, text }).length }).toEqual({ text, complaints: 1 });
      for (const text of good)
        expect({ text, complaints: rule.check({ path, text }) }).toEqual({ text, complaints: [] });
    },
  );

  test("comments are blanked without moving lines; addresses in strings are no comments", () => {
    expect(withoutComments("a /* b\nc */ d // e\nf")).toBe("a     \n     d \nf");
    expect(withoutComments('"http://x"')).toBe('"http://x"');
  });
});
