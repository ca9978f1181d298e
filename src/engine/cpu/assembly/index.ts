/**
 * All kernels of the CPU engine: the exports of kernels.wasm.
 *
 * The module owns no memory and no state: every function works on addresses in the shared memory that
 * src/engine/cpu/layout.ts lays out, for the rows or columns that its thread was given.
 */
export { packPairs, multiplyBackward, multiplyForward, multiplyStreams } from "./matmul";
export { beginTensor, seenGradient, seenWeight } from "./adam";
export { sumRows, trainMatrix, trainStreams, trainVector } from "./optimizer";
export { normBackward, normForward } from "./norm";
export {
  combineCoarse,
  convolve,
  gatherEmbedding,
  geglu,
  geluSkip,
  geluSkipWide,
  lookUp,
  lookUpWide,
  mix,
  orderByAge,
  quantiseActivation,
} from "./forward";
export {
  addNewest,
  addThree,
  addTwo,
  convolveBackward,
  gateBackward,
  gegluBackward,
  quantiseGradient,
  routeBackward,
  scatterEmbedding,
  skipBackward,
  throughSlope,
} from "./backward";
export { cumulate, frequencies, intervals } from "./frequency";
export { appendBytes, gatherPositions, lookUpContexts } from "./recall";
export { addRecall, gateGradients } from "./recall-logits";
export { differ, learnBoosts, learnSlots, learnTables } from "./recall-learn";
export { peakDots } from "./peak";
