/** The whole state of a mixer's lane on the GPU, in the form in which lane-state.ts compares lanes by ==. */
import { REFINE_NODES } from "../../src/contract/mixer.ts";
import { REFINE_ROWS } from "../../src/contract/mixer-initial.ts";
import type { GpuMixer } from "../../src/engine/gpu/mixer.ts";
import { learntAreas } from "../../src/engine/gpu/mixer-image.ts";
import { learntPlaces, linesPlaces, REFINE_ROW_WORDS, SEEN } from "../../src/engine/gpu/mixer-layout.ts";
import { hashOf } from "./lane-state.ts";

/** Hashes by area. There are no log odds of maps (mapInputs): the kernel makes them of the maps when it needs them. */
export async function gpuStateOf(model: GpuMixer, lane: number): Promise<Record<string, string>> {
  const { mixerContexts: contexts, mixerBits, mixerCounters: counters } = model.hyper;
  const { learnt, seen, lines } = await model.readLane(lane);
  const places = linesPlaces(contexts, mixerBits, counters);
  const areas: [string, ArrayBufferView][] = [
    ...learntAreas(contexts, counters).map(([name, at, count]): [string, Uint32Array] => {
      return [name, learnt.subarray(at, at + count)];
    }),
    ["refine", refineOf(learnt.subarray(learntPlaces(contexts, counters).refine))],
    ["followers1", seen.subarray(SEEN.followers1, SEEN.followers2)],
    ["followers2", seen.subarray(SEEN.followers2, SEEN.places)],
    ["places", seen.subarray(SEEN.places, SEEN.end)],
    ["lines", lines.subarray(places.lines, places.runs)],
    ["runs", lines.subarray(places.runs, places.counters)],
    ["counters", lines.subarray(places.counters, places.end)],
  ];
  return Object.fromEntries(areas.map(([name, values]) => [name, hashOf(padded(values))]));
}

/** Rows without the half that pads each of them. */
function refineOf(rows: Uint32Array): Uint16Array {
  const halves = new Uint16Array(rows.buffer, rows.byteOffset, 2 * REFINE_ROW_WORDS * REFINE_ROWS);
  const out = new Uint16Array(REFINE_NODES * REFINE_ROWS);
  for (let row = 0; row < REFINE_ROWS; row++) {
    const at = 2 * REFINE_ROW_WORDS * row;
    out.set(halves.subarray(at, at + REFINE_NODES), REFINE_NODES * row);
  }
  return out;
}

/** As lane-state.ts pads the areas of lanes: to 64 bytes. */
function padded(values: ArrayBufferView): Uint8Array {
  const out = new Uint8Array((values.byteLength + 63) & ~63);
  out.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  return out;
}
