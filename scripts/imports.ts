/**
 * Who imports whom in src: `bun scripts/imports.ts` prints the layers and what each uses, and exits with 1 if an import
 * goes upward, or aside into a neighbour of the same layer, or round in a circle. test/imports.test.ts holds the same.
 *
 * Imports of types count, because they are read together; so do those that wait until they are needed.
 */
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import packageFacts from "../package.json" with { type: "json" };

const ROOT = join(import.meta.dir, "..");

/**
 * From the bottom to the top; places in one line stand side by side and do not know each other. A file belongs to the
 * longest place that its path begins with.
 */
const LAYERS: readonly (readonly string[])[] = [
  ["src/contract"],
  ["src/platform"],
  ["src/model"],
  ["src/coder", "src/archive"],
  ["src/repeats", "src/predict"],
  ["src/engine/errors.ts"],
  ["src/engine/engine.ts"],
  ["src/engine/engine-parts.ts", "src/engine/network.ts"],
  ["src/engine/host-encoder.ts", "src/engine/host-decoder.ts"],
  ["src/engine/host-coder.ts", "src/engine/mixer"],
  ["src/prior"],
  ["src/engine/reference", "src/engine/cpu", "src/engine/gpu"],
  ["src/engine/registry.ts"],
  ["src/pipeline"],
  ["src/library"],
  ["src/index.ts", "src/bench"],
  ["src/cli"],
];

/** Files to the files that they import, all relative to the repository. */
type ImportGraph = ReadonlyMap<string, readonly string[]>;

const IMPORT = /^(?:import|export)\b[^;"]*?from "([.#][^"]+)"|\bimport\("([.#][^"]+)"\)/gm;

/** What package.json offers under a name with "#": one file for each runtime, and all of them count. */
function filesOf(written: string, folder: string): string[] {
  if (!written.startsWith("#")) return [relative(ROOT, join(ROOT, folder, written))];
  const choices: Readonly<Record<string, Readonly<Record<string, string>>>> = packageFacts.imports;
  return Object.values(choices[written] ?? {}).map((path) => relative(ROOT, join(ROOT, path)));
}

/** The sources' own imports of each other; the kernels in assembly/ are another program. */
export function importGraph(): ImportGraph {
  const files = [...new Bun.Glob("src/**/*.ts").scanSync({ cwd: ROOT })].filter((path) => !path.includes("/assembly/"));
  const known = new Set(files);
  return new Map(
    files.sort().map((file) => {
      const found = [...readFileSync(join(ROOT, file), "utf8").matchAll(IMPORT)].map(([, a, b]) => a ?? b ?? "");
      const paths = found.flatMap((written) => filesOf(written, dirname(file)));
      return [file, [...new Set(paths)].filter((path) => known.has(path))] as const;
    }),
  );
}

/** The layer of a file, and its place there. @throws Error if it has none */
export function placeOf(file: string): { readonly layer: number; readonly place: string } {
  const places = LAYERS.flatMap((layer, index) => layer.map((place) => ({ layer: index, place })));
  const found = places.filter(({ place }) => file === place || file.startsWith(`${place}/`));
  const longest = found.sort((a, b) => b.place.length - a.place.length)[0];
  if (longest === undefined) throw new Error(`${file} belongs to no layer: name its folder in scripts/imports.ts`);
  return longest;
}

/** Imports that go upward, or to a neighbour. */
export function wrongImports(graph: ImportGraph): string[] {
  return [...graph].flatMap(([file, imports]) =>
    imports
      .filter((path) => {
        const [from, to] = [placeOf(file), placeOf(path)];
        return to.layer > from.layer || (to.layer === from.layer && to.place !== from.place);
      })
      .map((path) => `${file} imports ${path}`),
  );
}

/** Circles of imports, each once, as "a -> b -> a". */
export function circles(graph: ImportGraph): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]): void => {
    const at = way.indexOf(file);
    if (at >= 0) found.push([...way.slice(at), file].join(" -> "));
    if (at >= 0 || done.has(file)) return;
    for (const path of graph.get(file) ?? []) visit(path, [...way, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return found;
}

/** A line to each place: what it uses. */
function lines(graph: ImportGraph): string[] {
  const uses = new Map<string, Set<string>>(LAYERS.flat().map((place) => [place, new Set()]));
  for (const [file, imports] of graph) {
    const { place } = placeOf(file);
    for (const path of imports) if (placeOf(path).place !== place) uses.get(place)?.add(placeOf(path).place);
  }
  return [...LAYERS].reverse().flatMap((layer) => layer.map((place) => lineOf(place, uses.get(place) ?? new Set())));
}

const short = (place: string) => place.replace("src/", "");
const lineOf = (place: string, uses: ReadonlySet<string>) =>
  `${short(place).padEnd(20)} ${[...uses].map(short).sort().join(", ") || "nothing"}`;

if (import.meta.main) {
  const graph = importGraph();
  const edges = [...graph.values()].reduce((sum, imports) => sum + imports.length, 0);
  const faults = [...wrongImports(graph), ...circles(graph).map((circle) => `a circle: ${circle}`)];
  for (const line of lines(graph)) console.log(line);
  for (const fault of faults) console.log(fault);
  console.log(`${graph.size} files, ${edges} imports, ${faults.length} that go upward, aside or in a circle`);
  process.exitCode = faults.length > 0 ? 1 : 0;
}
