/**
 * A full disk is a real one here: a tmpfs of 256 KiB in a mount namespace of its own, which vanishes with the process.
 * That takes root, or a kernel that lets users have namespaces.
 */
import { beforeAll, expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { inDirectory, noise, type Ran, shell, storedArchive, testInDirectory } from "./support.ts";

const NAMESPACE = process.getuid?.() === 0 ? "unshare -m" : "unshare -rm";

/** Runs a script with ./small on a disk that holds 256 KiB. */
function onSmallDisk(cwd: string, script: string): Ran {
  const mount = "mkdir -p small && mount -t tmpfs -o size=256k none small";
  return shell(cwd, `${NAMESPACE} bash -c "${mount} && { ${script.replaceAll('"', '\\"').replaceAll("$", "\\$")}; }"`);
}

beforeAll(() =>
  inDirectory((cwd) => {
    if (onSmallDisk(cwd, "true").status === 0) return;
    throw new Error("no tmpfs can be mounted: run the tests as root, or allow user namespaces (unshare -rm)");
  }),
);

const FULL = "no space is left on the device\n";

testInDirectory("a result that does not fit leaves the disk as it was", async (cwd) => {
  writeFileSync(join(cwd, "a.fade"), await storedArchive(noise(400_000)));
  const ran = onSmallDisk(cwd, "echo old > small/a; FADE -qdf -o small/a a.fade; echo $?; cat small/a; ls -A small");
  expect(ran).toMatchObject({ stdout: "1\nold\na\n", stderr: `fade: small/a: ${FULL}` });
});

testInDirectory("compressing onto a full disk leaves nothing, and the source with --rm", (cwd) => {
  writeFileSync(join(cwd, "noise"), noise(3000));
  const fill = "cat /dev/zero > small/zero 2>/dev/null";
  const ran = onSmallDisk(cwd, `${fill}; FADE -q1 --rm --engine reference -o small/a noise; echo $?; ls -A small .`);
  expect(ran.stderr).toBe(`fade: small/a: ${FULL}`);
  expect(ran.stdout).toBe("1\n.:\nnoise\nsmall\n\nsmall:\nzero\n");
});

testInDirectory("standard output on a full disk", async (cwd) => {
  writeFileSync(join(cwd, "a.fade"), await storedArchive(noise(400_000)));
  expect(onSmallDisk(cwd, "FADE -dc a.fade > small/a; echo $?")).toMatchObject({
    stdout: "1\n",
    stderr: `fade: standard output: ${FULL}`,
  });
});

testInDirectory("other files that fit are done all the same", async (cwd) => {
  writeFileSync(join(cwd, "large.fade"), await storedArchive(noise(400_000)));
  writeFileSync(join(cwd, "little.fade"), await storedArchive(noise(1000)));
  const ran = onSmallDisk(cwd, "FADE -qd --output-dir-flat small large.fade little.fade; echo $?; ls -A small");
  expect(ran).toMatchObject({ stdout: "1\nlittle\n", stderr: `fade: small/large: ${FULL}` });
});
