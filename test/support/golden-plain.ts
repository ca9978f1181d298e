/**
 * What golden archives hold that is put together from the files in test/golden, for scripts/golden.ts, which makes the
 * archives, and for the test that decodes them.
 */
import { otherStrand } from "./genome.ts";
import { filmOf, pixelsOf, soundOf, tableOf } from "./numbers.ts";

/** Parts of one text and of another, some of them again, within a block of 2000 bytes and beyond it. */
export function withRepeats(mixed: Uint8Array, text: Uint8Array): Uint8Array {
  return new Uint8Array(
    Buffer.concat([
      mixed.subarray(0, 4000),
      mixed.subarray(2500, 4000),
      text.subarray(0, 1500),
      mixed.subarray(3000),
      ...Array.from({ length: 4 }, () => mixed.subarray(-1300)),
    ]),
  );
}

/** Letters made of a file's bytes, and parts of them again on the other strand: whole, changed, and turned back. */
export function genomeOf(bytes: Uint8Array): Uint8Array {
  const strand = bytes.subarray(0, 3000).map((byte) => "ACGT".charCodeAt((byte ^ (byte >> 3)) & 3));
  const changed = otherStrand(strand.subarray(1000, 1600));
  changed[200] = "N".charCodeAt(0);
  changed[431] = "N".charCodeAt(0);
  return new Uint8Array(
    Buffer.concat([strand, otherStrand(strand.subarray(200, 700)), changed, strand.subarray(1200, 1500)]),
  );
}

/** Text between zeros, a pattern and other text. */
export function withFills(text: Uint8Array, mixed: Uint8Array): Uint8Array {
  const pattern = Buffer.alloc(50_000, "abc");
  return new Uint8Array(Buffer.concat([text, new Uint8Array(1_100_000), mixed.subarray(0, 500), pattern]));
}

/** A text, and sound of two channels behind it. */
export function withSound(text: Uint8Array): Uint8Array {
  const sound = soundOf(10_000, { channels: 2, width: 2, isBig: false });
  return new Uint8Array(Buffer.concat([text.subarray(0, 5000), sound]));
}

/** A text, and two sounds that a panel of predictors is for: of two channels, and of one in samples of 24 bits. */
export function withSounds(text: Uint8Array): Uint8Array {
  const stereo = soundOf(9000, { channels: 2, width: 2, isBig: true });
  const fine = soundOf(9000, { channels: 1, width: 3, isBig: false }, 2);
  return new Uint8Array(Buffer.concat([text.subarray(0, 2000), stereo, text.subarray(0, 1000), fine]));
}

/** A text, and a picture of three channels behind it. */
export function withPixels(text: Uint8Array): Uint8Array {
  const picture = pixelsOf(130, { channels: 3, width: 260 });
  return new Uint8Array(Buffer.concat([text.subarray(0, 2000), picture]));
}

/** A text, and a film behind it. */
export function withFilm(text: Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.concat([text.subarray(0, 2000), filmOf(4, { width: 160, height: 120 })]));
}

/** A text, and a grid of floats behind it. */
export function withTable(text: Uint8Array): Uint8Array {
  const table = tableOf(10_000, { format: "float32", row: 100 });
  return new Uint8Array(Buffer.concat([text.subarray(0, 3000), table]));
}

/** A grid of floats behind a header, and a few that stand for what nobody measured. */
export function withHeader(text: Uint8Array): Uint8Array {
  const values = new Float32Array(tableOf(10_000, { format: "float32", row: 100 }).buffer);
  const table = new Uint8Array(values.map((value, i) => (i % 997 === 0 ? 1e20 : value)).buffer);
  return new Uint8Array(Buffer.concat([text.subarray(0, 128), table]));
}

/** What becomes of a text: parts of it, and some in which letters changed between small and capital. */
export function withNews(text: Uint8Array): Uint8Array {
  const swapped = (byte: number) => (/[a-z]/i.test(String.fromCharCode(byte)) ? byte ^ 32 : byte);
  const news = Array.from({ length: 33 }, (_, i) => {
    const part = text.subarray(90 * i, 90 * i + 75);
    return [part.subarray(0, 60), "<", part.subarray(60).map(swapped), ">"].map((piece) => Buffer.from(piece));
  });
  return new Uint8Array(Buffer.concat([text.subarray(1000), ...news.flat(), text.subarray(0, 1200)]));
}
