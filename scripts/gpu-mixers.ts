/**
 * Times the bit mixer on one GPU: bytes of a file through lanes, coder included, by level and number of lanes.
 *
 *     bun scripts/gpu-mixers.ts [--adapter NAME] [--levels 5,1,9] [--lanes 132,528,1056,2112] [--seconds 60] FILE
 *
 * A line of JSON for each as it is measured, most important first: lanes go through neighbouring parts of the file, and
 * again from its start if they are more than it has bytes. `microseconds` is what a byte of a lane takes, the least of
 * some chunks; what all lanes do in it is `megabytesPerSecond`. All that it needs are the sources and `webgpu`, so it
 * runs where nothing can be installed.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { chooseAdapter, listAdapters, openDevice } from "../src/engine/gpu/dawn.ts";
import { GpuDevice } from "../src/engine/gpu/device.ts";
import { GpuMixer } from "../src/engine/gpu/mixer.ts";
import { hyperForSize, levelOf } from "../src/model/levels.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    adapter: { type: "string" },
    levels: { type: "string", default: "5,1,9" },
    lanes: { type: "string", default: "132,528,1056,2112" },
    seconds: { type: "string", default: "60" },
  },
});
const [file] = positionals;
if (file === undefined) throw new Error("usage: bun scripts/gpu-mixers.ts [--adapter NAME] FILE");

/** Levels size the lines of lanes by this size of input. */
const INPUT_BYTES = 2 ** 26;
const CHUNK_BYTES = 512;
const WARM_UP_BYTES = 16;
const MEASURE_MS = 900;

const numbersOf = (list: string) => list.split(",").map(Number);

/** Bytes `from` … of each lane, step by step. */
function rowsOf(data: Uint8Array, lanes: number, from: number, count: number): Uint8Array {
  const share = Math.max(1, Math.floor(data.length / lanes));
  const rows = new Uint8Array(count * lanes);
  for (let lane = 0; lane < lanes; lane++) {
    for (let t = 0; t < count; t++) rows[t * lanes + lane] = data[(lane * share + from + t) % data.length] as number;
  }
  return rows;
}

async function time(gpu: GpuDevice, data: Uint8Array, level: number, lanes: number) {
  const hyper = hyperForSize(levelOf(level), INPUT_BYTES, lanes);
  const openedAtMs = performance.now();
  const model = await GpuMixer.open(gpu, hyper);
  const openMs = Math.round(performance.now() - openedAtMs);
  try {
    const chunkBytes = Math.min(model.chunkSteps, CHUNK_BYTES);
    await model.beginPayloads(lanes, { workers: 1 });
    await model.encodeSteps(rowsOf(data, lanes, 0, WARM_UP_BYTES), WARM_UP_BYTES, lanes);
    let [at, elapsedMs, leastMs] = [WARM_UP_BYTES, 0, Infinity];
    while (elapsedMs < MEASURE_MS) {
      const rows = rowsOf(data, lanes, at, chunkBytes);
      const startedAtMs = performance.now();
      await model.encodeSteps(rows, chunkBytes, lanes);
      const tookMs = performance.now() - startedAtMs;
      [at, elapsedMs, leastMs] = [at + chunkBytes, elapsedMs + tookMs, Math.min(leastMs, tookMs)];
    }
    const microseconds = (leastMs * 1000) / chunkBytes;
    const { mixerBits } = hyper;
    return {
      level,
      lanes,
      mixerBits,
      banks: model.bankCount,
      openMs,
      microseconds,
      megabytesPerSecond: lanes / microseconds,
    };
  } finally {
    await model.close();
  }
}

const endsAtMs = performance.now() + 1000 * Number(values.seconds);
const adapter = chooseAdapter(await listAdapters(), values.adapter);
const opened = await openDevice(adapter.name);
const gpu = new GpuDevice(opened.device, adapter.name, adapter.isSoftware);
const data = readFileSync(file);
console.log(JSON.stringify({ adapter, fileBytes: data.length }));
for (const level of numbersOf(values.levels)) {
  for (const lanes of numbersOf(values.lanes)) {
    if (performance.now() > endsAtMs) throw new Error(`no time left at level ${level} with ${lanes} lanes`);
    const result = await time(gpu, data, level, lanes).catch((error: unknown) => ({
      level,
      lanes,
      error: String(error),
    }));
    console.log(JSON.stringify(result));
  }
}
opened.device.destroy();
process.exit(0);
