/**
 * The executable loads no code that another user could have put there: the dynamic linker's own log (LD_DEBUG) names
 * every file that was opened as a library. All runs have a shared folder like /tmp, in which others have planted what
 * Dawn looks for, as TMPDIR and as the folder of the executable.
 */
import { describe, expect } from "bun:test";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { inDirectory, testWithin } from "../faults/support.ts";
import { unpackSwiftShader } from "../setup/swiftshader.ts";
import { executable } from "../support/executable.ts";

const LOADER = "libvulkan.so.1";
/** Nobody's: a user who is neither root nor, if root runs this, the one who runs fade. */
const OTHER_USER = 12345;

interface World {
  readonly home: string;
  readonly shared: string;
  readonly cache: string;
}

async function inWorld(work: (world: World) => Promise<void> | void): Promise<void> {
  await inDirectory(async (cwd) => {
    const world = { home: join(cwd, "home"), shared: join(cwd, "shared"), cache: join(cwd, "home", ".cache", "fade") };
    mkdirSync(world.home, { mode: 0o700 });
    mkdirSync(world.shared);
    chmodSync(world.shared, 0o1777);
    writeFileSync(join(world.shared, LOADER), "planted");
    copyFileSync(executable(), join(world.shared, "fade"));
    await work(world);
  });
}

const testInWorld = testWithin(inWorld);

interface Loaded {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Files that were opened as libraries, by their paths. */
  readonly libraries: readonly string[];
}

/** `fade devices` or other words, run from the shared folder, with the linker's log. */
function run({ home, shared }: World, words: readonly string[] = ["devices"], variables = {}): Loaded {
  const { folder = "", manifest = "" } = unpackSwiftShader() ?? {};
  const log = join(home, "linker");
  const { status, stdout, stderr } = spawnSync(join(shared, "fade"), [...words], {
    cwd: shared,
    env: {
      HOME: home,
      TMPDIR: shared,
      LD_LIBRARY_PATH: folder,
      VK_ICD_FILENAMES: manifest,
      LD_DEBUG: "files",
      LD_DEBUG_OUTPUT: log,
      ...variables,
    },
    encoding: "utf8",
  });
  const logs = readdirSync(home).filter((name) => name.startsWith("linker."));
  const text = logs.map((name) => readFileSync(join(home, name), "utf8")).join("");
  const libraries = [...text.matchAll(/file=(\/\S+) \[\d+\]/g)].map(([, path]) => path as string);
  return { status, stdout, stderr, libraries };
}

const addonsIn = (libraries: readonly string[]) => libraries.filter((path) => /dawn-[0-9a-f]+\.node$/.test(path));

function expectNothingOfOthers({ shared }: World, { libraries, stdout }: Loaded): void {
  expect(stdout).toContain("SwiftShader");
  expect(libraries.filter((path) => path === join(shared, LOADER))).toEqual([]);
  expect(readdirSync(shared).sort()).toEqual(["fade", LOADER]);
}

describe("the addon", () => {
  testInWorld("is loaded from the user's cache folder, and nothing from the shared one", (world) => {
    const ran = run(world);
    expectNothingOfOthers(world, ran);
    const [addon = ""] = addonsIn(ran.libraries);
    expect(addon.startsWith(`${world.cache}/`)).toBe(true);
    const again = run(world);
    expectNothingOfOthers(world, again);
    expect(readdirSync(world.cache).length).toBe(2);
  });

  testInWorld("that is damaged, or has a library beside it, is made anew before it is loaded", (world) => {
    run(world);
    const name = readdirSync(world.cache).find((each) => each.endsWith(".node")) as string;
    const path = join(world.cache, name);
    const right = readFileSync(path);
    const damaged = Buffer.from(right);
    damaged[damaged.length - 1] = (damaged.at(-1) as number) ^ 1;
    writeFileSync(path, damaged);
    rmSync(join(world.cache, LOADER)); // a link, through which writing would go to the real one
    writeFileSync(join(world.cache, LOADER), "planted");
    expectNothingOfOthers(world, run(world));
    expect(readFileSync(path).equals(right)).toBe(true);
  });

  testInWorld("is loaded from a fresh folder if the cache is open to others, and that folder goes", (world) => {
    mkdirSync(world.cache, { recursive: true });
    chmodSync(world.cache, 0o777);
    const ran = run(world);
    expectNothingOfOthers(world, ran);
    const [addon = ""] = addonsIn(ran.libraries);
    expect(addon.startsWith(`${world.shared}/fade-`)).toBe(true);
    expect(readdirSync(world.cache)).toEqual([]);
  });

  testInWorld("is not put into the home of another user, as under sudo", (world) => {
    // Without root there is no other user's folder to make: a shared one stands for it, which is refused likewise.
    if (process.getuid?.() === 0) chownSync(world.home, OTHER_USER, OTHER_USER);
    else chmodSync(world.home, 0o777);
    const ran = run(world);
    expectNothingOfOthers(world, ran);
    expect(addonsIn(ran.libraries)[0]?.startsWith(`${world.shared}/fade-`)).toBe(true);
    chmodSync(world.home, 0o700);
  });

  testInWorld(
    "is not loaded at all where the Vulkan loader is missing, nor the one of the current directory",
    (world) => {
      // A name that no system has stands for the missing loader: the linker looks for it in the same way.
      const ran = run(world, ["devices"], { LD_LIBRARY_PATH: "/dev/null/x" });
      expect(ran.libraries.filter((path) => path.startsWith(world.shared))).toEqual([]);
    },
  );

  testInWorld("without any folder: a clear line and exit code 4, and the CPU engine works", (world) => {
    const nowhere = { HOME: "/dev/null/home", XDG_CACHE_HOME: "/dev/null/cache", TMPDIR: "/dev/null/tmp" };
    writeFileSync(
      join(world.home, "text"),
      "some words that a model can learn, and then some more of them. ".repeat(9),
    );
    const options = ["-c", "--streams=1", join(world.home, "text")];
    const gpu = run(world, ["--engine=gpu", ...options], nowhere);
    expect(gpu.status).toBe(4);
    expect(gpu.stderr).toContain("there is no folder of this user's alone to unpack it to");
    expect(run(world, ["--engine=cpu", ...options], nowhere).status).toBe(0);
    const devices = run(world, ["devices"], nowhere);
    expect(devices).toMatchObject({ status: 0, stderr: expect.stringContaining("fade: no GPU can be used: ") });
  });
});
