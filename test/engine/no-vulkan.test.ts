/**
 * A machine without a Vulkan loader: no GPU, perhaps a container or a CI runner. The CPU engine must serve it, and
 * `--engine gpu` must say what is missing. The loader is hidden for real, in a mount namespace of the child's own
 * (unshare of util-linux, as root or with user namespaces).
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MAIN = join(import.meta.dir, "..", "..", "src", "cli", "main.ts");
const HIDE = `for file in $(ldconfig -p | awk '/libvulkan/ { print $NF }'); do
  mount --bind /dev/null "$(readlink -f "$file")"
done
exec "$@"`;

/** What is so repetitive would be cut down to a few bytes that need no engine. */
const UNCUT = ["--repeats", "0"];

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "fade-no-vulkan-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function withoutVulkan(...options: string[]): { stdout: Buffer; stderr: string; exitCode: number } {
  const command = ["unshare", "--map-root-user", "--mount", "bash", "-c", HIDE, "hide", process.execPath, MAIN];
  const { stdout, stderr, exitCode } = Bun.spawnSync([...command, ...options], { cwd: folder });
  return { stdout, stderr: stderr.toString(), exitCode };
}

test("auto takes the CPU engine and says so with -v; the archive decodes", () => {
  const plain = "a container has no GPU. ".repeat(40);
  writeFileSync(join(folder, "a"), plain);
  const made = withoutVulkan("-v", "-1", ...UNCUT, "a");
  expect(made.stderr).toContain("engine cpu");
  expect(made.exitCode).toBe(0);
  expect(readFileSync(join(folder, "a.fade")).length).toBeLessThan(plain.length);
  expect(withoutVulkan("-dc", "a.fade").stdout.toString()).toBe(plain);
});

test("--engine gpu says what is missing and what to do", () => {
  writeFileSync(join(folder, "b"), "a container has no GPU. ".repeat(40));
  const { stderr, exitCode } = withoutVulkan("--engine", "gpu", ...UNCUT, "b");
  expect(stderr).toContain("libvulkan.so.1 is not installed");
  expect(stderr).toContain("hint:");
  expect(exitCode).toBe(4);
});
