/**
 * Damaged files of priors, many more than the tests try:
 *
 *     bun scripts/fuzz-priors.ts [--inputs N] [--seed N]
 *
 * Ends with an error, and the number of the file, if one is neither refused nor gives the same state in both engines.
 */
import { buildAssembly } from "../src/engine/cpu/assembly/build.ts";
import { optionsOf } from "./shared.ts";

await buildAssembly();
const { fuzzPriors } = await import("../test/support/fuzz-priors.ts");

const values = optionsOf({ inputs: 50000, seed: 20261127 });
const [inputs, seed] = [values.inputs, values.seed];
const startedMs = performance.now();
const { refused, accepted } = fuzzPriors(inputs, seed);
const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
console.log(`${inputs} damaged priors from seed ${seed}: ${refused} refused, ${accepted} accepted, ${seconds} s`);
