/**
 * A small runner for composite actions: takes the steps of action.yml in order, as GitHub's runner does, with
 * expressions as far as this repository uses them. Steps that run a program run it; the cache and the artifacts are
 * folders.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Step {
  readonly id?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly shell?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly with?: Readonly<Record<string, string | number | boolean>>;
}

export interface Action {
  readonly inputs: Readonly<Record<string, { readonly required?: boolean; readonly default?: string }>>;
  readonly outputs: Readonly<Record<string, { readonly value: string }>>;
  readonly runs: { readonly using: string; readonly steps: readonly Step[] };
}

type Names = (name: string) => string;

function atom(text: string, names: Names): string {
  const quoted = /^'([^']*)'$/.exec(text.trim());
  return quoted ? (quoted[1] as string) : names(text.trim());
}

/** Operators by how loosely they bind; strings are the only type, and the empty one is false. */
function evaluate(text: string, names: Names): string {
  if (text.includes("||")) return text.split("||").reduce((found, part) => found || evaluate(part, names), "");
  if (text.includes("&&")) return text.split("&&").every((part) => evaluate(part, names)) ? "true" : "";
  const [left, operator, right] = text.split(/(==|!=)/);
  if (operator === undefined) return atom(text, names);
  return (atom(left ?? "", names) === atom(right ?? "", names)) === (operator === "==") ? "true" : "";
}

const filled = (text: string, names: Names) =>
  text.replace(/\$\{\{(.*?)\}\}/g, (_, expression: string) => evaluate(expression, names));

export interface Machine {
  readonly workspace: string;
  readonly temp: string;
  readonly stores: string;
  readonly environment: Readonly<Record<string, string>>;
}

function restoreCache(machine: Machine, given: Readonly<Record<string, string>>): Record<string, string> {
  const folder = join(machine.stores, "cache");
  const keys = existsSync(folder) ? readdirSync(folder) : [];
  const beginnings = (given["restore-keys"] ?? "").split("\n").filter((line) => line !== "");
  const found = [given.key ?? "", ...beginnings].flatMap((key, i) =>
    keys.filter((each) => (i === 0 ? each === key : each.startsWith(key))),
  )[0];
  if (found === undefined) return {};
  if (given["lookup-only"] !== "true") cpSync(join(folder, found), given.path ?? "", { recursive: true });
  return { "cache-hit": `${found === given.key}`, "cache-matched-key": found };
}

function storeAway(folder: string, path: string): void {
  if (existsSync(folder)) throw new Error(`${folder} is kept already`);
  mkdirSync(folder, { recursive: true });
  cpSync(path, folder, { recursive: true });
}

function useAction(machine: Machine, uses: string, given: Readonly<Record<string, string>>): Record<string, string> {
  const { path = "", key = "", name = "" } = given;
  const artifact = join(machine.stores, "artifacts", name);
  const action = uses.split("@")[0];
  if (action === "actions/cache/restore") return restoreCache(machine, given);
  if (action === "actions/cache/save") storeAway(join(machine.stores, "cache", key), path);
  else if (action === "actions/upload-artifact") storeAway(artifact, path);
  else if (action === "actions/download-artifact") cpSync(artifact, path, { recursive: true });
  else throw new Error(`nothing here stands for ${uses}`);
  return {};
}

interface Outcome {
  readonly outputs: Readonly<Record<string, string>>;
  /** What the steps printed: commands such as ::warning:: among it. */
  readonly printed: string;
  readonly failed: boolean;
}

function runProgram(machine: Machine, step: Step, names: Names): { printed: string; status: number | null } {
  const file = join(machine.temp, "output");
  writeFileSync(file, "");
  const env = Object.fromEntries(Object.entries(step.env ?? {}).map(([name, value]) => [name, filled(value, names)]));
  const { status, stdout, stderr } = spawnSync("bash", ["-eo", "pipefail", "-c", step.run ?? ""], {
    cwd: machine.workspace,
    env: { ...machine.environment, ...env, GITHUB_OUTPUT: file },
    encoding: "utf8",
  });
  return { printed: stdout + stderr, status };
}

const parseOutputs = (text: string) =>
  Object.fromEntries([...text.matchAll(/^([^=\n]+)=(.*)$/gm)].map(([, name, value]) => [name, value]));

/** @param given the workflow's `with`; unknown or missing inputs throw, as an author of a workflow would like */
export function runAction(action: Action, machine: Machine, given: Readonly<Record<string, string>>): Outcome {
  for (const name of Object.keys(given)) if (!action.inputs[name]) throw new Error(`there is no input ${name}`);
  const inputs = Object.fromEntries(
    Object.entries(action.inputs).map(([name, facts]) => [name, given[name] ?? facts.default ?? ""]),
  );
  const steps: Record<string, Record<string, string>> = {};
  const names: Names = (name) => {
    if (name === "runner.temp") return machine.temp;
    const [kind = "", id = "", , output = ""] = name.split(".");
    if (kind === "inputs" && id in inputs) return inputs[id] ?? "";
    if (kind === "steps" && action.runs.steps.some((step) => step.id === id)) return steps[id]?.[output] ?? "";
    throw new Error(`there is no ${name}`);
  };
  let printed = "";
  let failed = false;
  for (const step of action.runs.steps) {
    if (step.if && !evaluate(step.if, names)) continue;
    let outputs: Record<string, string> = {};
    if (step.uses) {
      const words = Object.entries(step.with ?? {}).map(([name, value]) => [name, filled(`${value}`, names)]);
      outputs = useAction(machine, step.uses, Object.fromEntries(words));
    } else {
      const ran = runProgram(machine, step, names);
      printed += ran.printed;
      outputs = parseOutputs(readFileSync(join(machine.temp, "output"), "utf8"));
      failed = ran.status !== 0;
    }
    if (step.id) steps[step.id] = outputs;
    if (failed) break;
  }
  rmSync(join(machine.temp, "output"), { force: true });
  const outputs = Object.entries(action.outputs).map(([name, { value }]) => [name, filled(value, names)]);
  return { outputs: Object.fromEntries(outputs), printed, failed };
}
