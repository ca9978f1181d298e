/**
 * The priors that every program of this format version has, by their numbers. They are a part of the format: what an
 * archive with such a number means depends on every byte of them. scripts/train-priors.ts makes them, and
 * docs/PRIORS.md says of what.
 */

import executables1 from "../../priors/executables.prior" with { type: "file" };
import executables from "../../priors/executables-2.prior" with { type: "file" };
import logs1 from "../../priors/logs.prior" with { type: "file" };
import logs from "../../priors/logs-2.prior" with { type: "file" };
import markup1 from "../../priors/markup.prior" with { type: "file" };
import markup from "../../priors/markup-2.prior" with { type: "file" };
import prose1 from "../../priors/prose.prior" with { type: "file" };
import prose from "../../priors/prose-2.prior" with { type: "file" };
import source1 from "../../priors/source.prior" with { type: "file" };
import source from "../../priors/source-2.prior" with { type: "file" };
import structured1 from "../../priors/structured.prior" with { type: "file" };
import structured from "../../priors/structured-2.prior" with { type: "file" };
import { host } from "../platform/host.ts";
import { decodePrior, type Prior } from "./file.ts";

/** What files begin with now. */
const PRESENT = [prose, markup, source, structured, logs, executables];
/** Those of fade 0.5.0, which had no tallies yet: for its archives. */
const FORMER = [prose1, markup1, source1, structured1, logs1, executables1];
/** Numbers begin with 1. New priors get new numbers, and none is ever changed. */
const FILES = [...FORMER, ...PRESENT];
export const BUILT_IN_COUNT = FILES.length;
/** Number of the first that is given to new archives. */
export const PRESENT_FIRST = FORMER.length + 1;

const decoded = new Map<number, Prior>();

/** The file of a built-in prior. @throws RangeError for other numbers than 1 … BUILT_IN_COUNT */
function builtInFile(number: number): Uint8Array {
  const path = FILES[number - 1];
  if (path === undefined) throw new RangeError(`there is no built-in prior ${number}`);
  return host.readAsset(path);
}

/** @returns undefined if this program knows no such prior */
export function builtInPrior(number: number): Prior | undefined {
  const known = decoded.get(number);
  if (known || number < 1 || number > BUILT_IN_COUNT) return known;
  const prior = { ...decodePrior(builtInFile(number)), number };
  decoded.set(number, prior);
  return prior;
}
