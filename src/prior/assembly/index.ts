/** Decodes trained values, looks through tallies and for pieces of strings: the exports of prior.wasm. */
export { codeAddress, isBeyond, start, takenBytes, wasOver } from "./bits";
export { enterPieces, lookUpPieces } from "./pieces";
export { startArea } from "./rows";
export { areTallies } from "./tallies";
export { decodeCells, decodeFew, decodeProbabilities } from "./values";
export { decodeFamily, firstAddress } from "./weights";
