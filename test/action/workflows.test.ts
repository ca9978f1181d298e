/** The workflows: they parse, what they call is there, and nothing that others write reaches a shell. */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import packageFacts from "../../package.json" with { type: "json" };
import { PLATFORMS } from "../../scripts/packages.ts";
import { hasOption } from "../setup/document-rules.ts";
import type { Action, Step } from "../support/workflow.ts";

interface Job {
  readonly needs?: string;
  readonly steps: readonly Step[];
  readonly env?: Readonly<Record<string, string>>;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly strategy?: { readonly matrix: { readonly include: readonly { readonly target: string }[] } };
}

interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const ROOT = join(import.meta.dir, "..", "..");
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
const FOLDER = ".github/workflows";
const WORKFLOWS = readdirSync(join(ROOT, FOLDER)).map((name) => {
  return [name, Bun.YAML.parse(read(`${FOLDER}/${name}`)) as Workflow] as const;
});
const workflow = (name: string) => WORKFLOWS.find(([each]) => each === name)?.[1] as Workflow;
const ACTION = Bun.YAML.parse(read("action.yml")) as Action;
/** Texts with steps, and these steps. */
const ALL: readonly (readonly [string, string, readonly Step[]])[] = [
  ["action.yml", read("action.yml"), ACTION.runs.steps],
  ...WORKFLOWS.map(([name, { jobs }]) => {
    return [name, read(`${FOLDER}/${name}`), Object.values(jobs).flatMap(({ steps }) => steps)] as const;
  }),
];

test("there are the workflows that the documents speak of", () => {
  expect(WORKFLOWS.map(([name]) => name).sort()).toEqual(["ci.yml", "nightly.yml", "release.yml"]);
});

test("actions are pinned by commit, each by one, with the version beside it", () => {
  const pins = ALL.flatMap(([, text]) => [...text.matchAll(/uses: (.*)/g)].map(([, use]) => use as string));
  expect(pins.length).toBeGreaterThan(15);
  expect(pins.filter((pin) => !/^actions\/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(pin))).toEqual([]);
  const repositories = new Set(pins.map((pin) => pin.replace(/^(actions\/[\w-]+)[^@]*@/, "$1@")));
  expect(repositories.size).toBe(new Set([...repositories].map((pin) => pin.split("@")[0])).size);
});

describe.each(ALL)("%s", (_, __, steps) => {
  test("has no expression in a shell's text, and steps that run or use something", () => {
    expect(steps.filter(({ run }) => run?.includes("${{"))).toEqual([]);
    expect(steps.filter(({ run, uses }) => (run === undefined) === (uses === undefined))).toEqual([]);
  });

  test("calls what is there", () => {
    const text = steps.map(({ run }) => run ?? "").join("\n");
    for (const [, name] of text.matchAll(/npm run ([\w:-]+)/g)) {
      expect(Object.keys(packageFacts.scripts)).toContain(name as string);
    }
    for (const [, script, rest] of text.matchAll(/((?:scripts|tools|\.ci)\/[\w./-]+)(.*(?:\n +--.*)*)/g)) {
      expect([script, existsSync(join(ROOT, script as string))]).toEqual([script, true]);
      if (!script?.startsWith("scripts/")) continue;
      const options = [...(rest ?? "").matchAll(/ --([a-z-]+)/g)].map(([, option]) => option);
      const unknown = options.filter((option) => !hasOption(read(script), option as string));
      expect([script, unknown]).toEqual([script, []]);
    }
  });
});

test("jobs may read, unless they say more, and wait for jobs that are there", () => {
  for (const [name, { permissions, jobs }] of WORKFLOWS) {
    expect([name, permissions]).toEqual([name, { contents: "read" }]);
    const needs = Object.values(jobs).flatMap((job) => job.needs ?? []);
    expect(needs.filter((each) => !(each in jobs))).toEqual([]);
    expect(Object.values(jobs).filter((job) => !("timeout-minutes" in job))).toEqual([]);
  }
});

test("the README's commands and .ci/run are what every push and pull request runs", () => {
  const commands = [...read("README.md").matchAll(/^ {4}(npm ci && .*)$/gm)].map(([, command]) => command as string);
  expect(commands.length).toBe(2);
  const jobs = Object.values(workflow("ci.yml").jobs);
  const runs = jobs.flatMap(({ steps }) => steps.map(({ run }) => run ?? ""));
  for (const command of [...commands, ".ci/run"]) expect(runs.some((run) => run.startsWith(command))).toBe(true);
});

test("everything is built on the Node that package.json wants", () => {
  const wanted = Number(packageFacts.engines.node.replace(">=", ""));
  const builders = ALL.flatMap(([, , steps]) => (steps.some(({ run }) => run?.includes("npm ci")) ? steps : []));
  const versions = builders.flatMap((step) => step.with?.["node-version"] ?? []);
  expect(versions.length).toBeGreaterThan(4);
  // What publishes runs npm alone: trusted publishing takes a newer one than Node 20 brings.
  expect(versions.filter((version) => version !== wanted)).toEqual([24]);
});

test("a release has a package for each platform", () => {
  const targets = workflow("release.yml").jobs.build?.strategy?.matrix.include.map(({ target }) => target) ?? [];
  expect(targets.sort()).toEqual(Object.keys(PLATFORMS).sort());
});

test("who publishes and attests says so, and nobody else", () => {
  const { build, release, npm } = workflow("release.yml").jobs;
  expect(build?.permissions).toBeUndefined();
  expect(release?.permissions).toEqual({ contents: "write", "id-token": "write", attestations: "write" });
  expect(npm?.permissions).toEqual({ contents: "read", "id-token": "write" });
});

test("each input of the action goes to its first step, and each output comes from a step", () => {
  const passed = Object.values(ACTION.runs.steps[0]?.env ?? {}).join("\n");
  for (const name of Object.keys(ACTION.inputs)) expect(passed).toContain(`\${{ inputs.${name} }}`);
  const ids = ACTION.runs.steps.flatMap(({ id }) => id ?? []);
  for (const { value } of Object.values(ACTION.outputs)) {
    for (const [, id] of value.matchAll(/steps\.(\w+)\./g)) expect(ids).toContain(id as string);
  }
});
