/**
 * Nobody else's code is executed. Dawn's addon is native code that has to be unpacked, and it looks for the Vulkan
 * loader beside itself and beside the executable; so all the places where another user could put a library get one
 * that says so and ends the process when it is loaded. addon.test.ts reads the linker's log of the same; here it is
 * root who is attacked by another user, where root runs the tests.
 */
import { beforeAll, describe, expect, test } from "bun:test";
import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { executable } from "../support/executable.ts";
import { PLANTED_EXIT, PLANTED_TEXT, plantedLibrary } from "../support/planted-library.ts";
import { trainingBytes } from "../support/text.ts";
import { AS_OTHER, copyOfFade, gpuEnvironment, inFolders, OTHER_UID, runProgram, withRoot } from "./support.ts";

const LOADER = "libvulkan.so.1";
const BUILD_MS = 300_000;

let fade = "";
beforeAll(() => {
  fade = executable();
}, BUILD_MS);

function plant(path: string, owner = OTHER_UID): void {
  writeFileSync(path, plantedLibrary(), { mode: 0o755 });
  if (process.geteuid?.() === 0) chownSync(path, owner, owner);
}

const namesIn = (folder: string) => readdirSync(folder).sort();
const addonIn = (cache: string) =>
  join(cache, namesIn(cache).find((name) => /^dawn-[0-9a-f]+\.node$/.test(name)) ?? "");

/** The list of devices, with a GPU in it: then the addon was loaded, and nothing else had its say. */
function expectGpu(ran: ReturnType<typeof runProgram>): void {
  expect(ran).toMatchObject({ status: 0, stderr: "", stdout: expect.stringMatching(/^gpu /m) });
}

test("the planted library shows when it is loaded", () => {
  const ran = runProgram([fade, "-V"], "/", { LD_PRELOAD: join(import.meta.dir, "missing.so") });
  expect(ran.status).toBe(0);
  return inFolders({}, (folder) => {
    plant(join(folder, LOADER));
    const preloaded = runProgram([fade, "-V"], folder, { LD_PRELOAD: join(folder, LOADER) });
    expect(preloaded).toMatchObject({ status: PLANTED_EXIT, stderr: PLANTED_TEXT });
  });
});

describe("the addon's folder", () => {
  test("is the user's cache, closed to others; nothing is left in TMPDIR", () =>
    inFolders({ home: 0o700, tmp: 0o1777 }, (folder) => {
      const environment = { ...gpuEnvironment(), HOME: join(folder, "home"), TMPDIR: join(folder, "tmp") };
      plant(join(folder, "tmp", LOADER));
      expectGpu(runProgram([fade, "devices"], folder, environment));
      expect(namesIn(join(folder, "tmp"))).toEqual([LOADER]);
      const cache = join(folder, "home", ".cache", "fade");
      expect(lstatSync(cache).mode & 0o7777).toBe(0o700);
      expect(namesIn(cache)).toEqual([expect.stringMatching(/^dawn-[0-9a-f]+\.node$/), LOADER]);
      expect(readlinkSync(join(cache, LOADER))).toMatch(/^\/.*libvulkan/);
      const { ino } = lstatSync(addonIn(cache));
      expectGpu(runProgram([fade, "devices"], folder, environment));
      expect(lstatSync(addonIn(cache)).ino).toBe(ino);
    }));

  test("is XDG_CACHE_HOME's, where that is named", () =>
    inFolders({ home: 0o700, there: 0o700 }, (folder) => {
      for (const name of ["there", "made"]) {
        const environment = { HOME: join(folder, "home"), XDG_CACHE_HOME: join(folder, name) };
        expectGpu(runProgram([fade, "devices"], folder, { ...gpuEnvironment(), ...environment }));
        expect(addonIn(join(folder, name, "fade"))).toContain("dawn-");
        expect(namesIn(join(folder, "home"))).toEqual([]);
      }
    }));

  test("is a fresh one, removed at the end, where no cache is safe", () =>
    inFolders({ open: 0o777, tmp: 0o1777 }, (folder) => {
      mkdirSync(join(folder, "open", "fade"), { mode: 0o700 });
      plant(join(folder, "open", "fade", LOADER));
      for (const home of [join(folder, "open"), join(folder, "missing"), "relative", ""]) {
        const environment = { HOME: home, XDG_CACHE_HOME: join(folder, "open"), TMPDIR: join(folder, "tmp") };
        expectGpu(runProgram([fade, "devices"], folder, { ...gpuEnvironment(), ...environment }));
        expect(namesIn(join(folder, "tmp"))).toEqual([]);
      }
      expect(namesIn(folder)).not.toContain("missing"); // a home that is not there is not made
      expect(namesIn(join(folder, "open", "fade"))).toEqual([LOADER]);
      expect(namesIn(join(folder, "open"))).toEqual(["fade"]);
    }));

  test("is none where even TMPDIR is not safe, which is said", () =>
    inFolders({ open: 0o777 }, (folder) => {
      plant(join(folder, "open", LOADER));
      writeFileSync(join(folder, "a"), trainingBytes(500, 1));
      const environment = { ...gpuEnvironment(), HOME: join(folder, "open"), TMPDIR: join(folder, "open") };
      const ran = runProgram([fade, "--engine", "gpu", "a"], folder, environment);
      expect(ran.status).toBe(4);
      expect(ran.stderr).toContain("there is no folder of this user's alone to unpack it to");
      expect(ran.stderr).toContain("fade: hint: ");
      expect(namesIn(join(folder, "open"))).toEqual([LOADER]);
    }));

  test("goes away with a run that a signal ends", () =>
    inFolders({ tmp: 0o1777 }, async (folder) => {
      writeFileSync(join(folder, "a"), trainingBytes(400_000, 1));
      const env = { ...gpuEnvironment(), HOME: "/dev/null/home", TMPDIR: join(folder, "tmp") };
      const child = spawn(fade, ["-1", "--engine", "gpu", "--repeats", "0", "a"], {
        cwd: folder,
        env,
        stdio: "ignore",
      });
      const ended = new Promise((done) => child.once("exit", (_code, signal) => done(signal)));
      while (child.exitCode === null && child.signalCode === null && namesIn(join(folder, "tmp")).length === 0)
        await Bun.sleep(10);
      child.kill("SIGTERM");
      expect(await ended).toBe("SIGTERM");
      expect(namesIn(join(folder, "tmp"))).toEqual([]);
    }));
});

describe("what lies in the cache", () => {
  const damages: Record<string, (path: string) => void> = {
    "another library": (path) => {
      rmSync(path);
      plant(path, 0);
    },
    "one bit of damage": (path) => {
      const bytes = readFileSync(path);
      bytes[1_000_000] = bytes[1_000_000]! ^ 1;
      writeFileSync(path, bytes);
    },
    "half of it": (path) => writeFileSync(path, readFileSync(path).subarray(0, 1_000_000)),
    "a link to the right file": (path) => {
      renameSync(path, `${path}.moved`);
      symlinkSync(`${path}.moved`, path);
    },
    "a pipe": (path) => {
      rmSync(path);
      expect(spawnSync("mkfifo", [path]).status).toBe(0);
    },
    "a file that others may write": (path) => chmodSync(path, 0o666),
  };

  test("is compared before each load, and replaced if it is not what it should be", () =>
    inFolders({ home: 0o700 }, (folder) => {
      const environment = { ...gpuEnvironment(), HOME: join(folder, "home"), TMPDIR: "/dev/null/tmp" };
      const cache = join(folder, "home", ".cache", "fade");
      expectGpu(runProgram([fade, "devices"], folder, environment));
      const path = addonIn(cache);
      const right = readFileSync(path);
      for (const [name, damage] of Object.entries(damages)) {
        damage(path);
        rmSync(join(cache, LOADER));
        plant(join(cache, LOADER));
        const ran = runProgram([fade, "devices"], folder, environment);
        expect({ name, ...ran }).toMatchObject({ name, status: 0, stderr: "" });
        expect({ name, isRight: readFileSync(path).equals(right) }).toEqual({ name, isRight: true });
        const facts = lstatSync(path);
        expect({ name, isFile: facts.isFile(), mode: facts.mode & 0o777 }).toEqual({
          name,
          isFile: true,
          mode: 0o700,
        });
        rmSync(`${path}.moved`, { force: true });
        expect(namesIn(cache)).toEqual([path.slice(cache.length + 1), LOADER]);
      }
    }));

  test("is written once by many at the same time", () =>
    inFolders({ home: 0o700 }, async (folder) => {
      const env = { ...gpuEnvironment(), HOME: join(folder, "home"), TMPDIR: "/dev/null/tmp" };
      const runs = Array.from({ length: 4 }, () => Bun.spawn([fade, "devices"], { cwd: folder, env, stdout: "pipe" }));
      for (const run of runs) expect(await new Response(run.stdout).text()).toMatch(/^gpu /m);
      expect(namesIn(join(folder, "home", ".cache", "fade")).length).toBe(2);
    }));
});

test("a library beside the executable or in the current directory is not loaded", () =>
  inFolders({ open: 0o1777, home: 0o700 }, (folder) => {
    const copy = copyOfFade(join(folder, "open"));
    plant(join(folder, "open", LOADER));
    for (const name of ["libc.so.6", "libdl.so.2", "libEGL.so", "dawn.node"]) plant(join(folder, "open", name));
    const environment = { ...gpuEnvironment(), HOME: join(folder, "home") };
    expectGpu(runProgram([copy, "devices"], join(folder, "open"), environment));
  }));

describe.each(withRoot("a shared machine"))("on %s", () => {
  const HIDE = `for file in $(ldconfig -p | awk '/libvulkan/ { print $NF }'); do
    mount --bind /dev/null "$(readlink -f "$file")"
  done
  exec "$@"`;

  test("the current directory is no place for a Vulkan loader that the system does not have", () =>
    inFolders({ shared: 0o1777, home: 0o700 }, (folder) => {
      plant(join(folder, "shared", LOADER));
      const hidden = ["unshare", "--mount", "bash", "-c", HIDE, "hide", fade];
      const environment = { HOME: join(folder, "home"), TMPDIR: join(folder, "shared") };
      const ran = runProgram([...hidden, "devices"], join(folder, "shared"), environment);
      const missing = "the Vulkan loader libvulkan.so.1 is not installed";
      expect(ran).toMatchObject({ status: 0, stdout: expect.not.stringMatching(/^gpu /m) });
      expect(ran.stderr).toStartWith(`fade: no GPU can be used: ${missing}\nfade: hint: `);
      writeFileSync(join(folder, "shared", "a"), trainingBytes(500, 1));
      const refused = runProgram([...hidden, "--engine", "gpu", "a"], join(folder, "shared"), environment);
      expect(refused).toMatchObject({ status: 4, stderr: expect.stringContaining(missing) });
      expect(namesIn(join(folder, "shared"))).toEqual(["a", LOADER]);
    }));

  test("root loads nothing from another user's home, where HOME was left as it was, and leaves nothing there", () =>
    inFolders({ home: 0o755, tmp: 0o1777 }, (folder) => {
      const cache = join(folder, "home", ".cache", "fade");
      mkdirSync(cache, { recursive: true, mode: 0o700 });
      const environment = { ...gpuEnvironment(), HOME: join(folder, "home"), TMPDIR: join(folder, "tmp") };
      expectGpu(runProgram([fade, "devices"], folder, environment));
      expect(addonIn(cache)).toContain("dawn-");
      const names = namesIn(cache);
      for (const name of names) rmSync(join(cache, name));
      for (const name of names) plant(join(cache, name));
      for (const path of ["home", "home/.cache", "home/.cache/fade"])
        chownSync(join(folder, path), OTHER_UID, OTHER_UID);
      expectGpu(runProgram([fade, "devices"], folder, environment));
      for (const name of names) expect(readFileSync(join(cache, name))).toEqual(Buffer.from(plantedLibrary()));
      expect(namesIn(join(folder, "tmp"))).toEqual([]);
    }));

  test("root makes nothing in another user's home", () =>
    inFolders({ home: 0o755, tmp: 0o1777 }, (folder) => {
      chownSync(join(folder, "home"), OTHER_UID, OTHER_UID);
      const environment = { ...gpuEnvironment(), HOME: join(folder, "home"), TMPDIR: join(folder, "tmp") };
      expectGpu(runProgram([fade, "devices"], folder, environment));
      expect(namesIn(join(folder, "home"))).toEqual([]);
    }));

  test("a folder that somebody else made first, or can exchange, is not used", () =>
    inFolders({ shared: 0o1777, home: 0o700, tmp: 0o1777 }, (folder) => {
      const theirs = join(folder, "shared", "fade");
      const environment = { ...gpuEnvironment(), TMPDIR: join(folder, "tmp") };
      const ways: Record<string, () => void> = {
        "made first": () => {
          mkdirSync(theirs);
          chownSync(theirs, OTHER_UID, OTHER_UID);
        },
        "a link to theirs": () => {
          renameSync(theirs, join(folder, "shared", "elsewhere"));
          symlinkSync("elsewhere", theirs);
        },
      };
      for (const [name, prepare] of Object.entries(ways)) {
        prepare();
        const ran = runProgram([fade, "devices"], folder, {
          ...environment,
          XDG_CACHE_HOME: join(folder, "shared"),
          HOME: "",
        });
        expect({ name, ...ran }).toMatchObject({ name, status: 0, stdout: expect.stringMatching(/^gpu /m) });
        expect({ name, names: namesIn(theirs) }).toEqual({ name, names: [] });
      }
    }));

  test("another user has a cache of their own", () =>
    inFolders({ home: 0o700, open: 0o755 }, (folder) => {
      chownSync(join(folder, "home"), OTHER_UID, OTHER_UID);
      const copy = copyOfFade(join(folder, "open"));
      const ran = runProgram([...AS_OTHER, copy, "devices"], "/", { HOME: join(folder, "home") });
      expect(ran).toMatchObject({ status: 0, stderr: "" });
      const cache = join(folder, "home", ".cache", "fade");
      if (existsSync(cache)) expect(lstatSync(cache)).toMatchObject({ uid: OTHER_UID });
      expect(existsSync(cache)).toBe(/libvulkan/.test(spawnSync("ldconfig", ["-p"], { encoding: "utf8" }).stdout));
    }));
});
