/** What is known of a sample of sound before it is decoded, for a lane: the panel goes along with it, byte by byte. */
import { chooseAndHashSound } from "./panel-contexts";
import { beginLikelihoods, narrow, shareAt, weighBit } from "./panel-likelihoods";
import { askPanelOf, otherOf, roundedPrediction, signed, teachPanelOf } from "./sound";

let state: usize = 0;
let channels: usize = 0;
let width: u32 = 0;
/** The channel at hand and its state; the bytes of its sample that are known, and how many they are. */
let number: usize = 0;
let channel: usize = 0;
let high: u32 = 0;
let place: u32 = 0;
let rounded: i32 = 0;

/** Goes along with sound that startSound has begun, by a panel. */
export function beginPanelForesight(stateAt: usize): void {
  state = stateAt;
  channels = load<u32>(state);
  width = load<u32>(state + 4);
  number = 0;
  high = 0;
  place = 0;
}

/** Makes all that is said of the byte that comes. */
export function foreseePanel(): void {
  if (place === 0) {
    channel = askPanelOf(state, number);
    rounded = roundedPrediction(8 * width);
    beginLikelihoods(channel, rounded, 8 * width);
  }
  chooseAndHashSound(channel, otherOf(state, number), rounded, place, high);
}

/** The likelihood by the first distribution; `shareAt` has all. Asked once for each bit, in order. */
export function panelLikelihoodAt(node: u32): u32 {
  if (node > 1) narrow(node & 1);
  weighBit();
  return shareAt(0);
}

/** The byte has been decoded. */
export function tellPanel(byte: u32): void {
  narrow(byte & 1);
  high = (high << 8) | byte;
  place += 1;
  if (place < width) return;
  const left = <i32>((high >>> 1) ^ -(high & 1));
  teachPanelOf(state, number, signed(left + rounded, 8 * width));
  number = number + 1 === channels ? 0 : number + 1;
  high = 0;
  place = 0;
}
