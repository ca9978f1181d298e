/** Names that somebody else took before fade does: pipes, devices, sockets, links and descriptors as outputs. */
import { describe, expect, test } from "bun:test";
import { chmodSync, lstatSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openOutput } from "../../src/cli/output.ts";
import { checkTarget } from "../../src/cli/targets.ts";
import { inDirectory, namesIn, shell, storedArchive, testInDirectory, testWithin } from "./support.ts";

/** Root can be two users. */
const AS_OTHER = process.getuid?.() === 0 ? "setpriv --reuid 65534 --regid 65534 --clear-groups" : "";
const SECRET = "the plain text of a private file\n";

async function withArchive(work: (cwd: string) => Promise<void> | void): Promise<void> {
  await inDirectory(async (cwd) => {
    chmodSync(cwd, 0o777);
    writeFileSync(join(cwd, "s.fade"), await storedArchive(new TextEncoder().encode(SECRET)), { mode: 0o600 });
    await work(cwd);
  });
}

type OutputIo = Parameters<typeof openOutput>[0];
const ioIn = (cwd: string) =>
  ({ cwd, temporaryFiles: new Set<string>(), uninterrupted: (work: () => unknown) => work() }) as OutputIo;

const testWithArchive = testWithin(withArchive);

describe("a name that fade made up, and somebody took", () => {
  const PLANTED = {
    "a named pipe": "mkfifo s; cat s > got &",
    "a link to a pipe": "mkfifo p; ln -s p s; cat p > got &",
    "a socket": `perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0); bind(S, pack_sockaddr_un("s")) or die'`,
    "a link to a device": "ln -s /dev/null s",
  };
  test.each(Object.entries(PLANTED))("%s: refused, and replaced with -f", async (_, plant) => {
    await withArchive((cwd) => {
      const planted = `${plant}\ntouch planted; sleep 40`.replaceAll("'", "'\\''");
      const script = `set -m; ${AS_OTHER} bash -c '${planted}' > /dev/null 2>&1 & other=$!
        until [ -e planted ]; do sleep 0.05; done
        FADE -d s.fade; echo $?; FADE -qdf s.fade; echo $?; kill -- -$other`;
      const ran = shell(cwd, script);
      expect(ran.stdout).toBe("1\n0\n");
      const refused =
        /^fade: s: is a (named pipe|socket|device), not a file\nfade: hint: use -f to replace it by a file/;
      expect(ran.stderr).toMatch(refused);
      expect(lstatSync(join(cwd, "s")).isFile()).toBe(true);
      expect(lstatSync(join(cwd, "s")).mode & 0o777).toBe(0o644 & lstatSync(join(cwd, "s.fade")).mode);
      expect(readFileSync(join(cwd, "s"), "utf8")).toBe(SECRET);
      if (namesIn(cwd).includes("got")) expect(readFileSync(join(cwd, "got"), "utf8")).toBe("");
    });
  });

  testWithArchive("links to files: with -f the link is replaced, and not what it leads to", (cwd) => {
    writeFileSync(join(cwd, "precious"), "kept");
    symlinkSync("precious", join(cwd, "s"));
    const ran = shell(
      cwd,
      "FADE -qd s.fade; FADE -qdf s.fade; cat precious; ln -sf nowhere s; FADE -qdf s.fade; cat s",
    );
    expect(ran.stdout).toBe(`kept${SECRET}`);
    expect(ran.stderr).toStartWith("fade: s: already exists, as a symbolic link\n");
    expect(namesIn(cwd)).toEqual(["precious", "s", "s.fade"]);
  });

  test("one that is taken between the look and the end is not followed, with and without -f", async () => {
    for (const force of [false, true]) {
      await inDirectory(async (cwd) => {
        const path = join(cwd, "s");
        const output = await openOutput(ioIn(cwd), await checkTarget(path, "s", { force, isNamed: false }), {});
        await output.write(new TextEncoder().encode(SECRET));
        writeFileSync(join(cwd, "public"), "");
        symlinkSync("public", path);
        await output.seal();
        if (force) await output.finish();
        else await expect(output.finish()).rejects.toThrow("was created by somebody else meanwhile");
        await output.discard();
        expect(lstatSync(path).isSymbolicLink()).toBe(!force);
        expect(readFileSync(join(cwd, "public"), "utf8")).toBe("");
        expect(namesIn(cwd)).toEqual(["public", "s"]);
      });
    }
  });
});

describe("named with -o", () => {
  testWithArchive("pipes, devices and descriptors are written in place, and stay what they are", (cwd) => {
    const ran = shell(
      cwd,
      `mkfifo p; cat p > got & FADE -qd -o p s.fade; wait; FADE -qd -o /dev/null s.fade
         FADE -qdf -o /dev/stdout s.fade > out; FADE -qd -o /dev/fd/1 s.fade | cat > piped
         FADE -qd -o /proc/self/fd/5 s.fade 5> five; FADE -qd -o >(cat > substituted) s.fade; sleep 0.3
         cat got out piped five substituted
         test -p p; echo $?; test -c /dev/null; echo $?; test -L /dev/stdout; echo $?`,
    );
    expect(ran).toMatchObject({ stdout: `${SECRET.repeat(5)}0\n0\n0\n`, stderr: "" });
  });

  testWithArchive("a descriptor that nobody handed over, or only for reading, is closed", (cwd) => {
    const ran = shell(
      cwd,
      `for n in 3 4 7 77; do FADE -qd -o /dev/fd/$n s.fade 2>&1; done | grep -c 'is closed$'
         FADE -d -o /dev/fd/9 s.fade 9< s.fade`,
    );
    expect(ran).toMatchObject({ stdout: "4\n", stderr: "fade: /dev/fd/9: is closed\n" });
  });

  testInDirectory("what was replaced between the look and the opening is not written to", async (cwd) => {
    const path = join(cwd, "null");
    symlinkSync("/dev/null", path);
    const target = await checkTarget(path, "null", { force: false, isNamed: true });
    shell(cwd, "rm null; echo precious > null");
    await expect(openOutput(ioIn(cwd), target, {})).rejects.toThrow("was replaced by somebody else meanwhile");
    expect(readFileSync(path, "utf8")).toBe("precious\n");
  });
});
