/**
 * What `fade`, `unfade` and `fadecat` of the npm package are: Node finds this machine's program among the packages that
 * npm has installed, one for each platform, and starts it. Signals go on to it, and it ends as the program ends.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";

const PREFIX = "fade-compressor";
const EXIT_ENGINE = 4;
/** Sent to this process alone; the terminal's go to both, and the program knows what to do. */
const SIGNALS = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1"];

/** Packages that may have the program, the best first. */
function candidates(platform, arch, isMusl) {
  const system = platform === "win32" ? "windows" : platform;
  if (platform === "linux" && arch === "x64") {
    const names = [`${PREFIX}-linux-x64`, `${PREFIX}-linux-x64-musl`];
    return isMusl ? names.reverse() : names;
  }
  // Windows and macOS run programs for x64 on arm64, too; macOS asks its user before.
  return [`${PREFIX}-${system}-${arch}`, ...(platform === "win32" ? [`${PREFIX}-windows-x64`] : [])];
}

function isMusl() {
  return process.platform === "linux" && ["x86_64", "aarch64"].some((arch) => existsSync(`/lib/ld-musl-${arch}.so.1`));
}

function findProgram() {
  const { resolve } = createRequire(import.meta.url);
  const names = candidates(process.platform, process.arch, isMusl());
  for (const name of names) {
    try {
      return resolve(`${name}/bin/fade${process.platform === "win32" ? ".exe" : ""}`);
    } catch {
      // The next one, then.
    }
  }
  process.stderr.write(`fade: the package ${names[0]} with the program for this machine is not installed\n`);
  process.stderr.write(
    "fade: hint: install without --omit=optional; where there is no such package, import the library\n",
  );
  process.exit(EXIT_ENGINE);
}

/** Runs the program by a name that it may be called, and ends as it does. */
export function run(name) {
  const child = spawn(findProgram(), process.argv.slice(2), { stdio: "inherit", argv0: name });
  for (const signal of process.platform === "win32" ? [] : SIGNALS) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    process.stderr.write(`fade: the program could not be started: ${error.message}\n`);
    process.exit(EXIT_ENGINE);
  });
  child.on("exit", (code, signal) => {
    if (code !== null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    // Where the signal is ignored: the code that a shell would give.
    setTimeout(() => process.exit(128 + (constants.signals[signal] ?? 0)), 100);
  });
}
