/** Samples that priors are not trained on: they have something in common with files that priors are judged by. */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Sample } from "./samples.ts";

const PATH = join(import.meta.dir, "left-out.txt");
export const ID_DIGITS = 12;

/** Names a sample by what it is. */
export function sampleId({ bytes }: Sample): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, ID_DIGITS);
}

export function readLeftOut(): ReadonlySet<string> {
  const lines = readFileSync(PATH, "utf8").split("\n");
  return new Set(lines.filter((line) => line !== "").map((line) => line.slice(0, ID_DIGITS)));
}

export function writeLeftOut(samples: readonly Sample[]): void {
  const lines = new Set(samples.map((sample) => `${sampleId(sample)} ${sample.name}\n`));
  writeFileSync(PATH, [...lines].sort().join(""));
}
