/** Where a result goes: the name of the output, made from the input's name and the options that move it elsewhere. */
import { basename, join, normalize } from "node:path";
import { FileError } from "./errors.ts";
import { compressedName, decompressedName } from "./names.ts";
import type { Settings } from "./settings.ts";

/** @throws FileError for names that do not tell */
export function outputName({ action, output, outputDirectory }: Settings, inputName: string): string {
  if (output !== undefined) return output;
  const name = action === "compress" ? compressedName(inputName) : decompressedName(inputName);
  if (!outputDirectory) return name;
  const { path, mirror } = outputDirectory;
  return join(path, mirror ? mirrored(name) : basename(name));
}

/** The path without its root; it may not climb out of the directory. */
function mirrored(name: string): string {
  if (name.split("/").includes("..")) {
    throw new FileError("has .. in its path, which cannot be mirrored", "use --output-dir-flat, or change directory");
  }
  return normalize(name).replace(/^\/+/, "");
}
