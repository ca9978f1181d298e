/** Files that are not what they should be: unreadable, unwritable, changing, links to nothing, or no files at all. */
import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inDirectory, namesIn, noise, shell, start, storedArchive, testInDirectory } from "./support.ts";

/** Root may do everything; without these two capabilities root is a user like others. */
const AS_USER = process.getuid?.() === 0 ? "setpriv --bounding-set -dac_override,-dac_read_search" : "";

describe("permission denied", () => {
  testInDirectory("to read, to write, and to enter", (cwd) => {
    writeFileSync(join(cwd, "secret"), "x", { mode: 0o000 });
    writeFileSync(join(cwd, "a"), "hello");
    mkdirSync(join(cwd, "closed"), { mode: 0o500 });
    mkdirSync(join(cwd, "dark"), { mode: 0o000 });
    const ran = shell(
      cwd,
      `fade() { ${AS_USER} FADE -q "$@"; }; fade secret; fade -o closed/a a; fade -r dark; fade a`,
    );
    expect(ran.stderr).toBe(
      "fade: secret: permission denied\n" +
        "fade: closed/a: no permission to write there\n" +
        "fade: dark: permission denied\n",
    );
    expect(namesIn(cwd)).toEqual(["a", "a.fade", "closed", "dark", "secret"]);
  });
});

describe("a source that cannot be removed", () => {
  testInDirectory("is told as such, behind the result, in both directions", (cwd) => {
    mkdirSync(join(cwd, "closed"));
    writeFileSync(join(cwd, "closed", "f"), "hello");
    const ran = shell(
      cwd,
      `fade() { ${AS_USER} FADE "$@"; echo $?; }; chmod 500 closed; fade --rm -o f.fade closed/f
         chmod 700 closed; mv f.fade closed; chmod 500 closed; fade -d --rm -o g closed/f.fade; ls closed; cat g`,
    );
    const failure = "but it could not be removed: permission denied";
    expect(ran.stderr).toBe(
      "closed/f: 300.0% (5 B => 15 B, f.fade)\n" +
        `fade: closed/f: compressed to f.fade, ${failure}\n` +
        "closed/f.fade: 300.0% (15 B => 5 B, g)\n" +
        `fade: closed/f.fade: decompressed to g, ${failure}\n`,
    );
    expect(ran.stdout).toBe("1\n1\nf\nf.fade\nhello");
  });
});

describe("what is no file", () => {
  testInDirectory("directories, dangling links, rings of links, names that are too long", (cwd) => {
    mkdirSync(join(cwd, "d"));
    symlinkSync("nowhere", join(cwd, "dangling"));
    symlinkSync("ring", join(cwd, "ring"));
    writeFileSync(join(cwd, "a"), "hello");
    const long = "n".repeat(252);
    writeFileSync(join(cwd, long), "hello");
    const ran = shell(cwd, `FADE -q d dangling ring ${long} a/b a`);
    expect(ran.stderr.replaceAll(long, "LONG").split("\n")).toEqual([
      "fade: d: is a directory",
      "fade: hint: use -r for the files in it, or pipe it: tar c DIR | fade > DIR.tar.fade",
      "fade: dangling: no such file or directory",
      "fade: ring: too many symbolic links",
      "fade: LONG.fade: the name is too long",
      "fade: a/b: a part of the path is not a directory",
      "",
    ]);
    expect(namesIn(cwd)).toContain("a.fade");
  });

  testInDirectory("input and output are one file, by name, link or hard link", (cwd) => {
    writeFileSync(join(cwd, "a"), "hello");
    const ran = shell(cwd, "ln a hard; ln -s a soft; for to in a ./a hard soft; do FADE -qf -o $to a; echo $?; done");
    expect(ran.stdout).toBe("1\n1\n1\n1\n");
    expect(ran.stderr.match(/input and output are the same file/g)?.length).toBe(4);
    expect(readFileSync(join(cwd, "a"), "utf8")).toBe("hello");
  });
});

describe("names that no terminal should see", () => {
  testInDirectory("control characters are shown, not sent", (cwd) => {
    const name = "a\n\u001b[31mred\u202e\u0085";
    writeFileSync(join(cwd, name), "hello");
    const ran = shell(cwd, "FADE *; FADE -l *.fade; FADE -t $'no\\e]0;x\\a'; FADE -lv *.fade | head -1");
    const shown = "a\\n\\x1b[31mred\\u202e\\x85";
    expect(ran.stderr).toBe(
      `${shown}: 300.0% (5 B => 15 B, ${shown}.fade)\nfade: no\\x1b]0;x\\x07: no such file or directory\n`,
    );
    expect(ran.stdout).toContain(`  ${shown}.fade\n`);
    expect(ran.stdout).toEndWith(`${shown}.fade:\n`);
  });

  testInDirectory("names that are not UTF-8: said so, nothing lost, the others done", (cwd) => {
    const ran = shell(
      cwd,
      `mkdir d $'d/dir\\xfe'; echo 1 > $'d/a\\xff'; echo 2 > d/b; echo 3 > $'d/dir\\xfe/c'
         FADE -qr --rm d; echo $?; FADE -q $'d/a\\xff'; FADE -q -o $'x\\xff' d/b.fade; echo $?
         FADE < $'d/a\\xff' > $'d/a\\xff.fade'; FADE -d < $'d/a\\xff.fade'; find d -type f | wc -l; ls`,
    );
    const blamed = "has a name that is not UTF-8, which fade cannot open\n";
    expect(ran.stderr.split("fade: hint")[0]).toBe(`fade: d/dir\ufffd: ${blamed}`);
    expect(ran.stderr.match(new RegExp(blamed, "g"))?.length).toBe(3);
    expect(ran.stderr).toContain("fade: the output's name is not UTF-8\n");
    expect(ran.stdout).toBe("1\n2\n1\n4\nd\n");
  });
});

describe("an input that changes while it is read", () => {
  test("and shrinks: an error and no archive, or an archive of what was there", async () => {
    const plain = Buffer.from("some text that shrinks. ".repeat(400));
    for (const afterMs of [100, 250, 500]) {
      await inDirectory(async (cwd) => {
        writeFileSync(join(cwd, "a"), plain);
        const fade = start(cwd, ["-q1", "-T1", "--engine", "cpu", "--rm", "a"]);
        await new Promise((resolve) => setTimeout(resolve, afterMs));
        const wasThere = namesIn(cwd).includes("a");
        if (wasThere) truncateSync(join(cwd, "a"), 100);
        const { status, stderr } = await fade.ended;
        // What changed while it was read is never removed; a change before that is none.
        if (status === 0) expect(namesIn(cwd)).toEqual(["a.fade"]);
        else
          expect([statSync(join(cwd, "a")).size, status, stderr]).toEqual([
            100,
            1,
            expect.stringMatching(/^fade: a: /),
          ]);
        if (!namesIn(cwd).includes("a.fade")) return;
        const back = shell(cwd, "FADE -dc -T1 --engine cpu a.fade");
        expect([back.status, plain.toString().startsWith(back.stdout)]).toEqual([0, true]);
      });
    }
  });
});

describe("pipes", () => {
  testInDirectory("a truncated archive from a pipe gives no success", async (cwd) => {
    writeFileSync(join(cwd, "x.fade"), await storedArchive(noise(100_000)));
    const ran = shell(cwd, "set -o pipefail; head -c 50000 x.fade | FADE -d > out; echo $?");
    expect(ran.stdout).toBe("3\n");
    expect(ran.stderr).toContain("standard input: ");
  });

  testInDirectory("tar in, tar out", (cwd) => {
    mkdirSync(join(cwd, "dir", "deep"), { recursive: true });
    writeFileSync(join(cwd, "dir", "a"), "text ".repeat(20), { mode: 0o640 });
    writeFileSync(join(cwd, "dir", "deep", "b c"), noise(300));
    symlinkSync("a", join(cwd, "dir", "link"));
    const ran = shell(
      cwd,
      `export FADE_ENGINE=cpu FADE_LEVEL=1 FADE_THREADS=1; set -eo pipefail; mkdir out
         tar c dir | FADE | FADE -d | tar x -C out
         diff -r --no-dereference dir out/dir && stat -c %a out/dir/a
         tar c dir > dir.tar && FADE -q dir.tar -o dir.tfade && rm dir.tar && FADE -q -d dir.tfade && tar tf dir.tar`,
    );
    expect(ran.stderr).toBe("");
    expect(ran.stdout.split("\n").slice(0, 2)).toEqual(["640", "dir/"]);
    expect(ran.status).toBe(0);
  });

  testInDirectory("closed standard streams are an error, and /dev/null is none", (cwd) => {
    writeFileSync(join(cwd, "a"), "hello");
    const ran = shell(
      cwd,
      `FADE -c a >&-; echo $?; FADE -c a >/dev/null; echo $?; FADE -c <&-; echo $?; FADE </dev/null | wc -c
         FADE -q a >&- <&-; echo $?; FADE --version >&-; echo $?`,
    );
    expect(ran.stdout).toBe("1\n0\n1\n10\n0\n1\n");
    expect(ran.stderr).toBe(
      "fade: standard output: is closed\nfade: standard input: is closed\nfade: standard output: is closed\n",
    );
  });

  testInDirectory("a closed standard error is no reason to fail", (cwd) => {
    writeFileSync(join(cwd, "a"), "hello");
    expect(shell(cwd, "FADE -q a 2>&-; echo $?; FADE -dc a.fade")).toMatchObject({ stdout: "0\nhello" });
  });
});
