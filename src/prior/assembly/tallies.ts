/** Whether tallies are sound. src/contract/tally.ts lays them out, src/engine/mixer/assembly/ looks them up. */

const TALLIES_MAX: u32 = 1 << 18;

/**
 * @param at where they lie, so many bytes
 * @returns whether every part has the length that those before it say
 */
export function areTallies(at: usize, size: u32, contexts: u32): bool {
  if (size < contexts * 4) return false;
  let tallies: u32 = 0;
  let bucket = at + contexts * 4;
  const end = at + size;
  for (let i: u32 = 0; i < contexts; i++) {
    const count = load<u32>(at + (<usize>i << 2));
    if (count == 0) continue;
    if (count > TALLIES_MAX - tallies) return false;
    const digits = count > 1 ? 32 - clz(count - 1) : 0;
    const last = bucket + (<usize>1 << max<u32>(digits, 2) - 2);
    if (last > end) return false;
    let sum: u32 = 0;
    for (; bucket < last; bucket++) sum += load<u8>(bucket);
    if (sum != count) return false;
    tallies += count;
  }
  const marks = bucket + tallies;
  const followers = marks + 2 * tallies;
  if (followers > end) return false;
  let sum: u32 = 0;
  for (; bucket < marks; bucket++) sum += 1 + <u32>load<u8>(bucket);
  return followers + sum + ((sum + 1) >> 1) == end;
}
