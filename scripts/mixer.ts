/**
 * The bit mixer by itself, over files: bun scripts/mixer.ts [--contexts N] [--streams N] [--lanes N] FILE…
 *
 * Each file is one block cut into lanes of equal length; every payload is decoded again and compared. Rows are name,
 * bytes, coded bytes, and kilobytes per second of processor time each way, lanes one after another. Nothing of the
 * container is counted, repeats are not cut out first, and --family and --stride hold for all files.
 */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { contextsOf, type Family, type MixerShape } from "../src/contract/mixer.ts";
import { buildMixer } from "../src/engine/cpu/assembly/mixer/build.ts";

await buildMixer();
const { MixerLane } = await import("../src/engine/cpu/mixer/lane.ts");

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    contexts: { type: "string", default: "10" },
    streams: { type: "string", default: "8" },
    lanes: { type: "string", default: "2" },
    family: { type: "string", default: "plain" },
    stride: { type: "string", default: "0" },
    "line-bits": { type: "string", default: "18" },
    rate: { type: "string", default: "8000" },
  },
});
const FAMILIES: readonly Family[] = ["plain", "records", "genome"];
const family = FAMILIES.find((name) => name === values.family);
if (family === undefined) throw new Error(`families are ${FAMILIES.join(", ")}`);
const stride = Number(values.stride);
const shape: MixerShape = {
  contexts: contextsOf(family, Number(values.contexts), stride),
  streams: Number(values.streams),
  lineBits: Number(values["line-bits"]),
  stride,
  rate: Number(values.rate),
  finalRate: 2000,
};
const lanes = Number(values.lanes);

/** Microseconds of processor time that the work took, and what it gave. */
function timed<T>(work: () => T): [T, number] {
  const before = process.cpuUsage();
  const result = work();
  return [result, process.cpuUsage(before).user];
}

for (const path of positionals) {
  const bytes = new Uint8Array(readFileSync(path));
  let [coded, encodeUs, decodeUs] = [0, 0, 0];
  for (let l = 0; l < lanes; l++) {
    const part = bytes.subarray(Math.floor((bytes.length * l) / lanes), Math.floor((bytes.length * (l + 1)) / lanes));
    const [encoder, decoder] = [new MixerLane(shape), new MixerLane(shape)];
    const [payload, spentUs] = timed(() => encoder.encode(part));
    const [back, moreUs] = timed(() => decoder.decode(payload, part.length));
    if (Buffer.compare(back, part) !== 0) throw new Error(`${path}: lane ${l} decodes to other bytes`);
    coded += payload.length;
    encodeUs += spentUs;
    decodeUs += moreUs;
  }
  const speed = (us: number) => Math.round((1000 * bytes.length) / us);
  console.log(basename(path), bytes.length, coded, speed(encodeUs), speed(decodeUs));
}
