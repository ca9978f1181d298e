/** The two ends of the board, here on one thread; test/faults/signals.test.ts has both threads and real signals. */
import { expect, test } from "bun:test";
import { MainBoard, ProgramBoard } from "../../src/cli/board.ts";

function boards(): { main: MainBoard; program: ProgramBoard } {
  const main = new MainBoard();
  return { main, program: new ProgramBoard(main.memory) };
}

test("nothing is left of a program that has made nothing", () => {
  expect(boards().main.end()).toEqual({ files: [], programs: [] });
});

test("the main thread knows the files and programs that there are when it ends", () => {
  const { main, program } = boards();
  for (const name of ["a", "ü", "b"]) program.temporaryFiles.add(name);
  program.temporaryFiles.delete("a");
  program.programs = [5, 7];
  expect(program.isEnding).toBe(false);
  expect(main.end()).toEqual({ files: ["ü", "b"], programs: [5, 7] });
  expect(program.isEnding).toBe(true);
});

test("more files than fit are refused, not forgotten", () => {
  const { program } = boards();
  expect(() => program.temporaryFiles.add("x".repeat(1 << 16))).toThrow("too many");
});

test("what must not be torn is waited for, but not for ever", async () => {
  const { main, program } = boards();
  const { promise, resolve: finish } = Promise.withResolvers<void>();
  const work = program.uninterrupted(async () => {
    // One inside another is part of it.
    await program.uninterrupted(async () => void program.temporaryFiles.add("a"));
    await promise;
  });
  const startMs = performance.now();
  expect(main.end()).toEqual({ files: ["a"], programs: [] });
  expect(performance.now() - startMs).toBeGreaterThan(400);
  finish();
  await work;
  expect(program.isEnding).toBe(true);
});

test("the width of the terminal", () => {
  const { main, program } = boards();
  expect(program.columns).toBe(0);
  main.columns = 132;
  expect(program.columns).toBe(132);
});
