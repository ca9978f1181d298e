/**
 * Finds the rows and frames of a grid of numbers: distances at which numbers are nearer to each other than at those
 * beside them. First some numbers at all distances, then more of them at the few that stand out.
 */

/** Numbers that are compared at every distance, and at those that stand out. */
const COMPARED = 256;
const COMPARED_WELL = 4096;
/** Rows have so many tuples, at least. */
const TUPLES_MIN = 8;
const FRAME_TUPLES_MIN = 32;
/** By so many bits differences may be larger at a part of the distance at which they are smallest. */
const AS_NEAR_BITS = 0.15;
/** Distances that are compared well, and rows that are proposed. */
const STANDING_OUT = 24;
const PROPOSED = 2;
/** Distances that are looked at, at most. */
const DISTANCES_MAX = 2 ** 14;

interface Distances {
  readonly rows: readonly number[];
  readonly frames: readonly { readonly frame: number; readonly rows: readonly number[] }[];
}

/** @param rowMax numbers of a row, at most; frames may be longer */
export function distancesOf(numbers: Int32Array, columns: number, rowMax: number): Distances {
  const reach = Math.min(DISTANCES_MAX, Math.floor(numbers.length / (3 * columns)));
  if (reach < 2 * TUPLES_MIN) return { rows: [], frames: [] };
  const sizes = new Float64Array(reach + 2);
  for (let tuples = 1; tuples <= reach + 1; tuples += 1) {
    sizes[tuples] = sizeAt(numbers, tuples * columns, (reach + 1) * columns, COMPARED);
  }
  const standing = best(reach, STANDING_OUT, (tuples) => risesBy(sizes, tuples));
  const depths = new Map(standing.map((tuples) => [tuples, depthAt(numbers, tuples, columns)]));
  const depthOf = (tuples: number) => {
    const depth = depths.get(tuples) ?? depthAt(numbers, tuples, columns);
    depths.set(tuples, depth);
    return depth;
  };
  const isRow = (tuples: number) => tuples * columns <= rowMax;
  const rows = standing
    .filter(isRow)
    .sort((a, b) => depthOf(b) - depthOf(a))
    .slice(0, PROPOSED);
  const nearest = nearestOf(sizes, reach);
  const frames = [...new Set([...nearest, ...rows])].map((tuples) => ({
    frame: tuples * columns,
    rows: divisorsOf(tuples)
      .filter((row) => isRow(row) && depthOf(row) > 0)
      .sort((a, b) => depthOf(b) - depthOf(a))
      .slice(0, PROPOSED)
      .map((row) => row * columns),
  }));
  return { rows: [...new Set([...rows, ...nearest.filter(isRow)])].map((row) => row * columns), frames };
}

/** Where numbers are nearest to each other: of that and what goes into it, the shortest that is about as near. */
function nearestOf(sizes: Float64Array, reach: number): number[] {
  const [nearest] = best(reach, 1, (tuples) => {
    return tuples < FRAME_TUPLES_MIN ? Number.NEGATIVE_INFINITY : -(sizes[tuples] as number);
  });
  if (nearest === undefined) return [];
  for (let tuples = FRAME_TUPLES_MIN; tuples < nearest; tuples += 1) {
    const isAsNear = (sizes[tuples] as number) < (sizes[nearest] as number) + AS_NEAR_BITS;
    if (nearest % tuples === 0 && isAsNear) return [tuples];
  }
  return [nearest];
}

/** Mean bits of differences. */
function sizeAt(numbers: Int32Array, distance: number, first: number, count: number): number {
  const step = (numbers.length - first) / count;
  let sum = 0;
  for (let i = 0; i < count; i += 1) {
    const at = first + Math.floor(i * step);
    const difference = Math.abs((numbers[at] as number) - (numbers[at - distance] as number));
    // Bits, and a fraction of the next one.
    const bits = 32 - Math.clz32(difference);
    sum += bits + difference / 2 ** bits;
  }
  return sum / count;
}

/** By how much the sizes at a distance are smaller than those on both sides. */
function risesBy(sizes: Float64Array, tuples: number): number {
  const here = sizes[tuples] as number;
  return Math.min((sizes[tuples - 1] as number) - here, (sizes[tuples + 1] as number) - here);
}

function depthAt(numbers: Int32Array, tuples: number, columns: number): number {
  const first = (tuples + 1) * columns;
  const [before, here, behind] = [tuples - 1, tuples, tuples + 1].map((distance) =>
    sizeAt(numbers, distance * columns, first, COMPARED_WELL),
  ) as [number, number, number];
  return Math.min(before, behind) - here;
}

/** The distances with the highest finite measure, of those from TUPLES_MIN on. */
function best(reach: number, count: number, measure: (tuples: number) => number): number[] {
  const top: { tuples: number; value: number }[] = [];
  for (let tuples = TUPLES_MIN; tuples <= reach; tuples += 1) {
    const value = measure(tuples);
    const least = top.length < count ? Number.NEGATIVE_INFINITY : (top[count - 1]?.value ?? 0);
    if (value <= least) continue;
    top.push({ tuples, value });
    top.sort((a, b) => b.value - a.value);
    top.length = Math.min(top.length, count);
  }
  return top.map(({ tuples }) => tuples);
}

/** Numbers of tuples that go into a frame four times or more. */
function divisorsOf(tuples: number): number[] {
  const divisors: number[] = [];
  for (let d = TUPLES_MIN; d <= tuples / 4; d += 1) if (tuples % d === 0) divisors.push(d);
  return divisors;
}
