/** The whole state of a lane of the bit mixer, of either engine, in a form that tests compare by ==. */
import type { MixerLane } from "../../src/engine/mixer/lane.ts";
import { ReferenceLane } from "../../src/engine/reference/mixer.ts";

type AreaName = keyof ReferenceLane["areas"];

const NAMES = Object.keys(new ReferenceLane({ contexts: 4, lineBits: 4 }).areas) as AreaName[];

export function hashOf(array: ArrayBufferView): string {
  return Bun.SHA256.hash(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), "hex");
}

/** Hashes of all that learning changes; areas of a lane are padded to 64 bytes with zeros. */
export function stateOf(lane: MixerLane | ReferenceLane): Record<AreaName, string> {
  const areaOf = (name: AreaName) => {
    if (!(lane instanceof ReferenceLane)) return lane.area(name);
    const values = lane.areas[name];
    const padded = new Uint8Array((values.byteLength + 63) & ~63);
    padded.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return padded;
  };
  return Object.fromEntries(NAMES.map((name) => [name, hashOf(areaOf(name))])) as Record<AreaName, string>;
}
