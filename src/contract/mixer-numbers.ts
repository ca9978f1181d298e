/**
 * Single numbers of the bit mixer's contract, by the names under which docs/MIXER.md has them in words: what engines
 * that are written in different languages must have alike. The shapes and tables are in mixer.ts.
 */

/** Tells the contexts of the same bytes apart; and a byte's halves. */
export const CONTEXT_STEP = 0x2c1b3c6d;
export const HALF_STEP = 0x9e3779b1;

/** Lines of a bucket: any may hold a context. */
export const BUCKET_LINES = 4;
/** A run's count goes no further. */
export const RUN_COUNT_MAX = 255;

/** 2^PLACE_BITS places where matches are looked for. */
export const PLACE_BITS = 18;
/** Bytes whose agreement is counted when a match starts. */
export const VERIFY_MAX = 64;
export const MATCH_LENGTH_LIMIT = 65535;
/** A match's probability to be right goes no lower. */
export const MATCH_PROBABILITY_MIN = 33000;

export const COLUMN_MAX = 255;
export const NEWLINE = 10;
/** A word has no more letters. */
export const WORD_LETTERS_MAX = 15;
/** Brackets of which it is known what stood before them: the innermost. */
export const OPENED_MAX = 16;

/** Weights of the guess of the next sample. */
export const TAP_COUNT = 16;
export const TAP_MAX = 1 << 21;
export const SAMPLE_MAX = 32767;

/** What a control character adds to the score of binary data, its limit, and from where on bytes are no text. */
export const SCORE_STEP = 16;
export const SCORE_MAX = 255;
export const SCORE_OF_BINARY = 64;

/** Bits that an adaptive map counts. */
export const COUNT_LIMIT = 255;
export const WEIGHT_MAX = 32767;
export const FINAL_MAX = 1 << 29;
/** Choices of the first weights of the second layer; those by node lie behind. */
export const FINAL_FIRST = 256;
/** Contexts by which it is judged how much is known of what comes: from, and up to but not with. */
export const KNOWN_CONTEXTS = [1, 7] as const;
