/**
 * SwiftShader, a GPU in software, out of the npm package @sparticuz/chromium, where it lies as a compressed tar. It
 * needs no root: the Vulkan loader comes with it.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { brotliDecompressSync } from "node:zlib";

const BLOCK = 512;
const WANTED = ["libvk_swiftshader.so", "libvulkan.so.1", "vk_swiftshader_icd.json"];

interface SwiftShader {
  readonly folder: string;
  /** The Vulkan loader of the package, for systems that have none. */
  readonly loader: string;
  /** The driver's manifest, for VK_ICD_FILENAMES. */
  readonly manifest: string;
}

/** Unpacks it once, into node_modules/.cache; undefined where the package has none for this system. */
export function unpackSwiftShader(): SwiftShader | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return undefined;
  const { bin, version } = chromiumPackage();
  const folder = join(CACHE, `swiftshader-${version}`);
  if (!existsSync(folder)) {
    makeFolder(folder, (unfinished) => {
      for (const { name, bytes } of tarEntries(brotliDecompressSync(readFileSync(join(bin, "swiftshader.tar.br"))))) {
        if (WANTED.includes(name)) writeFileSync(join(unfinished, name), bytes, { mode: 0o755 });
      }
    });
  }
  return {
    folder,
    loader: join(folder, "libvulkan.so.1"),
    manifest: join(folder, "vk_swiftshader_icd.json"),
  };
}

/** Where unpacked programs are kept between runs. */
export const CACHE = join(import.meta.dir, "..", "..", "node_modules", ".cache", "fade");

/** The folder of the package's compressed files, and its version. */
export function chromiumPackage(): { readonly bin: string; readonly version: string } {
  const entry = Bun.resolveSync("@sparticuz/chromium", import.meta.dir);
  const packageJson = entry.replace(/(chromium\/).*$/, "$1package.json");
  const { version } = JSON.parse(readFileSync(packageJson, "utf8")) as { version: string };
  return { bin: join(dirname(packageJson), "bin"), version };
}

/** The folder appears complete or not at all; of several processes that make it at once, the first wins. */
export function makeFolder(folder: string, fill: (unfinished: string) => void): void {
  mkdirSync(dirname(folder), { recursive: true });
  const unfinished = mkdtempSync(`${folder}.`);
  try {
    fill(unfinished);
    renameSync(unfinished, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** The plain files of a ustar archive. */
export function* tarEntries(tar: Uint8Array): Generator<{ name: string; bytes: Uint8Array }> {
  const text = (start: number, length: number) =>
    new TextDecoder().decode(tar.subarray(start, start + length)).replace(/\0.*$/s, "");
  for (let at = 0; at + BLOCK <= tar.length && tar[at] !== 0; ) {
    const size = Number.parseInt(text(at + 124, 12), 8);
    yield { name: text(at, 100).replace(/^\.\//, ""), bytes: tar.subarray(at + BLOCK, at + BLOCK + size) };
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
}
