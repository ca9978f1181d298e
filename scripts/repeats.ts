/**
 * Cuts the long repeats out of a file, as the stage before the model does, and tells what that brings.
 *
 *     bun scripts/repeats.ts FILE… [--min 32] [--seam 0] [--resume 16] [--worth BITS [--time UNITS]]
 *         [--mirrored] [--window BYTES] [--write REST]
 *
 * With --worth, only those repeats are cut out that are estimated to save more than a copy costs: so many bits and its
 * distance; each byte counts --time 32nds of a bit more than it would take, for the time that it takes.
 * --mirrored is for genomes. The first --window bytes of the file count as earlier blocks. Prints the size of the rest,
 * the number of copies, the coded size of their list, and how long cutting and restoring took. --write puts the rest
 * into a file, so that the model can be run on it (with several files: REST is a folder).
 */
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { decodeCopies, encodeCopies } from "../src/repeats/copies.ts";
import { cut } from "../src/repeats/cut.ts";
import { restore } from "../src/repeats/paste.ts";
import { optionsAndWords } from "./shared.ts";

const { values, positionals } = optionsAndWords({ min: 32, seam: 0, time: 0, mirrored: false, window: 0 }, [
  "resume",
  "worth",
  "write",
]);

const minLength = values.min;
const seamBytes = values.seam;
const resumeLength = values.resume === undefined ? {} : { resumeLength: Number(values.resume) };
const worth = values.worth === undefined ? {} : { worth: { copyBits: Number(values.worth), timeUnits: values.time } };
const options = { minLength, seamBytes, mirrored: values.mirrored, ...resumeLength, ...worth };

function measure(path: string): void {
  const bytes = new Uint8Array(readFileSync(path));
  const window = bytes.subarray(0, values.window);
  const block = bytes.subarray(window.length);
  const startMs = performance.now();
  const { rest, copies } = cut(block, window, options);
  const cutMs = performance.now() - startMs;
  const coded = encodeCopies(copies);
  const limits = { blockBytes: block.length, restBytes: rest.length, windowBytes: window.length };
  const decodeMs = performance.now();
  const back = restore(rest, decodeCopies(coded, limits), window);
  const restoreMs = performance.now() - decodeMs;
  if (Buffer.compare(back, block) !== 0) throw new Error(`${path} does not come back as it was`);
  const speed = (ms: number) => `${(bytes.length / 1e3 / ms).toFixed(1)} MB/s`;
  const bits = copies.count > 0 ? ((8 * coded.length) / copies.count).toFixed(1) : "-";
  console.log(
    [
      basename(path).padEnd(26),
      `min ${minLength} seam ${seamBytes}`,
      `block ${block.length}`,
      `rest ${rest.length}`,
      `copies ${copies.count} in ${coded.length} bytes (${bits} bits each)`,
      `sum ${rest.length + coded.length}`,
      `cut ${speed(cutMs)}`,
      `restore ${speed(restoreMs)}`,
    ].join("  "),
  );
  if (values.write === undefined) return;
  const isFolder = statSync(values.write, { throwIfNoEntry: false })?.isDirectory();
  writeFileSync(isFolder ? join(values.write, basename(path)) : values.write, rest);
}

for (const path of positionals) measure(path);
