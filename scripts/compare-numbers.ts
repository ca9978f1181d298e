/**
 * Sounds, pictures and films beside the programs that are made for them: FLAC -8, WavPack -hh, JPEG XL -d 0 -e 9, WebP
 * lossless, and for films FFV1 and x264 without loss; fade -5 and -9 are told nothing. Ten samples and more are made
 * here; files are taken as what they are called: .wav, .ppm, .pgm, or .yuv with WIDTHxHEIGHT in the name.
 * Of a file of several WAVs behind each other FLAC and WavPack take only the first for sound.
 *
 *     bun scripts/compare-numbers.ts [FILE…]
 *
 * Needs bin/fade (`npm run build`). A program that is missing is named, and its column stays empty.
 */
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { mix32 } from "../src/contract/fixed.ts";
import { pixelsOf, soundOf } from "../test/support/numbers.ts";

const FADE = join(import.meta.dir, "..", "bin", "fade");
const FOLDER = mkdtempSync(join(tmpdir(), "fade-numbers-"));

type Kind = "sound" | "picture" | "film";
/** Commands that read the first path and write the second. */
type Command = (from: string, to: string) => string[];

const raw = (from: string) => {
  const size = basename(from).match(/\d+x\d+/)?.[0] ?? "352x288";
  return ["ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", size, "-i", from];
};
const OTHERS: readonly { readonly name: string; readonly kind: Kind; readonly command: Command }[] = [
  { name: "FLAC -8", kind: "sound", command: (from, to) => ["flac", "-8", "-s", "-f", from, "-o", to] },
  { name: "WavPack -hh", kind: "sound", command: (from, to) => ["wavpack", "-hh", "-q", "-y", from, "-o", to] },
  { name: "JPEG XL -e 9", kind: "picture", command: (from, to) => ["cjxl", "-d", "0", "-e", "9", "--quiet", from, to] },
  {
    name: "WebP -z 9",
    kind: "picture",
    command: (from, to) => ["cwebp", "-quiet", "-lossless", "-exact", "-z", "9", from, "-o", to],
  },
  {
    name: "FFV1",
    kind: "film",
    command: (from, to) => [...raw(from), ..."-c:v ffv1 -level 3 -coder 1 -context 1 -f nut".split(" "), to],
  },
  {
    name: "x264",
    kind: "film",
    command: (from, to) => [...raw(from), "-c:v", "libx264", "-preset", "veryslow", "-qp", "0", "-f", "nut", to],
  },
];

/** Of outputs, where a program looks at it. */
const EXTENSIONS: Readonly<Record<string, string>> = {
  "JPEG XL -e 9": "jxl",
  "WebP -z 9": "webp",
  "WavPack -hh": "wv",
};

function wav(samples: Uint8Array, channels: number, width: number): Uint8Array {
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(36 + samples.length, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(channels, 22);
  head.writeUInt32LE(44_100, 24);
  head.writeUInt32LE(44_100 * channels * width, 28);
  head.writeUInt16LE(channels * width, 32);
  head.writeUInt16LE(8 * width, 34);
  head.write("data", 36);
  head.writeUInt32LE(samples.length, 40);
  return new Uint8Array(Buffer.concat([head, samples]));
}

const [WIDTH, HEIGHT] = [240, 160];
const picture = (head: string, body: Uint8Array) => new Uint8Array(Buffer.concat([Buffer.from(head), body]));
const netpbm = (magic: string, body: Uint8Array, most = 255) =>
  picture(`${magic}\n${WIDTH} ${HEIGHT}\n${most}\n`, body);
const pam = (body: Uint8Array) =>
  picture(`P7\nWIDTH ${WIDTH}\nHEIGHT ${HEIGHT}\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n`, body);

const each = (count: number, byte: (i: number) => number) => Uint8Array.from({ length: count }, (_, i) => byte(i));
const colours = (byte: (i: number) => number) => each(3 * WIDTH * HEIGHT, byte);
const noise = (i: number) => mix32(i) >>> 24;
const sweep = (i: number) => Math.round(20_000 * Math.sin((i * i) / 40_000));
const words = (count: number, sample: (i: number) => number) => {
  const buffer = Buffer.alloc(2 * count);
  for (let i = 0; i < count; i += 1) buffer.writeInt16LE(sample(i), 2 * i);
  return new Uint8Array(buffer);
};

const MADE: readonly (readonly [name: string, make: () => Uint8Array])[] = [
  ["noise.wav", () => wav(each(80_000, noise), 1, 2)],
  ["sweep.wav", () => wav(words(50_000, sweep), 1, 2)],
  ["resonance.wav", () => wav(soundOf(40_000, { channels: 1, width: 2, isBig: false }), 1, 2)],
  ["stereo.wav", () => wav(soundOf(25_000, { channels: 2, width: 2, isBig: false }), 2, 2)],
  [
    "silent-right.wav",
    () =>
      wav(
        words(50_000, (i) => (i % 2 === 0 ? sweep(i >> 1) : 0)),
        2,
        2,
      ),
  ],
  ["24-bit.wav", () => wav(soundOf(30_000, { channels: 1, width: 3, isBig: false }), 1, 3)],
  ["noise.ppm", () => netpbm("P6", colours(noise))],
  ["smooth.ppm", () => netpbm("P6", pixelsOf(HEIGHT, { channels: 3, width: WIDTH }))],
  ["colours.ppm", () => netpbm("P6", pixelsOf(HEIGHT, { channels: 3, width: WIDTH }, 5))],
  [
    "gradient.ppm",
    () =>
      netpbm(
        "P6",
        colours((i) => ((i % (3 * WIDTH)) / 3 + i / (9 * WIDTH)) & 255),
      ),
  ],
  [
    "palette.ppm",
    () =>
      netpbm(
        "P6",
        colours((i) => (noise(((i / 3) >> 4) | 0) & 7) * (20 + (i % 3))),
      ),
  ],
  ["grey.pgm", () => netpbm("P5", pixelsOf(HEIGHT, { channels: 1, width: WIDTH }))],
  ["alpha.pam", () => pam(pixelsOf(HEIGHT, { channels: 4, width: WIDTH }))],
  [
    "16-bit.pgm",
    () => {
      const light = pixelsOf(HEIGHT, { channels: 1, width: WIDTH });
      return netpbm(
        "P5",
        each(2 * WIDTH * HEIGHT, (i) => (i % 2 === 0 ? (light[i >> 1] as number) >> 4 : noise(i) & 15)),
        4095,
      );
    },
  ],
];

const kindOf = (path: string): Kind => (path.endsWith(".wav") ? "sound" : path.endsWith(".yuv") ? "film" : "picture");

/** What a command makes of a file, or why there is nothing. */
function sizeBy(command: string[], to: string): number | undefined {
  rmSync(to, { force: true });
  const { exitCode } = Bun.spawnSync(command, { stdout: "ignore", stderr: "ignore" });
  return exitCode === 0 ? statSync(to).size : undefined;
}

function row(path: string): string {
  const kind = kindOf(path);
  const to = join(FOLDER, "out");
  const fade = [5, 9].map((level) => sizeBy([FADE, `-${level}`, "-q", "-f", "-o", to, path], to));
  // WebP has 8 bits a channel, and would leave the others out; cjxl 0.7 does not give back the 12 bits of this one.
  const isDeep = basename(path).startsWith("16-bit");
  const isFor = (other: (typeof OTHERS)[number]) => other.kind === kind && !isDeep;
  const others = OTHERS.filter((other) => isFor(other) && Bun.which(other.command("", "")[0] as string));
  const sizes = others.map(({ name, command }) => {
    const output = `${to}.${EXTENSIONS[name] ?? "out"}`;
    const size = sizeBy(command(path, output), output);
    return `${name} ${size?.toLocaleString("en") ?? "cannot"}`;
  });
  const cells = [
    basename(path),
    statSync(path).size.toLocaleString("en"),
    ...fade.map((size) => size?.toLocaleString("en") ?? "failed"),
  ];
  return `| ${[...cells, sizes.join(", ")].join(" | ")} |`;
}

try {
  for (const program of new Set(OTHERS.map(({ command }) => command("", "")[0] as string))) {
    if (!Bun.which(program)) console.error(`${program} is missing`);
  }
  console.log("| | bytes | fade -5 | fade -9 | others |\n|---|---|---|---|---|");
  for (const path of process.argv.slice(2)) console.log(row(path));
  for (const [name, make] of MADE) {
    const path = join(FOLDER, name);
    writeFileSync(path, make());
    console.log(row(path));
  }
} finally {
  rmSync(FOLDER, { recursive: true, force: true });
}
