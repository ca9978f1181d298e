/**
 * Makes the built-in priors again (docs/PRIORS.md): downloads the packages of scripts/priors/manifest.json, takes
 * samples of their files, chooses frequent strings, trains, and writes priors/KIND.prior. The same packages give the
 * same bytes.
 *
 *     bun scripts/train-priors.ts [KIND…]              make them, or some of them
 *     bun scripts/train-priors.ts --content [KIND…]    choose their strings, but train nothing yet
 *     bun scripts/train-priors.ts --compare FOLDER…    leave out from now on what shares anything with files there
 *     bun scripts/train-priors.ts --check FOLDER…      the same, but change nothing: exits with 1 if any was used
 *     bun scripts/train-priors.ts --manifest           the manifest anew, of all packages that lie in the cache
 *
 * Downloads and samples lie in $FADE_PRIORS_CACHE, or ~/.cache/fade-priors. Needs npm, apt-get and dpkg-deb.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildMixer } from "../src/engine/mixer/assembly/build.ts";
import { PRIOR_CONTEXTS } from "../src/model/levels.ts";
import { STRINGS_BYTES } from "../src/prior/choose.ts";
import { decodePrior, encodePrior } from "../src/prior/file.ts";
import { type Coarseness, FINE } from "../src/prior/state.ts";
import { encodeTallies } from "../src/prior/tally-bytes.ts";
import { ID_DIGITS, readLeftOut, sampleId, writeLeftOut } from "./priors/left-out.ts";
import { cacheFolder, writeManifest } from "./priors/packages.ts";
import { allSamples, KINDS, type Kind, type Sample } from "./priors/samples.ts";
import { SharedPieces } from "./priors/shared.ts";
import { contentOf, frequentStrings, PACKAGES_MIN } from "./priors/strings.ts";

const FOLDER = join(import.meta.dir, "..", "priors");
/** Bytes of strings that are chosen; priors have the best of these. */
const CHOSEN_BYTES = 61_440;
/** For contexts by their numbers (src/contract/mixer.ts), how many of them have tallies at most. */
const TALLIES: Readonly<Record<Kind, Readonly<Record<number, number>>>> = {
  prose: { 0: 256, 1: 3000, 2: 8000, 3: 16_000, 4: 16_000, 5: 16_000, 10: 8000, 14: 8000 },
  markup: { 0: 256, 1: 3000, 2: 6000, 3: 8000, 4: 8000, 5: 6000, 10: 6000 },
  source: { 0: 256, 1: 4000, 2: 8000, 3: 12_000, 4: 12_000, 5: 8000, 10: 8000 },
  structured: { 0: 256, 1: 3000, 2: 6000, 3: 8000, 4: 8000, 5: 6000, 10: 6000 },
  logs: { 0: 256, 1: 3000, 2: 6000, 3: 8000, 4: 8000, 5: 6000, 10: 6000 },
  executables: { 0: 256, 1: 6000, 2: 8000, 3: 8000, 4: 8000, 5: 6000, 6: 6000, 7: 6000 },
};
/** Every so many packages, one gives no strings, but what values are trained on: else the model would trust strings. */
const TRAINING_SHARE = 5;
const TRAINING_PACKAGE = 2;
const TRAINING_BYTES = 900_000;
/** Bytes of samples that values are trained on, in turns: files begin alike whatever their length. */
const TRAINING_LENGTHS = [1000, 4000, 12_288];

/**
 * All that is trained takes a third of a second to read, and a tenth of it is worth nearly as much: 1,000 bytes of
 * Wikipedia become 170 bytes behind the whole, 172 behind this, 195 behind the strings alone.
 */
const COARSENESS: Coarseness = { ...FINE, maps: 5, weights: 9, refine: 8, rowUnitsMin: 16 };

const talliesOf = (kind: Kind) => Array.from({ length: PRIOR_CONTEXTS }, (_, i) => TALLIES[kind][i] ?? 0);

const isForTraining = (sample: Sample) => sample.package % TRAINING_SHARE === TRAINING_PACKAGE;

/** Samples in an order that has nothing to do with packages, each cut to its length, as many as are wanted. */
function trainingSamples(samples: readonly Sample[]): Uint8Array[] {
  const ordered = samples.map((sample) => ({ sample, id: sampleId(sample) })).sort((a, b) => (a.id < b.id ? -1 : 1));
  const taken: Uint8Array[] = [];
  let bytes = 0;
  for (const [i, { sample }] of ordered.entries()) {
    if (bytes >= TRAINING_BYTES) break;
    const piece = sample.bytes.subarray(0, TRAINING_LENGTHS[i % TRAINING_LENGTHS.length]);
    taken.push(piece);
    bytes += piece.length;
  }
  return taken;
}

/** Frequent strings as content. Kept in the cache: what is trained behind them changes more often than they do. */
function contentFor(kind: Kind, sources: readonly Sample[]): Uint8Array {
  const code = readFileSync(join(import.meta.dir, "priors", "strings.ts"), "utf8");
  const hash = createHash("sha256").update(`${CHOSEN_BYTES} ${kind} ${code}`);
  for (const sample of sources) hash.update(sampleId(sample));
  const path = join(cacheFolder(), `content-${hash.digest("hex").slice(0, ID_DIGITS)}`);
  if (existsSync(path)) return readFileSync(path);
  const strings = frequentStrings(sources, { isBinary: kind === "executables", bytesMax: CHOSEN_BYTES });
  const content = contentOf(strings);
  writeFileSync(path, content);
  return content;
}

async function make(kind: Kind, samples: readonly Sample[]): Promise<void> {
  const { trainValues } = await import("../src/prior/train.ts");
  const sources = samples.filter((sample) => !isForTraining(sample));
  const all = contentFor(kind, sources);
  const content = all.slice(-STRINGS_BYTES);
  if (isOfContent) return;
  const { chooseTallies } = await import("../src/prior/tallies.ts");
  const counted = sources.map(({ bytes, package: source }) => ({ bytes, source }));
  const choice = { contexts: PRIOR_CONTEXTS, tallies: talliesOf(kind), sourcesMin: PACKAGES_MIN };
  const tallies = encodeTallies(chooseTallies(counted, choice));
  const start = { content, skimmedBytes: content.length, tallies };
  const training = trainingSamples(samples.filter(isForTraining));
  const options = { contexts: PRIOR_CONTEXTS, stride: 0, coarseness: COARSENESS };
  const trained = trainValues([{ ...start, samples: training }], options);
  const file = encodePrior({ name: kind, contexts: PRIOR_CONTEXTS, stride: 0, ...start, trained });
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(join(FOLDER, `${kind}-2.prior`), file);
  const packages = (some: readonly Sample[]) => new Set(some.map((sample) => sample.package)).size;
  console.log(
    `${kind}: ${content.length} bytes of strings and ${tallies.length} of tallies of ${packages(sources)} packages; ` +
      `${training.length} samples of ${packages(samples.filter(isForTraining))} others, ${trained.length} of values`,
  );
}

/** The strings of all, for the choice among them. */
function writeStrings(): void {
  const contents = KINDS.map((kind) => decodePrior(readFileSync(join(FOLDER, `${kind}-2.prior`))).content);
  if (contents.some(({ length }) => length !== STRINGS_BYTES)) throw new Error("strings of another length");
  writeFileSync(join(FOLDER, "choice.strings"), Buffer.concat(contents));
}

function filesIn(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path).flatMap((name) => filesIn(join(path, name)));
}

interface Found {
  readonly sample: Sample;
  /** Those that are no common property: they are in fewer packages than a string. */
  readonly rare: readonly string[];
}

/** Samples that share pieces with files there. */
function sharing(paths: readonly string[]): Found[] {
  const shared = new SharedPieces(paths.flatMap(filesIn).map((path) => new Uint8Array(readFileSync(path))));
  const all = allSamples();
  const samples = KINDS.flatMap((kind) => all[kind]);
  const found = samples
    .map((sample) => ({ sample, pieces: shared.in(sample.bytes, sample.package) }))
    .filter(({ pieces }) => pieces.length > 0)
    .map(({ sample, pieces }) => ({ sample, rare: pieces.filter((piece) => shared.isRare(piece)) }));
  const rare = found.filter((each) => each.rare.length > 0);
  console.log(`${samples.length} samples, ${found.length} share a piece, ${rare.length} of them one that is rare`);
  return rare;
}

/** Whether any of them was trained on. */
function check(paths: readonly string[]): void {
  const leftOut = readLeftOut();
  const trainedOn = sharing(paths).filter(({ sample }) => !leftOut.has(sampleId(sample)));
  for (const { sample, rare } of trainedOn) console.log(`${sample.name}: ${rare.map((each) => JSON.stringify(each))}`);
  console.log(`${trainedOn.length} of them were trained on`);
  if (trainedOn.length > 0) process.exitCode = 1;
}

const { values, positionals: words } = parseArgs({
  allowPositionals: true,
  options: {
    content: { type: "boolean", default: false },
    compare: { type: "boolean", default: false },
    check: { type: "boolean", default: false },
    manifest: { type: "boolean", default: false },
  },
});
/** Only the strings, which take most of the time, and do not depend on the mixer. */
const isOfContent = values.content;
if (values.manifest) writeManifest();
else if (values.compare) writeLeftOut(sharing(words).map(({ sample }) => sample));
else if (values.check) check(words);
else {
  buildMixer();
  const leftOut = readLeftOut();
  const all = allSamples();
  for (const kind of KINDS.filter((each) => words.length === 0 || words.includes(each))) {
    await make(
      kind,
      all[kind].filter((sample) => !leftOut.has(sampleId(sample))),
    );
  }
  if (!isOfContent) writeStrings();
}
