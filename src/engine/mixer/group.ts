/**
 * Some lanes of a model, and what may be asked of them: the same requests to the lanes of the caller's thread and to
 * those of the others.
 */
import type { ForeseenNumbers } from "../../predict/foresight.ts";
import type { Cue } from "../engine.ts";
import { CuedLane, type Lane } from "./cued-lane.ts";
import type { LearntArea } from "./lane.ts";

/** Arrays have an element for each lane of the group. */
export type LaneRequest =
  | { readonly kind: "describe"; readonly stride: number; readonly pixels: readonly (readonly ForeseenNumbers[])[] }
  /** Of one lane of the group only. */
  | { readonly kind: "resume"; readonly lane: number; readonly areas: readonly LearntArea[] }
  | { readonly kind: "begin" }
  | { readonly kind: "cue"; readonly cues: readonly (readonly Cue[])[] }
  | { readonly kind: "encode" | "study" | "open"; readonly parts: readonly Uint8Array[] }
  | { readonly kind: "decode"; readonly counts: readonly number[] }
  | { readonly kind: "take" | "finish" };

/** What a request does not ask for is empty. */
export interface LaneReply {
  /** Of the block so far, of all these lanes. */
  readonly codedBytes: number;
  /** Payloads, or decoded bytes. */
  readonly parts: readonly Uint8Array[];
  /** By how much each payload was too long (above 0) or too short. */
  readonly rests: readonly number[];
}

const NOTHING: LaneReply = { codedBytes: 0, parts: [], rests: [] };

export class LaneGroup {
  readonly #lanes: readonly CuedLane[];

  constructor(lanes: readonly Lane[]) {
    this.#lanes = lanes.map((lane) => new CuedLane(lane));
  }

  answer(request: LaneRequest): LaneReply {
    const lanes = this.#lanes;
    switch (request.kind) {
      case "describe":
        for (const [i, lane] of lanes.entries()) lane.describe(request.stride, request.pixels[i]);
        return NOTHING;
      case "resume":
        lanes[request.lane]?.resume(request.areas);
        return NOTHING;
      case "begin":
        for (const lane of lanes) lane.begin();
        return NOTHING;
      case "cue":
        for (const [i, lane] of lanes.entries()) lane.cue(request.cues[i] as readonly Cue[]);
        return NOTHING;
      case "encode": {
        const coded = lanes.map((lane, i) => lane.encode(request.parts[i] as Uint8Array));
        return { ...NOTHING, codedBytes: coded.reduce((sum, bytes) => sum + bytes, 0) };
      }
      case "study":
        for (const [i, lane] of lanes.entries()) lane.study(request.parts[i] as Uint8Array);
        return NOTHING;
      case "open":
        for (const [i, lane] of lanes.entries()) lane.beginDecoding(request.parts[i] as Uint8Array);
        return NOTHING;
      case "decode": {
        const parts = request.counts.map((count) => new Uint8Array(count));
        for (const [i, lane] of lanes.entries()) lane.decode(parts[i] as Uint8Array);
        return { ...NOTHING, parts };
      }
      case "take":
        return { ...NOTHING, parts: lanes.map((lane) => lane.finishEncoding()) };
      case "finish":
        return { ...NOTHING, rests: lanes.map((lane) => lane.finishDecoding()) };
    }
  }
}
