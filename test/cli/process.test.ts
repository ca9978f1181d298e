/** What only a real process shows of its standard streams; test/faults has the rest. */
import { describe, expect, test } from "bun:test";
import { inDirectory, shell as runShell } from "../faults/support.ts";

const shell = (script: string) => inDirectory((cwd) => runShell(cwd, script));

describe("a real process", () => {
  test("is a filter", async () => {
    expect(await shell("printf 'a\\0b\\xff' | FADE | FADE -d | od -An -tx1")).toMatchObject({
      stdout: " 61 00 62 ff\n",
    });
  });

  test("writes to a device in its place", async () => {
    expect((await shell("echo hello > a; FADE -f -o /dev/null a && test -c /dev/null && ls")).stdout).toBe("a\n");
  });

  test("ends quietly when its reader has gone", async () => {
    const ran = await shell("FADE --help | true; echo $PIPESTATUS");
    expect(ran).toMatchObject({ stdout: "141\n", stderr: "" });
  });
});
