/** The estimate of what the network pays: right in what it must tell apart, and the same everywhere. */
import { describe, expect, test } from "bun:test";
import { isOfFewLetters } from "../../src/repeats/byte-statistics.ts";
import { encodeCopies } from "../../src/repeats/copies.ts";
import { cut } from "../../src/repeats/cut.ts";
import { COST_UNITS, CostEstimate, estimateBytes } from "../../src/repeats/estimate.ts";
import { roomBytes, SearchRoom } from "../../src/repeats/kernels.ts";
import { cutOptionsFor, MIXER_POLICY } from "../../src/repeats/policy.ts";
import { letters } from "../support/genome.ts";
import { Random } from "../support/gpu-values.ts";
import { trainingBytes } from "../support/text.ts";

const NO_WINDOW = new Uint8Array(0);
const random = (seed: number, count: number, values = 256) => {
  const source = new Random(seed);
  return Uint8Array.from({ length: count }, () => source.next() % values);
};

/** In slices of any length, as the cutter does: what comes before each place. */
function estimateCosts(bytes: Uint8Array, blockStart: number, lanes = 1): Uint32Array {
  const { sums, tables } = estimateBytes(bytes.length, blockStart);
  const room = new SearchRoom(bytes, NO_WINDOW, roomBytes([bytes.length, sums, tables]));
  const estimate = new CostEstimate(room, bytes.length, blockStart, lanes);
  for (let count = 1; estimate.advance(count); count = (5 * count) % 9973) {}
  return Uint32Array.from({ length: bytes.length - blockStart + 1 }, (_, place) => estimate.cost(0, place));
}

/** Estimated bits of bytes from..to. */
const bitsOf = (costs: Uint32Array, from: number, to: number) => ((costs[to]! - costs[from]!) >>> 0) / COST_UNITS;

describe("estimated costs", () => {
  test("of noise, its repeat, and letters without order", () => {
    const noise = random(1, 50_000);
    const costs = estimateCosts(new Uint8Array(Buffer.concat([noise, noise])), 0);
    expect(bitsOf(costs, 0, 50_000) / 50_000).toBeGreaterThan(7.9);
    expect(bitsOf(costs, 0, 50_000) / 50_000).toBeLessThan(10);
    expect(bitsOf(costs, 50_000, 50_020)).toBeGreaterThan(60); // a repeat must first be recognised
    expect(bitsOf(costs, 51_000, 100_000) / 49_000).toBeLessThan(0.1);
    const letters = estimateCosts(random(2, 50_000, 4), 0);
    expect(bitsOf(letters, 1000, 50_000) / 49_000).toBeGreaterThan(1.95);
    expect(bitsOf(letters, 1000, 50_000) / 49_000).toBeLessThan(2.8);
  });

  test("of text fall while it is learned", () => {
    const text = trainingBytes(100_000, 1);
    const costs = estimateCosts(text, 0);
    expect(bitsOf(costs, 0, 5000)).toBeGreaterThan(1.05 * bitsOf(costs, 95_000, 100_000));
  });

  test("of a block count what the window has taught", () => {
    const text = trainingBytes(60_000, 1);
    const all = estimateCosts(text, 0);
    const block = estimateCosts(text, 40_000);
    expect(block.length).toBe(20_001);
    expect(bitsOf(block, 0, 20_000)).toBe(bitsOf(all, 40_000, 60_000));
  });

  test("of lanes: what another one has seen is new", () => {
    const [first, second] = [random(1, 20_000), random(2, 20_000)];
    const bytes = new Uint8Array(Buffer.concat([first, second, first, second, second]));
    const all = estimateCosts(bytes, 0);
    expect(bitsOf(all, 41_000, 60_000) / 19_000).toBeLessThan(0.1);
    const five = estimateCosts(bytes, 0, 5);
    for (let lane = 0; lane < 5; lane += 1) {
      expect(bitsOf(five, 20_000 * lane, 20_000 * (lane + 1)) / 20_000).toBeGreaterThan(7.9);
    }
    // Lanes of 50,000 bytes: the second one has all of `second` before it comes again.
    const two = estimateCosts(bytes, 0, 2);
    expect(bitsOf(two, 51_000, 60_000) / 9000).toBeGreaterThan(7.9);
    expect(bitsOf(two, 81_000, 90_000) / 9000).toBeLessThan(0.1);
  });

  test("are these, on every machine", () => {
    const words = trainingBytes(30_000, 1);
    const costs = estimateCosts(
      new Uint8Array(Buffer.concat([words, random(3, 3000), words.subarray(9000, 15_000)])),
      0,
    );
    expect(new Bun.CryptoHasher("sha256").update(costs).digest("hex").slice(0, 16)).toBe("327ec4ba7ddbad93");
  });
});

describe("what is cut out", () => {
  /** Text in which phrases come again. */
  const text = trainingBytes(80_000, 1);
  const places = new Random(12);
  for (let to = 20_000; to < 79_000; to += 150) {
    const from = places.between(0, to - 200);
    text.copyWithin(to, from, from + places.between(24, 120));
  }
  const worth = (copyBits: number, timeUnits = 0) => ({ minLength: 24, worth: { copyBits, timeUnits } });

  test("of text: less, the dearer a copy; more, the dearer time", () => {
    const restOf = (copyBits: number, timeUnits = 0) => cut(text, NO_WINDOW, worth(copyBits, timeUnits)).rest.length;
    expect(restOf(20)).toBeLessThan(restOf(70));
    expect(restOf(70)).toBeLessThan(restOf(1000) + 1);
    expect(restOf(1000)).toBe(text.length);
    expect(restOf(70, 100)).toBeLessThan(restOf(70));
  });

  test("noise that comes again, even among text that does not pay", () => {
    const noise = random(5, 200);
    const block = new Uint8Array(Buffer.concat([noise, text, noise, text.subarray(0, 40)]));
    const { copies } = cut(block, NO_WINDOW, worth(60));
    expect(copies.lengths.filter((length) => length >= 200).length).toBe(1);
  });
});

test("lanes that share a block: more is cut out, for repeats of another lane's bytes cost more", () => {
  const options = { ...cutOptionsFor(trainingBytes(5000, 1), false, MIXER_POLICY), minLength: 32 };
  const text = trainingBytes(150_000, 1);
  const changed = (every: number) => text.map((byte, i) => (i % every < 3 ? 35 : byte));
  const block = new Uint8Array(Buffer.concat([text, changed(700), changed(900)]));
  const asked: number[] = [];
  const restOf = (lanes: number) => {
    const lanesFor = (restBytes: number) => {
      asked.push(restBytes);
      return lanes;
    };
    return cut(block, NO_WINDOW, { ...options, lanesFor }).rest.length;
  };
  expect(restOf(1)).toBeGreaterThan(400_000);
  expect(restOf(3)).toBeLessThan(155_000);
  for (const restBytes of asked) expect(Math.abs(restBytes - 155_000)).toBeLessThan(6000);
});

describe("a glance", () => {
  const options = cutOptionsFor(trainingBytes(5000, 1), false, MIXER_POLICY);
  const { glance, ...always } = options;
  const text = trainingBytes(100_000, 2);
  const join = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

  test("of repeats that are few: only long ones are cut, whatever they would cost", () => {
    const few = join(text, text.subarray(5000, 5900), random(6, 100), text.subarray(40_000, 42_100));
    const { copies } = cut(few, NO_WINDOW, options);
    // What goes on by chance makes a copy a little longer.
    expect([...copies.lengths].map((length) => Math.round(length / 100))).toEqual([21]);
    expect(cut(join(text, text.subarray(5000, 5900)), NO_WINDOW, options).copies.count).toBe(0);
  });

  test("of a block of which repeats cover a third: these are chosen by what they cost", () => {
    const noise = random(4, 20_000);
    const pieces = Array.from({ length: 60 }, (_, i) =>
      noise.subarray((i * 23 * 650) % 19_000, 640 + ((i * 23 * 650) % 19_000)),
    );
    const many = join(noise, ...pieces, random(5, 500));
    const worth = { copyBits: 30, timeUnits: 0 };
    const found = cut(many, NO_WINDOW, { ...options, worth });
    expect(found).toEqual(cut(many, NO_WINDOW, { ...always, worth }));
    expect(found.copies.count).toBeGreaterThan(50);
    expect(glance?.longBytes).toBeGreaterThan(650);
  });

  test("does not take zeros, or what else repeats itself, for repeats", () => {
    const zeros = join(text, new Uint8Array(150_000));
    const { copies } = cut(zeros, NO_WINDOW, options);
    expect(copies.count).toBe(1);
    expect(cut(join(text, new Uint8Array(1000)), NO_WINDOW, options).copies.count).toBe(0);
  });

  test("takes what comes again and again for repeats", () => {
    const thrice = join(text, text, text);
    expect(cut(thrice, NO_WINDOW, options)).toEqual(cut(thrice, NO_WINDOW, always));
  });

  test("counts repeats of the window, too", () => {
    const block = join(text.subarray(0, 30_000), random(7, 10_000));
    const noise = random(8, 20_000);
    expect(cut(noise, noise, options).rest.length).toBe(0);
    expect(cut(block, text, options).copies.lengths[0]).toBeGreaterThanOrEqual(30_000);
  });
});

describe("the policy", () => {
  test("knows letters, which are not text, noise or zeros", () => {
    expect(isOfFewLetters(random(1, 10_000, 4))).toBe(true);
    expect(isOfFewLetters(random(1, 10_000, 20))).toBe(false);
    expect(isOfFewLetters(trainingBytes(10_000, 1))).toBe(false);
    expect(isOfFewLetters(Uint8Array.from({ length: 10_000 }, (_, i) => (i % 5 === 0 ? 1 : 0)))).toBe(false);
    expect(isOfFewLetters(new Uint8Array(100))).toBe(false);
  });

  test("cuts what the user says", () => {
    expect(cutOptionsFor(random(1, 100), true, { timeUnits: 3, minLength: 77 })).toEqual({
      minLength: 77,
      mirrored: false,
    });
  });

  test("a genome is one in capitals, in small letters, and in both", () => {
    const capitals = letters(new Random(3), 4000);
    const small = capitals.map((byte) => byte | 32);
    const masked = capitals.map((byte, i) => (i % 1000 < 400 ? byte | 32 : byte));
    for (const genome of [capitals, small, masked]) expect(isOfFewLetters(genome)).toBe(true);
    const prose = new TextEncoder().encode("The Quick Brown Fox Jumps Over the Lazy Dog. ".repeat(90));
    expect(isOfFewLetters(prose)).toBe(false);
  });

  test("looks at the other strand of genomes only", () => {
    expect(cutOptionsFor(random(8, 1000, 4), false, { timeUnits: 0 }).mirrored).toBe(true);
    expect(cutOptionsFor(random(8, 1000, 4), false, { timeUnits: 0, minLength: 50 }).mirrored).toBe(true);
    expect(cutOptionsFor(random(8, 1000, 7), false, { timeUnits: 0 }).mirrored).toBeUndefined();
    expect(cutOptionsFor(random(8, 1000, 4), true, { timeUnits: 0 }).mirrored).toBeUndefined();
  });

  test("finds the repeats of a genome that a fixed price would leave", () => {
    const genome = random(8, 200_000, 4);
    for (let i = 0; i < 400; i += 1) genome.copyWithin(100_000 + i * 200, i * 190, i * 190 + 28);
    const options = cutOptionsFor(genome, false, { timeUnits: 0 });
    const { rest, copies } = cut(genome, NO_WINDOW, options);
    expect(rest.length).toBeLessThan(genome.length - 400 * 27);
    expect(2 * 400 * 28).toBeGreaterThan(8 * encodeCopies(copies).length); // two bits a letter
  });
});
