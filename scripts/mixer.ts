/**
 * The bit mixer by itself, over files:
 *
 *     bun scripts/mixer.ts [--contexts N] [--counters N] [--lanes N] [--line-bits N] [--stride N] FILE…
 *
 * Each file is one block cut into lanes of equal length; every payload is decoded again and compared. Rows are name,
 * bytes, coded bytes, and kilobytes per second of processor time each way, lanes one after another. Nothing of the
 * container is counted, repeats are not cut out first, and --stride holds for all files.
 */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { buildMixer } from "../src/engine/mixer/assembly/build.ts";
import { optionsAndWords } from "./shared.ts";

buildMixer();
const { MixerLane } = await import("../src/engine/mixer/lane.ts");

const { values, positionals } = optionsAndWords({
  contexts: 10,
  counters: 0,
  lanes: 1,
  stride: 0,
  "line-bits": 18,
});
const shape = {
  contexts: values.contexts,
  lineBits: values["line-bits"],
  counters: values.counters,
};
const lanes = values.lanes;

/** Microseconds of processor time that the work took, and what it gave. */
function timed<T>(work: () => T): [T, number] {
  const before = process.cpuUsage();
  const result = work();
  return [result, process.cpuUsage(before).user];
}

function open() {
  const lane = new MixerLane(shape);
  lane.describe(values.stride);
  return lane;
}

for (const path of positionals) {
  const bytes = new Uint8Array(readFileSync(path));
  let [coded, encodeUs, decodeUs] = [0, 0, 0];
  for (let l = 0; l < lanes; l++) {
    const part = bytes.subarray(Math.floor((bytes.length * l) / lanes), Math.floor((bytes.length * (l + 1)) / lanes));
    const [encoder, decoder] = [open(), open()];
    const [payload, spentUs] = timed(() => {
      encoder.begin();
      encoder.encode(part);
      return encoder.finishEncoding();
    });
    const [back, moreUs] = timed(() => {
      const plain = new Uint8Array(part.length);
      decoder.beginDecoding(payload);
      decoder.decode(plain);
      return plain;
    });
    if (Buffer.compare(back, part) !== 0) throw new Error(`${path}: lane ${l} decodes to other bytes`);
    if (decoder.finishDecoding() !== 0) throw new Error(`${path}: lane ${l} does not use up its payload`);
    coded += payload.length;
    encodeUs += spentUs;
    decodeUs += moreUs;
  }
  const speed = (us: number) => Math.round((1000 * bytes.length) / us);
  console.log(basename(path), bytes.length, coded, speed(encodeUs), speed(decodeUs));
}
