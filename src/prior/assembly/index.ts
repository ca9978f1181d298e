/** Decodes trained values, looks through tallies and for pieces of strings: the exports of prior.wasm. */
export { codeAddress, isBeyond, start, takenBytes, wasOver } from "./bits";
export { enterPieces, lookUpPieces } from "./pieces";
export { decodeCounts, decodeRow, nextRow, rowAddress, startArea } from "./rows";
export { areTallies } from "./tallies";
export { decodeFamily, firstAddress } from "./weights";
