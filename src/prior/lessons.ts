/**
 * Which contexts learn which pieces of a prior's content. To go through content is most of what a start takes, and much
 * of it teaches a context nothing: what comes again and again later on. So a piece is worth to a context what it alone
 * has, and a context what the trained weights give for it; the pairs of both that are worth least are left out.
 */
import { inputsOf } from "../contract/mixer.ts";
import { LESSON_BYTES, LESSONS_BYTES, lessonWords, type TrainedState } from "../contract/prior.ts";
import { MixerLane } from "../engine/mixer/lane.ts";

/** Pairs of a context and a piece, which take some 15 microseconds each: so many are learnt in any case. */
const PAIRS_MIN = 1400;
/** Of more, this share is. */
const SHARE_MIN = 0.75;
/** Content beyond takes a start long enough in any case, and its hashes too much memory. */
const CONTENT_BYTES_MAX = 1 << 18;
/** Lanes here only hash. */
const LINE_BITS = 4;
/** What is told apart of contexts' hashes, and of those with a byte's high half. */
const SLOT_BITS = 18;
const HALF_STEP = 0x9e3779b1;
/** Weights whose mean a context is worth: of the first set, a row for each node. */
const WEIGHED_ROWS = 256;
/** The unit of such a mean, Q14; a context is worth one unit at least. */
const WEIGHT_UNIT = 164;

/** Places where contexts' hashes come again are found from behind: a place is worth the less, the more come later. */
function newness(hashes: Uint32Array, content: Uint8Array, pieces: number): number[] {
  const [later, laterHalves] = [new Uint32Array(1 << SLOT_BITS), new Uint32Array(1 << SLOT_BITS)];
  const worth = Array<number>(pieces).fill(0);
  for (let t = hashes.length - 1; t >= 0; t--) {
    const hash = hashes[t] as number;
    const slot = hash >>> (32 - SLOT_BITS);
    const half = Math.imul(hash + ((content[t] as number) >> 4) + 1, HALF_STEP) >>> (32 - SLOT_BITS);
    const [n, m] = [later[slot] as number, laterHalves[half] as number];
    later[slot] = n + 1;
    laterHalves[half] = m + 1;
    const piece = Math.floor(t / LESSON_BYTES);
    worth[piece] = (worth[piece] as number) + 1 / (1 + n) + 1 / (1 + m);
  }
  return worth;
}

/** [context][byte] */
function hashesOf(content: Uint8Array, contexts: number): Uint32Array[] {
  const lane = new MixerLane({ contexts, lineBits: LINE_BITS });
  lane.begin();
  const all = Array.from({ length: contexts }, () => new Uint32Array(content.length));
  for (let from = 0; from < content.length; from += LESSONS_BYTES) {
    const some = content.subarray(from, from + LESSONS_BYTES);
    const hashes = lane.hashesOf(some);
    for (const [i, own] of all.entries()) own.set(hashes.subarray(i * some.length, (i + 1) * some.length), from);
  }
  return all;
}

/** What the weights of its two inputs say of each context. */
function importances({ weights: { values } }: TrainedState, contexts: number): number[] {
  const row = inputsOf(contexts);
  const meanOf = (input: number) => {
    let sum = 0;
    for (let r = 0; r < WEIGHED_ROWS; r++) sum += values[r * row + input] as number;
    return Math.max(0, sum) / WEIGHED_ROWS / WEIGHT_UNIT;
  };
  return Array.from({ length: contexts }, (_, i) => 1 + meanOf(2 * i) + meanOf(2 * i + 1));
}

/**
 * @param content of stride 0, of which nothing is skimmed
 * @returns as LanePrior.lessons; undefined if there is nothing to be left out
 */
export function chooseLessons(content: Uint8Array, contexts: number, trained: TrainedState): Uint32Array | undefined {
  const pieces = Math.ceil(content.length / LESSON_BYTES);
  const learnt = Math.max(PAIRS_MIN, Math.ceil(SHARE_MIN * contexts * pieces));
  if (learnt >= contexts * pieces || content.length > CONTENT_BYTES_MAX) return undefined;
  const importance = importances(trained, contexts);
  const pairs = hashesOf(content, contexts).flatMap((hashes, context) => {
    const worth = newness(hashes, content, pieces);
    const unit = (importance[context] as number) / worth.reduce((sum, one) => sum + one, 0);
    return worth.map((one, piece) => ({ context, piece, worth: one * unit }));
  });
  const lessons = new Uint32Array(lessonWords(contexts, content.length));
  const perWord = LESSONS_BYTES / LESSON_BYTES;
  for (const { context, piece } of pairs.sort((a, b) => b.worth - a.worth).slice(0, learnt)) {
    const word = contexts * Math.floor(piece / perWord) + context;
    lessons[word] = (lessons[word] as number) | (1 << (piece % perWord));
  }
  return lessons;
}
