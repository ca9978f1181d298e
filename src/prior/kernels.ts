/** The program that decodes priors, in WebAssembly: what reads them has just been started (assembly/index.ts). */
import { compileAsset } from "../platform/web-assembly.ts";
import wasmPath from "./prior.wasm" with { type: "file" };

/** The exports, documented in assembly/. */
export interface PriorKernels {
  codeAddress(): number;
  start(bytes: number): void;
  isBeyond(): number;
  wasOver(): number;
  takenBytes(): number;
  startArea(): number;
  firstAddress(): number;
  decodeFamily(row: number, until: number, length: number, unit: number, isWide: boolean, into: number): void;
  decodeProbabilities(rows: number, length: number, unit: number, tables: number, values: number): void;
  decodeCells(rows: number, length: number, unit: number, tables: number, values: number): void;
  decodeFew(
    rows: number,
    length: number,
    unit: number,
    tables: number,
    first: number,
    into: number,
    numbers: number,
  ): number;
  areTallies(at: number, size: number, contexts: number): number;
  enterPieces(count: number, size: number, table: number): void;
  lookUpPieces(at: number, size: number, table: number, found: number): void;
}

interface OpenKernels {
  readonly kernels: PriorKernels;
  readonly memory: WebAssembly.Memory;
}

const PAGE_BYTES = 65536;
/** What lies before coded bytes. */
const FIXED_PAGES = 4;

let compiled: WebAssembly.Module | undefined;

/** A new program, started with coded bytes. */
export function openKernels(coded: Uint8Array): OpenKernels {
  compiled ??= compileAsset(wasmPath);
  const memory = new WebAssembly.Memory({ initial: FIXED_PAGES + Math.ceil(coded.length / PAGE_BYTES) });
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory } });
  const kernels = exports as unknown as PriorKernels;
  new Uint8Array(memory.buffer).set(coded, kernels.codeAddress());
  kernels.start(coded.length);
  return { kernels, memory };
}

/** Makes sure that a memory has so many bytes. */
export function growTo(memory: WebAssembly.Memory, bytes: number): void {
  const missing = Math.ceil((bytes - memory.buffer.byteLength) / PAGE_BYTES);
  if (missing > 0) memory.grow(missing);
}
