/**
 * Many files in one run: they share the engine and wait for the disk together, and come out as each would alone,
 * whatever becomes of the others.
 */
import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Settling } from "../../src/cli/settling.ts";
import { createCpuEngine } from "../../src/engine/cpu/engine.ts";
import { type Engine, EngineDeviceError, type EngineName, type Model } from "../../src/engine/engine.ts";
import { type EngineRequest, GPU_LANES_MIN, GPU_LANES_PER_THREAD, isForGpu } from "../../src/engine/registry.ts";
import { Engines } from "../../src/library/engines.ts";
import { hyperForSize, levelOf, networkOf } from "../../src/model/levels.ts";
import { FakeEngine } from "../support/fake-engine.ts";
import { trainingBytes } from "../support/text.ts";
import { runFade, testInDirectory } from "./harness.ts";

const TEXT = trainingBytes(2000, 1);

/** Texts of many lengths, and some noise among them, in an order that mixes them. */
function contentOf(i: number): Uint8Array<ArrayBuffer> {
  const bytes = Uint8Array.from(TEXT.subarray(i * 50, i * 50 + 40 + ((i * 619) % 400)));
  return i % 5 === 3 ? bytes.map((_, at) => (Math.imul(at + i, 0x9e3779b1) >>> 13) & 255) : bytes;
}

const COUNT = 9;
const NAMES = Array.from({ length: COUNT }, (_, i) => `f${`${i}`.padStart(2, "0")}`);

function writeAll(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const [i, name] of NAMES.entries()) writeFileSync(join(folder, name), contentOf(i));
}

const archivesIn = (folder: string) => NAMES.map((name) => readFileSync(join(folder, `${name}.fade`)).toString("hex"));

describe("archives do not depend on their place in a run, nor on how files are named", () => {
  testInDirectory("-r, a list, operands, --rm and one run for each; and back", async (cwd) => {
    writeAll(join(cwd, "d"));
    const engine = () => createCpuEngine({ threads: 1 });
    const fade = async (...words: string[]) => {
      expect(await runFade(["-q1", ...words], { cwd, engine })).toMatchObject({ exitCode: 0, stderr: "" });
    };
    const paths = NAMES.map((name) => `d/${name}`);
    for (const path of paths) await fade(path);
    const alone = archivesIn(join(cwd, "d"));
    writeFileSync(join(cwd, "list"), paths.toReversed().join("\n"));
    for (const words of [
      ["-r", "d"],
      ["--filelist", "list"],
      ["--rm", ...paths.slice(4), ...paths.slice(0, 4)],
    ]) {
      for (const path of paths) rmSync(join(cwd, `${path}.fade`));
      await fade(...words);
      expect(archivesIn(join(cwd, "d")), words.join(" ")).toEqual(alone);
    }
    const archives = paths.map((path) => `${path}.fade`);
    await fade("-t", ...archives);
    await fade("-d", ...archives);
    for (const [i, path] of paths.entries())
      expect(new Uint8Array(readFileSync(join(cwd, path)))).toEqual(contentOf(i));
  });
});

describe("one that fails does not disturb the others", () => {
  testInDirectory("a file that cannot be read, and an archive that is damaged", async (cwd) => {
    writeAll(cwd);
    const [before, after] = [NAMES.slice(0, 5), NAMES.slice(5)];
    const ran = await runFade(["-1", ...before, "gone", ...after], { cwd });
    expect(ran.exitCode).toBe(1);
    // Behind the engine, reports in the order of the files, complaints among them.
    const said = ran.stderr.trimEnd().split("\n").slice(1);
    expect(said.map((line) => /^(?:fade: )?([a-z]+\d*)/.exec(line)?.[1])).toEqual([
      ...before,
      "gone",
      ...after,
      undefined,
    ]);
    const damaged = join(cwd, "f05.fade");
    const bytes = readFileSync(damaged);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
    writeFileSync(damaged, bytes);
    for (const name of NAMES) rmSync(join(cwd, name));
    const back = await runFade(["-dq", ...NAMES.map((name) => `${name}.fade`)], { cwd });
    expect(back).toMatchObject({ exitCode: 3, stderr: expect.stringMatching(/^fade: f05\.fade: [^\n]+\n/) });
    for (const [i, name] of NAMES.entries()) {
      if (i === 5) expect(() => readFileSync(join(cwd, name))).toThrow("ENOENT");
      else expect(new Uint8Array(readFileSync(join(cwd, name)))).toEqual(contentOf(i));
    }
  });

  testInDirectory("an engine that is lost at one file is not used for the next", async (cwd) => {
    writeAll(cwd);
    let [opened, models] = [0, 0];
    const engine = async (): Promise<Engine> => {
      opened += 1;
      const made: Engine = new FakeEngine();
      const openModel = made.openModel.bind(made);
      const losing = async (...given: Parameters<Engine["openModel"]>): Promise<Model> => {
        models += 1;
        if (models === 4) throw new EngineDeviceError("gpu", "it was lost");
        return await openModel(...given);
      };
      return Object.assign(made, { openModel: losing });
    };
    const ran = await runFade(["-q1", ...NAMES], { cwd, engine });
    expect([ran.exitCode, opened]).toEqual([1, 2]);
    expect(ran.stderr).toMatch(/^fade: f\d\d: the device failed: it was lost\n/);
    const lost = NAMES.filter((name) => !Bun.file(join(cwd, `${name}.fade`)).size);
    expect(lost).toHaveLength(1);
  });

  testInDirectory(
    "outputs that are one file under two names: the second is refused, also while the first waits",
    async (cwd) => {
      writeAll(join(cwd, "d"));
      symlinkSync("d", join(cwd, "e"));
      for (const force of [[], ["-f"]]) {
        rmSync(join(cwd, "d/f00.fade"), { force: true });
        const ran = await runFade(["-q1", ...force, "d/f00", "e/f00", "d/f01"], { cwd });
        expect(ran.exitCode).toBe(1);
        expect(ran.stderr).toContain("fade: e/f00.fade: is the output of another input, too");
        rmSync(join(cwd, "d/f01.fade"));
      }
    },
  );
});

describe("outputs that wait for the disk", () => {
  /** Jobs that end when they are told to. */
  function jobs() {
    const done: number[] = [];
    const ends: (() => void)[] = [];
    const job = (i: number) => async () => {
      await new Promise<void>((resolve) => (ends[i] = resolve));
      done.push(i);
    };
    const end = async (i: number) => {
      while (!ends[i]) await Bun.sleep(0);
      ends[i]();
    };
    return { done, job, end };
  }

  test("settle one after the other, in order; more than so many are waited for", async () => {
    const { done, job, end } = jobs();
    const settling = new Settling(2);
    await settling.add(job(0));
    await settling.add(job(1));
    let isAdded = false;
    const third = settling.add(job(2)).then(() => {
      isAdded = true;
    });
    await Bun.sleep(5);
    expect([isAdded, done]).toEqual([false, []]);
    await end(0);
    await third;
    expect(done).toEqual([0]);
    await Promise.all([end(1), end(2), settling.drain()]);
    expect(done).toEqual([0, 1, 2]);
  });

  test("without waiting each is done before the next is added", async () => {
    const settling = new Settling(0);
    let isDone = false;
    await settling.add(async () => {
      await Bun.sleep(1);
      isDone = true;
    });
    expect(isDone).toBe(true);
  });

  test("an error ends the run, but what was queued is done", async () => {
    const settling = new Settling(1);
    const done: string[] = [];
    await settling.add(() => Promise.reject(new Error("nobody reads")));
    await expect(settling.add(async () => void done.push("second"))).rejects.toThrow("nobody reads");
    await settling.drain();
    expect(done).toEqual(["second"]);
  });
});

describe("engines of a run", () => {
  const SMALL = { hyper: hyperForSize(networkOf(5), 1000), expectedBytes: 1000 };
  const LARGE = { hyper: hyperForSize(networkOf(5), 1e6), expectedBytes: 1e6 };
  const UNKNOWN = { hyper: SMALL.hyper };

  function engines(request: Partial<EngineRequest>, best: EngineName) {
    const asked: string[] = [];
    const closed: EngineName[] = [];
    const used: EngineName[] = [];
    const open = async ({ isSmall }: EngineRequest): Promise<Engine> => {
      asked.push(isSmall ? "small" : "any");
      const name = isSmall ? "cpu" : best;
      const close = async () => void closed.push(name);
      return Object.assign(new FakeEngine(), { name, close });
    };
    const all = new Engines({ engine: "auto", threads: 1, ...request }, open, ({ name }) => used.push(name));
    return { all, asked, closed, used };
  }

  test("small work goes to the CPU engine, and nobody looks for a GPU", async () => {
    const { all, asked, closed } = engines({}, "gpu");
    const engine = await all.for(SMALL);
    expect([engine.name, await all.for(SMALL)]).toEqual(["cpu", engine]);
    expect(asked).toEqual(["small"]);
    expect((await all.for(LARGE)).name).toBe("gpu");
    expect(await all.for(SMALL)).toBe(engine);
    expect(asked).toEqual(["small", "any"]);
    await all.close();
    expect(closed.toSorted()).toEqual(["cpu", "gpu"]);
  });

  test("without a GPU there is one engine, whichever work comes first, and it is told of once", async () => {
    for (const works of [
      [SMALL, LARGE],
      [LARGE, SMALL],
      [UNKNOWN, SMALL],
    ]) {
      const { all, used } = engines({}, "cpu");
      const [first, second] = [await all.for(works[0] ?? SMALL), await all.for(works[1] ?? SMALL)];
      expect(first).toBe(second);
      expect(used).toEqual(["cpu"]);
      await all.close();
    }
  });

  test("a mixer of few lanes goes to the CPU engine, however long the input; one of many looks for a GPU", async () => {
    const lanesOf = (lanes: number, bytes: number) => ({
      hyper: hyperForSize(levelOf(5), bytes, lanes),
      expectedBytes: bytes,
    });
    const threads = 8;
    const few = engines({ threads }, "gpu");
    for (const lanes of [1, 16, 8 * GPU_LANES_PER_THREAD - 1]) {
      expect((await few.all.for(lanesOf(lanes, 1e8))).name).toBe("cpu");
    }
    expect(few.asked).toEqual(["small"]);
    expect((await few.all.for(lanesOf(8 * GPU_LANES_PER_THREAD, 1e8))).name).toBe("gpu");
    // A second of work is over sooner than a driver is loaded.
    expect((await engines({ threads }, "gpu").all.for(lanesOf(1024, 1e5))).name).toBe("cpu");
    expect([isForGpu(GPU_LANES_MIN - 1, 1), isForGpu(GPU_LANES_MIN, 1)]).toEqual([false, true]);
  });

  test("what was asked for by name is taken for small work, too", async () => {
    for (const request of [{ engine: "gpu" as const }, { adapter: "9000" }]) {
      const { all, asked } = engines(request, "gpu");
      expect([(await all.for(SMALL)).name, asked]).toEqual(["gpu", ["any"]]);
    }
  });
});
