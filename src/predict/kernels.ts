/** The module predictors.wasm, and an instance of it with its memory. */
import { compileAsset } from "../platform/web-assembly.ts";
import wasmPath from "./predictors.wasm" with { type: "file" };

/** The exports, documented in assembly/. Addresses and lengths in bytes of the module's memory. */
export interface PredictorKernels {
  readonly memory: WebAssembly.Memory;
  dataStart(): number;
  growTo(bytes: number): number;
  soundStateBytes(channels: number, isByPanel: boolean): number;
  startSound(
    state: number,
    channels: number,
    width: number,
    isBig: boolean,
    isUnsigned: boolean,
    isByPanel: boolean,
  ): void;
  codeSound(state: number, from: number, to: number, samples: number, isBack: boolean): void;
  pixelStateBytes(channels: number, width: number, hasFrames: boolean, isRanked: boolean): number;
  startPixels(
    state: number,
    channels: number,
    width: number,
    pixels: number,
    frameBytes: number,
    isRanked: boolean,
    isInTurn: boolean,
  ): void;
  /** Whether more is left. */
  codePixels(state: number, plain: number, left: number, samples: number, isBack: boolean): number;
  beginForesight(state: number, plain: number, left: number): void;
  beginSoundForesight(state: number): void;
  foresee(): void;
  contextAt(i: number): number;
  choiceAt(i: number): number;
  likelihoodAt(node: number): number;
  likelihood(i: number): number;
  likelihoodCount(): number;
  tell(byte: number): void;
  tableStateBytes(columns: number, row: number, frame: number): number;
  startTable(
    state: number,
    width: number,
    format: number,
    isBig: boolean,
    columns: number,
    row: number,
    frame: number,
    rawBits: number,
    exponent: number,
    isDamped: boolean,
  ): void;
  codeTable(state: number, from: number, to: number, numbers: number, isBack: boolean): void;
}

let compiled: WebAssembly.Module | undefined;

/** A new instance: its memory goes with it. */
export function openPredictors(): PredictorKernels {
  compiled ??= compileAsset(wasmPath);
  return new WebAssembly.Instance(compiled).exports as unknown as PredictorKernels;
}
