/** Reads operands: files by name, or standard input. This version holds a whole input in memory. */
import type { Stats } from "node:fs";
import * as fs from "node:fs/promises";
import { resolve } from "node:path";
import { FileError } from "./errors.ts";
import type { Io } from "./io.ts";
import type { Operand } from "./normalise.ts";

/** Blocks that bound the memory come with a later version; until then this much, and as much again for the result. */
export const INPUT_BYTES_MAX = 2 ** 31 - 1;

export interface Input {
  readonly operand: Operand;
  /** As shown to people. */
  readonly name: string;
  /** undefined for standard input. */
  readonly stats?: Stats;
}

export const STANDARD_INPUT: Operand = { name: "-", isStandardInput: true };

export function displayName(operand: Operand): string {
  return operand.isStandardInput ? "standard input" : operand.name;
}

/** Looks at an input without reading it. @throws FileError, system errors */
export async function findInput(io: Io, operand: Operand): Promise<Input> {
  const name = displayName(operand);
  if (operand.isStandardInput) return { operand, name };
  const stats = await fs.stat(resolve(io.cwd, operand.name));
  if (stats.isDirectory()) throw new FileError("is a directory", "pipe it: tar c DIR | fade > DIR.tar.fade");
  if (stats.size > INPUT_BYTES_MAX) throw tooLarge();
  return { operand, name, stats };
}

/** @throws FileError, system errors */
export async function readInput(io: Io, { operand }: Input): Promise<Uint8Array> {
  const bytes = operand.isStandardInput
    ? await io.stdin.readAll()
    : new Uint8Array(await fs.readFile(resolve(io.cwd, operand.name)));
  if (bytes.length > INPUT_BYTES_MAX) throw tooLarge();
  return bytes;
}

function tooLarge(): FileError {
  return new FileError("is larger than the 2 GiB that this version of fade can hold", "split it and join the archives");
}
