/**
 * The steps of the GitHub Action (action.yml) that are programs: `node main.mjs plan|pack|look|unpack`.
 *
 * They share a folder below RUNNER_TEMP: plan.json holds the checked inputs, entry/ is what the cache or the artifact
 * keeps (an archive and facts.json, which says how it was made), own/ and base/ are entries put aside. A cache's
 * entries have the path as part of their identity, so all are restored to entry/ and moved.
 *
 * Plain Node without packages: an action is run as it is checked out.
 */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chooseCompressor, packTar, restoreTar, unpackTar } from "./archive.mjs";
import { checkedInputs, InputError } from "./inputs.mjs";
import { listPaths } from "./paths.mjs";

/** What a step of an action can say: an error, a warning, or a notice. */
function say(kind, message) {
  const escaped = message.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
  process.stdout.write(`::${kind} title=fade::${escaped}\n`);
}

function output(facts) {
  const lines = Object.entries(facts).map(([name, value]) => {
    if (/[\r\n]/.test(`${value}`)) throw new InputError(`${name} has more than one line`);
    return `${name}=${value}\n`;
  });
  appendFileSync(process.env.GITHUB_OUTPUT, lines.join(""));
}

function summarise(text) {
  if (process.env.GITHUB_STEP_SUMMARY) appendFileSync(process.env.GITHUB_STEP_SUMMARY, `${text}\n\n`);
}

const temp = () => join(process.env.RUNNER_TEMP ?? "", "fade-action");
const inTemp = (...names) => join(temp(), ...names);
const readJson = (path) => JSON.parse(readFileSync(path, "utf8"));
const readPlan = () => readJson(inTemp("plan.json"));

/** An entry as it was written here; a stranger's artifact may say anything. */
function readFacts(folder) {
  const facts = readJson(join(folder, "facts.json"));
  if (facts.version !== 1) throw new InputError("the archive was made by another version of this action");
  if (typeof facts.archive !== "string" || !/^files\.tar(\.fade|\.zst)?$/.test(facts.archive)) {
    throw new InputError("facts.json names no archive of this action");
  }
  return facts;
}

function plan() {
  const inputs = checkedInputs(process.env);
  if (!process.env.RUNNER_TEMP) throw new InputError("RUNNER_TEMP is not set: this runs in a job of GitHub Actions");
  rmSync(temp(), { recursive: true, force: true });
  mkdirSync(temp(), { recursive: true });
  writeFileSync(inTemp("plan.json"), JSON.stringify(inputs));
  const { mode, store, baseKey } = inputs;
  output({ mode, action: `${mode}-${store}`, "base-key": mode === "save" ? baseKey : "" });
}

/** The tar of an entry that stands alone, for a patch. @returns undefined if there is none or it is a patch, too */
async function baseTar(inputs) {
  const folder = inTemp("base");
  if (!existsSync(join(folder, "facts.json"))) return undefined;
  const facts = readFacts(folder);
  if (facts.baseKey) return undefined;
  const tar = inTemp("base.tar");
  await restoreTar(inputs, facts, folder, tar, undefined);
  return tar;
}

async function pack() {
  const inputs = readPlan();
  const entry = inputs.store === "folder" ? join(inputs.root, inputs.key) : inTemp("entry");
  const startedAtMs = performance.now();
  if (existsSync(inTemp("entry"))) renameSync(inTemp("entry"), inTemp("base"));
  const compressor = chooseCompressor(inputs, say);
  const names = listPaths(inputs.root, inputs.paths, entry);
  if (names.length === 0) throw new InputError(`path: nothing below ${inputs.root} is called that`);
  const base = compressor.name === "fade" ? await baseTar(inputs) : undefined;
  if (inputs.baseKey && !base) say("notice", `no base with key ${inputs.baseKey}: the archive stands alone`);
  mkdirSync(entry, { recursive: true });
  const archive = `files.tar${compressor.suffix}`;
  const plainBytes = await packTar(inputs, compressor, names, join(entry, archive), base);
  const archiveBytes = statSync(join(entry, archive)).size;
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
  const hasPrior = inputs.prior !== "" && compressor.name === "fade" && !base;
  const facts = { version: 1, archive, plainBytes, hasPrior };
  writeFileSync(join(entry, "facts.json"), JSON.stringify({ ...facts, ...(base && { baseKey: inputs.baseKey }) }));
  output({ compressor: compressor.name, "plain-bytes": plainBytes, "archive-bytes": archiveBytes, seconds });
  const beside = base ? `, beside ${inputs.baseKey}` : "";
  summarise(
    `\`${inputs.key}\`: ${plainBytes} bytes became ${archiveBytes} by ${compressor.name}${beside}, ${seconds} s`,
  );
}

function look() {
  const { store, root, key } = readPlan();
  if (store === "folder") return;
  const isThere = existsSync(inTemp("entry", "facts.json"));
  if (!isThere && store === "artifact") throw new InputError(`the artifact ${key} holds no archive of this action`);
  if (!isThere) return void say("notice", `there is no cache for ${key} below ${root}`);
  renameSync(inTemp("entry"), inTemp("own"));
  const { baseKey } = readFacts(inTemp("own"));
  // Only caches are patches.
  if (baseKey && store === "cache") output({ "base-key": baseKey });
}

async function unpack() {
  const inputs = readPlan();
  const { store, root, key } = inputs;
  const folder = store === "folder" ? join(root, key) : inTemp("own");
  if (!existsSync(join(folder, "facts.json"))) {
    if (store === "folder") throw new InputError(`${folder} holds no archive of this action`);
    return void output({ hit: false });
  }
  const startedAtMs = performance.now();
  const facts = readFacts(folder);
  if (existsSync(inTemp("entry"))) renameSync(inTemp("entry"), inTemp("base"));
  try {
    const base = facts.baseKey ? await baseTar(inputs) : undefined;
    if (facts.baseKey && !base) throw new InputError(`its base, ${facts.baseKey}, is in the cache no longer`);
    // All of it is checked before the first file is written.
    const tar = inTemp("files.tar");
    const compressor = await restoreTar(inputs, facts, folder, tar, base);
    await unpackTar(root, tar);
    const archiveBytes = statSync(join(folder, facts.archive)).size;
    const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
    const plainBytes = statSync(tar).size;
    output({ hit: true, compressor, "plain-bytes": plainBytes, "archive-bytes": archiveBytes, seconds });
    summarise(`\`${key}\`: ${archiveBytes} bytes became ${plainBytes} again by ${compressor}, ${seconds} s`);
  } catch (error) {
    if (store !== "cache") throw error;
    // A cache that cannot be used is a miss: the job makes its files anew.
    say("warning", `the cache ${key} is not used: ${error.message}`);
    output({ hit: false });
  }
  for (const name of ["files.tar", "base.tar"]) rmSync(inTemp(name), { force: true });
}

const STEPS = { plan, pack, look, unpack };

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  try {
    const step = STEPS[process.argv[2]];
    if (!step) throw new Error(`there is no step ${process.argv[2]}`);
    await step();
  } catch (error) {
    say("error", error.message);
    process.exitCode = 1;
  }
}
