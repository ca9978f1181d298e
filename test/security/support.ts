/**
 * The built executable as another user of the machine meets it. Tests that need a second user, or to hide a file of the
 * system, become so for real (setpriv and unshare of util-linux); where they are not started as root they cannot, and
 * say so on standard error instead of passing for it.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { inDirectory } from "../faults/support.ts";
import { unpackSwiftShader } from "../setup/swiftshader.ts";
import { executable } from "../support/executable.ts";

const HANG_MS = 60_000;
/** Nobody, on every system; not root, and not whoever runs the tests. */
export const OTHER_UID = 65534;

interface Ran {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

type Environment = Readonly<Record<string, string>>;

/** Names of these groups of tests where root runs them, and none where not: for describe.each. */
export function withRoot(name: string): string[] {
  if (process.geteuid?.() === 0) return [name];
  process.stderr.write(`not root: no tests of ${name}, which need a second user or a mount namespace\n`);
  return [];
}

/** A GPU in software, so that there is something to load; no other variable of the tests' own environment. */
export function gpuEnvironment(): Environment {
  const swiftShader = unpackSwiftShader();
  if (!swiftShader) return {};
  return { VK_ICD_FILENAMES: swiftShader.manifest, LD_LIBRARY_PATH: swiftShader.folder };
}

/** Runs a program with exactly this environment, and PATH. What hangs is killed and shows as SIGKILL. */
export function runProgram(command: readonly string[], cwd: string, environment: Environment): Ran {
  const [program = "", ...argv] = command;
  const ran = spawnSync(program, argv, {
    cwd,
    env: { PATH: process.env.PATH ?? "/usr/bin:/bin", ...environment },
    encoding: "utf8",
    timeout: HANG_MS,
    killSignal: "SIGKILL",
    stdio: ["ignore", "pipe", "pipe"],
  });
  return { status: ran.status, signal: ran.signal, stdout: ran.stdout, stderr: ran.stderr };
}

/** The words in front of a command that make it another user's. */
export const AS_OTHER = ["setpriv", `--reuid=${OTHER_UID}`, `--regid=${OTHER_UID}`, "--clear-groups"];

/** A folder on the way to which nobody is stopped, with folders of these modes in it; removed at the end. */
export async function inFolders(
  modes: Readonly<Record<string, number>>,
  work: (folder: string) => Promise<void> | void,
): Promise<void> {
  await inDirectory(async (folder) => {
    chmodSync(folder, 0o755);
    for (const [name, mode] of Object.entries(modes)) {
      mkdirSync(join(folder, name));
      chmodSync(join(folder, name), mode);
    }
    await work(folder);
  });
}

/** A copy that every user can run; the original may lie below a home folder. */
export function copyOfFade(folder: string): string {
  const path = join(folder, "fade");
  copyFileSync(executable(), path);
  chmodSync(path, 0o755);
  return path;
}
