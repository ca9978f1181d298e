/** The way back from what predictors leave of numbers: for who restores a block, or whose model saves nothing. */
import type { Stretch } from "../predict/list.ts";
import { transformSlowly } from "../predict/transform.ts";
import { Pacer } from "./pacer.ts";

/** Puts numbers back in place of what predictors left of them. @throws the abort reason */
export async function restoreNumbers(
  bytes: Uint8Array,
  stretches: readonly Stretch[],
  isForeseen: boolean,
  signal?: AbortSignal,
): Promise<void> {
  if (stretches.length === 0) return;
  const pacer = new Pacer(signal);
  for (const _ of transformSlowly(bytes, stretches, true, isForeseen)) await pacer.turn(() => {});
}
