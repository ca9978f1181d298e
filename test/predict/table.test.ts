/** The predictor of tables: there and back for all formats and shapes, on numbers of every kind and on what is none. */
import { describe, expect, test } from "bun:test";
import { leftBits } from "../../src/pipeline/table-trial.ts";
import { openPredictors } from "../../src/predict/kernels.ts";
import {
  numberBytes,
  STRETCH_BYTES_MIN,
  TABLE_COLUMNS_MAX,
  TABLE_FORMATS,
  TABLE_FRAME_MAX,
  TABLE_ROW_MAX,
  type Table,
} from "../../src/predict/list.ts";
import { transformMemoryBytes } from "../../src/predict/transform.ts";
import { noise } from "../support/bytes.ts";
import { Random } from "../support/gpu-values.ts";
import { tableOf } from "../support/numbers.ts";
import { expectAsTwin, expectBothWays, transformed } from "../support/transformed.ts";
import { TableTwin } from "./table-twin.ts";

const LINE: Omit<Table, "format"> = {
  kind: "table",
  isBig: false,
  columns: 1,
  row: 0,
  frame: 0,
  rawBits: 0,
  exponent: 6,
};
const SHAPES: readonly Table[] = TABLE_FORMATS.flatMap((format) => [
  { ...LINE, format },
  { ...LINE, format, isBig: true, columns: 3, exponent: -2 },
  { ...LINE, format, row: 40, rawBits: 3 },
  { ...LINE, format, isBig: true, columns: 2, row: 32, frame: 320, rawBits: 8 * numberBytes(format) - 1 },
  { ...LINE, format, columns: 5, row: 100, frame: 400, exponent: 1000 },
  { ...LINE, format, row: 40, isDamped: true },
  { ...LINE, format, isBig: true, columns: 3, isDamped: true, exponent: -2 },
]);
const nameOf = ({ format, columns, row, frame, rawBits, isDamped }: Table) =>
  `${format}, ${columns} columns, rows of ${row}, frames of ${frame}, ${rawBits} raw bits${isDamped ? ", damped" : ""}`;

describe.each(SHAPES.map((shape) => [nameOf(shape), shape] as const))("%s", (_, table) => {
  const { format, isBig, columns, row } = table;
  const plain = tableOf(Math.ceil(1200 / columns), { format, isBig, columns, row: row / columns });

  test("what is left is what the twin leaves, and comes back", () => {
    expectAsTwin(new TableTwin(table), plain, table);
  });
});

test.each(["int32", "float32", "float64"] as const)("what is left of %s is small", (format) => {
  const width = numberBytes(format);
  const left = transformed(tableOf(8000, { format, row: 100 }), { ...LINE, format, row: 100 });
  const high = left.filter((_, i) => i > left.length / 2 && i % width === 0);
  expect(Math.max(...high)).toBe(0);
});

test("a text before damped floats is soon forgotten", () => {
  const table = { ...LINE, format: "float32", exponent: 2 } as const;
  const header = new TextEncoder().encode("{'descr': '<f4', 'fortran_order': False, 'shape': (80, 100), }".padEnd(128));
  const waves = Float32Array.from({ length: 8000 }, (_, i) => 1000 * Math.sin(i / 9) + 300 * Math.sin(i / 31));
  const plain = new Uint8Array([...header, ...new Uint8Array(waves.buffer)]);
  const bitsLeft = (isDamped: boolean) => {
    const left = transformed(plain, { ...table, isDamped });
    expect(Buffer.compare(left, new TableTwin({ ...table, isDamped }).code(plain))).toBe(0);
    return leftBits(left.subarray(left.length / 2), 4, 0);
  };
  expect(bitsLeft(true)).toBeLessThan(0.8 * bitsLeft(false));
});

const random = new Random(3);
const CHANCE = noise(9003);
const SPECIAL = [Number.NaN, Number.POSITIVE_INFINITY, -0, 0, 5e-324, -1e308, 1e308, 1e-42, 3.4e38, 65504, 6e-8, -1];
const special = (isDouble: boolean) => {
  const values = Array.from({ length: 1500 }, () => SPECIAL[random.next() % SPECIAL.length] as number);
  return new Uint8Array((isDouble ? Float64Array.from(values) : Float32Array.from(values)).buffer);
};

test.each([
  ["chance, and a part of a number", CHANCE],
  ["zeros", new Uint8Array(STRETCH_BYTES_MIN)],
  ["the largest and smallest integers", Uint8Array.from({ length: 8192 }, (_, i) => (i & 64 ? 0x7f : 0x80))],
  ["floats with NaN, infinities and denormals", special(false)],
  ["doubles with NaN, infinities and denormals", special(true)],
])("%s come back", (_, plain) => {
  for (const shape of SHAPES.filter((_, i) => i % 3 === 0)) {
    expectBothWays(plain, shape);
  }
});

test("no table takes more memory than is counted", () => {
  const kernels = openPredictors();
  for (let columns = 1; columns <= TABLE_COLUMNS_MAX; columns += 1) {
    const rowMax = Math.floor(TABLE_ROW_MAX / columns) * columns;
    for (const row of [0, 8 * columns, Math.floor(rowMax / 2 / columns) * columns, rowMax]) {
      const frame = row > 0 ? Math.floor(TABLE_FRAME_MAX / row) * row : 0;
      expect(kernels.tableStateBytes(columns, row, frame)).toBeLessThan(transformMemoryBytes(0) - 2 ** 16);
    }
  }
});
