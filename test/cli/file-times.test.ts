/** Times survive the way into an archive and back to the nanosecond, and without the C library never grow older. */
import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { statSync, unlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { timeOf } from "../../src/cli/file-times.ts";
import { inDirectory, runFade } from "./harness.ts";

/** As touch takes them, which sets every nanosecond. */
const TIMES = [
  "2025-11-21T10:39:45.123456789Z",
  "2025-11-21T10:39:45.999999999Z",
  "2025-11-21T10:39:45.000000001Z",
  "1970-01-01T00:00:00.000000001Z",
  "1969-12-31T23:59:58.500000000Z",
  "2106-02-07T06:28:17.654321987Z",
];

/** Not earlier, and later by less than a microsecond. */
const isSlight = (ns: bigint) => ns >= 0n && ns < 1000n;

test.each(TIMES)("%s", async (time) => {
  await inDirectory(async (cwd) => {
    const [plain, coded] = [join(cwd, "w"), join(cwd, "w.fade")];
    writeFileSync(plain, "hello");
    expect(spawnSync("touch", ["-d", time, plain]).status).toBe(0);
    const mtimeNs = (path: string) => statSync(path, { bigint: true }).mtimeNs;
    const before = mtimeNs(plain);
    expect((await runFade(["-q", "w"], { cwd })).exitCode).toBe(0);
    expect(mtimeNs(coded)).toBe(before);
    expect(spawnSync("bash", ["-c", "[ w -nt w.fade ]"], { cwd }).status).toBe(1);
    unlinkSync(plain);
    expect((await runFade(["-dq", "w.fade"], { cwd })).exitCode).toBe(0);
    expect(mtimeNs(plain)).toBe(before);
  });
});

test.each(TIMES.slice(0, 4))("%s by the runtime alone is not earlier", async (time) => {
  await inDirectory((cwd) => {
    const path = join(cwd, "w");
    writeFileSync(path, "hello");
    expect(spawnSync("touch", ["-d", time, path]).status).toBe(0);
    const before = statSync(path, { bigint: true }).mtimeNs;
    utimesSync(path, timeOf(before), timeOf(before));
    expect(isSlight(statSync(path, { bigint: true }).mtimeNs - before)).toBe(true);
  });
});
