/**
 * The contexts of a sample that a lane foresees, and what chooses its weight sets. There are two lists, the most useful
 * first: of a channel whose colours are counted, and of any other.
 */
import { best, first, nextBest, second } from "./foresight";
import {
  channelBefore,
  leftAbove,
  leftBefore,
  leftChannel,
  leftOther,
  near,
  ofAbove,
  ofAboveBefore,
  ofAboveNext,
  ofBefore,
  ofLine,
  ofLineAbove,
  ofOther,
  ofPlane,
  other,
  ownAbove,
  ownBefore,
  secondHere,
  sizeAbove,
  sizeAboveNext,
  sizeOf,
  sizesAbove,
  sizesAcross,
  sizesBefore,
  sizesOther,
  thirdAbove,
  thirdBefore,
} from "./neighbours";
import { choose, classOf, CONTEXTS, into, within } from "./context-values";
import { isRank, prediction, spread } from "./pixels";

let place: u32 = 0;
let contexts: usize = 0;

/** The next context, of up to three values and the place of the channel. */
// @ts-ignore: decorator
@inline
function context(a: u32, b: u32 = 0, c: u32 = 0): void {
  store<u32>(contexts, into(into(into(place, a), b), c));
  contexts += 4;
}

/** @param placeOfChannel in the order in which channels are coded */
export function chooseAndHash(placeOfChannel: u32, column: u32): void {
  place = placeOfChannel;
  contexts = CONTEXTS;
  choose(1, min<u32>(classOf(near, 1), 15) * 16 + min<u32>(classOf(sizesOther, 1), 15));
  if (isRank) hashColour();
  else hashMiss(column);
}

/** Of a channel whose colours are counted: most contexts say which sample would be the colour of a pixel nearby. */
function hashColour(): void {
  const expected = <u32>Math.floor(prediction + 0.5);
  const fraction = <u32>Math.floor(prediction * 8.0) & 7;
  const nearClass = classOf(near, 1);
  const beyond = expected - other;
  const offset = beyond * 512 + secondHere;
  const isThird = place > 1;
  choose(0, first);
  choose(2, second);
  choose(3, first);
  context(best, first, nextBest);
  context(beyond, other, secondHere);
  context(first, classOf(near, 2), best);
  context(beyond, ownBefore, isThird ? secondHere * 512 + thirdBefore : thirdBefore);
  context(first >> 1, second >> 1, best + 256 * nextBest);
  context(beyond, other, ownBefore);
  context(best, min<u32>(leftChannel, 31), first >> 1);
  context(offset, ownBefore, ownAbove);
  context(first >> 2, best, nearClass);
  context(beyond, fraction, secondHere);
  context(offset, ownAbove, thirdAbove);
  context(<u32>Math.floor(spread() * 4.0), fraction, best);
  context(within(ofBefore, 15), within(ofAbove, 15), best);
  context(beyond, other * 512 + ownBefore, isThird ? secondHere - thirdBefore : thirdBefore);
  context(leftBefore, leftAbove);
  context(offset, ownBefore, fraction);
  context(expected, nearClass, best);
  context(classOf(near, 3), best);
  context(offset, ownBefore + ownAbove, other);
  context(best, leftOther, nearClass);
  context(best, leftBefore, first >> 1);
  context(best, leftAbove, first >> 1);
  context(first >> 1, within(ofPlane, 31), second >> 2);
  context(nextBest, leftChannel, leftOther);
  context(expected, best, second >> 1);
  context(channelBefore, expected, other);
  context(leftBefore, leftChannel, best);
  context(within(ofAboveNext, 15), within(ofBefore, 15), best);
}

/** Of any other: how large the miss may be, and to which side. */
function hashMiss(column: u32): void {
  const expected = <u32>Math.floor(prediction + 0.5);
  const eighths = <u32>Math.floor(prediction * 8.0);
  const fraction = eighths & 7;
  const nearClass = classOf(near, 1);
  const otherClass = classOf(sizesOther, 1);
  const scale = <u32>Math.floor(spread() * 8.0);
  choose(0, classOf(near, 2));
  choose(2, fraction * 32 + min<u32>(classOf(scale, 1), 31));
  choose(3, scale);
  context(classOf(near, 3));
  context(within(ofBefore, 31), within(ofAbove, 31), within(ofOther, 31));
  context(within(ofOther, 63), fraction, nearClass >> 1);
  context(within(ofPlane, 63), fraction, nearClass);
  context(expected, other);
  context(classOf(near, 2), otherClass);
  context(within(ofBefore, 20), within(ofAbove, 20));
  context(leftOther, nearClass);
  context(expected, nearClass);
  context(leftBefore, leftAbove);
  context(classOf(sizeOf(leftOther), 1), nearClass, classOf(sizeOf(leftChannel), 1));
  context(leftBefore, classOf(sizeAbove, 1), classOf(sizeAboveNext, 1));
  context(classOf(sizesBefore, 1), classOf(sizesAbove, 1), classOf(sizesAcross, 1));
  context(fraction, scale >> 1);
  context(within(ofBefore, 63), fraction);
  context(within(ofAbove, 63), fraction);
  context(eighths);
  context(within(ofAboveNext, 31), within(ofPlane, 31));
  context(scale, otherClass);
  context(within(ofBefore, 31), within(ofAbove, 31), within(ofAboveBefore, 31));
  context(expected, expected + ofBefore);
  context(expected, expected + ofAbove);
  context(leftBefore, leftOther, fraction);
  context(leftAbove, fraction, nearClass);
  context(within(ofLine, 31), within(ofLineAbove, 31));
  context(within(ofBefore, 31), within(ofOther, 31), fraction);
  context(within(ofAbove, 31), within(ofOther, 31), fraction);
  context(column >> 3, nearClass);
}
