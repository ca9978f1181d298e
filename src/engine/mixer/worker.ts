/** A thread with some lanes of a model: answers requests in the order in which they come. */
import { host } from "../../platform/host.ts";
import { LaneGroup, type LaneRequest } from "./group.ts";
import { type LaneShape, MixerLane } from "./lane.ts";

/** What a worker is started with. */
export interface LaneSetup extends LaneShape {
  readonly lanes: number;
}

const end = host.workerEnd();
const { lanes, ...shape } = end.data as LaneSetup;
const group = new LaneGroup(Array.from({ length: lanes }, () => new MixerLane(shape)));
end.onMessage((request: LaneRequest) => end.post(group.answer(request)));
