/** A thread with some lanes of a model: answers requests in the order in which they come. */
import type { LanePrior } from "../../contract/prior.ts";
import { host } from "../../platform/host.ts";
import { buffersOf, release } from "../../platform/release.ts";
import { LaneGroup, type LaneRequest } from "./group.ts";
import { type LaneShape, MixerLane } from "./lane.ts";

/** What a worker is started with. */
interface LaneSetup extends LaneShape {
  readonly lanes: number;
  readonly prior?: LanePrior;
}

host.beginWorker((end) => {
  const { lanes, prior, ...shape } = end.data as LaneSetup;
  const group = new LaneGroup(
    Array.from({ length: lanes }, () => {
      const lane = new MixerLane(shape);
      if (prior) lane.seed(prior);
      return lane;
    }),
  );
  end.onMessage((request: LaneRequest) => {
    const reply = group.answer(request);
    // Bytes of steps are many, and garbage: no collector need look for them.
    if (request.kind === "encode" || request.kind === "study") request.parts.forEach(release);
    end.post(reply, buffersOf(reply.parts));
  });
});
