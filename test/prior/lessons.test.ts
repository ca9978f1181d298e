/** Which contexts learn which pieces of content: no more than there is time for, and what comes nowhere else. */
import { describe, expect, test } from "bun:test";
import { mix32 } from "../../src/contract/fixed.ts";
import { isLearnt, LESSON_BYTES } from "../../src/contract/prior.ts";
import { MixerLane } from "../../src/engine/mixer/lane.ts";
import { chooseLessons } from "../../src/prior/lessons.ts";

const CONTEXTS = 20;
const PIECES = 96;
const ONCE = 40;

/** Sixteen pieces of chance again and again, but for one that comes once. */
const content = Uint8Array.from({ length: PIECES * LESSON_BYTES - 100 }, (_, t) => {
  const piece = Math.floor(t / LESSON_BYTES);
  return mix32((piece === ONCE ? 99 : piece % 16) * LESSON_BYTES + (t % LESSON_BYTES)) & 255;
});
const lane = new MixerLane({ contexts: CONTEXTS, lineBits: 4 });
const trained = lane.trained();
const learntBy = (lessons: Uint32Array | undefined, context: number) =>
  Array.from({ length: PIECES }, (_, piece) => isLearnt(lessons, CONTEXTS, context, piece * LESSON_BYTES));

describe("lessons", () => {
  test("are three quarters of all pairs of a context and a piece, what is new first", () => {
    const lessons = chooseLessons(content, CONTEXTS, trained);
    const all = Array.from({ length: CONTEXTS }, (_, context) => learntBy(lessons, context));
    expect(all.flat().filter((is) => is)).toHaveLength((3 * CONTEXTS * PIECES) / 4);
    // The two bytes before lead to little that is new; all sixteen pieces come once more at the end.
    for (const learnt of all) expect(learnt[ONCE]).toBe(true);
    expect(all[2]?.slice(-16).every((is) => is)).toBe(true);
  });

  test("are all of what takes little time, and of what takes much in any case", () => {
    expect(chooseLessons(new Uint8Array((1 << 18) + 1), CONTEXTS, trained)).toBeUndefined();
    expect(chooseLessons(content.subarray(0, 70 * LESSON_BYTES), CONTEXTS, trained)).toBeUndefined();
    expect(chooseLessons(new Uint8Array(0), CONTEXTS, trained)).toBeUndefined();
    expect(learntBy(undefined, 3)).not.toContain(false);
  });
});
