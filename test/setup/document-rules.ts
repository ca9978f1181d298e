/**
 * What documents and comments promise must be there: files, links, sections, commands and their options, and names of
 * the source. The rules take text apart; documents.test.ts runs them on every file, and each on a sample.
 */
import { dirname, join } from "node:path";

/** What can be named. */
export interface Repository {
  /** Of all files, relative to the root, with slashes. */
  readonly paths: readonly string[];
  text(path: string): string;
  /** Whether fade has a long option of this name, without its dashes. */
  knowsOption(name: string): boolean;
}

interface Document {
  readonly path: string;
  readonly text: string;
}

interface DocumentRule {
  readonly name: string;
  readonly applies: (path: string) => boolean;
  /** Complaints, each starting with a line number. */
  readonly check: (document: Document, repository: Repository) => string[];
}

const isMarkdown = (path: string) => path.endsWith(".md");
/** Its history names what is there no longer. */
const isHistory = (path: string) => path === "CHANGELOG.md";
const isSource = (path: string) => /\.(ts|mjs|wgsl|yml|json|toml)$/.test(path) || path.startsWith(".ci/");
/** The rules' own samples break the rules. */
const isSample = (path: string) => /^test\/(documents\.test|setup\/document-rules)\.ts$/.test(path);

type Line = readonly [number: number, text: string];

const linesOf = (text: string): Line[] => text.split("\n").map((line, i) => [i + 1, line] as const);

/** Comments of TypeScript, WGSL, YAML and shell; lines keep their numbers. */
export function commentLines(path: string, text: string): Line[] {
  const isHash = /\.(yml|toml)$/.test(path) || path.startsWith(".ci/");
  let inBlock = false;
  return linesOf(text).flatMap(([number, line]) => {
    if (isHash) return /^\s*#/.test(line) ? [[number, line] as const] : [];
    if (!inBlock && /^\s*\/\*/.test(line)) inBlock = true;
    const wasBlock = inBlock;
    if (line.includes("*/")) inBlock = false;
    const comment = wasBlock ? line : /(?:^|\s)\/\/ .*$/.exec(line)?.[0];
    return comment === undefined ? [] : [[number, comment] as const];
  });
}

/** What Markdown shows as code: spans between backticks, fenced blocks, and lines that are indented by four. */
export function codeLines(text: string): Line[] {
  let isFenced = false;
  return linesOf(text).flatMap(([number, line]) => {
    if (/^```/.test(line)) {
      isFenced = !isFenced;
      return [];
    }
    if (isFenced || /^ {4}\S/.test(line)) return [[number, line.trim()] as const];
    return [...line.matchAll(/`([^`]+)`/g)].map(([, code]) => [number, code as string] as const);
  });
}

/** Headings as the part of an address behind "#". */
function anchorsOf(text: string): Set<string> {
  const headings = linesOf(text).flatMap(([, line]) => /^#+ (.*)$/.exec(line)?.[1] ?? []);
  const anchor = (heading: string) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-");
  return new Set(headings.map(anchor));
}

const links: DocumentRule = {
  name: "links lead somewhere",
  applies: isMarkdown,
  check({ path, text }, repository) {
    return linesOf(text).flatMap(([number, line]) =>
      [...line.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = ""]) => {
        if (/^(https?|mailto):/.test(target)) return [];
        const [file = "", anchor] = target.split("#");
        const goal = file === "" ? path : join(dirname(path), file);
        if (!isThere(goal, repository)) return [`${number}: ${target} is not there`];
        if (anchor === undefined || anchorsOf(repository.text(goal)).has(anchor)) return [];
        return [`${number}: ${goal} has no heading #${anchor}`];
      }),
    );
  },
};

const isThere = (path: string, { paths }: Repository) =>
  paths.some((each) => each === path || each.startsWith(`${path.replace(/\/$/, "")}/`));

/** Parts of the repository whose names mark a path. */
const FOLDERS = "(?:src|test|scripts|shaders|docs|tools|completions|\\.ci|\\.github)";
const PATHS = new RegExp(`(?<![\\w./~-])(?:\\./)?(${FOLDERS}/[\\w.*/-]*[\\w*/])`, "g");
const FILES = /(?<![\w./*…-])((?:[\w.-]+\/)*[\w-][\w.-]*\.(?:ts|mjs|wgsl|md|yml|py))(?![\w*])/g;
/** A path, a folder, or the end of a path: `gpu/path.ts` stands for src/engine/gpu/path.ts. */
function isNamed(written: string, folder: string, repository: Repository): boolean {
  const name = written.replace(/^(?:\.\.?\/)+/, "");
  const pattern = name.includes("*") ? new Bun.Glob(name.replace(/\/$/, "/**")) : undefined;
  if (pattern) return repository.paths.some((path) => pattern.match(path) || path.startsWith(name.split("*")[0] ?? ""));
  return (
    isThere(name, repository) ||
    isThere(join(folder, written), repository) ||
    repository.paths.some((path) => path.endsWith(`/${name}`))
  );
}

function missingNames(lines: readonly Line[], path: string, repository: Repository): string[] {
  return lines.flatMap(([number, line]) => {
    const text = line.replace(/\bhttps?:\S+/g, "");
    const names = [...text.matchAll(PATHS), ...text.matchAll(FILES)].map(([, name]) => name as string);
    return [...new Set(names)]
      .filter((name) => !isNamed(name, dirname(path), repository))
      .map((name) => `${number}: ${name} is not there`);
  });
}

const files: DocumentRule = {
  name: "files that are named are there",
  applies: (path) => (isMarkdown(path) || isSource(path)) && !isHistory(path) && !isSample(path),
  check: ({ path, text }, repository) =>
    missingNames(isMarkdown(path) ? linesOf(text) : commentLines(path, text), path, repository),
};

/** Sections of NUMERICS.md have numbers, by which everything speaks of them. */
const sections: DocumentRule = {
  name: "sections that are named are there",
  applies: (path) => (isMarkdown(path) || isSource(path)) && !isSample(path),
  check: ({ path, text }, repository) =>
    linesOf(text).flatMap(([number, line]) => {
      const own = path === "docs/NUMERICS.md" ? /\bsection (\d+)/g : /NUMERICS(?:\.md\S*)? section (\d+)/g;
      return [...line.matchAll(own)].flatMap(([, section]) =>
        new RegExp(`^## ${section} `, "m").test(repository.text("docs/NUMERICS.md"))
          ? []
          : [`${number}: NUMERICS.md has no section ${section}`],
      );
    }),
};

/** Words of a shell's line up to what ends a command. */
function commandsOf(line: string): string[][] {
  const commands = line.replace(/\s+#.*$/, "").split(/\s*(?:\||&&|;|>|<|\$\(|\)|"\$)\s*/);
  return commands.map((command) => command.trim().split(/\s+/));
}

/** Whether a script reads an option, by where its source says which it has. */
export function hasOption(source: string, option: string): boolean {
  const known = source.match(/(?:parseArgs|options\w+)\(\s*\{[\s\S]*?\);/)?.[0] ?? "";
  return new RegExp(`"${option}"|\\b${option}: `).test(known);
}

/** Of npm's scripts and of ours: whether it is there, and knows the options. */
function scriptComplaints(words: readonly string[], repository: Repository): string[] {
  const [program, name = "", ...rest] = words;
  if (program === "npm" && name === "run") {
    const { scripts } = JSON.parse(repository.text("package.json")) as { scripts: Record<string, string> };
    return rest[0] !== undefined && rest[0] in scripts ? [] : [`there is no npm script ${rest[0]}`];
  }
  if (!program?.endsWith("bun") || !name.startsWith("scripts/") || !isThere(name, repository)) return [];
  const source = repository.text(name);
  const options = rest.slice(0, rest.includes("--") ? rest.indexOf("--") : rest.length);
  return options
    .map((word) => /^\[?--([\w-]+)/.exec(word)?.[1])
    .filter((option) => option !== undefined)
    .filter((option) => !hasOption(source, option))
    .map((option) => `${name} knows no --${option}`);
}

const PROGRAM = /^(?:(?:\S*\/)?fade|unfade|fadecat)$/;

/** Every option of `fade …` is one, and in the README every option that stands alone. */
function fadeComplaints(words: readonly string[], repository: Repository, isReadme: boolean): string[] {
  const isBare = isReadme && /^--?\w/.test(words[0] ?? "");
  const at = isBare ? -1 : words.findIndex((word) => PROGRAM.test(word));
  if (!isBare && (at < 0 || at > 8)) return [];
  const given = words.slice(at + 1, words.includes("--") ? words.indexOf("--") : undefined);
  return given
    .map((word) => word.replace(/^\[|[\],.:]+$/g, ""))
    .filter((word) => /^--[a-z]/.test(word))
    .map((word) => word.split("=")[0] as string)
    .filter((word) => !repository.knowsOption(word.slice(2)))
    .map((word) => `fade has no option ${word}`);
}

const commands: DocumentRule = {
  name: "commands that are shown can be typed",
  applies: (path) => isMarkdown(path) || (isSource(path) && !isSample(path)),
  check: ({ path, text }, repository) =>
    (isMarkdown(path) ? codeLines(text) : commentCode(path, text)).flatMap(([number, line]) =>
      commandsOf(line).flatMap((words) =>
        [...scriptComplaints(words, repository), ...fadeComplaints(words, repository, path === "README.md")].map(
          (complaint) => `${number}: ${complaint}`,
        ),
      ),
    ),
};

/** Commands in comments: between backticks, or in lines that are indented. */
function commentCode(path: string, text: string): Line[] {
  return commentLines(path, text).flatMap(([number, line]) => {
    const bare = line.replace(/^\s*(?:\/?\*+|\/\/|#)/, "");
    const spans = [...bare.matchAll(/`([^`]+)`/g)].map(([, code]) => [number, code as string] as const);
    return /^ {4,}\S/.test(bare) ? [[number, bare.trim()] as const, ...spans] : spans;
  });
}

const wordsOfRepository = new WeakMap<Repository, ReadonlySet<string>>();

/** Every word of the source. */
function wordsOf(repository: Repository): ReadonlySet<string> {
  const known = wordsOfRepository.get(repository);
  if (known) return known;
  const sources = repository.paths.filter((path) => /\.(ts|mjs|wgsl)$/.test(path) && !isSample(path));
  const words = new Set(sources.flatMap((path) => repository.text(path).match(/\w+/g) ?? []));
  wordsOfRepository.set(repository, words);
  return words;
}

/** In Markdown, names of constants and functions are between backticks; a document may define its own. */
const names: DocumentRule = {
  name: "names of the source are in the source",
  applies: (path) => isMarkdown(path) && !isHistory(path),
  check({ text }, repository) {
    const words = wordsOf(repository);
    return codeLines(text).flatMap(([number, code]) => {
      const [, name] = /^([A-Za-z]\w*)(?:\([\w, ]*\))?$/.exec(code) ?? [];
      if (name === undefined || !/[a-z][A-Z]|[A-Z]_[A-Z]/.test(name) || words.has(name)) return [];
      const isOwn = text.replace(/`[^`]*`/g, "").match(new RegExp(`\\b${name}\\b`)) !== null;
      if (isOwn) return [];
      return [`${number}: ${name} is nowhere in the source`];
    });
  },
};

export const DOCUMENT_RULES: readonly DocumentRule[] = [links, files, sections, commands, names];
