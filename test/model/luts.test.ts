/** The tables: pinned, and within their stated error of the functions they stand for. */
import { expect, test } from "bun:test";
import { gelu, geluSlope, luts, NODE_ZERO, NODES, sigmoid, sigmoidSlope } from "../../src/contract/luts.ts";
import { erf, geluFloat, sigmoidFloat } from "./float-functions.ts";
import { hashOf } from "./hash.ts";

const Q10 = 1024;
const Q14 = 16384;

function largestError(of: (x: number) => number, against: (x: number) => number): number {
  let largest = 0;
  for (let x = -32768; x <= 32767; x++) largest = Math.max(largest, Math.abs(of(x) - against(x)));
  return largest;
}

test("the tables have not changed: a table that did would change every archive", () => {
  const { gelu, geluSlope, sigmoid, exp2 } = luts();
  expect(gelu.length).toBe(NODES);
  expect([hashOf(gelu), hashOf(geluSlope), hashOf(sigmoid), hashOf(exp2)]).toEqual([
    "eeab936aedce688c",
    "555419f4eb93cd42",
    "ac2fb18840ef0039",
    "0a896dac01c995a4",
  ]);
});

test("nodes are the functions, correctly rounded", () => {
  const table = luts();
  for (let index = 0; index < NODES; index++) {
    const x = (index - NODE_ZERO) / 64;
    const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
    const slope = 0.5 * (1 + erf(x / Math.SQRT2)) + x * density;
    expect(Math.abs((table.gelu[index] as number) - geluFloat(x) * Q10)).toBeLessThan(0.5001);
    expect(Math.abs((table.geluSlope[index] as number) - slope * Q14)).toBeLessThan(0.5001);
    expect(Math.abs((table.sigmoid[index] as number) - sigmoidFloat(x) * Q14)).toBeLessThan(0.5001);
  }
  for (let f = 0; f < 256; f++) {
    expect(Math.abs((table.exp2[f] as number) - Math.min(65535, 2 ** (16 - f / 256)))).toBeLessThan(0.5001);
  }
});

test("GELU is within 1.1 units of 2^-10 for every input of 16 bits, and beyond ±8 exactly x or 0", () => {
  const table = luts();
  expect(
    largestError(
      (x) => gelu(table, x),
      (x) => geluFloat(x / Q10) * Q10,
    ),
  ).toBeLessThan(1.1);
  for (const x of [8 * Q10, 8 * Q10 + 1, 32767, 2 ** 20 - 1, 2 ** 20]) {
    expect([gelu(table, x), gelu(table, -x)]).toEqual([x, 0]);
  }
});

test("the sigmoid is within 1.1 units of 2^-14 between -8 and 8, and 6 beyond", () => {
  const table = luts();
  const error = (x: number) => Math.abs(sigmoid(table, x) - sigmoidFloat(x / Q10) * Q14);
  for (let x = -32768; x <= 32767; x++) {
    expect(error(x)).toBeLessThan(Math.abs(x) <= 8 * Q10 ? 1.1 : 6);
    expect(sigmoid(table, x) >= 0 && sigmoid(table, x) <= Q14).toBe(true);
  }
});

test("slopes: 16 bits, flat at both ends, at most 1/4 for the sigmoid", () => {
  const table = luts();
  expect([-(2 ** 20), -32768, 32767, 2 ** 20].map((x) => geluSlope(table, x))).toEqual([0, 0, Q14, Q14]);
  for (let y = 0; y <= Q14; y++) {
    const slope = sigmoidSlope(y);
    expect(slope >= 0 && slope <= Q14 / 4).toBe(true);
  }
});
