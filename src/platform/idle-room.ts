/**
 * How much memory lanes may take that wait for the next file. What a run may take is known where blocks are planned,
 * which has nothing of any engine: so it stands by itself.
 */

/** Seven lanes of small files behind built-in priors, with copies. With 96 MiB a mixed folder takes a sixth longer. */
const IDLE_BYTES_MAX = 128 * 2 ** 20;

let bytesMax = IDLE_BYTES_MAX;

/** From now on, beside lanes that are at work. @param spareBytes what the files' own work leaves */
export function keepLanesWithin(spareBytes: number): void {
  bytesMax = Math.max(0, Math.min(IDLE_BYTES_MAX, spareBytes));
}

export const idleBytesMax = () => bytesMax;
