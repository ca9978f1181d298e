/** Sparse files: holes are found without reading them, become holes again, and cost next to nothing both ways. */
import { expect } from "bun:test";
import {
  closeSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { holeAt } from "../../src/platform/holes.ts";
import { runFade, testInDirectory } from "./harness.ts";

/** Text at its places, and holes everywhere else. */
function writeSparse(path: string, sizeBytes: number, places: readonly number[]): void {
  const file = openSync(path, "w");
  for (const place of places) writeSync(file, `here, at ${place}, are some bytes\n`, place);
  ftruncateSync(file, sizeBytes);
  closeSync(file);
}

testInDirectory("a file of 3 GB that is nearly all hole comes back as one, in little time and memory", async (cwd) => {
  const [source, archive] = [join(cwd, "disk"), join(cwd, "disk.fade")];
  const places = [0, 5_000_000, 1_000_000_000, 2_999_000_000];
  writeSparse(source, 3_000_000_000, places);
  const before = process.cpuUsage();
  expect(await runFade(["-q", "disk"], { cwd })).toMatchObject({ exitCode: 0, stderr: "" });
  expect(statSync(archive).size).toBeLessThan(300);
  expect(await runFade(["-qd", "-o", "again", "disk.fade"], { cwd })).toMatchObject({ exitCode: 0, stderr: "" });
  const { user, system } = process.cpuUsage(before);
  // The model would take hours; reading 3 GB and hashing it twice takes some 3 seconds.
  expect((user + system) / 1e6).toBeLessThan(60);
  const again = statSync(join(cwd, "again"));
  expect(again.size).toBe(3_000_000_000);
  expect(again.blocks * 512).toBeLessThan(2 ** 20);
  const file = openSync(join(cwd, "again"), "r");
  for (const place of places) expect(textAt(file, place)).toStartWith(`here, at ${place}, are some bytes\n\0`);
  closeSync(file);
  const listed = await runFade(["-lv", "disk.fade"], { cwd });
  expect(new TextDecoder().decode(listed.stdout)).toContain("    fills:        3.00 GB of repeated patterns\n");
});

function textAt(descriptor: number, place: number): string {
  const bytes = new Uint8Array(60);
  readSync(descriptor, bytes, 0, bytes.length, place);
  return new TextDecoder().decode(bytes);
}

testInDirectory("a file with holes and its copy without have the same archive", async (cwd) => {
  writeSparse(join(cwd, "a"), 20_000_000, [70_000, 9_000_000, 19_000_000]);
  writeFileSync(join(cwd, "b"), readFileSync(join(cwd, "a")));
  expect(statSync(join(cwd, "b")).blocks).toBeGreaterThan(10 * statSync(join(cwd, "a")).blocks);
  for (const options of [[], ["--shard=2/3"], ["-B1M"]]) {
    const [a, b] = await Promise.all(["a", "b"].map((name) => runFade(["-c", ...options, name], { cwd })));
    expect(a?.exitCode).toBe(0);
    expect(a?.stdout.length).toBeLessThan(400);
    expect(Buffer.compare(a?.stdout ?? Buffer.of(), b?.stdout ?? Buffer.of(1))).toBe(0);
  }
});

testInDirectory("holes are found where they are", async (cwd) => {
  const path = join(cwd, "a");
  writeSparse(path, 10_000_000, [4_096_000]);
  const file = openSync(path, "r");
  const end = 10_000_000;
  expect(holeAt(file, 0, end)).toBe(4_096_000);
  expect(holeAt(file, 1000, end)).toBe(4_095_000);
  expect(holeAt(file, 1000, 2000)).toBe(1000);
  expect(holeAt(file, 4_096_000, end)).toBe(0);
  expect(holeAt(file, 9_000_000, end)).toBe(1_000_000);
  expect(holeAt(file, end, end)).toBe(0);
  closeSync(file);
  expect(holeAt(file, 0, end)).toBe(0); // whatever cannot be asked has no holes
});
