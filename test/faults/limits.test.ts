/**
 * Little of everything: descriptors, threads, memory, time, bytes of a file, a small container. Where the program's own
 * code is reached, a line says what is missing, the exit code is 4 (no engine here can do it), and no file is left
 * behind.
 */
import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { usableBytes } from "../../src/library/work.ts";
import { executable } from "../support/executable.ts";
import { trainingBytes } from "../support/text.ts";
import { inDirectory, MAIN, namesIn, noise, shell, storedArchive, testInDirectory } from "./support.ts";

const ANOTHER_USER = "12345";

describe("few", () => {
  testInDirectory("descriptors", (cwd) => {
    writeFileSync(join(cwd, "a"), trainingBytes(3000, 1));
    // The executable: from source, the runtime has no descriptor left for the sources.
    const ran = shell(cwd, `ulimit -n 7; "${executable()}" -q1 --engine cpu a; echo $?`);
    expect(ran.stdout).toBe("4\n");
    // Which file cannot be opened any more depends on what else the runtime has open.
    expect(ran.stderr).toMatch(
      /^fade: a(\.fade)?: too many files are open\nfade: hint: raise the limit of open files \(ulimit -n\)\n$/,
    );
    expect(namesIn(cwd)).toEqual(["a"]);
  });

  test.each(["d", "v"])(
    "bytes (ulimit -%s): said before anything starts, and what needs no engine is done",
    async (limit) => {
      await inDirectory(async (cwd) => {
        writeFileSync(join(cwd, "a"), trainingBytes(20_000, 1));
        writeFileSync(join(cwd, "b.fade"), await storedArchive(noise(5000)));
        const ran = shell(cwd, `ulimit -${limit} 2000000; FADE -q a; echo $?; FADE -qd b.fade; echo $?`);
        expect(ran.stdout).toBe("4\n0\n");
        expect(ran.stderr.split("\n")).toEqual([
          "fade: a: the address space is limited to 2.05 GB, and no engine runs in less than 2.46 GB",
          `fade: hint: raise it (ulimit -${limit} unlimited); -M limits what fade really uses`,
          "",
        ]);
        expect(namesIn(cwd)).toEqual(["a", "b", "b.fade"]);
      });
    },
  );

  testInDirectory("threads: a line or success, as many as the runtime itself leaves", (cwd) => {
    writeFileSync(join(cwd, "a"), trainingBytes(20_000, 1));
    chmodSync(cwd, 0o777);
    // Root has no such limit, so root runs this as somebody who has no other process.
    const isRoot = process.getuid?.() === 0;
    const as = isRoot ? `setpriv --reuid ${ANOTHER_USER} --clear-groups ` : "";
    const counts = isRoot ? [12] : [4096];
    const script = counts.map((count) => `(ulimit -u ${count}; exec FADE -q1fT2 --engine cpu a); echo $?`).join("; ");
    const { stdout, stderr } = shell(
      cwd,
      `${as}bash -c '${script.replaceAll("FADE", `"${process.execPath}" "${MAIN}"`)}'`,
    );
    for (const status of stdout.trim().split("\n")) expect(["0", "4", "134"]).toContain(status);
    if (stdout.includes("4\n") && !stdout.includes("134")) expect(stderr).toContain("no more threads");
  });
});

describe("limits of the system", () => {
  testInDirectory("the size of files: a message, or the signal; and no file", async (cwd) => {
    writeFileSync(join(cwd, "a.fade"), await storedArchive(noise(200_000)));
    const ran = shell(cwd, "ulimit -f 100; FADE -qd a.fade; echo $?");
    expect(["1\n", "153\n"]).toContain(ran.stdout);
    expect(namesIn(cwd)).toEqual(["a.fade"]);
  });

  testInDirectory("the processor's time: SIGXCPU, and no file", (cwd) => {
    writeFileSync(join(cwd, "a"), trainingBytes(100_000, 1));
    expect(shell(cwd, "ulimit -St 1; FADE -q1 --engine reference a; echo $?").stdout).toBe("152\n");
    expect(namesIn(cwd)).toEqual(["a"]);
  });

  testInDirectory("the address space: a message and an exit code, never a hang or a file", (cwd) => {
    writeFileSync(join(cwd, "a"), trainingBytes(20_000, 1));
    const ran = shell(
      cwd,
      "ulimit -v 4000000; FADE -q --preset paper -M100G --streams 8000 --engine reference a; echo $?",
    );
    expect(ran.stdout).toBe("1\n");
    expect(ran.stderr).toStartWith("fade: a: there is not enough memory");
    expect(namesIn(cwd)).toEqual(["a"]);
  });
});

describe("a deleted working directory", () => {
  testInDirectory("is said, with exit code 4; the executable's runtime says it first, with 1", (cwd) => {
    const script = (program: string) => `mkdir gone; cd gone; rmdir ../gone; ${program} -V; echo $?`;
    const source = shell(cwd, script("FADE"));
    expect(source.stdout).toBe("4\n");
    expect(source.stderr).toBe("fade: the working directory was deleted\nfade: hint: cd to another one\n");
    const built = shell(cwd, script(`"${executable()}"`));
    expect(built.stdout).toBe("1\n");
    expect(built.stderr).toContain("working directory was deleted");
  });
});

describe("a small container", () => {
  test("leaves what the program itself does not take", () => {
    expect(usableBytes(100 * 2 ** 20)).toBe(0);
    expect(usableBytes(1000 * 2 ** 20)).toBe(700 * 2 ** 20);
  });

  testInDirectory("is said before the work begins, and nothing is killed", (cwd) => {
    writeFileSync(join(cwd, "a"), trainingBytes(85_000, 1));
    const group = memoryGroup(100 * 2 ** 20);
    if (!group) {
      process.stderr.write("no cgroup with a limit of memory can be made here: only the arithmetic was tested\n");
      return;
    }
    try {
      const ran = shell(cwd, `echo $$ > ${group}/cgroup.procs; FADE -q9 --engine cpu a; echo $?`);
      expect(ran.stdout).toBe("4\n");
      expect(ran.stderr).toMatch(
        /needs about \d+ MiB of memory, and 0 bytes may be used\nfade: hint: the container has/,
      );
      expect(namesIn(cwd)).toEqual(["a"]);
    } finally {
      rmdirSync(group);
    }
  });
});

/** A control group below this process's, of either version; undefined where it cannot be made. */
function memoryGroup(limitBytes: number): string | undefined {
  const groups = existsSync("/proc/self/cgroup") ? readFileSync("/proc/self/cgroup", "utf8") : "";
  const first = /^\d+:memory:(.*)$/m.exec(groups)?.[1];
  const second = /^0::(.*)$/m.exec(groups)?.[1];
  const [base, file] =
    first !== undefined
      ? [join("/sys/fs/cgroup/memory", first), "memory.limit_in_bytes"]
      : [join("/sys/fs/cgroup", second ?? ""), "memory.max"];
  const group = join(base, `fade-test-${process.pid}`);
  try {
    mkdirSync(group);
  } catch {
    return undefined;
  }
  const limited = spawnSync("bash", ["-c", `echo ${limitBytes} > '${join(group, file)}'`]);
  if (limited.status === 0) return group;
  rmdirSync(group);
  return undefined;
}
