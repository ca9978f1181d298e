/** Times survive the way into an archive and back, and an archive is never older than its source. */
import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { statSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runFade, temporaryDirectory } from "./harness.ts";

/** Not earlier, and later by less than a microsecond. */
const isSlight = (ns: bigint) => ns >= 0n && ns < 1000n;
/** As touch takes them, which sets every nanosecond. */
const TIMES = [
  "2025-11-21T10:39:45.123456789Z",
  "2025-11-21T10:39:45.999999999Z",
  "2025-11-21T10:39:45.000000001Z",
  "1970-01-01T00:00:00.000000001Z",
  "1969-12-31T23:59:58.500000000Z",
  "2106-02-07T06:28:17.654321987Z",
];

test.each(TIMES)("%s", async (time) => {
  const { path: cwd, remove } = temporaryDirectory();
  try {
    const [plain, coded] = [join(cwd, "w"), join(cwd, "w.fade")];
    writeFileSync(plain, "hello");
    expect(spawnSync("touch", ["-d", time, plain]).status).toBe(0);
    const mtimeNs = (path: string) => statSync(path, { bigint: true }).mtimeNs;
    const before = mtimeNs(plain);
    const lateness = (path: string) => mtimeNs(path) - before;
    expect((await runFade(["-q", "w"], { cwd })).exitCode).toBe(0);
    expect(isSlight(lateness(coded))).toBe(true);
    expect(spawnSync("bash", ["-c", "[ w -nt w.fade ]"], { cwd }).status).toBe(1);
    unlinkSync(plain);
    expect((await runFade(["-dq", "w.fade"], { cwd })).exitCode).toBe(0);
    expect(isSlight(lateness(plain))).toBe(true);
  } finally {
    remove();
  }
});
