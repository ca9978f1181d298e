/** The priors that every program of this format version has, by their numbers. */
import type { Prior } from "./file.ts";

/** @returns undefined if this program knows no such prior */
export function builtInPrior(_number: number): Prior | undefined {
  return undefined;
}
