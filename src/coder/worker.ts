/**
 * The coder worker: codes the groups it was given, for as long as its pool lives.
 *
 * Encoding answers messages. Decoding stays in one loop for a whole block, because leaving it for the event loop
 * would cost more than a step's coding.
 */
import { host } from "../platform/host.ts";
import { waitWhile } from "./barrier.ts";
import { CorruptDataError } from "./errors.ts";
import { decodeGroup, encodeGroup, shareOfGroup } from "./groups.ts";
import {
  ABANDON_BLOCK,
  Control,
  type DecodeSetup,
  type EncodeSetup,
  LEAVE_BLOCK,
  type Reply,
  type Request,
  storeFailure,
  type WorkerSetup,
} from "./protocol.ts";
import { RangeDecoder, RangeEncoder } from "./range.ts";

/** Answers encode requests; encoders are made anew for each block. */
function encodeHandler(
  { streams, groups, owned, intervals }: EncodeSetup,
  reply: (message: Reply) => void,
): (request: Request) => void {
  const slots = intervals.map((buffer) => new Uint32Array(buffer));
  const newCoders = () =>
    owned.map((group) => ({ group, share: shareOfGroup(group, groups, streams), encoder: new RangeEncoder() }));
  let coders = newCoders();
  return (request) => {
    if (request.kind === "encode-chunk") {
      const { slot, steps, liveInLastStep } = request;
      const values = slots[slot];
      if (values === undefined) throw new RangeError(`there is no slot ${slot}`);
      let codedBytes = 0;
      for (const { share, encoder } of coders) {
        encodeGroup(encoder, share, values, { streams, steps, liveInLastStep });
        codedBytes += encoder.lengthBytes;
      }
      reply({ kind: "coded", codedBytes });
    } else if (request.kind === "finish-block") {
      reply({
        kind: "finished",
        payloads: coders.map(({ group, encoder }) => ({ group, payload: encoder.finish() })),
      });
      coders = newCoders();
    }
  };
}

function decodeHandler({ streams, ends, bytes, control }: DecodeSetup): (request: Request) => void {
  const tables = new Uint32Array(ends);
  const out = new Uint8Array(bytes);
  const shared = new Int32Array(control);

  /** One generation after another until told to leave; every one is answered in DONE, whatever happens. */
  function decodeBlock(request: Request & { kind: "decode-block" }): void {
    const coders = request.owned.map(({ group, payload }) => ({
      share: shareOfGroup(group, request.groups, streams),
      decoder: new RangeDecoder(payload, group),
    }));
    let generation = request.generation;
    for (;;) {
      waitWhile(shared, Control.GENERATION, generation);
      generation = Atomics.load(shared, Control.GENERATION);
      const command = Atomics.load(shared, Control.COMMAND);
      if (command === ABANDON_BLOCK) return;
      for (const { share, decoder } of coders) {
        if (command === LEAVE_BLOCK) decoder.finish();
        else decodeGroup(decoder, share, tables, command, out);
      }
      Atomics.add(shared, Control.DONE, 1);
      Atomics.notify(shared, Control.DONE);
      if (command === LEAVE_BLOCK) return;
    }
  }

  return (request) => {
    if (request.kind !== "decode-block") return;
    try {
      decodeBlock(request);
    } catch (error) {
      storeFailure(shared, error instanceof CorruptDataError ? error : undefined);
      Atomics.add(shared, Control.DONE, 1);
      Atomics.notify(shared, Control.DONE);
      if (!(error instanceof CorruptDataError)) throw error;
    }
  };
}

host.beginWorker((end) => {
  const setup = end.data as WorkerSetup;
  const reply = (message: Reply) => end.post(message);
  end.onMessage(setup.role === "encode" ? encodeHandler(setup, reply) : decodeHandler(setup));
  reply({ kind: "ready" });
});
