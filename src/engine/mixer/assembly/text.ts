/** What contexts know of text: words, lines, brackets, the shape of the last bytes, and what followed them before. */
import { back, into, last, time } from "./past";
import { COLUMN_BYTES } from "./columns";
import { data, FOLLOWERS1, FOLLOWERS2, KEPT, OPENED, OPENED_MAX } from "./state";

const COLUMN_MAX: u32 = 255;
const NEWLINE: u32 = 10;
const WORD_LETTERS_MAX: u32 = 15;

let word: u32 = 0;
let wordBefore: u32 = 0;
let wordThird: u32 = 0;
/** Classes of the last eight bytes, four bits each. */
export let shape: u32 = 0;
/** Letters that the last bytes are, from a to z, at most WORD_LETTERS_MAX. */
export let wordLetters: u32 = 0;
let depth: u32 = 0;
/** Where this line of text and the one before begin. */
let lineStart: u32 = 0;
let lineBefore: u32 = 0;

export function beginText(): void {
  word = 0;
  wordBefore = 0;
  wordThird = 0;
  shape = 0;
  wordLetters = 0;
  depth = 0;
  lineStart = 0;
  lineBefore = 0;
  memory.fill(FOLLOWERS1, 0, 512);
  memory.fill(FOLLOWERS2, 0, 131072);
  memory.fill(OPENED, 0, OPENED_MAX * 4);
}

export function keepText(): void {
  store<u32>(KEPT, word, 8);
  store<u32>(KEPT, wordBefore, 12);
  store<u32>(KEPT, wordThird, 16);
  store<u32>(KEPT, shape, 20);
  store<u32>(KEPT, depth, 24);
  store<u32>(KEPT, lineStart, 28);
  store<u32>(KEPT, lineBefore, 32);
  store<u32>(KEPT, wordLetters, 104);
}

export function recallText(): void {
  word = load<u32>(KEPT, 8);
  wordBefore = load<u32>(KEPT, 12);
  wordThird = load<u32>(KEPT, 16);
  shape = load<u32>(KEPT, 20);
  depth = load<u32>(KEPT, 24);
  lineStart = load<u32>(KEPT, 28);
  lineBefore = load<u32>(KEPT, 32);
  wordLetters = load<u32>(KEPT, 104);
}

/** Kinds 0 … 9 of PARTS in src/contract/mixer.ts. */
// @ts-ignore: decorator
@inline
export function textValue(kind: u32): u32 {
  if (kind == 0) return word;
  if (kind == 1) return wordBefore;
  if (kind == 2) return wordThird;
  if (kind == 3) return <u32>load<u16>(FOLLOWERS1 + (last & 255) * 2) | ((last & 255) << 16);
  if (kind == 4) return <u32>load<u16>(FOLLOWERS2 + (last & 65535) * 2) | ((last & 255) << 16);
  if (kind == 5) return shape;
  if (kind == 6) return shape & 65535;
  if (kind == 7) return depth == 0 ? 0 : load<u32>(OPENED + ((depth - 1) % OPENED_MAX) * 4);
  const column = time - lineStart;
  if (kind == 8) return min(column, COLUMN_MAX);
  return lineBefore + column < lineStart ? <u32>load<u8>(data + lineBefore + column) : NEWLINE;
}

/** Kinds whose values storeText stores. */
export const TEXT_KINDS: u32 = 1023;

/** Values of kinds 0 … 9, each in a column of its own, as most contexts are made of some of them. */
// @ts-ignore: decorator
@inline
export function storeText(at: usize): void {
  storeKind(at, 0);
  storeKind(at, 1);
  storeKind(at, 2);
  storeKind(at, 3);
  storeKind(at, 4);
  storeKind(at, 5);
  storeKind(at, 6);
  storeKind(at, 7);
  storeKind(at, 8);
  storeKind(at, 9);
}

/** The compiler knows which kind it is, so nothing is asked byte by byte. */
// @ts-ignore: decorator
@inline
function storeKind(at: usize, kind: u32): void {
  store<u32>(at + <usize>kind * COLUMN_BYTES, textValue(kind));
}

function followWord(y: u32): void {
  const upper = y >= 65 && y <= 90;
  if (upper || (y >= 97 && y <= 122) || y >= 128) {
    word = into(word, upper ? y + 32 : y);
    return;
  }
  if (word != 0) {
    wordThird = wordBefore;
    wordBefore = word;
  }
  word = 0;
}

function classOf(y: u32): u32 {
  if (y >= 97 && y <= 122) return 1;
  if (y >= 65 && y <= 90) return 2;
  if (y >= 48 && y <= 57) return 3;
  if (y == 32) return 4;
  if (y == NEWLINE) return 5;
  if (y == 0) return 6;
  if (y == 255) return 7;
  if (y < 32) return 8;
  if (y >= 128) return 9 + ((y >> 6) & 1);
  return 11 + (((y * 0x9e3779b1) >> 16) % 5);
}

/** The four bytes before an open bracket stay known until it is closed. */
function followBrackets(y: u32): void {
  if (y == 40 || y == 91 || y == 123 || y == 60) {
    store<u32>(OPENED + (depth % OPENED_MAX) * 4, ((last >> 8) | (back(5) << 24)) + 1);
    depth++;
  } else if ((y == 41 || y == 93 || y == 125 || y == 62) && depth > 0) depth--;
}

/** After the byte y, the newest of the past. */
export function followText(y: u32): void {
  const one = FOLLOWERS1 + back(2) * 2;
  store<u16>(one, (<u32>load<u16>(one) << 8) | y);
  const two = FOLLOWERS2 + ((last >> 8) & 65535) * 2;
  store<u16>(two, (<u32>load<u16>(two) << 8) | y);
  const kind = classOf(y);
  shape = (shape << 4) | kind;
  wordLetters = kind == 1 || kind == 2 ? min(wordLetters + 1, WORD_LETTERS_MAX) : 0;
  followBrackets(y);
  followWord(y);
  if (y != NEWLINE) return;
  lineBefore = lineStart;
  lineStart = time;
}
