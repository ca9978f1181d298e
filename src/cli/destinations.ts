/** Where a result goes: the name of the output, made from the input's name and the options that move it elsewhere. */
import { basename, join, normalize } from "node:path";
import { FileError } from "./errors.ts";
import { compressedName, decompressedName } from "./names.ts";
import type { Settings, Shard } from "./settings.ts";

/** @throws FileError for names that do not tell */
export function outputName({ action, output, outputDirectory, shard }: Settings, inputName: string): string {
  if (output !== undefined) return output;
  const part = shard ? shardSuffix(shard) : "";
  const name = action === "compress" ? compressedName(`${inputName}${part}`) : decompressedName(inputName);
  if (!outputDirectory) return name;
  const { path, mirror } = outputDirectory;
  return join(path, mirror ? mirrored(name) : basename(name));
}

/** ".03-of-12": `cat FILE.*-of-12.fade` joins the parts in their order. */
function shardSuffix({ index, count }: Shard): string {
  return `.${`${index}`.padStart(`${count}`.length, "0")}-of-${count}`;
}

/** The path without its root; it may not climb out of the directory. */
function mirrored(name: string): string {
  if (name.split("/").includes("..")) {
    throw new FileError("has .. in its path, which cannot be mirrored", "use --output-dir-flat, or change directory");
  }
  return normalize(name).replace(/^\/+/, "");
}
