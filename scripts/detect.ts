/**
 * What is found by itself in bytes that nobody explains: `bun scripts/detect.ts [FILE…]` makes samples of every kind
 * that predictors know, raw, behind headers that are right or lie, at odd places and in archives, and of what is none,
 * and prints what src/pipeline/numbers.ts finds in each, and what that gains: what one lane of eight contexts makes of
 * the bytes with the stride that they have, and of what predictors leave. Exits with 1 if something is found where
 * nothing is. With files, prints what is found in those.
 */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { gzipSync } from "node:zlib";
import { buildMixer } from "../src/engine/mixer/assembly/build.ts";
import { findNumbers } from "../src/pipeline/numbers.ts";
import { Pacer } from "../src/pipeline/pacer.ts";
import { type FoundNumbers, NO_FORESIGHT, predictNumbers } from "../src/pipeline/predicted.ts";
import { provenStride } from "../src/pipeline/records-trial.ts";
import { foreseenWithin } from "../src/predict/foresight.ts";
import { NO_COPIES } from "../src/repeats/copies.ts";
import { Random } from "../test/support/gpu-values.ts";
import { drawingOf, filmOf, gradientOf, pixelsOf, soundOf, tableOf } from "../test/support/numbers.ts";
import { trainingBytes } from "../test/support/text.ts";

buildMixer();
const { MixerLane } = await import("../src/engine/mixer/lane.ts");

type Kind = FoundNumbers["numbers"]["kind"];

interface Sample {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** One of which must be found, or all if it is an archive; undefined: nothing is to be found. */
  readonly kind?: Kind;
  /** What may be found in its place, because it is as good or better. */
  readonly or?: Kind;
  readonly all?: readonly Kind[];
}

const SOUND_FRAMES = 40_000;
const joined = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

/** The same bytes by themselves, behind a header of odd length, and between texts as in an archive. */
function placed(name: string, bytes: Uint8Array, kind: Kind, or?: Kind): Sample[] {
  const text = trainingBytes(70_000, 1);
  const kinds = { kind, ...(or && { or }) };
  return [
    { name, bytes, ...kinds },
    { name: `${name}, behind 13 bytes`, bytes: joined(text.subarray(0, 13), bytes), ...kinds },
    { name: `${name}, between texts`, bytes: joined(text, bytes, text), ...kinds },
  ];
}

function sounds(): Sample[] {
  const shapes = [2, 3].flatMap((width) =>
    [1, 2].flatMap((channels) => [false, true].map((isBig) => ({ width, channels, isBig }))),
  );
  const bytes = [1, 2].map((channels) => ({ width: 1, channels, isBig: false, isUnsigned: channels === 1 }));
  return [...bytes, ...shapes].flatMap((shape) => {
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

/** Drawings of few colours, and gradients across, down and both. */
function drawn(): Sample[] {
  const drawings = [
    [2, 3],
    [8, 3],
    [60, 3],
    [16, 4],
    [30, 2],
  ] as const;
  const gradients = [
    [1, 300, 2, 1e9],
    [1, 300, 1e9, 1],
    [1, 320, 2, 3],
    [3, 320, 3, 3],
    [3, 320, 9, 2],
    [2, 400, 1, 1],
  ] as const;
  return [
    ...drawings.flatMap(([colours, channels]) =>
      placed(`drawing, ${colours} colours of ${channels} bytes`, drawingOf(200, 240, colours, channels), "colours"),
    ),
    ...gradients.flatMap(([channels, width, across, down]) => {
      const bytes = gradientOf(240, width * channels, across, down);
      return placed(
        `gradient, ${channels} channels, one in ${across} across, ${down} down`,
        bytes,
        "differences",
        "pixels",
      );
    }),
  ];
}

function tables(): Sample[] {
  const formats = ["float16", "bfloat16", "float32", "float64", "int16", "int32", "int64"] as const;
  const shapes = formats.flatMap((format) =>
    [false, true].flatMap((isBig) => [
      { format, isBig, columns: 1, row: 0 },
      { format, isBig, columns: 3, row: 0 },
      { format, isBig, columns: 1, row: 120 },
    ]),
  );
  return shapes.map((shape) => {
    const place = shape.row > 0 ? `rows of ${shape.row}` : `${shape.columns} columns`;
    const name = `table, ${shape.format} ${shape.isBig ? "big" : "little"}, ${place}`;
    return { name, bytes: tableOf(Math.ceil(24_000 / shape.columns), shape), kind: "table", or: "colours" };
  });
}

/** Of a WAV; what it says of samples may be anything. */
function wavHead(bytes: number, channels: number, bits: number): Uint8Array {
  const head = Buffer.alloc(44);
  head.write("RIFF....WAVEfmt ", 0);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(channels, 22);
  head.writeUInt32LE(44_100, 24);
  head.writeUInt16LE((channels * bits) / 8, 32);
  head.writeUInt16LE(bits, 34);
  head.write("data", 36);
  head.writeUInt32LE(bytes, 40);
  return new Uint8Array(head);
}

/** One file of a tar. */
function tarred(name: string, bytes: Uint8Array): Uint8Array {
  const head = Buffer.alloc(512);
  head.write(name, 0);
  head.write("0000644\0", 100);
  head.write(`${bytes.length.toString(8).padStart(11, "0")}\0`, 124);
  head.write("ustar", 257);
  return joined(new Uint8Array(head), bytes, new Uint8Array((512 - (bytes.length % 512)) % 512));
}

function files(): Sample[] {
  const stereo = soundOf(30_000, { channels: 2, width: 2, isBig: false });
  const fine = soundOf(30_000, { channels: 1, width: 3, isBig: false });
  const grey = pixelsOf(300, { channels: 1, width: 400 });
  const colours = pixelsOf(200, { channels: 3, width: 320 });
  const floats = tableOf(30_000, { format: "float32" });
  const text = trainingBytes(50_000, 1);
  const named = (head: string) => new TextEncoder().encode(head);
  const right = wavHead(stereo.length, 2, 16);
  const archive = joined(
    tarred("a.wav", joined(right, stereo)),
    tarred("read.me", text),
    tarred("b.wav", joined(wavHead(fine.length, 1, 24), fine)),
    tarred("c.ppm", joined(named("P6\n320 200\n255\n"), colours)),
    tarred("d.f32", floats),
    new Uint8Array(1024),
  );
  return [
    { name: "WAV, 16 bits, 2 channels", bytes: joined(right, stereo), kind: "sound" },
    { name: "WAV that says 8 bits, 1 channel", bytes: joined(wavHead(9, 1, 8), stereo), kind: "sound" },
    { name: "WAV of 24 bits that says 16 bits, 2 channels", bytes: joined(right, fine), kind: "sound" },
    { name: "WAV of text", bytes: joined(right, text, text) },
    { name: "PGM that says 17 x 9", bytes: joined(named("P5\n17 9\n255\n"), grey), kind: "pixels" },
    { name: "PPM that is grey", bytes: joined(named("P6\n400 100\n255\n"), grey), kind: "pixels" },
    { name: "NPY that says float64 of float32", bytes: joined(named("\x93NUMPY<f8"), floats), kind: "table" },
    { name: "tar of sounds, text, picture, floats", bytes: archive, all: ["sound", "pixels", "table"] },
    { name: "the same, cut anywhere", bytes: archive.subarray(12_345, 400_001), all: ["sound", "pixels"] },
    { name: "the same, gzip", bytes: new Uint8Array(gzipSync(archive)) },
  ];
}

/** Weights of networks: normal, each layer with a scale of its own. */
function weights(): Sample[] {
  const random = new Random(2);
  const normal = () => Array.from({ length: 12 }, () => random.next() / 2 ** 32).reduce((a, b) => a + b) - 6;
  const layers = Float32Array.from({ length: 100_000 }, (_, i) => normal() * 0.02 * (1 + ((i / 9000) | 0)));
  const singles = new Uint8Array(layers.buffer);
  return [
    { name: "weights, float32", bytes: singles },
    { name: "weights, float16", bytes: new Uint8Array(Float16Array.from(layers).buffer) },
    { name: "weights, bfloat16", bytes: singles.filter((_, i) => i % 4 > 1) },
  ];
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

const LANE = { contexts: 8, lineBits: 16 };

/** What a lane makes of bytes. */
function sizeOf(bytes: Uint8Array, stride: number, foreseen: Parameters<typeof foreseenWithin>[0] = []): number {
  const lane = new MixerLane(LANE);
  lane.describe(stride, foreseenWithin(foreseen, 0, bytes.length));
  lane.begin();
  lane.encode(bytes);
  return lane.finishEncoding().length;
}

/** Without predictors, and with them. */
async function sizesOf(bytes: Uint8Array, found: readonly FoundNumbers[]): Promise<[before: number, after: number]> {
  const model = { streams: 1, history: 0, mixerContexts: LANE.contexts, mixerCounters: 0 };
  const strideOf = (seen: Uint8Array) => provenStride(seen, model, new Pacer(undefined));
  const before = sizeOf(bytes, await strideOf(bytes));
  const seen = await predictNumbers(bytes, found, NO_COPIES, { ...NO_FORESIGHT, lanes: 1 });
  if (!seen) return [before, before];
  return [before, sizeOf(seen.bytes, seen.stride ?? (await strideOf(seen.bytes)), seen.foreseen?.stretches)];
}

const paths = process.argv.slice(2);
const samples: Sample[] =
  paths.length > 0
    ? paths.map((path) => ({ name: basename(path), bytes: new Uint8Array(readFileSync(path)) }))
    : [
        ...sounds(),
        ...pictures(),
        ...drawn(),
        ...placed("film, 160 x 120", filmOf(8, { width: 160, height: 120 }), "film"),
        ...tables(),
        ...files(),
        ...weights(),
        ...others(),
      ];
let [right, missed, wrong] = [0, 0, 0];
console.log("| sample | bytes | found | without | with | gain |\n|---|---|---|---|---|---|");
for (const { name, bytes, kind, or, all = kind ? [kind] : [] } of samples) {
  const found = await findNumbers(bytes, undefined, () => true);
  const kinds = found.map(({ numbers }) => numbers.kind);
  const isThere = (each: Kind) => kinds.includes(each) || (or !== undefined && kinds.includes(or));
  const isRight = all.length === 0 ? found.length === 0 : all.every(isThere);
  if (isRight) right += 1;
  else if (found.length < all.length) missed += 1;
  else wrong += 1;
  const [before, after] = await sizesOf(bytes, found);
  const gain = `${(100 - (100 * after) / before).toFixed(1)} %`;
  console.log(
    `| ${[name, bytes.length, found.map(describe).join("; ") || "nothing", before, after, gain].join(" | ")} |`,
  );
}
if (paths.length === 0) {
  console.log(
    `${samples.length} samples: ${right} as they are, ${missed} not found, ${wrong} taken for something else`,
  );
  process.exitCode = wrong > 0 ? 1 : 0;
}
