/**
 * Times of files as precise as the runtime takes them. utimes() wants seconds as a double, which today is good to a
 * quarter of a microsecond, and cuts off what is below a nanosecond. Where that is not exact it must not be earlier:
 * make and `[ -nt ]` would take an archive that is older than its source for stale.
 */

const NS_PER_SECOND = 1_000_000_000n;

/** What utimes() sets to `ns` nanoseconds since 1970, or to the next moment that it can name. */
export function timeOf(ns: bigint): number | Date {
  // The runtime takes negative seconds for "now"; dates before 1970 it knows.
  if (ns < 0n) return new Date(Number(ns / 1_000_000n));
  let seconds = Number(ns) / 1e9;
  while (nanosecondsOf(seconds) < ns) seconds *= 1 + Number.EPSILON;
  return seconds;
}

/** What the runtime makes of a number of seconds. */
function nanosecondsOf(seconds: number): bigint {
  const whole = Math.floor(seconds);
  return BigInt(whole) * NS_PER_SECOND + BigInt(Math.floor((seconds - whole) * 1e9));
}
