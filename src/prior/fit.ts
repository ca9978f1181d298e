/**
 * A prior for a lane of another shape than those that it was trained for: of more or fewer contexts, or with counters.
 * Built-in priors are trained for the default level, and every level's lanes begin behind them. Contexts are told by
 * their place in the list of plain ones, whose first so many any lane has; so what is known of those that both have
 * goes along, and the rest is as in a new lane. docs/FORMAT.md, "Priors", says the same in words.
 */
import { histories } from "../contract/histories.ts";
import { choicesOf, finalsOf, inputsOf, RUN_CLASSES, setsOf, stretchTable } from "../contract/mixer.ts";
import { initialFinals, initialMaps, initialRunMap, initialWeights } from "../contract/mixer-initial.ts";
import type { LanePrior, TrainedState, TrainedValues } from "../contract/prior.ts";
import { tallyCounts, tallyLayout } from "../contract/tally.ts";

/** What a lane is made of, as far as a prior's values depend on it. */
interface Shape {
  readonly contexts: number;
  readonly counters: number;
}

/** Inputs of a bit that are not contexts': order 0, two of the match, a constant. */
const OTHER_INPUTS = 4;
const MAP_STATES = 256;

/** @throws RangeError for a prior with lessons, whose contexts are those that it was made with */
export function fitPrior(prior: LanePrior, shape: Shape): LanePrior {
  const { contexts, counters } = shape;
  if (prior.contexts === contexts && (prior.counters ?? 0) === counters) return prior;
  if (prior.lessons || prior.counters) throw new RangeError("a prior for its own lanes alone");
  return {
    ...prior,
    ...shape,
    ...(prior.tallies && { tallies: fitTallies(prior.tallies, prior.contexts, contexts) }),
    ...(prior.trained && { trained: fitTrained(prior.trained, prior.contexts, shape) }),
  };
}

/** Tallies of the first contexts; further ones have none. */
export function fitTallies(tallies: Uint8Array, from: number, to: number): Uint8Array {
  const counts = tallyCounts(tallies, from);
  const kept = Array.from({ length: to }, (_, i) => counts[i] ?? 0);
  const all = tallyLayout(counts, 0);
  const some = tallyLayout(kept, 0);
  const buckets = some.sizesAt - some.bucketsAt;
  const sizes = tallies.subarray(all.sizesAt, all.sizesAt + some.marksAt - some.sizesAt);
  const followersOf = (of: Uint8Array) => of.reduce((sum, size) => sum + size + 1, 0);
  const followers = followersOf(sizes);
  const countsAt = all.followersAt + followersOf(tallies.subarray(all.sizesAt, all.marksAt));
  const fitted = new Uint8Array(tallyLayout(kept, followers).end);
  const view = new DataView(fitted.buffer);
  kept.forEach((count, i) => void view.setUint32(4 * i, count, true));
  let at = some.bucketsAt;
  const put = (start: number, length: number) => {
    fitted.set(tallies.subarray(start, start + length), at);
    at += length;
  };
  put(all.bucketsAt, buckets);
  put(all.sizesAt, sizes.length);
  put(all.marksAt, 2 * sizes.length);
  put(all.followersAt, followers);
  put(countsAt, (followers + 1) >> 1);
  if (followers & 1) fitted[at - 1] = (fitted[at - 1] as number) & 15;
  return fitted;
}

function fitTrained(trained: TrainedState, from: number, shape: Shape): TrainedState {
  const { contexts } = shape;
  const { maps, runMap, weights, finals } = trained;
  return {
    ...trained,
    maps: { values: longer(initialMaps(contexts, histories(), stretchTable()).cells, maps.values, MAP_STATES * from) },
    runMap: { values: longer(initialRunMap(contexts), runMap.values, RUN_CLASSES * from) },
    weights: { values: fitWeights(weights.values, from, shape) },
    finals: { values: fitFinals(finals.values, shape) },
  };
}

/** The first values of a new lane are those of the prior, as many as there are room for. */
function longer<T extends TrainedValues>(initial: T, values: TrainedValues, count: number): T {
  initial.set(values.subarray(0, Math.min(count, initial.length)));
  return initial;
}

/**
 * The rows of the sets that a lane without counters has; those that counters bring along stay as in a new lane, and so
 * do weights of inputs that training did not know.
 */
function fitWeights(values: TrainedValues, from: number, { contexts, counters }: Shape): Int16Array {
  const fitted = initialWeights(contexts, counters);
  const [had, has] = [inputsOf(from), inputsOf(contexts, counters)];
  const shared = 2 * Math.min(from, contexts);
  for (let row = 0; row < choicesOf(setsOf(0)); row++) {
    const old = values.subarray(row * had, (row + 1) * had);
    fitted.set(old.subarray(0, shared), row * has);
    fitted.set(old.subarray(2 * from, 2 * from + OTHER_INPUTS), row * has + 2 * contexts);
  }
  return fitted;
}

/** The same of the second layer, where the sets of counters take their share of each choice. */
function fitFinals(values: TrainedValues, { counters }: Shape): Int32Array {
  const fitted = initialFinals(counters);
  const [had, has] = [setsOf(0).length, setsOf(counters).length];
  for (let row = 0; row < choicesOf(finalsOf(0)); row++) {
    for (let set = 0; set < had; set++) {
      fitted[row * has + set] = Math.floor(((values[row * had + set] as number) * had) / has);
    }
  }
  return fitted;
}
