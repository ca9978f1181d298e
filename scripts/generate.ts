/**
 * Writes all that repeats the contract's tables: `bun scripts/generate.ts`; `--check` only says what is stale, and
 * exits with 1 if something is. The tidy test checks the same.
 *
 * - src/engine/cpu/assembly/contract.ts: the constants that kernels in WebAssembly import
 * - src/engine/cpu/kernel-signatures.ts: what kernels.wasm exports, from the sources in assembly/
 * - the marked parts of docs/NUMERICS.md and docs/FORMAT.md, and of docs/LIBRARY.md, from the comments of src/index.ts
 *
 * WGSL needs no file: each kernel gets its constants when it is compiled (src/engine/gpu/kernel.ts).
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CONTRACT_NUMBERS, constantName, PLAN_PLACES } from "../src/contract/constants.ts";
import {
  CONTEXTS_MAX,
  type Context,
  planFor,
  SEQUENCE,
  TABLES_MAX,
  type TableContext,
} from "../src/contract/contexts.ts";
import { NUMBER_FORMATS, type NumberFormat } from "../src/contract/formats.ts";
import { HYPER_FIELDS, HYPER_NAMES } from "../src/contract/hyper.ts";
import { RECALL_FIELDS } from "../src/engine/cpu/recall-layout.ts";
import { errorLines, functionLines, optionLines } from "./library-reference.ts";

const ROOT = join(import.meta.dir, "..");
const ASSEMBLY = "src/engine/cpu/assembly";
const COMMAND = "bun scripts/generate.ts";

/** A file as it should be. */
interface Generated {
  readonly path: string;
  readonly text: string;
}

const read = (path: string) => (existsSync(join(ROOT, path)) ? readFileSync(join(ROOT, path), "utf8") : "");

/** The names that kernels import of the constants. */
function importedConstants(): ReadonlySet<string> {
  const sources = [...new Bun.Glob(`${ASSEMBLY}/*.ts`).scanSync({ cwd: ROOT })].map(read);
  const imports = sources.flatMap((text) => [...text.matchAll(/import \{([^}]*)\} from "\.\/contract"/g)]);
  return new Set(imports.flatMap(([, names]) => (names as string).split(",").map((name) => name.trim())));
}

/** `i32` where that is enough: kernels convert as they need. */
function assemblyConstant([name, value]: readonly [string, number]): string {
  return `export const ${name}: ${value > 0x7fff_ffff ? "u32" : "i32"} = ${value};`;
}

const bytePlace = ([name, place]: readonly [string, number]) => `export const ${name}: usize = ${4 * place};`;

function assemblyConstants(): Generated {
  const imported = importedConstants();
  const numbers = Object.entries(CONTRACT_NUMBERS).flatMap(([name, value]) =>
    typeof value === "number" && imported.has(name) ? [[name, value] as const] : [],
  );
  const fields = RECALL_FIELDS.map((name, i) => [constantName(name), i] as const);
  const text = [
    "/**",
    ` * The contract's numbers for kernels, written by \`${COMMAND}\`: not to be changed by hand.`,
    " *",
    " * They stand in src/contract, which says what each means.",
    " */",
    ...numbers.map(assemblyConstant),
    "",
    "/** Bytes of a context's record in a plan, and where its fields stand: src/contract/contexts.ts. */",
    ...Object.entries(PLAN_PLACES).map(bytePlace),
    "",
    "/** Where the fields of the recall stream's record stand: RECALL_FIELDS of src/engine/cpu/recall-layout.ts. */",
    ...fields.map(bytePlace),
  ];
  return { path: `${ASSEMBLY}/contract.ts`, text: `${text.join("\n")}\n` };
}

const EXPORTS = /export \{([^}]*)\} from "\.\/([\w-]+)";/g;

/** A kernel's parameters and result as TypeScript sees them: all are numbers. */
function signatureOf(name: string, source: string): string {
  const found = source.match(new RegExp(`export function ${name}\\(([^)]*)\\): (\\w+)`));
  if (!found) throw new Error(`the kernel ${name} is exported, and not there`);
  const parameters = [...(found[1] as string).matchAll(/(\w+): \w+/g)].map(([, parameter]) => `${parameter}: number`);
  const result = found[2] === "void" ? "void" : "number";
  const line = `  ${name}(${parameters.join(", ")}): ${result};`;
  if (line.length <= 120) return line;
  return [`  ${name}(`, ...parameters.map((parameter) => `    ${parameter},`), `  ): ${result};`].join("\n");
}

function kernelSignatures(): Generated {
  const groups = [...read(`${ASSEMBLY}/index.ts`).matchAll(EXPORTS)].map(([, names, file]) => {
    const source = read(`${ASSEMBLY}/${file}.ts`);
    const kernels = (names as string).split(",").map((name) => name.trim());
    return kernels.filter((name) => name !== "").map((name) => signatureOf(name, source));
  });
  const text = [
    "/**",
    ` * The exports of kernels.wasm, written by \`${COMMAND}\` from assembly/, which documents each.`,
    " * All parameters are addresses in the shared memory, counts or shifts.",
    " */",
    "export interface Kernels {",
    groups.map((lines) => lines.join("\n")).join("\n\n"),
    "}",
  ];
  return { path: "src/engine/cpu/kernel-signatures.ts", text: `${text.join("\n")}\n` };
}

const row = (...cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;

const power = (n: number) => (n >= 2 ** 16 ? `2^${Math.log2(n)}` : `${n}`);

/** "±32767 (±32)": where values saturate, and what that stands for. */
function limitOf({ limit, bits, range }: NumberFormat): string {
  if (range !== undefined || limit === undefined) return range ?? "none";
  return `±${power(limit)} (±${Math.round(limit / 2 ** bits)})`;
}

function formatTable(): string[] {
  const formats: readonly NumberFormat[] = Object.values(NUMBER_FORMATS);
  return [
    row("format", "width", "limit", "used for"),
    "|---|---|---|---|",
    ...formats.map((format) => row(format.title, format.width, limitOf(format), format.usedFor)),
    row("int8 operand", "8 bits", "±127", "activations and weights in matrix products"),
    row("gradient operand", "16 bits", "±L(B)", "gradients in matrix products"),
  ];
}

function hyperTable(): string[] {
  const rows = HYPER_NAMES.map((name) => {
    const { letter, meaning, rule, since, off } = HYPER_FIELDS[name];
    return row(`${name}${letter === name ? "" : ` (${letter})`}`, meaning, rule, since, off ?? "");
  });
  return [row("hyper-parameter", "is", "legal", "since contract", "without it"), "|---|---|---|---|---|", ...rows];
}

/** "1/3 @ s 2s": how many words, how many of the last bytes, and which bytes farther back. */
function contextText({ words, order, offsets }: Context, say: (offset: number) => string): string {
  return `${words}/${order}${offsets.length === 0 ? "" : ` @ ${offsets.map(say).join(" ")}`}`;
}

/** A stride so large that no offset of a list can be anything but a multiple of it, or beside one. */
const SAMPLE = 1000;

function strideText(offset: number): string {
  const times = Math.round(offset / SAMPLE);
  if (times === 0) return `${offset}`;
  const beside = offset - times * SAMPLE;
  return `${times === 1 ? "" : times}s${beside === 0 ? "" : beside > 0 ? `+${beside}` : `−${-beside}`}`;
}

function contextTable(): string[] {
  const size = { contexts: CONTEXTS_MAX, tables: TABLES_MAX, history: 64 };
  const plans = [0, SAMPLE, SEQUENCE].map((stride) => planFor(size, { stride }));
  const contexts = Array.from({ length: CONTEXTS_MAX }, (_, c) =>
    row(c + 1, ...plans.map((plan) => contextText(plan.contexts[c] as Context, strideText))),
  );
  const tableText = (table: TableContext) => `${contextText(table, strideText)}, ${table.rate}, ${table.crowdLog2}`;
  const tables = Array.from({ length: TABLES_MAX }, (_, m) =>
    row(m + 1, ...plans.map((plan) => tableText(plan.tables[m] as TableContext))),
  );
  const columns = ["stride 0", "stride s ≥ 2", "stride 1, a sequence"];
  return [
    row("context", ...columns),
    "|---|---|---|---|",
    ...contexts,
    "",
    row("table", ...columns),
    "|---|---|---|---|",
    ...tables,
  ];
}

/** What stands between `<!-- generated: NAME -->` and `<!-- end -->`. */
const SECTIONS: Readonly<Record<string, () => string[]>> = {
  "number formats": formatTable,
  "hyper-parameters": hyperTable,
  contexts: contextTable,
  functions: functionLines,
  options: optionLines,
  errors: errorLines,
};

function document(path: string): Generated {
  const marked = /(<!-- generated by .*: ([\w -]+) -->\n)[\s\S]*?(\n<!-- end of what is generated -->)/g;
  const text = read(path).replace(marked, (_, begin: string, name: string, end: string) => {
    const section = SECTIONS[name];
    if (section === undefined) throw new Error(`${path} has a generated part "${name}", which nobody makes`);
    return `${begin}\n${section().join("\n")}\n${end}`;
  });
  return { path, text };
}

/** All files that are made of others, wholly or in part. */
export function generated(): readonly Generated[] {
  const documents = ["docs/NUMERICS.md", "docs/FORMAT.md", "docs/LIBRARY.md"].map(document);
  return [assemblyConstants(), kernelSignatures(), ...documents];
}

/** Paths of files that are not as they should be. */
export function staleFiles(): readonly string[] {
  return generated()
    .filter(({ path, text }) => read(path) !== text)
    .map(({ path }) => path);
}

if (import.meta.main) {
  const stale = staleFiles();
  if (process.argv.includes("--check")) {
    for (const path of stale) console.log(`${path} is stale: ${COMMAND}`);
    process.exitCode = stale.length > 0 ? 1 : 0;
  } else {
    for (const { path, text } of generated()) if (stale.includes(path)) writeFileSync(join(ROOT, path), text);
    console.log(stale.length > 0 ? `written: ${stale.join(", ")}` : "nothing was stale");
  }
}
