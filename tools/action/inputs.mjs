/** The inputs of the GitHub Action, checked before anything is done: each error names the input and what it may be. */
import { existsSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join, relative, resolve } from "node:path";

/** Something that the workflow's author can mend. */
export class InputError extends Error {}

const CHOICES = {
  mode: ["save", "restore"],
  store: ["cache", "artifact", "folder"],
  fallback: ["zstd", "tar", "none"],
};
const lines = (text) =>
  text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "");

/** @returns {boolean} whether a path leads out of the folder that it is relative to */
const leadsOut = (path) => isAbsolute(path) || /^\.\.([\\/]|$)/.test(path);

function choose(name, value) {
  if (CHOICES[name].includes(value)) return value;
  throw new InputError(`${name} is ${JSON.stringify(value)}, and may be ${CHOICES[name].join(", ")}`);
}

function checkedKey(name, key, store) {
  if (key === "" || key.length > 512 || /[,\r\n]/.test(key)) {
    throw new InputError(`${name}: a key has 1 to 512 characters, no comma and one line`);
  }
  if (store === "artifact" && /["":<>|*?\\/]/.test(key)) {
    throw new InputError(`${name}: an artifact's name has none of " : < > | * ? \\ /`);
  }
  if (store === "folder" && (leadsOut(relative(".", resolve(key))) || resolve(key) === resolve("."))) {
    throw new InputError(`${name}: a folder is kept below the root`);
  }
  return key;
}

/** Paths are relative to the root and stay below it: what is restored must never write elsewhere. */
function checkedPaths(text, mode) {
  const paths = lines(text);
  if (mode === "save" && !paths.some((path) => !path.startsWith("!"))) {
    throw new InputError("path: what is to be saved, one path a line");
  }
  for (const path of paths) {
    const plain = path.replace(/^!/, "");
    if (leadsOut(plain) || /(^|[\\/])\.\.([\\/]|$)/.test(plain) || plain.startsWith("~")) {
      throw new InputError(`path: ${plain} is not below the root; name its folder as root`);
    }
  }
  return paths;
}

function checkedFolder(path, workspace) {
  const folder = resolve(
    workspace,
    path.replace(/^~(?=$|[\\/])/, () => homedir()),
  );
  if (!existsSync(folder) || !statSync(folder).isDirectory()) throw new InputError(`root: there is no folder ${path}`);
  return folder;
}

/** @param {Record<string, string | undefined>} environment FADE_ACTION_… and GITHUB_WORKSPACE. @throws InputError */
export function checkedInputs(environment) {
  const given = (name) => (environment[`FADE_ACTION_${name}`] ?? "").trim();
  const workspace = environment.GITHUB_WORKSPACE ?? process.cwd();
  const mode = choose("mode", given("MODE"));
  const store = choose("store", given("STORE"));
  const level = given("LEVEL");
  if (!/^[1-9]$/.test(level)) throw new InputError(`level is ${JSON.stringify(level)}, and may be 1 to 9`);
  const maxOutput = given("MAX_OUTPUT");
  if (!/^([0-9]+([KMG](i?B)?)?)?$/.test(maxOutput)) {
    throw new InputError(`max-output is ${JSON.stringify(maxOutput)}, and may be a size, as 500M`);
  }
  const baseKey = given("BASE_KEY");
  if (baseKey && store !== "cache") throw new InputError("base-key: only caches have one, because caches end first");
  if (baseKey) checkedKey("base-key", baseKey, store);
  const restoreKeys = lines(given("RESTORE_KEYS"));
  if (restoreKeys.length > 0 && store !== "cache") throw new InputError("restore-keys are for the cache");
  const prior = given("PRIOR") && resolve(workspace, given("PRIOR"));
  if (prior && !existsSync(prior)) throw new InputError(`prior: there is no file ${given("PRIOR")}`);
  const fade = given("FADE");
  return {
    mode,
    store,
    key: checkedKey("key", given("KEY"), store),
    paths: checkedPaths(given("PATH"), mode),
    root: checkedFolder(given("ROOT") || ".", workspace),
    level,
    prior,
    baseKey,
    // A name is looked up; a path is the workspace's.
    fade: /[\\/]/.test(fade) ? resolve(workspace, fade) : fade,
    localFade: join(workspace, "node_modules", ".bin", "fade"),
    fallback: choose("fallback", given("FALLBACK")),
    maxOutput,
  };
}
