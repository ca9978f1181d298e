/**
 * Bytes that a predictor foresees: their contexts are its, and so are choices of weight sets and of a refining map, and
 * how likely it thinks a bit is. It is another module with a memory of its own, whose functions stand in the table,
 * once there is one.
 */

/** Places in the table: FUNCTIONS in src/engine/mixer/lane-foresight.ts. */
const FORESEE: u32 = 0;
const CONTEXT_AT: u32 = 1;
const CHOICE_AT: u32 = 2;
const TELL: u32 = 3;
const LIKELIHOOD_AT: u32 = 4;
const LIKELIHOOD: u32 = 5;

/** Whether the next bytes are foreseen. */
export let isForeseen: bool = false;
/** Likelihoods of each bit: one of pixels, several of sound. */
export let likelihoods: u32 = 0;
/** For the byte that comes: what chooses three weight sets, and the row of the refining map. */
export let setChoice: u32 = 0;
export let setChoice2: u32 = 0;
export let setChoice3: u32 = 0;
export let rowChoice: u32 = 0;

/** Says whether the bytes from here on are foreseen, by how many likelihoods of each bit; 0: they are not. */
export function setForeseen(count: u32): void {
  isForeseen = count > 0;
  likelihoods = count;
}

/** The predictor thinks of the byte that comes. */
export function foresee(): void {
  call_indirect<void>(FORESEE);
  setChoice = call_indirect<u32>(CHOICE_AT, <u32>0);
  setChoice2 = call_indirect<u32>(CHOICE_AT, <u32>1);
  setChoice3 = call_indirect<u32>(CHOICE_AT, <u32>2);
  rowChoice = call_indirect<u32>(CHOICE_AT, <u32>3);
}

/** Its context number i. */
export function foreseenContext(i: u32): u32 {
  return call_indirect<u32>(CONTEXT_AT, i);
}

/** How likely it thinks that a 1 is behind the bits so far; 16 bits. */
export function foreseenLikelihood(node: u32): u32 {
  return call_indirect<u32>(LIKELIHOOD_AT, node);
}

/** Likelihood number i of the bit for which foreseenLikelihood was asked last. */
export function anotherLikelihood(i: u32): u32 {
  return call_indirect<u32>(LIKELIHOOD, i);
}

/** It learns which byte came. */
export function tellForesight(byte: u32): void {
  call_indirect<void>(TELL, byte);
}
