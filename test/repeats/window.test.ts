/** The window: the last bytes of all that came, however they came. */
import { expect, test } from "bun:test";
import { Window } from "../../src/repeats/window.ts";
import { Random } from "../support/gpu-values.ts";

test("is the end of what came, in pieces of any length", () => {
  const random = new Random(1);
  for (let trial = 0; trial < 300; trial += 1) {
    const bytesMax = random.between(0, 50);
    const window = new Window(bytesMax);
    let all: number[] = [];
    for (let i = random.between(0, 12); i > 0; i -= 1) {
      const piece = Uint8Array.from({ length: random.between(0, 40) }, () => random.next());
      window.add(piece);
      all = [...all, ...piece];
      piece.fill(0); // it is its owner's again
      const expected = Uint8Array.from(bytesMax === 0 ? [] : all.slice(-bytesMax));
      expect(window.lengthBytes).toBe(expected.length);
      expect(window.bytes).toEqual(expected);
    }
  }
});
