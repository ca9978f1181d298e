/** A property of all values of some kinds: fast-check in one call. It fails with the smallest values that it finds. */
import fc from "fast-check";

type Arbitraries<T> = { [K in keyof T]: fc.Arbitrary<T[K]> };

export function forAll<T extends [unknown, ...unknown[]]>(kinds: [...Arbitraries<T>], check: (...values: T) => void) {
  fc.assert(fc.property<T>(...kinds, check));
}
