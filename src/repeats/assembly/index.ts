/**
 * The search for repeats: the exports of repeats.wasm. All memory is the caller's (../kernels.ts lays it out); an
 * instance works on one block. Integers only.
 */
export { estimate, forget, goTo, startEstimate } from "./estimate";
export { findRepeat, isFinderDone, setFloor, startFinder } from "./find";
