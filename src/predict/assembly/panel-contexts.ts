/**
 * The contexts of a byte of what is left of a sample, and what chooses its weight sets: the most useful first. All are
 * told apart by the place of the byte and by the bytes of the sample that are known.
 */
import { choose, classOf, CONTEXTS, into } from "./context-values";
import { expected, LAST_LEFT, panelError, SAID } from "./panel";

let known: u32 = 0;
let contexts: usize = 0;

/** The next context, of up to three values. */
// @ts-ignore: decorator
@inline
function context(a: u32, b: u32 = 0, c: u32 = 0): void {
  store<u32>(contexts, into(into(into(known, a), b), c));
  contexts += 4;
}

/** Classes of a mean error, in eighths: four to each doubling of it. */
// @ts-ignore: decorator
@inline
function errorClass(channel: usize, pace: usize): u32 {
  return classOf(<u32>Math.floor(panelError(channel, pace) * 8.0), 2);
}

/** Classes of a signed number. */
// @ts-ignore: decorator
@inline
function signedClass(x: i32, bits: u32): u32 {
  return (classOf(<u32>abs(x), bits) << 1) | u32(x < 0);
}

/** By how much a member differs from the rounded expectation, in halves. */
// @ts-ignore: decorator
@inline
function saidBy(member: usize, rounded: i32): i32 {
  return <i32>Math.floor((load<f64>(SAID + member * 8) - <f64>rounded) * 2.0 + 0.5);
}

/**
 * @param other the other channel's state, or the channel's own @param place of the byte, 0 is the highest
 * @param high the bytes of the sample before it
 */
export function chooseAndHashSound(channel: usize, other: usize, rounded: i32, place: u32, high: u32): void {
  contexts = CONTEXTS;
  known = into(place, high);
  const fast = errorClass(channel, 0);
  const error = errorClass(channel, 1);
  const slow = errorClass(channel, 2);
  const fraction = <u32>Math.floor((expected + 0.5 - <f64>rounded) * 16.0) & 15;
  const last = load<i32>(channel + LAST_LEFT);
  const before = load<i32>(channel + LAST_LEFT + 4);
  const third = load<i32>(channel + LAST_LEFT + 8);
  const beside = other === channel ? 0 : load<i32>(other + LAST_LEFT);
  const first = saidBy(0, rounded);
  const second = saidBy(1, rounded);
  const fourth = saidBy(2, rounded);
  const fifth = saidBy(3, rounded);
  const highClass = min<u32>(classOf(high, 2), 63);
  choose(0, place > 0 ? 128 + min<u32>(error, 127) : min<u32>(error, 127));
  choose(1, place > 0 ? 128 + min<u32>(fast, 127) : min<u32>(fast, 127));
  choose(2, place > 0 ? 64 * min<u32>(place, 2) + highClass : min<u32>(slow, 63));
  choose(3, place > 0 ? 64 * min<u32>(place, 2) + highClass : min<u32>(error, 63));
  context(error);
  context(fast, slow);
  context(fraction, error >> 1);
  context(signedClass(first, 1), signedClass(second, 1));
  context(signedClass(fourth, 1), error >> 1);
  context(signedClass(last, 1), error >> 1);
  context(signedClass(last, 1), signedClass(before, 1), signedClass(third, 0));
  context(<u32>rounded);
  context(signedClass(beside, 2), error >> 2);
  context(signedClass(fifth, 2), fraction);
  context(signedClass(first, 2), error >> 1);
  context(signedClass(second, 2), error >> 1);
  context(error, slow);
  context(fast, fraction >> 2);
  context(signedClass(first, 0), signedClass(second, 0), signedClass(fourth, 0) * 64 + signedClass(fifth, 0));
  context(<u32>rounded >> 4);
  context(<u32>rounded & 255);
  context(signedClass(beside, 1), signedClass(last, 1));
  context(classOf(<u32>(abs(last) + abs(before) + abs(third)), 2), error);
  context(fraction);
  context(slow);
  context(signedClass(fourth, 2), signedClass(fifth, 1));
  context(signedClass(first - second, 2), error >> 2);
  context(signedClass(second - fourth, 2), error >> 2);
  context(fast, error, slow);
  context(signedClass(last, 3));
  context(<u32>rounded >> 6, error >> 1);
  context(0);
}
