/**
 * Exports that nobody imports: what is dead, and what only its own file uses. Neither the compiler nor the linter looks
 * beyond a file for that. It goes by text, as the other rules do.
 */
import { dirname, join } from "node:path";
import { type SourceFile, withoutComments } from "./tidy-rules.ts";

/** What no import tells of: the library's callers, scripts/packages.ts, which writes one, and build.ts for musl. */
const SURFACES = ["src/index.ts", "tools/npm/run.mjs", "src/engine/gpu/no-addon.ts"];
/** What instantiates WebAssembly is no import, and exports in a test are text that it writes. */
const isSurface = (path: string) => SURFACES.includes(path) || /\/assembly\/index\.ts$|\.test\.ts$/.test(path);

const DECLARATION =
  /^export (?:declare |default |abstract |async )*(?:const|let|function\*?|class|interface|type|enum) (\w+)/gm;
const LIST = /^export (?:type )?\{([^}]*)\}/gm;
/** With its names in braces, or for all that there is. */
const IMPORT = /^(?:import|export) (?:type )?(?:\w+,? ?)?(\{[^}]*\}|\* as \w+|\*)? ?from "([^"]+)"/gm;
const WAITING_IMPORT = /\bimport\("([^"]+)"\)/g;

/** "type A as B, c" gives A and c, or with `place` -1 what they are called behind. */
function namesIn(list: string, place: 0 | -1): string[] {
  const names = list.split(",").map((each) => each.replace(/\btype /, "").trim());
  return names.filter((name) => name !== "").map((name) => name.split(" as ").at(place) as string);
}

function exportsOf(text: string): string[] {
  const declared = [...text.matchAll(DECLARATION)].map(([, name]) => name as string);
  return [...declared, ...[...text.matchAll(LIST)].flatMap(([, list]) => namesIn(list as string, -1))];
}

/** Who takes a name from which file: "path name". Who takes all of a file is noted as "path *". */
function importsOf({ path, text }: SourceFile, resolve: (written: string) => readonly string[]): string[] {
  const named = [...text.matchAll(IMPORT)].flatMap(([, what = "", from = ""]) => {
    const names = what.startsWith("{") ? namesIn(what.slice(1, -1), 0) : ["*"];
    return resolve(from).flatMap((file) => names.map((name) => `${file} ${name}`));
  });
  const waiting = [...text.matchAll(WAITING_IMPORT)].flatMap(([, from = ""]) => resolve(from));
  return [...named, ...waiting.filter((file) => file !== path).map((file) => `${file} *`)];
}

/**
 * As "path: name". A file that somebody takes as a whole hands out those names that other files have in them.
 *
 * @param files all sources, shaders among them @param aliases the files behind imports that begin with "#"
 */
export function unusedExports(
  files: readonly SourceFile[],
  aliases: Readonly<Record<string, readonly string[]>> = {},
): string[] {
  const sources = files.map(({ path, text }) => ({ path, text: withoutComments(text) }));
  const words = new Map<string, Set<string>>();
  for (const { path, text } of sources) {
    for (const [word] of text.matchAll(/\w+/g)) words.set(word, (words.get(word) ?? new Set()).add(path));
  }
  const known = new Set(sources.map(({ path }) => path));
  const taken = new Set(
    sources.flatMap((source) =>
      importsOf(source, (written) => {
        const path = join(dirname(source.path), written).replaceAll("\\", "/");
        return aliases[written] ?? [path, `${path}.ts`].filter((each) => known.has(each));
      }),
    ),
  );
  return sources
    .filter(({ path }) => !isSurface(path))
    .flatMap(({ path, text }) =>
      exportsOf(text)
        .filter((name) => !taken.has(`${path} ${name}`))
        .filter((name) => !taken.has(`${path} *`) || (words.get(name)?.size ?? 0) < 2)
        .map((name) => `${path}: ${name}`),
    );
}
