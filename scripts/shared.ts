/** What scripts have in common: how they are called, how they run programs, and the tables that they print. */
import { join } from "node:path";
import { parseArgs } from "node:util";

export const ROOT = join(import.meta.dir, "..");
/** The program that `npm run build` makes. */
export const FADE = join(ROOT, "bin", "fade");

type Defaults = Readonly<Record<string, string | number | boolean>>;
type Values<D extends Defaults, O extends string> = {
  readonly [K in keyof D]: D[K] extends number ? number : D[K] extends boolean ? boolean : string;
} & { readonly [K in O]: string | undefined };

/**
 * The options that a script was called with, and the words that are none.
 *
 * @param defaults by their names; their types say which are numbers, and which are flags
 * @param optional names of those that are undefined if they are not given
 */
export function optionsAndWords<D extends Defaults, O extends string = never>(
  defaults: D,
  optional: readonly O[] = [],
) {
  const known = [...Object.entries(defaults), ...optional.map((name) => [name, ""] as const)];
  const options = known.map(([name, value]) => [
    name,
    { type: typeof value === "boolean" ? ("boolean" as const) : ("string" as const) },
  ]);
  const given = parseArgs({ allowPositionals: true, options: Object.fromEntries(options) });
  const values = Object.entries({ ...defaults, ...given.values }).map(([name, value]) => {
    if (typeof defaults[name] === "number" && Number.isNaN(Number(value))) throw new Error(`--${name}: ${value}?`);
    return [name, typeof defaults[name] === "number" ? Number(value) : value];
  });
  return { values: Object.fromEntries(values) as Values<D, O>, positionals: given.positionals };
}

/** The same for scripts that take nothing but options. */
export function optionsOf<D extends Defaults, O extends string = never>(defaults: D, optional: readonly O[] = []) {
  const { values, positionals } = optionsAndWords(defaults, optional);
  if (positionals.length > 0) throw new Error(`what is ${positionals.join(" ")}?`);
  return values;
}

interface Surroundings {
  readonly cwd?: string;
  readonly stdin?: Uint8Array;
}

/** Runs a program to its end. @throws Error with what it complained about, if it failed */
export function run(command: readonly string[], surroundings: Surroundings = {}) {
  const startedAtMs = performance.now();
  // Named, because what scripts set in it (test/setup/adapters.ts) Bun would not hand on.
  const environment = { env: process.env };
  const { stdout, stderr, exitCode, resourceUsage } = Bun.spawnSync([...command], { ...environment, ...surroundings });
  const wallMs = performance.now() - startedAtMs;
  if (exitCode !== 0)
    throw new Error(`${command.join(" ")}: exit code ${exitCode}: ${stderr.toString() || stdout.toString()}`);
  return { stdout, wallMs, processorMs: Number(resourceUsage?.cpuTime.total ?? 0) / 1000 };
}

/** A row of a table in Markdown. */
export const row = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;

/** The two rows that a table begins with. */
export const headOf = (columns: readonly string[]) => `${row(columns)}\n|${"---|".repeat(columns.length)}`;

/** How people write large numbers. */
export const grouped = (value: number) => value.toLocaleString("en");
