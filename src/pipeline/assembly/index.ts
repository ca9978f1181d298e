/**
 * Looks at samples of a block, for what an encoder decides: the exports of trials.wasm. Where they lie in the caller's
 * memory says ../trial-kernels.ts. Floats are added and multiplied in the order that is written here, and nothing else
 * is done with them, so that every machine decides alike.
 */
export { beginTrial, codeRun, mixtureBytes } from "./mixture";
export { compareBursts, distances } from "./near";
export { measureSound } from "./sound";
