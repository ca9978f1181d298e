/**
 * What the fused kernels do beside products of matrices: they walk over the values of each stream, several invocations
 * to a stream. Here stands how long each walk is, as forward.wgsl, forward_shared.wgsl and the same of backward have
 * it; a test counts the walks there, so that none is added without being counted.
 */
import { type HyperParameters, widthOf } from "../contract/hyper.ts";
import { gateCount, NORM_NAMES, normWidth } from "../contract/network.ts";
import type { TileSize } from "../engine/gpu/fused-plan.ts";

/** A walk over values of a stream that its invocations deal among themselves. */
interface Walk {
  readonly values: number;
  /** Iterations for each value, one after the other. */
  readonly each: number;
  /** Words loaded and stored in an iteration. */
  readonly words: number;
}

const walk = (values: number, words: number, each = 1): Walk => ({ values, words, each });

/** By function of the kernel; a word behind it tells calls apart. */
type Walks = Readonly<Record<string, Walk>>;

export function forwardWalks(hyper: HyperParameters): Walks {
  const { history: T, embedding: D, globalHidden: G, cacheStep: S, coarseHidden: C, fineHidden: F } = hyper;
  const H = widthOf(hyper);
  return {
    embed: walk(T, 2, D),
    convolve: walk(H, 10),
    fill_cache: walk(S, 4),
    quantise_cache: walk(G / 4, 5),
    mix_streams: walk(H, 10),
    quantise: walk((2 * C) / 4, 5),
    multiply_memory: walk(C / 4, 6, C / 4),
    end_coarse: walk(H, 8),
    fill_hidden: walk(F / 4, 3, 4),
    end_fine: walk(H / 4, 4, 4),
    add_tables: walk(256, 2, hyper.tables + 1),
    add_boosts: walk(hyper.contexts, 8),
    frequencies: walk(256, 2, 4),
  };
}

export function backwardWalks(hyper: HyperParameters): Walks {
  const { history: T, embedding: D, cacheStep: S, coarseHidden: C, fineHidden: F } = hyper;
  const H = widthOf(hyper);
  return {
    differ: walk(256, 5),
    sum_effects: walk(256, 2, hyper.tables),
    through_gates: walk(gateCount(hyper), 4),
    begin_fine: walk(H, 6),
    "quantise fine": walk(H, 2),
    through_geglu: walk(F, 6),
    sum_fine: walk(H, 3),
    begin_coarse: walk(H, 10),
    "quantise memory": walk(2 * C, 2),
    through_memory: walk(C / 4, 3, C),
    sum_coarse: walk(H, 4),
    unmix: walk(H, 13),
    "through_geglu newest": walk(S, 6),
    begin_input: walk(H, 4),
    "begin_input taps": walk(D, 9, T),
    scatter: walk(T, 3, D),
  };
}

/** Invocations of a stream; no fewer than one. */
const shareOf = ({ streams, lanes }: TileSize) => Math.max(1, lanes / streams);

interface WalkCount {
  readonly iterations: number;
  readonly words: number;
}

const NO_WALK: WalkCount = { iterations: 0, words: 0 };
const sum = (a: WalkCount, b: WalkCount): WalkCount => ({
  iterations: a.iterations + b.iterations,
  words: a.words + b.words,
});

/** Iterations of one invocation, and words of all streams. */
export function walkCount(walks: Walks, { streams }: HyperParameters, tile: TileSize): WalkCount {
  return Object.values(walks)
    .map(({ values, each, words }) => ({
      iterations: Math.ceil(values / shareOf(tile)) * each,
      words: streams * values * each * words,
    }))
    .reduce(sum, NO_WALK);
}

/** The same for the norms: each goes over its rows three times on the way there, and twice on the way back. */
export function normCount(kernel: "forward" | "backward", hyper: HyperParameters, tile: TileSize): WalkCount {
  const H = widthOf(hyper);
  return NORM_NAMES.map((name) => {
    const width = normWidth(hyper, name);
    const rows = (tile.streams * H) / width;
    const together = Math.min(tile.lanes, rows);
    const share = tile.lanes / together;
    const along = (rows / together) * Math.ceil(width / share);
    if (kernel === "forward") return { iterations: 3 * along, words: 7 * hyper.streams * H };
    const across = Math.min(width, tile.lanes);
    const down = (width / across) * Math.ceil(rows / (tile.lanes / across));
    return { iterations: along + down, words: 10 * hyper.streams * H };
  }).reduce(sum, NO_WALK);
}
