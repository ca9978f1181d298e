/** The split of time: every moment belongs to one party, and the parts sum to the whole. */
import { expect, test } from "bun:test";
import { coderObserver, meteredEngine, TimeMeter } from "../../src/bench/meter.ts";
import { TINY } from "../model/tiny.ts";
import { FakeEngine } from "../support/fake-engine.ts";

/** A clock that stands still until it is told to go on. */
function handClock() {
  let nowMs = 1000;
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { read: () => nowMs, pass };
}

test("each moment goes to the engine before the coder, and to nobody else", () => {
  const clock = handClock();
  const meter = new TimeMeter(clock.read);
  clock.pass(5); // set-up
  meter.engine(1);
  clock.pass(10); // engine
  meter.coder(1);
  clock.pass(20); // engine beside the coder
  meter.engine(-1);
  clock.pass(40); // coder alone
  meter.coder(-1);
  clock.pass(80); // neither
  meter.engine(1);
  meter.engine(1);
  clock.pass(160); // two calls at once are not twice the time
  meter.engine(-1);
  clock.pass(320);
  meter.engine(-1);
  expect(meter.split()).toEqual({ setUpMs: 5, engineMs: 10 + 20 + 160 + 320, coderMs: 40, waitingMs: 80 });
});

test("while a coder within the engine works, the engine waits", () => {
  const clock = handClock();
  const meter = new TimeMeter(clock.read);
  const { coding } = coderObserver(meter);
  meter.engine(1);
  clock.pass(3);
  coding?.(true);
  clock.pass(5);
  coding?.(false);
  clock.pass(7);
  meter.engine(-1);
  expect(meter.split()).toEqual({ setUpMs: 0, engineMs: 10, coderMs: 5, waitingMs: 0 });
});

test("without an engine nothing is set-up", () => {
  const clock = handClock();
  const meter = new TimeMeter(clock.read);
  clock.pass(7);
  expect(meter.split()).toEqual({ setUpMs: 0, engineMs: 0, coderMs: 0, waitingMs: 7 });
});

test("the calls of a metered model are the engine's, whatever comes of them", async () => {
  const clock = handClock();
  const meter = new TimeMeter(clock.read);
  const plain = new FakeEngine({ failAtCall: 1 });
  const engine = meteredEngine(plain, meter);
  const model = await engine.openModel(TINY);
  clock.pass(3);
  await model.beginPayloads(1, { workers: 1 });
  const encoded = model.encodeSteps(new Uint8Array(TINY.streams), 1, TINY.streams);
  clock.pass(11);
  expect(await encoded).toBeGreaterThanOrEqual(0);
  clock.pass(2);
  const failed = model.encodeSteps(new Uint8Array(TINY.streams), 1, TINY.streams);
  clock.pass(13);
  await expect(failed).rejects.toThrow();
  clock.pass(1);
  await model.close();
  clock.pass(1);
  expect(plain.openModels).toBe(0);
  expect(meter.split()).toEqual({ setUpMs: 3, engineMs: 11 + 13, coderMs: 0, waitingMs: 2 + 1 + 1 });
  expect(engine.name).toBe(plain.name);
});
