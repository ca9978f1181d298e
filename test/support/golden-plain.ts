/**
 * What golden archives hold, by the part of their names behind the version: for scripts/golden.ts, which makes the
 * archives, and for the test that decodes them. It is put together from the plain files in test/golden.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { joined, utf8 } from "./bytes.ts";
import { otherStrand } from "./genome.ts";
import { drawingOf, filmOf, gradientOf, pixelsOf, soundOf, tableOf } from "./numbers.ts";
import { rowsOf } from "./rows.ts";

export const GOLDEN_FOLDER = join(import.meta.dir, "..", "golden");
export const goldenFile = (name: string) => new Uint8Array(readFileSync(join(GOLDEN_FOLDER, name)));

/** Parts of one text and of another, some of them again, within a block of 2000 bytes and beyond it. */
function withRepeats(mixed: Uint8Array, text: Uint8Array): Uint8Array {
  const last = Array.from({ length: 4 }, () => mixed.subarray(-1300));
  return joined(
    mixed.subarray(0, 4000),
    mixed.subarray(2500, 4000),
    text.subarray(0, 1500),
    mixed.subarray(3000),
    ...last,
  );
}

/** Letters made of a file's bytes, and parts of them again on the other strand: whole, changed, and turned back. */
function genomeOf(bytes: Uint8Array): Uint8Array {
  const strand = bytes.subarray(0, 3000).map((byte) => "ACGT".charCodeAt((byte ^ (byte >> 3)) & 3));
  const changed = otherStrand(strand.subarray(1000, 1600));
  changed[200] = "N".charCodeAt(0);
  changed[431] = "N".charCodeAt(0);
  return joined(strand, otherStrand(strand.subarray(200, 700)), changed, strand.subarray(1200, 1500));
}

/** Text between zeros, a pattern and other text. */
function withFills(text: Uint8Array, mixed: Uint8Array): Uint8Array {
  const pattern = Buffer.alloc(50_000, "abc");
  return joined(text, new Uint8Array(1_100_000), mixed.subarray(0, 500), pattern);
}

/** A text, and sound of two channels behind it. */
function withSound(text: Uint8Array): Uint8Array {
  const sound = soundOf(10_000, { channels: 2, width: 2, isBig: false });
  return joined(text.subarray(0, 5000), sound);
}

/** A text, and two sounds that a panel of predictors is for: of two channels, and of one in samples of 24 bits. */
function withSounds(text: Uint8Array): Uint8Array {
  const stereo = soundOf(9000, { channels: 2, width: 2, isBig: true });
  const fine = soundOf(9000, { channels: 1, width: 3, isBig: false }, 2);
  return joined(text.subarray(0, 2000), stereo, text.subarray(0, 1000), fine);
}

/** A text, and a picture of three channels behind it. */
function withPixels(text: Uint8Array): Uint8Array {
  const picture = pixelsOf(130, { channels: 3, width: 260 });
  return joined(text.subarray(0, 2000), picture);
}

/** A text, and a film behind it. */
function withFilm(text: Uint8Array): Uint8Array {
  return joined(text.subarray(0, 2000), filmOf(4, { width: 160, height: 120 }));
}

/** A text, and a grid of floats behind it. */
function withTable(text: Uint8Array): Uint8Array {
  const table = tableOf(10_000, { format: "float32", row: 100 });
  return joined(text.subarray(0, 3000), table);
}

/** A grid of floats behind a header, and a few that stand for what nobody measured. */
function withHeader(text: Uint8Array): Uint8Array {
  const values = new Float32Array(tableOf(10_000, { format: "float32", row: 100 }).buffer);
  const table = new Uint8Array(values.map((value, i) => (i % 997 === 0 ? 1e20 : value)).buffer);
  return joined(text.subarray(0, 128), table);
}

/** A text, and a drawing of few colours behind it, in pixels of four bytes. */
function withColours(text: Uint8Array): Uint8Array {
  return joined(text.subarray(0, 800), drawingOf(90, 200, 7, 4), utf8("end"));
}

/** A gradient behind a header. */
function withSteps(): Uint8Array {
  return joined(utf8("P5\n300 260\n255\n"), gradientOf(260, 300, 2, 3));
}

/** What becomes of a text: parts of it, and some in which letters changed between small and capital. */
function withNews(text: Uint8Array): Uint8Array {
  const swapped = (byte: number) => (/[a-z]/i.test(String.fromCharCode(byte)) ? byte ^ 32 : byte);
  const news = Array.from({ length: 33 }, (_, i) => {
    const part = text.subarray(90 * i, 90 * i + 75);
    return [part.subarray(0, 60), "<", part.subarray(60).map(swapped), ">"].map((piece) => Buffer.from(piece));
  });
  return joined(text.subarray(1000), ...news.flat(), text.subarray(0, 1200));
}

const [text, mixed] = [goldenFile("text.bin"), goldenFile("mixed.bin")];
const hello = utf8("hello");
const again = withRepeats(mixed, text);

export const GOLDEN_PLAIN: Readonly<Record<string, Uint8Array>> = {
  stored: hello,
  pattern: new Uint8Array(Buffer.alloc(1000, "ab")),
  coded: text,
  "level-5": text,
  "level-9": text,
  counters: text,
  network: text,
  lanes: mixed,
  blocks: mixed,
  run: goldenFile("chance.bin"),
  concatenated: joined(hello, text),
  cut: again,
  copies: again,
  mirrored: genomeOf(text),
  stride: rowsOf(200, 90),
  fills: withFills(text, mixed),
  sound: withSound(text),
  panel: withSounds(text),
  pixels: withPixels(text),
  film: withFilm(text),
  table: withTable(text),
  damped: withHeader(text),
  colours: withColours(text),
  stated: withSteps(),
  patch: withNews(text),
};
