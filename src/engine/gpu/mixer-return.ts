/**
 * What the lanes of a mixer have learnt on the device, as the lanes of the host have it: for a model that goes on
 * there. Between blocks that is all of a lane: what it has seen of a block ends with it.
 */
import type { HyperParameters } from "../../contract/hyper.ts";
import { REFINE_NODES } from "../../contract/mixer.ts";
import { REFINE_ROWS } from "../../contract/mixer-initial.ts";
import type { LearntArea } from "../mixer/lane.ts";
import type { GpuMixer } from "./mixer.ts";
import { learntAreas } from "./mixer-image.ts";
import { learntPlaces, linesPlaces, REFINE_ROW_WORDS } from "./mixer-layout.ts";

/** Areas of a lane between two blocks. @throws EngineDeviceError */
export async function learntOf(mixer: GpuMixer, lane: number): Promise<LearntArea[]> {
  const { mixerContexts: contexts, mixerBits, mixerCounters: counters } = mixer.hyper;
  const { learnt, lines } = await mixer.readLane(lane);
  const places = linesPlaces(contexts, mixerBits, counters);
  return [
    ...learntAreas(contexts, counters).map(([name, at, words]): LearntArea => {
      return [name, bytesOf(learnt.subarray(at, at + words))];
    }),
    ["refine", refineRows(mixer.hyper, learnt)],
    ["lines", bytesOf(lines.subarray(places.lines, places.runs))],
    ["runs", bytesOf(lines.subarray(places.runs, places.counters))],
    ["counters", bytesOf(lines.subarray(places.counters, places.end))],
  ];
}

/** A copy, which may go to another thread. */
const bytesOf = (words: Uint32Array<ArrayBuffer>) =>
  new Uint8Array(words.buffer, words.byteOffset, words.byteLength).slice();

/** Rows of the refining map without the half that pads each of them. */
function refineRows(
  { mixerContexts, mixerCounters }: HyperParameters,
  learnt: Uint32Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const { refine } = learntPlaces(mixerContexts, mixerCounters);
  const halves = new Uint16Array(learnt.buffer, learnt.byteOffset + 4 * refine, 2 * REFINE_ROW_WORDS * REFINE_ROWS);
  const rows = new Uint16Array(REFINE_NODES * REFINE_ROWS);
  for (let row = 0; row < REFINE_ROWS; row++) {
    const at = 2 * REFINE_ROW_WORDS * row;
    rows.set(halves.subarray(at, at + REFINE_NODES), REFINE_NODES * row);
  }
  return new Uint8Array(rows.buffer);
}
