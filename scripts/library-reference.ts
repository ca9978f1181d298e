/** The reference in docs/LIBRARY.md, made of the sources' own comments: scripts/generate.ts puts it there. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "..");
const read = (path: string) => readFileSync(join(ROOT, "src", path), "utf8");

/** The words of a comment, without its stars; what it throws comes as a sentence of its own. */
function wordsOf(comment: string): string {
  const lines = comment.split("\n").map((line) => line.replace(/^\s*(\/\*\*|\*\/|\*)? ?/, "").replace(/\*\/\s*$/, ""));
  return lines
    .join("\n")
    .replace(/\n\n+/g, " ")
    .replace(/\s+/g, " ")
    .replace(/@throws ([^@]+)/g, (_, what: string) => `Rejects with ${what.trim()}.`)
    .trim();
}

/** `COMMENT` and what it documents, where that begins a line. */
const documented = (declaration: string) => new RegExp(`(/\\*\\*(?:(?!\\*/)[\\s\\S])*\\*/)\\n${declaration}`, "g");

/** The exported functions of src/index.ts. */
export function functionLines(): string[] {
  const found = [
    ...read("index.ts").matchAll(documented("export (?:async )?function (\\w+)\\(([^)]*)\\): ([^{]+) \\{")),
  ];
  return found.flatMap(([, comment = "", name, parameters = "", result]) => {
    const named = parameters
      .replace(/\s*=\s*\{\}/g, "")
      .replace(/\s+/g, " ")
      .trim()
      .replace(/,$/, "");
    return [`**\`${name}(${named}): ${result}\`**`, "", wordsOf(comment), ""];
  });
}

/** The fields of the option types. */
export function optionLines(): string[] {
  const interfaces = read("library/options.ts").matchAll(
    documented("export interface (\\w+)(?: extends (\\w+))? \\{\\n([\\s\\S]*?)\\n\\}"),
  );
  return [...interfaces].flatMap(([, comment = "", name, base, body = ""]) => {
    const fields = [...body.matchAll(/(?:(\s*\/\*\*(?:(?!\*\/)[\s\S])*\*\/)\n)?\s*readonly (\w+)(\??): ([^;]+);/g)];
    const rows = fields.map(([, words = "", field, optional, type = ""]) => {
      const shown = type.replaceAll("|", "\\|");
      return `| \`${field}${optional}\` | \`${shown}\` | ${wordsOf(words).replaceAll("|", "\\|")} |`;
    });
    const heading = `**\`${name}\`**${base ? `, which has all of \`${base}\`, too` : ""}: ${wordsOf(comment)}`;
    return [heading, "", "| field | type | |", "|---|---|---|", ...rows, ""];
  });
}

/** Where the classes of errors are. */
const ERRORS = ["archive/errors.ts", "pipeline/errors.ts", "engine/errors.ts", "platform/errors.ts"];

export function errorLines(): string[] {
  const files = [...ERRORS, "library/options.ts"].map(read).join("\n");
  const classes = [...files.matchAll(documented("export class (\\w+) extends (\\w+)"))];
  const rows = classes.map(([, comment = "", name, base]) => `| \`${name}\` | \`${base}\` | ${wordsOf(comment)} |`);
  return ["| class | is a | |", "|---|---|---|", ...rows, ""];
}
