/**
 * What is found by itself in bytes that nobody explains: `bun scripts/detect.ts [FILE…]` makes samples of every kind
 * that predictors know, raw, behind headers, and at odd places, and of what is none, and prints what
 * src/pipeline/numbers.ts finds in each. Exits with 1 if something is found where nothing is. With files, prints what
 * is found in those.
 */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { type FoundNumbers, findNumbers } from "../src/pipeline/numbers.ts";
import { Random } from "../test/support/gpu-values.ts";
import { filmOf, pixelsOf, soundOf, tableOf } from "../test/support/numbers.ts";
import { trainingBytes } from "../test/support/text.ts";

interface Sample {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** undefined: nothing is to be found. */
  readonly kind?: FoundNumbers["numbers"]["kind"];
}

const SOUND_FRAMES = 40_000;
const joined = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

/** The same bytes by themselves, behind a header of odd length, and between texts as in an archive. */
function placed(name: string, bytes: Uint8Array, kind: NonNullable<Sample["kind"]>): Sample[] {
  const text = trainingBytes(70_000, 1);
  return [
    { name, bytes, kind },
    { name: `${name}, behind 13 bytes`, bytes: joined(text.subarray(0, 13), bytes), kind },
    { name: `${name}, between texts`, bytes: joined(text, bytes, text), kind },
  ];
}

function sounds(): Sample[] {
  const shapes = [2, 3].flatMap((width) =>
    [1, 2].flatMap((channels) => [false, true].map((isBig) => ({ width, channels, isBig }))),
  );
  return shapes.flatMap((shape) => {
    const name = `sound, ${8 * shape.width} bits ${shape.isBig ? "big" : "little"}, ${shape.channels} channels`;
    return placed(name, soundOf(SOUND_FRAMES, shape), "sound");
  });
}

function pictures(): Sample[] {
  const shapes = [1, 3, 4].flatMap((channels) => [200, 333, 640].map((width) => ({ channels, width })));
  return shapes.flatMap((shape) => {
    const rows = Math.ceil(200_000 / (shape.width * shape.channels));
    return placed(`picture, ${shape.channels} channels, ${shape.width} wide`, pixelsOf(rows, shape), "pixels");
  });
}

function tables(): Sample[] {
  const shapes = (["float32", "float64", "int32", "int64"] as const).flatMap((format) =>
    [false, true].flatMap((isBig) => [
      { format, isBig, columns: 1, row: 0 },
      { format, isBig, columns: 3, row: 0 },
      { format, isBig, columns: 1, row: 120 },
    ]),
  );
  return shapes.map((shape) => {
    const place = shape.row > 0 ? `rows of ${shape.row}` : `${shape.columns} columns`;
    const name = `table, ${shape.format} ${shape.isBig ? "big" : "little"}, ${place}`;
    return { name, bytes: tableOf(Math.ceil(24_000 / shape.columns), shape), kind: "table" };
  });
}

function others(): Sample[] {
  const random = new Random(1);
  const of = (count: number, make: (i: number) => number) => Uint8Array.from({ length: count }, (_, i) => make(i));
  const lines = Array.from(
    { length: 5000 },
    (_, i) => `2026-11-27 04:${i % 60} INFO request ${i * 37} took ${i % 91} ms`,
  );
  /** As of a network: about normal, next to nothing to do with the one before. */
  const weight = () => random.between(-999, 999) * random.between(1, 999) * 1e-7;
  return [
    { name: "text", bytes: trainingBytes(200_000, 1) },
    { name: "a log", bytes: new TextEncoder().encode(lines.join("\n")) },
    { name: "a program", bytes: new Uint8Array(readFileSync(process.execPath).subarray(2_000_000, 2_400_000)) },
    { name: "letters of a genome", bytes: of(200_000, () => "ACGT".charCodeAt(random.next() % 4)) },
    { name: "chance", bytes: of(200_000, () => random.next() >>> 24) },
    { name: "silence", bytes: new Uint8Array(200_000) },
    {
      name: "rising 32-bit numbers",
      bytes: new Uint8Array(Uint32Array.from({ length: 50_000 }, (_, i) => i * 7).buffer),
      kind: "table",
    },
    { name: "floats of chance", bytes: new Uint8Array(Float32Array.from({ length: 50_000 }, weight).buffer) },
    { name: "doubles of chance", bytes: new Uint8Array(Float64Array.from({ length: 30_000 }, weight).buffer) },
    { name: "halves of chance", bytes: new Uint8Array(Float16Array.from({ length: 60_000 }, weight).buffer) },
    { name: "records", bytes: of(200_000, (i) => (i % 16 < 4 ? i >> 4 : i % 16 < 8 ? random.next() % 3 : 65)) },
  ];
}

const describe = ({ start, end, numbers }: FoundNumbers) => {
  const { kind, ...shape } = numbers;
  return `${kind} ${start}..${end} ${Object.entries(shape)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ")}`;
};

const files = process.argv.slice(2);
const samples: Sample[] =
  files.length > 0
    ? files.map((path) => ({ name: basename(path), bytes: new Uint8Array(readFileSync(path)) }))
    : [
        ...sounds(),
        ...pictures(),
        ...placed("film, 160 x 120", filmOf(8, { width: 160, height: 120 }), "film"),
        ...tables(),
        ...others(),
      ];
let [right, missed, wrong] = [0, 0, 0];
for (const { name, bytes, kind } of samples) {
  const found = await findNumbers(bytes);
  const isRight = kind === undefined ? found.length === 0 : found.some(({ numbers }) => numbers.kind === kind);
  if (isRight) right += 1;
  else if (kind !== undefined && found.length === 0) missed += 1;
  else wrong += 1;
  console.log(`${name}: ${found.map(describe).join("; ") || "nothing"}`);
}
if (files.length === 0) {
  console.log(
    `${samples.length} samples: ${right} as they are, ${missed} not found, ${wrong} taken for something else`,
  );
  process.exitCode = wrong > 0 ? 1 : 0;
}
