/** The host's coder for encoding: two chunks at a time in order, and nothing goes on behind an error or a close. */
import { describe, expect, test } from "bun:test";
import { IntervalError } from "../../src/coder/errors.ts";
import type { CoderObserver, Model } from "../../src/engine/engine.ts";
import { HostEncoder } from "../../src/engine/host-encoder.ts";
import { FakeEngine, type FakeModel, tinyHyper } from "../support/fake-engine.ts";

const STREAMS = 8;
const CHUNK_STEPS = 2;
const ALONE = { workers: 1 };

/** A chunk that the network is at, which ends when a test says so. */
interface Filling {
  readonly bytes: Uint8Array;
  /** @param frequency 0 cannot be coded */
  end(frequency: number): void;
  fail(error: Error): void;
}

/** An encoder whose network waits for the test. */
async function openByHand(observer: CoderObserver = {}, workers = 1) {
  const fillings: Filling[] = [];
  const fillIntervals = (bytes: Uint8Array, _steps: number, intervals: Uint32Array) =>
    new Promise<void>((resolve, reject) => {
      const end = (frequency: number) => {
        for (let i = 0; i < intervals.length; i += 2) intervals.set([0, frequency], i);
        resolve();
      };
      fillings.push({ bytes, end, fail: reject });
    });
  const encoder = new HostEncoder({ hyper: tinyHyper(STREAMS), fillIntervals }, CHUNK_STEPS);
  await encoder.beginPayloads(2, { workers, observer });
  const give = (byte: number) => encoder.encodeSteps(new Uint8Array(CHUNK_STEPS * STREAMS).fill(byte), 2, STREAMS);
  return { encoder, fillings, give };
}

/** Lets everything happen that waits for nothing else. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));
const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );
const BYTE = 1 << 14; // one of 256

describe("two slots", () => {
  test("the network fills the next chunk before the last is done, and a third waits", async () => {
    const { encoder, fillings, give } = await openByHand();
    const coded = [give(1), give(2), give(3)];
    await settle();
    expect(fillings.map(({ bytes }) => bytes[0])).toEqual([1, 2]);
    fillings[1]?.end(BYTE);
    await settle();
    expect(fillings.length).toBe(2); // the first is coded before the second
    fillings[0]?.end(BYTE);
    await settle();
    expect(fillings.map(({ bytes }) => bytes[0])).toEqual([1, 2, 3]);
    fillings[2]?.end(BYTE);
    const sizes = await Promise.all(coded);
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
    expect(sizes[0]).toBeGreaterThan(0);
    const payloads = await encoder.takePayloads();
    // Two groups, each of which has a byte for each byte.
    expect(payloads.map((payload) => Math.abs(payload.length - (3 * CHUNK_STEPS * STREAMS) / 2) <= 2)).toEqual([
      true,
      true,
    ]);
    await encoder.close();
  });

  test("the observer hears of a chunk when the network is done with it, and sees it before it is coded", async () => {
    const heard: string[] = [];
    const observer: CoderObserver = {
      coding: (isWorking) => heard.push(isWorking ? "has it" : "done"),
      intervals: (intervals, shape) => heard.push(`${intervals.length} numbers, ${JSON.stringify(shape)}`),
    };
    const { encoder, fillings, give } = await openByHand(observer);
    const coded = [give(1), give(2)];
    await settle();
    fillings[1]?.end(BYTE);
    await settle();
    expect(heard).toEqual(["has it"]); // the second: it waits for the first
    fillings[0]?.end(BYTE);
    await Promise.all(coded);
    const seen = `32 numbers, {"streams":8,"steps":2,"liveInLastStep":8}`;
    expect(heard).toEqual(["has it", "has it", seen, "done", seen, "done"]);
    await encoder.takePayloads();
    expect(heard.slice(6)).toEqual(["has it", "done"]);
    await encoder.close();
  });
});

describe("payloads do not depend on", () => {
  const bytes = Uint8Array.from({ length: 11 * STREAMS }, (_, i) => (i * i) % 251);

  async function payloadsOf(calls: readonly number[], options: { workers: number }, groups: number) {
    const model = await new FakeEngine({ chunkSteps: 3 }).openModel(tinyHyper(STREAMS));
    await model.beginPayloads(groups, options);
    const coded: Promise<number>[] = [];
    let at = 0;
    for (const steps of calls) {
      const end = at + steps * STREAMS;
      coded.push(model.encodeSteps(bytes.subarray(at, end), steps, end === bytes.length ? 5 : STREAMS));
      at = end;
    }
    await Promise.all(coded);
    const payloads = await model.takePayloads();
    await model.close();
    return payloads;
  }

  test("how steps are split into calls, nor threads", async () => {
    const expected = await payloadsOf([11], ALONE, 4);
    expect(expected.length).toBe(4);
    expect(await payloadsOf([1, 2, 3, 5], ALONE, 4)).toEqual(expected);
    expect(await payloadsOf([1, 2, 3, 5], { workers: 3 }, 4)).toEqual(expected);
    expect(await payloadsOf([11], ALONE, 1)).not.toEqual(expected);
  });

  test("the number of groups of the block before", async () => {
    const model = await new FakeEngine().openModel(tinyHyper(STREAMS));
    const sizes: number[] = [];
    for (const groups of [2, 2, 4, 1]) {
      await model.beginPayloads(groups, ALONE);
      await model.encodeSteps(bytes, 11, STREAMS);
      sizes.push((await model.takePayloads()).length);
    }
    await model.close();
    expect(sizes).toEqual([2, 2, 4, 1]);
  });
});

describe("errors", () => {
  test("an interval that cannot be coded: a chunk that is being filled ends first, even if all is closed", async () => {
    for (const workers of [1, 2]) {
      const { encoder, fillings, give } = await openByHand({}, workers);
      const [first, second] = [errorOf(give(1)), errorOf(give(2))];
      await settle();
      fillings[0]?.end(0);
      const error = await first;
      if (workers === 1) expect(error).toBeInstanceOf(IntervalError);
      expect(String(error)).toContain("interval start 0, frequency 0");
      const events: string[] = [];
      void second.then(() => events.push("second settled"));
      const closed = encoder.close().then(() => events.push("closed"));
      await settle();
      expect(events).toEqual([]); // the network still writes into the second slot
      fillings[1]?.end(BYTE);
      await closed;
      expect(events).toEqual(["second settled", "closed"]);
      expect(await second).toBe(error);
    }
  });

  test("a network that fails: the chunks behind it are not coded, and later calls fail, too", async () => {
    const { encoder, fillings, give } = await openByHand();
    const [first, second] = [errorOf(give(1)), errorOf(give(2))];
    await settle();
    const failure = new Error("the device is gone");
    fillings[0]?.fail(failure);
    fillings[1]?.end(BYTE);
    expect(await first).toBe(failure);
    expect(await second).toBe(failure);
    expect(await errorOf(give(3))).toBe(failure);
    expect(fillings.length).toBe(2);
    expect(await errorOf(encoder.takePayloads())).toBe(failure);
    await encoder.close();
  });

  test("an impossible number of groups, and steps or payloads before a block was begun", async () => {
    const model: Model & FakeModel = await new FakeEngine().openModel(tinyHyper(STREAMS));
    await expect(model.encodeSteps(new Uint8Array(STREAMS), 1, STREAMS)).rejects.toThrow("call beginPayloads before");
    await expect(model.takePayloads()).rejects.toThrow("call beginPayloads before");
    await expect(model.decodeSteps(new Uint8Array(STREAMS), 1, STREAMS)).rejects.toThrow("call openPayloads before");
    await expect(model.finishPayloads()).rejects.toThrow("call openPayloads before");
    for (const groups of [0, 1.5, STREAMS + 1]) {
      await expect(model.beginPayloads(groups, ALONE)).rejects.toThrow(RangeError);
    }
    await model.close();
  });
});
