/**
 * The panel of predictors of sound against the same in plain TypeScript: what it leaves, there and back, and all that a
 * lane is told of each byte and bit, on sound of every shape and on bytes that are none.
 */
import { describe, expect, test } from "bun:test";
import { Foresight } from "../../src/predict/foresight.ts";
import type { Sound } from "../../src/predict/list.ts";
import { soundOf } from "../support/numbers.ts";
import {
  expectAsTwin,
  expectBothWays,
  expectRandomSounds,
  strangeSounds,
  transformed,
} from "../support/transformed.ts";
import { PanelTwin } from "./panel-twin.ts";

const CONTEXTS = 28;
const CHOICES = 4;

/** All that the kernels say of each byte, as a lane asks for it. */
function foreseen(left: Uint8Array, sound: Sound): number[] {
  const foresight = new Foresight([{ start: 0, lengthBytes: left.length, numbers: sound }]);
  const { kernels } = foresight;
  const { end, likelihoods } = foresight.at(0);
  const said: number[] = [end, likelihoods];
  for (const byte of left.subarray(0, end)) {
    kernels.foresee();
    for (let i = 0; i < CONTEXTS; i += 1) said.push(kernels.contextAt(i) >>> 0);
    for (let i = 0; i < CHOICES; i += 1) said.push(kernels.choiceAt(i));
    for (let k = 0; k < 8; k += 1) {
      said.push(kernels.likelihoodAt((256 | byte) >> (8 - k)));
      for (let i = 1; i < likelihoods; i += 1) said.push(kernels.likelihood(i));
    }
    kernels.tell(byte);
  }
  return said;
}

/** The same by the twin. */
function foreseenByTwin(left: Uint8Array, sound: Sound): number[] {
  const { width } = sound;
  const twin = new PanelTwin(sound);
  const end = left.length - (left.length % width);
  const said: number[] = [end, 7];
  for (let start = 0; start < end; start += width) {
    twin.predict();
    let high = 0;
    for (let place = 0; place < width; place += 1) {
      const byte = left[start + place] as number;
      const { contexts, choices } = twin.outlook(place, high);
      said.push(...contexts, ...choices);
      for (let k = 0; k < 8; k += 1) said.push(...twin.likelihoods(high * 2 ** k + (byte >> (8 - k)), 8 * place + k));
      high = 256 * high + byte;
    }
    twin.tellLeft(high);
  }
  return said;
}

/** Where two differ for the first time; undefined if they are equal. */
function differenceOf(a: readonly number[], b: readonly number[]): string | undefined {
  if (a.length !== b.length) return `${a.length} and ${b.length} values`;
  const i = a.findIndex((value, at) => value !== b[at]);
  return i < 0 ? undefined : `value ${i}: ${a[i]} and ${b[i]}`;
}

/** With foresight, which a panel needs. */
const panelled = (bytes: Uint8Array, sound: Sound, isBack = false) => transformed(bytes, sound, isBack, true);

const PANEL = { kind: "sound", isByPanel: true } as const;
const SHAPES = [1, 2, 3].flatMap((width) =>
  [1, 2, 5].map((channels): Sound => {
    const isBig = (width + channels) % 2 === 0;
    return { ...PANEL, channels, width, isBig, isUnsigned: isBig !== width > 1 };
  }),
);
const nameOf = (sound: Sound) =>
  `${8 * sound.width} bits, ${sound.channels} channels${sound.isBig ? ", high byte first" : ""}`;

describe.each(SHAPES.map((shape) => [nameOf(shape), shape] as const))("%s", (_, shape) => {
  // More than the history of a channel holds, for it must move; of many channels less will do.
  const plain = soundOf(shape.channels > 2 ? 400 : 1300, shape);

  test("what is left is what the twin leaves, and comes back", () => {
    expectAsTwin(new PanelTwin(shape), plain, shape, true);
  });

  test("what a lane is told is what the twin says", () => {
    const left = panelled(plain, shape).subarray(0, 3600);
    expect(differenceOf(foreseen(left, shape), foreseenByTwin(left, shape))).toBeUndefined();
  });
});

describe.each(strangeSounds(9000))("%s", (_, plain) => {
  const shapes: Sound[] = [
    { ...PANEL, channels: 2, width: 2, isBig: false, isUnsigned: false },
    { ...PANEL, channels: 1, width: 3, isBig: false, isUnsigned: false },
    { ...PANEL, channels: 8, width: 1, isBig: false, isUnsigned: false },
  ];
  test("comes back, and is left and foreseen as the twin has it", () => {
    for (const shape of shapes) {
      const left = panelled(plain, shape);
      expect(Buffer.compare(left, new PanelTwin(shape).code(plain))).toBe(0);
      expectBothWays(plain, shape, true);
      // As leavings, too, these bytes are of something.
      for (const bytes of [left.subarray(0, 2000), plain.subarray(0, 2000)]) {
        expect(differenceOf(foreseen(bytes, shape), foreseenByTwin(bytes, shape))).toBeUndefined();
      }
    }
  });
});

test("random stretches of random kinds come back", () => expectRandomSounds(60, PANEL, true));

test("the panel leaves less than the predictor before the model", () => {
  const shape: Sound = { ...PANEL, channels: 1, width: 2, isBig: false, isUnsigned: false };
  const plain = soundOf(6000, shape);
  const sizeOf = (numbers: Sound) =>
    panelled(plain, numbers).reduce((sum, byte, i) => sum + byte * (i % 2 === 0 ? 256 : 1), 0);
  const { isByPanel: _, ...alone } = shape;
  expect(sizeOf(shape)).toBeLessThan(sizeOf(alone));
});
