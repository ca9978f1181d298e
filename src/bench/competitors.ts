/**
 * The compressors that fade is held against: programs that the machine may have, and what comes with the runtime. A
 * table of command lines, so that adding one is adding a few lines here. All that can use threads get as many as fade.
 */
import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";

/** File names in the folder where programs run: what goes in, the archive, what comes back. */
export const NAMES = { plain: "plain", archive: "archive", restored: "restored" } as const;
/** These two append their suffixes to names that lack them. */
const ZPAQ_ARCHIVE = "archive.zpaq";
const SEVEN_ZIP_ARCHIVE = "archive.7z";

export interface Program {
  readonly name: string;
  /** Settings that are run unless the caller names one. */
  readonly settings: readonly string[];
  /** The words of a command line; its standard output goes to the file where the result is expected if `pipes`. */
  readonly compress: (setting: string, threads: number) => readonly string[];
  readonly decompress: (threads: number) => readonly string[];
  /** Compression, decompression: results come by standard output rather than in files. */
  readonly pipes: readonly [boolean, boolean];
  /** Default: NAMES.archive. */
  readonly archive?: string;
  /** Words for both directions that make it begin with a file, too; without it, it cannot. */
  readonly behind?: (start: Start) => readonly string[];
}

/** A file that compressors begin with, which is no input. */
export interface Start {
  readonly option: "-D" | "--patch-from";
  /** Absolute: programs run in folders of their own. */
  readonly path: string;
}

const { plain, archive, restored } = NAMES;

export const PROGRAMS: readonly Program[] = [
  {
    name: "zstd",
    settings: ["-3", "-19", "--ultra -22"],
    compress: (setting, threads) => ["zstd", "-q", "-c", ...setting.split(" "), `-T${threads}`, plain],
    decompress: () => ["zstd", "-q", "-d", "-c", archive],
    pipes: [true, true],
    behind: ({ option, path }) => (option === "-D" ? [option, path] : [`${option}=${path}`]),
  },
  {
    name: "xz",
    settings: ["-6", "-9e"],
    compress: (setting, threads) => ["xz", "-c", setting, `-T${threads}`, plain],
    decompress: (threads) => ["xz", "-d", "-c", "--format=xz", `-T${threads}`, archive],
    pipes: [true, true],
  },
  {
    name: "brotli",
    settings: ["-q 5", "-q 11 -w 24"],
    compress: (setting) => ["brotli", "-c", ...setting.split(" "), plain],
    decompress: () => ["brotli", "-d", "-c", archive],
    pipes: [true, true],
  },
  {
    name: "bzip2",
    settings: ["-9"],
    compress: (setting) => ["bzip2", "-c", setting, plain],
    decompress: () => ["bzip2", "-d", "-c", archive],
    pipes: [true, true],
  },
  {
    name: "7z",
    settings: ["-mx=9", "-m0=PPMd -mx=9"],
    compress: (setting, threads) => [
      ...["7z", "a", "-t7z", "-bd", "-y", ...setting.split(" ")],
      ...[`-mmt=${threads}`, SEVEN_ZIP_ARCHIVE, plain],
    ],
    decompress: (threads) => ["7z", "e", "-so", "-bd", `-mmt=${threads}`, SEVEN_ZIP_ARCHIVE],
    pipes: [false, true],
    archive: SEVEN_ZIP_ARCHIVE,
  },
  {
    name: "zpaq",
    settings: ["-m3", "-m5"],
    compress: (setting, threads) => ["zpaq", "a", ZPAQ_ARCHIVE, plain, setting, `-t${threads}`],
    decompress: (threads) => ["zpaq", "x", ZPAQ_ARCHIVE, plain, "-to", restored, `-t${threads}`],
    pipes: [false, false],
    archive: ZPAQ_ARCHIVE,
  },
];

/** A compressor that is a function of the runtime, and runs in this process. */
export interface RuntimeCompressor {
  readonly name: string;
  readonly settings: readonly string[];
  readonly compress: (bytes: Uint8Array<ArrayBuffer>, setting: string) => Uint8Array;
  readonly decompress: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array;
}

const levelOf = (setting: string) => Number(setting.replace(/^-+/, ""));
/** 2^24 bytes, the largest window of the plain format. */
const BROTLI_WINDOW_BITS = 24;

export const RUNTIME: readonly RuntimeCompressor[] = [
  {
    name: "gzip",
    settings: ["-1", "-6", "-9"],
    compress: (bytes, setting) => Bun.gzipSync(bytes, { level: gzipLevel(setting) }),
    decompress: (bytes) => Bun.gunzipSync(bytes),
  },
  {
    name: "brotli",
    settings: ["-11"],
    compress: (bytes, setting) =>
      brotliCompressSync(bytes, {
        params: {
          [constants.BROTLI_PARAM_QUALITY]: levelOf(setting),
          [constants.BROTLI_PARAM_LGWIN]: BROTLI_WINDOW_BITS,
          [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
        },
      }),
    decompress: (bytes) => brotliDecompressSync(bytes),
  },
  {
    name: "zstd",
    settings: ["-19"],
    compress: (bytes, setting) => Bun.zstdCompressSync(bytes, { level: levelOf(setting) }),
    decompress: (bytes) => Bun.zstdDecompressSync(bytes),
  },
];

type GzipLevel = 1 | 6 | 9;

function gzipLevel(setting: string): GzipLevel {
  const level = levelOf(setting);
  return level === 1 || level === 9 ? level : 6;
}

/** Names that a caller may ask for; `runtime` for all that come with the runtime. */
export const COMPETITOR_NAMES: readonly string[] = [...PROGRAMS.map(({ name }) => name), "runtime"];
