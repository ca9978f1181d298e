/**
 * Runs whole command lines inside the test's process: a directory of its own, streams that are arrays, and an engine
 * that is given. What the real process adds (descriptors, signals, exit) is tested in process.test.ts.
 */
import { test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Io } from "../../src/cli/io.ts";
import { type RunParts, run } from "../../src/cli/run.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { openEngine } from "../../src/engine/registry.ts";
import { FakeEngine } from "../support/fake-engine.ts";

export interface World {
  readonly cwd: string;
  readonly stdin?: Uint8Array;
  /** dumb: no escape sequences on the third. */
  readonly terminals?: readonly ("stdin" | "stdout" | "stderr" | "dumb")[];
  /** Lines that are typed at questions. */
  readonly typed?: readonly string[];
  readonly environment?: Record<string, string>;
  readonly argv0?: string;
  /** Default: the fake engine, where the registry would open the reference. */
  readonly engine?: () => Promise<Engine>;
  /** Thrown by writes to standard output. */
  readonly stdoutError?: Error;
}

export interface Outcome {
  readonly exitCode: number;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}

/** Does something in a folder of its own, which is removed afterwards. */
export async function inDirectory<T>(work: (cwd: string) => Promise<T> | T): Promise<T> {
  const cwd = mkdtempSync(join(tmpdir(), "fade-test-"));
  try {
    return await work(cwd);
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

/** Makes `test` for work that goes on within something, such as a folder of its own. */
export const testWithin =
  <T>(within: (work: (what: T) => Promise<void> | void) => Promise<unknown>) =>
  (name: string, work: (what: T) => Promise<void> | void): void =>
    test(name, async () => void (await within(work)));

export const testInDirectory = testWithin<string>(inDirectory);

/** Gives everything at once, and then nothing. */
function nextOf(bytes: Uint8Array = new Uint8Array(0)): () => Promise<Uint8Array> {
  let rest = bytes;
  return async () => {
    const next = rest;
    rest = rest.subarray(rest.length);
    return next;
  };
}

/** The build's own choice of engines, with `create` where the reference would be and without a GPU. */
function partsWith(create: () => Promise<Engine>): RunParts {
  const engines = {
    listAdapters: async () => [],
    createGpuEngine: async (): Promise<Engine> => {
      throw new Error("tests of the command line use no GPU");
    },
    createReferenceEngine: create,
  };
  return { engines, openEngine: (request) => openEngine(request, engines) };
}

export async function runFade(argv: readonly string[], world: World): Promise<Outcome> {
  const written: Uint8Array[] = [];
  let stderr = "";
  const isTerminal = (name: "stdin" | "stdout" | "stderr" | "dumb") => world.terminals?.includes(name) ?? false;
  const typed = [...(world.typed ?? [])];
  const io: Io = {
    cwd: world.cwd,
    stdin: {
      isTerminal: isTerminal("stdin"),
      readAll: async () => world.stdin ?? new Uint8Array(0),
      read: nextOf(world.stdin),
      readLine: async () => typed.shift() ?? "",
    },
    stdout: {
      isTerminal: isTerminal("stdout"),
      write: async (bytes) => {
        if (world.stdoutError) throw world.stdoutError;
        written.push(Uint8Array.from(bytes));
      },
    },
    stderr: {
      isTerminal: isTerminal("stderr"),
      isDumb: isTerminal("dumb"),
      columns: 80,
      write: (text) => {
        stderr += text;
      },
    },
    nowMs: () => 0,
    temporaryFiles: new Set(),
    uninterrupted: (work) => work(),
  };
  const exitCode = await run(argv, io, {
    ...partsWith(world.engine ?? (async () => new FakeEngine())),
    environment: world.environment ?? {},
    argv0: world.argv0 ?? "fade",
  });
  return { exitCode, stdout: new Uint8Array(Buffer.concat(written)), stderr };
}
