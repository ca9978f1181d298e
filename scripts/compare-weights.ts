/**
 * Weights of networks, as they are stored by terabytes: normal, each layer with a scale of its own, as bfloat16,
 * float16 and float32. What fade -5 and -9 make of them, beside zstd -19, xz -9 and what is there to be saved: the
 * entropy of sign and exponent of each layer, and all other bits raw, which is what programs for weights aim at.
 *
 *     bun scripts/compare-weights.ts [FILE.bf16 …]
 *
 * Needs bin/fade (`npm run build`), zstd and xz. Files, if there are any, are taken as bfloat16 of one layer.
 */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { mix32 } from "../src/contract/fixed.ts";
import { FADE, grouped, headOf, row } from "./shared.ts";

const FOLDER = mkdtempSync(join(tmpdir(), "fade-weights-"));
const COUNT = 400_000;
const LAYERS = 10;

/** Bits of a number that are neither sign nor exponent. */
const FRACTION_BITS = { bf16: 7, f16: 10, f32: 23 } as const;
type Format = keyof typeof FRACTION_BITS;
const WIDTH = { bf16: 2, f16: 2, f32: 4 } as const;

const chance = (i: number) => (mix32(i) >>> 8) / 2 ** 24;
const normal = (i: number) => Math.sqrt(-2 * Math.log(1 - chance(2 * i))) * Math.cos(2 * Math.PI * chance(2 * i + 1));

/** Scales as those of trained layers: from 0.004 to 0.1, and one layer near 1. */
const scaleOf = (layer: number) => (layer === 7 ? 1 : 0.004 * 1.43 ** layer);

function weights(format: Format): Uint8Array {
  const values = Float32Array.from({ length: COUNT }, (_, i) => normal(i) * scaleOf(Math.floor((i * LAYERS) / COUNT)));
  if (format === "f32") return new Uint8Array(values.buffer);
  if (format === "f16") return new Uint8Array(Float16Array.from(values).buffer);
  return new Uint8Array(Uint16Array.from(new Uint32Array(values.buffer), (bits) => (bits + 0x8000) >>> 16).buffer);
}

/** Bytes that sign and exponent of each layer take by their counts, and all else raw. */
function idealOf(bytes: Uint8Array, format: Format, layers: number): number {
  const [width, raw] = [WIDTH[format], FRACTION_BITS[format]];
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const count = Math.floor(bytes.length / width);
  let bits = count * raw;
  for (let layer = 0; layer < layers; layer += 1) {
    const [from, to] = [layer, layer + 1].map((edge) => Math.floor((edge * count) / layers)) as [number, number];
    const counts = new Map<number, number>();
    for (let i = from; i < to; i += 1) {
      const value = width === 4 ? view.getUint32(4 * i, true) : view.getUint16(2 * i, true);
      counts.set(value >>> raw, (counts.get(value >>> raw) ?? 0) + 1);
    }
    for (const n of counts.values()) bits += n * Math.log2((to - from) / n);
  }
  return Math.ceil(bits / 8);
}

function sizeBy(command: string[], to: string): number | undefined {
  rmSync(to, { force: true });
  const { exitCode } = Bun.spawnSync(["sh", "-c", `${command.join(" ")} > ${to}`], { stderr: "ignore" });
  return exitCode === 0 ? statSync(to).size : undefined;
}

function rowOf(path: string, ideal: number): string {
  const commands = [
    [FADE, "-5", "-k", "-q", "-c", path],
    [FADE, "-9", "-k", "-q", "-c", path],
    ["zstd", "-19", "-q", "-c", path],
    ["xz", "-9e", "-k", "-c", path],
  ];
  const sizes = commands.map((command) => sizeBy(command, join(FOLDER, "out")));
  const cells = [statSync(path).size, ideal, ...sizes].map((size) => (size === undefined ? "missing" : grouped(size)));
  return row([basename(path), ...cells]);
}

try {
  console.log(headOf(["", "bytes", "exponents, the rest raw", "fade -5", "fade -9", "zstd -19", "xz -9e"]));
  for (const path of process.argv.slice(2)) console.log(rowOf(path, idealOf(readFileSync(path), "bf16", 1)));
  for (const format of ["bf16", "f16", "f32"] as const) {
    const path = join(FOLDER, `weights.${format}`);
    const bytes = weights(format);
    writeFileSync(path, bytes);
    console.log(rowOf(path, idealOf(bytes, format, LAYERS)));
  }
} finally {
  rmSync(FOLDER, { recursive: true, force: true });
}
