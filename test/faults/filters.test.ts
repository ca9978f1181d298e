/** fade in the middle of others, whose readers stop early: tar forgives who dies of SIGPIPE, and no exit code. */
import { describe, expect } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MAIN, noise, shell, storedArchive, testInDirectory } from "./support.ts";

/** tar takes the name of a program only. */
function writeProgram(cwd: string): void {
  const program = `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`;
  writeFileSync(join(cwd, "fade"), program, { mode: 0o755 });
}

describe("tar", () => {
  testInDirectory("creates, lists and extracts through fade, and stops when it has what it wants", (cwd) => {
    writeProgram(cwd);
    for (const name of ["dir", "out", "first"]) mkdirSync(join(cwd, name));
    writeFileSync(join(cwd, "dir", "0"), "hello");
    writeFileSync(join(cwd, "dir", "1"), noise(300_000));
    const ran = shell(
      cwd,
      `export FADE_ENGINE=cpu FADE_LEVEL=1; tar -I ./fade -cf dir.tfade dir/0 dir/1; echo $?
         tar -I ./fade -tf dir.tfade; echo $?; tar -I ./fade -xf dir.tfade -C out; echo $?; diff -r dir out/dir; echo $?
         for option in -I --use-compress-program; do
           tar $option ./fade -xf dir.tfade -C first --occurrence=1 dir/0; echo $?; cat first/dir/0; ls first/dir
         done`,
    );
    expect(ran).toMatchObject({ stdout: "0\ndir/0\ndir/1\n0\n0\n0\n0\nhello0\n0\nhello0\n", stderr: "" });
  });
});

describe("a reader that goes", () => {
  testInDirectory("fade is ended by SIGPIPE itself, as wait() tells and as bash shows it", async (cwd) => {
    writeFileSync(join(cwd, "x.fade"), await storedArchive(noise(4 << 20)));
    const ran = shell(
      cwd,
      `FADE -dc x.fade | head -c 1 | wc -c; echo $PIPESTATUS; mkfifo p; head -c 1 p > /dev/null &
         FADE -d -o p x.fade; echo $?
         perl -e 'open(F, "-|", @ARGV); read(F, $b, 1); close(F); printf "%d %d\\n", $? & 127, $? >> 8' \\
           FADE -dc x.fade`,
    );
    expect(ran).toMatchObject({ stdout: "1\n141\n141\n13 0\n", stderr: "" });
  });

  testInDirectory("where SIGPIPE is ignored, it is an error like others, as in zstd and gzip", async (cwd) => {
    writeFileSync(join(cwd, "x.fade"), await storedArchive(noise(4 << 20)));
    const ran = shell(cwd, "trap '' PIPE; FADE -dc x.fade | head -c 1 | wc -c; echo $PIPESTATUS");
    expect(ran).toMatchObject({ stdout: "1\n1\n", stderr: "fade: standard output: its reader has gone\n" });
  });

  testInDirectory("a parent that ignores SIGPIPE only for itself does not count", async (cwd) => {
    writeFileSync(join(cwd, "x.fade"), await storedArchive(noise(4 << 20)));
    writeProgram(cwd);
    // This process is one: the runtime ignores it, and gives children the default.
    expect(readFileSync("/proc/self/status", "latin1")).toMatch(/^SigIgn:.*1\w{3}$/m);
    const script = `const { spawn } = require("child_process"); const f = spawn("./fade", ["-dc", "x.fade"]);
        f.stdout.once("data", () => f.stdout.destroy()); f.on("exit", (code, by) => console.log(code, by));`;
    const { stdout } = spawnSync(process.execPath, ["-e", script], { cwd, encoding: "utf8" });
    expect(stdout).toBe("null SIGPIPE\n");
  });
});
