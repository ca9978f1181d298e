/** Which files the GitHub Action's `path` means: names, folders with all in them, and patterns; `!` leaves out. */
import { lstatSync, readdirSync } from "node:fs";
import { join, matchesGlob, relative, sep } from "node:path";

const isPattern = (path) => /[*?[\]{}]/.test(path);
const tidy = (path) =>
  path
    .replaceAll("\\", "/")
    .replace(/^(\.\/)+/, "")
    .replace(/\/+$/, "") || ".";

/** Everything below a folder, itself too, by names relative to the root. Links are not followed. */
function walk(root, name) {
  const stats = lstatSync(join(root, name), { throwIfNoEntry: false });
  if (!stats) return [];
  if (!stats.isDirectory()) return [name];
  const below = readdirSync(join(root, name)).flatMap((each) => walk(root, name === "." ? each : `${name}/${each}`));
  return name === "." ? below : [name, ...below];
}

function matches(root, pattern) {
  if (!isPattern(pattern)) return walk(root, pattern);
  const parts = pattern.split("/");
  const fixed = parts.slice(0, parts.findIndex(isPattern)).join("/") || ".";
  return walk(root, fixed)
    .filter((name) => matchesGlob(name, pattern))
    .flatMap((name) => walk(root, name));
}

/**
 * @param {string} root
 * @param {readonly string[]} paths @param {string} entry the folder that the archive goes to, which is left out
 * @returns {string[]} names relative to the root, sorted: equal files make equal archives
 */
export function listPaths(root, paths, entry) {
  const chosen = new Set();
  const own = relative(root, entry).split(sep).join("/");
  const excluded = paths.filter((path) => path.startsWith("!")).map((path) => tidy(path.slice(1)));
  const isOut = (name) =>
    name === own ||
    name.startsWith(`${own}/`) ||
    excluded.some((each) => name === each || name.startsWith(`${each}/`) || matchesGlob(name, each));
  for (const path of paths) {
    if (!path.startsWith("!")) for (const name of matches(root, tidy(path))) chosen.add(name);
  }
  return [...chosen].filter((name) => !isOut(name)).sort();
}
