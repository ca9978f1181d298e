/**
 * All kernels of the predictors: the exports of predictors.wasm.
 *
 * They compute in 64-bit and 32-bit floats with nothing but + - * /, square roots and comparisons, in the order that is
 * written here, so that every machine gets the same bits; nothing is fused, and nothing is relaxed SIMD. Where a sum
 * runs in lanes, the comment says which term goes to which lane. NaN and infinity never leave a kernel: what is
 * predicted is clamped to the range of the samples by comparisons that fail for NaN.
 */
export { dataStart, growTo } from "./memory";
export { soundStateBytes, startSound, codeSound } from "./sound";
export {
  beginForesight,
  beginSoundForesight,
  choiceAt,
  contextAt,
  foresee,
  likelihood,
  likelihoodAt,
  likelihoodCount,
  tell,
} from "./foresight";
export { codePixels, pixelStateBytes, startPixels } from "./pixels";
export { codeTable, startTable, tableStateBytes } from "./table";
