/** Which engine is taken, on machines with and without GPUs. */
import { describe, expect, test } from "bun:test";
import { complaintOf } from "../../src/cli/errors.ts";
import { type Engine, EngineLimitError, EngineUnavailableError, type Model } from "../../src/engine/engine.ts";
import { type EngineParts, type EngineRequest, openEngine } from "../../src/engine/registry.ts";
import { tinyHyper } from "../support/fake-engine.ts";

const HARDWARE = { name: "Hardware 9000", isSoftware: false };
const SOFTWARE = { name: "SwiftShader", isSoftware: true };

function engine(description: string): Engine {
  return {
    name: "reference",
    description,
    openModel: async () => Promise.reject(new Error("not opened here")),
    close: async () => {},
  };
}

async function chosen(
  adapters: { name: string; isSoftware: boolean }[] | EngineUnavailableError,
  hasCpu: boolean,
  request: Partial<EngineRequest> = {},
): Promise<string> {
  const parts: EngineParts = {
    listAdapters: async () => {
      if (adapters instanceof Error) throw adapters;
      return adapters;
    },
    createGpuEngine: async ({ adapter }) => engine(`gpu ${adapter}`),
    createReferenceEngine: async () => engine("reference"),
    ...(hasCpu && { createCpuEngine: async ({ threads }: { threads: number }) => engine(`cpu ${threads}`) }),
  };
  return (await openEngine({ engine: "auto", threads: 3, ...request }, parts)).description;
}

describe("auto", () => {
  test("hardware first, then cpu, then software, then the reference", async () => {
    expect(await chosen([SOFTWARE, HARDWARE], true)).toBe("gpu Hardware 9000");
    expect(await chosen([SOFTWARE], true)).toBe("cpu 3");
    expect(await chosen([SOFTWARE], false)).toBe("gpu SwiftShader");
    expect(await chosen([], false)).toBe("reference");
    expect(await chosen(new EngineUnavailableError("gpu", "no Vulkan", ""), false)).toBe("reference");
  });
});

test("auto looks at no adapters for small work, unless there is no CPU engine", async () => {
  const isSmall = true;
  expect(await chosen([HARDWARE], true, { isSmall })).toBe("cpu 3");
  expect(await chosen([HARDWARE], false, { isSmall })).toBe("gpu Hardware 9000");
  expect(await chosen([HARDWARE], true, { isSmall, engine: "gpu" })).toBe("gpu undefined");
  const listAdapters = () => Promise.reject(new Error("somebody looked"));
  const parts = { listAdapters, createGpuEngine: listAdapters, createReferenceEngine: listAdapters };
  const createCpuEngine = async () => engine("cpu");
  const opened = await openEngine({ engine: "auto", threads: 1, isSmall }, { ...parts, createCpuEngine });
  expect(opened.description).toBe("cpu");
});

test("a GPU that auto has chosen leaves mixers that it cannot hold to threads", async () => {
  const asked: unknown[] = [];
  const parts: EngineParts = {
    listAdapters: async () => [HARDWARE],
    createGpuEngine: async (options) => {
      asked.push(options);
      return engine("gpu");
    },
    createReferenceEngine: async () => engine("reference"),
  };
  await openEngine({ engine: "auto", threads: 3 }, parts);
  await openEngine({ engine: "gpu", threads: 3 }, parts);
  await openEngine({ engine: "auto", threads: 3, adapter: "9000" }, parts);
  expect(asked).toEqual([{ adapter: HARDWARE.name, spareThreads: 3 }, {}, { adapter: "9000" }]);
});

describe("a GPU that cannot hold a model", () => {
  const said: string[] = [];
  const refusing = (): Engine => ({
    ...engine("gpu"),
    openModel: async () => Promise.reject(new EngineLimitError("gpu", "the adapter allows 134217728")),
    close: async () => void said.push("gpu closed"),
  });
  const holding = async (): Promise<Engine> => {
    said.push("cpu opened");
    return {
      ...engine("cpu"),
      openModel: async ({ streams }) => ({ streams }) as unknown as Model,
      close: async () => void said.push("cpu closed"),
    };
  };
  const parts: EngineParts = {
    listAdapters: async () => [HARDWARE],
    createGpuEngine: async () => refusing(),
    createCpuEngine: holding,
    createReferenceEngine: async () => engine("reference"),
  };

  test("that auto has chosen leaves it to the CPU engine, which is opened once and closed with it", async () => {
    said.length = 0;
    const opened = await openEngine({ engine: "auto", threads: 3 }, parts);
    expect([opened.description, said]).toEqual(["gpu", []]);
    for (const streams of [4, 8]) expect(await opened.openModel(tinyHyper(streams))).toMatchObject({ streams });
    await opened.close();
    expect(said).toEqual(["cpu opened", "cpu closed", "gpu closed"]);
  });

  test("that was asked for says so, and which engine can", async () => {
    said.length = 0;
    const opened = await openEngine({ engine: "gpu", threads: 3 }, parts);
    const refused = await opened.openModel(tinyHyper(4)).then(String, (error: unknown) => error);
    expect(refused).toBeInstanceOf(EngineLimitError);
    const exitCode = expect.any(Number);
    const hint = "use --engine cpu: archives are the same";
    expect(complaintOf(refused)).toEqual({ message: "the adapter allows 134217728", hint, exitCode });
    expect(said).toEqual([]);
  });

  test("is no reason to hide another failure", async () => {
    const failing = { ...refusing(), openModel: async () => Promise.reject(new Error("a defect")) };
    const opened = await openEngine({ engine: "auto", threads: 3 }, { ...parts, createGpuEngine: async () => failing });
    await expect(opened.openModel(tinyHyper(4))).rejects.toThrow("a defect");
  });
});

test("auto goes on when a driver refuses", async () => {
  const parts: EngineParts = {
    listAdapters: async () => [HARDWARE],
    createGpuEngine: async () => Promise.reject(new EngineUnavailableError("gpu", "the driver refuses", "")),
    createReferenceEngine: async () => engine("reference"),
  };
  expect((await openEngine({ engine: "auto", threads: 1 }, parts)).description).toBe("reference");
  await expect(openEngine({ engine: "gpu", threads: 1 }, parts)).rejects.toThrow("the driver refuses");
});

describe("by name", () => {
  test("exactly that one, or an error that says why not", async () => {
    expect(await chosen([HARDWARE], true, { engine: "reference" })).toBe("reference");
    expect(await chosen([HARDWARE], true, { engine: "cpu" })).toBe("cpu 3");
    expect(await chosen([SOFTWARE], true, { adapter: "swift" })).toBe("gpu swift");
    await expect(chosen([HARDWARE], false, { engine: "cpu" })).rejects.toBeInstanceOf(EngineUnavailableError);
    await expect(chosen([HARDWARE], true, { engine: "cpu", adapter: "x" })).rejects.toBeInstanceOf(
      EngineUnavailableError,
    );
  });
});
