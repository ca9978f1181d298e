/**
 * Outputs that would replace an input of the same run: with `-f --rm f f.fade` the archive of f would take the name of
 * f.fade before anybody read that, and both files would be gone. Files are compared by path, for those that are not
 * there yet, and by device and inode, because links give one file several paths.
 */
import { resolve } from "node:path";
import { outputName } from "./destinations.ts";
import { FileError } from "./errors.ts";
import { keysOf } from "./file-keys.ts";
import type { Operand } from "./normalise.ts";
import type { Session } from "./session.ts";

export class InputCollisionError extends FileError {
  constructor(name: string) {
    super("is an input of this run, too, and would be overwritten", "name one of them, or use --output-dir-flat", name);
    this.name = "InputCollisionError";
  }
}

/** The outputs that are inputs, too, as shown to people, by their paths. Looks at names only, and changes nothing. */
export function outputsAmongInputs({ settings, io }: Session, inputs: readonly Operand[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  if (settings.action === "test" || settings.toStdout) return found;
  const files = inputs.filter(({ isStandardInput, name }) => !isStandardInput && name !== "");
  // A single input is compared with its output when its turn comes, in other words.
  if (files.length < 2) return found;
  const owners = new Map<string, string>();
  for (const { name } of files) for (const key of keysOf(resolve(io.cwd, name))) owners.set(key, name);
  for (const { name } of files) {
    const output = outputOf(() => outputName(settings, name));
    if (output === undefined) continue;
    const path = resolve(io.cwd, output);
    const isTaken = (key: string) => owners.has(key) && owners.get(key) !== name;
    if (keysOf(path).some(isTaken)) found.set(path, output);
  }
  return found;
}

/** A name that tells no output is complained about when its turn comes. */
function outputOf(name: () => string): string | undefined {
  try {
    return name();
  } catch (error) {
    if (error instanceof FileError) return undefined;
    throw error;
  }
}
