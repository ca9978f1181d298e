/** A few of the damaged priors that scripts/fuzz-priors.ts tries. */
import { expect, test } from "bun:test";
import { fuzzPriors } from "../support/fuzz-priors.ts";

test("damaged priors are refused, or give a state that both engines have alike", () => {
  const { refused, accepted } = fuzzPriors(150, 1);
  expect(refused).toBeGreaterThan(50);
  expect(accepted).toBeGreaterThan(3);
});
