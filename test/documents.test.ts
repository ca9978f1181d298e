/** What documents and comments name is there: files, links, sections, commands, options and names of the source. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import packageFacts from "../package.json" with { type: "json" };
import { findForeign } from "../src/cli/foreign.ts";
import { findLong } from "../src/cli/options.ts";
import { codeLines, commentLines, DOCUMENT_RULES, type Repository } from "./setup/document-rules.ts";

const ROOT = join(import.meta.dir, "..");
/** What is made here and does not belong to the repository. */
const NOT_OURS = new Set(["node_modules", ".git", ".cache", "bin"]);

const PATHS = readdirSync(ROOT)
  .filter((name) => !NOT_OURS.has(name))
  .flatMap((name) => {
    if (statSync(join(ROOT, name)).isFile()) return [name];
    return [...new Bun.Glob("**/*").scanSync({ cwd: join(ROOT, name), dot: true })].map((path) => join(name, path));
  })
  .map((path) => path.replaceAll("\\", "/"))
  .sort();

const cache = new Map<string, string>();
function read(path: string): string {
  const text = cache.get(path) ?? readFileSync(join(ROOT, path), "utf8");
  cache.set(path, text);
  return text;
}

const REPOSITORY: Repository = {
  paths: PATHS,
  text: read,
  knowsOption: (name) => (findLong(name) ?? findForeign(name)?.means) !== undefined,
};

test("there is something to read", () => {
  for (const path of [
    "README.md",
    "docs/FORMAT.md",
    "scripts/nightly.ts",
    ".ci/run",
    ".github/workflows/nightly.yml",
  ]) {
    expect([path, PATHS.includes(path)]).toEqual([path, true]);
  }
});

describe.each(DOCUMENT_RULES.map((rule) => [rule.name, rule] as const))("%s", (_, rule) => {
  test("in the whole repository", () => {
    const complaints = PATHS.filter((path) => rule.applies(path)).flatMap((path) =>
      rule.check({ path, text: read(path) }, REPOSITORY).map((complaint) => `${path}:${complaint}`),
    );
    expect(complaints).toEqual([]);
  });
});

test("the README leads to every document", () => {
  const documents = PATHS.filter((path) => /^(docs\/)?[A-Z]+\.md$/.test(path) && path !== "README.md");
  expect(documents.filter((path) => !read("README.md").includes(`](${path})`))).toEqual([]);
});

test("the versions of all packages are pinned, Biome's among them", () => {
  const versions = Object.entries({ ...packageFacts.dependencies, ...packageFacts.devDependencies });
  expect(versions.map(([name]) => name)).toContain("@biomejs/biome");
  expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
});

test("the nightly workflow takes the Node that package.json wants", () => {
  const { node } = packageFacts.engines;
  expect(read(".github/workflows/nightly.yml")).toContain(`node-version: ${node.replace(">=", "")} }`);
});

const SAMPLE: Repository = {
  paths: ["package.json", "docs/A.md", "docs/NUMERICS.md", "scripts/run.ts", "src/model/hyper.ts"],
  text: (path) =>
    ({
      "package.json": '{ "scripts": { "build": "x" } }',
      "docs/A.md": "# A\n\n## The second, of two\n",
      "docs/NUMERICS.md": "# N\n\n## 1 Why\n",
      "scripts/run.ts": 'const values = optionsOf({ bytes: 3 }, ["file"]); const size = "size"; ',
      "src/model/hyper.ts": "export const streamsForSize = LEVEL_MAX;",
    })[path] ?? "",
  knowsOption: (name) => name === "output",
};

/** For every rule: texts that break it, once each, and texts that come close and do not. */
const SAMPLES: Record<string, { path: string; bad: string[]; good: string[] }[]> = {
  "links lead somewhere": [
    {
      path: "docs/B.md",
      bad: ["[x](C.md)", "[x](../docs/C.md)", "[x](A.md#third)", "a [x](#none) b"],
      good: ["[x](A.md)", "[x](A.md#the-second-of-two)", "[x](https://example.org/C.md)", "[x](../scripts/)"],
    },
  ],
  "files that are named are there": [
    {
      path: "docs/B.md",
      bad: ["`src/model/none.ts`", "see hyper2.ts", "src/modle", "`lab/x.py`", "| C.md |"],
      good: ["`src/model/hyper.ts`", "model/hyper.ts and hyper.ts", "src/*/hyper.ts", "`src/model/`", "a/hyper.tsx"],
    },
    {
      path: "src/model/hyper.ts",
      bad: ["// see none.ts", "/** docs/C.md */", " /*\n * run.js and none.ts\n */"],
      good: ['import "./none.ts";', "// docs/A.md", "x(); // hyper.ts"],
    },
  ],
  "sections that are named are there": [
    { path: "src/a.ts", bad: ["// docs/NUMERICS.md section 2"], good: ["// docs/NUMERICS.md section 1", "section 2"] },
    { path: "docs/NUMERICS.md", bad: ["(section 3)"], good: ["(section 1)"] },
  ],
  "commands that are shown can be typed": [
    {
      path: "docs/B.md",
      bad: [
        "`npm run bild`",
        "`bun scripts/run.ts --size 3`",
        "`fade --outptu x`",
        "    tar c d | fade --outptu=x > y",
        "```sh\nparallel --jobs 2 fade --shrad 1/2\n```",
      ],
      good: [
        "`npm run build`",
        "`bun scripts/run.ts --file [--bytes 3] -- --x`",
        "`fade --output x | tar --y`",
        "fade --z",
      ],
    },
    { path: "README.md", bad: ["`--outptu FILE`", "| `-c`, `--shrad` |"], good: ["`--output FILE`", "`-c`"] },
    { path: "scripts/run.ts", bad: ["/**\n *     bun scripts/run.ts --size 3\n */"], good: ["// `fade --output`"] },
  ],
  "names of the source are in the source": [
    {
      path: "docs/B.md",
      bad: ["`streamsForSizes`", "`LEVEL_MIN`"],
      good: ["`streamsForSize`", "`LEVEL_MAX`", "`streams`", "`myOwn` is\n    myOwn(x) = 1"],
    },
  ],
};

describe("the rules themselves", () => {
  test("each has a sample", () => {
    expect(Object.keys(SAMPLES).sort()).toEqual(DOCUMENT_RULES.map(({ name }) => name).sort());
  });

  test.each(DOCUMENT_RULES.map((rule) => [rule.name, rule] as const))("%s: found in its samples", (name, rule) => {
    for (const { path, bad, good } of SAMPLES[name] ?? []) {
      expect(rule.applies(path)).toBe(true);
      const complaints = (text: string) => rule.check({ path, text }, SAMPLE);
      for (const text of bad) expect({ text, count: complaints(text).length }).toEqual({ text, count: 1 });
      for (const text of good) expect({ text, complaints: complaints(text) }).toEqual({ text, complaints: [] });
    }
  });

  test("code in Markdown and comments in code keep their lines", () => {
    expect(codeLines("a `b` c\n\n    d\n```sh\ne\n```\n")).toEqual([
      [1, "b"],
      [3, "d"],
      [5, "e"],
    ]);
    expect(commentLines("a.ts", "/* a\n b */\nc(); // d\n")).toEqual([
      [1, "/* a"],
      [2, " b */"],
      [3, " // d"],
    ]);
    expect(commentLines("a.yml", "a: 1\n# b\n")).toEqual([[2, "# b"]]);
  });
});
