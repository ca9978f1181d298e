/** Tar, and fade or zstd behind it: the programs that the GitHub Action starts, each with arguments and no shell. */
import { spawn, spawnSync } from "node:child_process";
import { closeSync, copyFileSync, createWriteStream, existsSync, openSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { InputError } from "./inputs.mjs";

const SUFFIXES = { fade: ".fade", zstd: ".zst", tar: "" };

/** Windows finds only .exe by itself; npm's starters are .cmd, which needs a shell, and is not used. */
function works(program) {
  const { status, stdout } = spawnSync(program, ["--version"], { encoding: "utf8" });
  return status === 0 && /fade|zstd|zstandard/i.test(stdout);
}

function findFade({ fade, localFade }) {
  if (fade) return works(fade) ? fade : undefined;
  return ["fade", localFade].find((each) => (each === "fade" || existsSync(each)) && works(each));
}

/** @returns what packs: fade, or what stands in for it, which is said */
export function chooseCompressor(inputs, say) {
  const program = findFade(inputs);
  if (program) return { name: "fade", program, suffix: SUFFIXES.fade };
  const wanted = inputs.fade || "fade";
  if (inputs.fallback === "none") throw new InputError(`${wanted} does not run here: install it, or set fallback`);
  const name = inputs.fallback === "zstd" && works("zstd") ? "zstd" : "tar";
  say("warning", `${wanted} does not run here: ${name === "tar" ? "plain tar" : name} is taken instead`);
  return { name, program: name, suffix: SUFFIXES[name] };
}

/** Starts a program between streams or files. @returns its process, and a promise that rejects unless it ends well */
function start(program, words, stdio, cwd) {
  const child = spawn(program, words, { stdio: [...stdio, "pipe"], cwd });
  let said = "";
  child.stderr.on("data", (chunk) => {
    said = `${said}${chunk}`.slice(-2000);
  });
  const ended = new Promise((resolve, reject) => {
    child.on("error", (error) => reject(new Error(`${program} does not start: ${error.message}`)));
    child.on("close", (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`${program} ended with ${signal ?? code}: ${said.trim()}`));
    });
  });
  return { child, ended };
}

function packWords({ level, prior }, compressor, base) {
  if (compressor.name === "zstd") return ["-q", "-10", "-T0", "-c"];
  return ["-q", `-${level}`, ...(base ? ["--patch-from", base] : prior ? ["-D", prior] : []), "-c"];
}

/** @returns {Promise<number>} the tar's bytes */
export async function packTar(inputs, compressor, names, archive, base) {
  let plainBytes = 0;
  const count = new Transform({
    transform(chunk, _encoding, done) {
      plainBytes += chunk.length;
      done(null, chunk);
    },
  });
  // Names end in NUL, and folders stand for themselves: what is in them is in the list, too.
  const words = ["-cf", "-", "--no-recursion", "--null", "-T", "-"];
  const tar = start("tar", words, ["pipe", "pipe"], inputs.root);
  const packer =
    compressor.name === "tar"
      ? undefined
      : start(compressor.program, packWords(inputs, compressor, base), ["pipe", "pipe"]);
  const packed = createWriteStream(archive);
  try {
    await Promise.all([
      tar.ended,
      packer?.ended,
      pipeline(Readable.from(names.map((name) => `${name}\0`)), tar.child.stdin),
      pipeline(tar.child.stdout, count, packer?.child.stdin ?? packed),
      packer && pipeline(packer.child.stdout, packed),
    ]);
  } catch (error) {
    for (const child of [tar.child, packer?.child]) child?.kill();
    rmSync(archive, { force: true });
    throw error;
  }
  return plainBytes;
}

function restoreWords(inputs, facts, base) {
  const limit = inputs.maxOutput ? ["--max-output", inputs.maxOutput] : [];
  if (facts.hasPrior && !base && !inputs.prior) throw new InputError("the archive begins with a prior: name it");
  return ["-q", "-dc", ...limit, ...(base ? ["--patch-from", base] : facts.hasPrior ? ["-D", inputs.prior] : [])];
}

/** Writes the tar of an entry. @returns {Promise<string>} what unpacked it */
export async function restoreTar(inputs, facts, folder, tar, base) {
  const archive = join(folder, facts.archive);
  const name = Object.keys(SUFFIXES).find((each) => facts.archive === `files.tar${SUFFIXES[each]}`);
  const fade = name === "fade" ? findFade(inputs) : undefined;
  if (name === "fade" && !fade)
    throw new InputError(`${inputs.fade || "fade"} does not run here, and made the archive`);
  if (name === "tar") copyFileSync(archive, tar);
  else {
    const words = name === "fade" ? restoreWords(inputs, facts, base) : ["-q", "-dc"];
    const [from, to] = [openSync(archive, "r"), openSync(tar, "w")];
    try {
      await start(fade ?? "zstd", words, [from, to]).ended;
    } finally {
      for (const file of [from, to]) closeSync(file);
    }
  }
  if (statSync(tar).size !== facts.plainBytes) throw new Error("the tar has not the length that it had");
  return name;
}

/** Without -P: tar itself refuses or strips what would lead out of the root. */
export async function unpackTar(root, tar) {
  await start("tar", ["-xf", tar], ["ignore", "ignore"], root).ended;
}
