/** Two real processes in a pipe: the first block comes out while the second has not been sent. */
import { expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

const MAIN = join(import.meta.dir, "../../src/cli/main.ts");
const BLOCK = Buffer.from("a rose is a rose; ".repeat(60)).subarray(0, 1024);

const start = (argv: readonly string[]) =>
  spawn(process.execPath, [MAIN, "-q", "--engine", "cpu", "-T1", ...argv], { stdio: ["pipe", "pipe", "inherit"] });

test("fade | fade -d hands on a block before the next is sent", async () => {
  const compressor = start(["-1", "-B1K", "-c"]);
  const decompressor = start(["-dc"]);
  const exits = Promise.all([once(compressor, "exit"), once(decompressor, "exit")]);
  compressor.stdout.pipe(decompressor.stdin);
  const received: Buffer[] = [];
  const count = () => received.reduce((sum, piece) => sum + piece.length, 0);
  const firstBlock = new Promise<void>((resolve) => {
    decompressor.stdout.on("data", (piece: Buffer) => {
      received.push(piece);
      if (count() >= BLOCK.length) resolve();
    });
  });
  compressor.stdin.write(BLOCK);
  await firstBlock;
  expect(count()).toBe(BLOCK.length);
  compressor.stdin.end(BLOCK.subarray(0, 100));
  expect((await exits).map(([code]) => code as number)).toEqual([0, 0]);
  expect(Buffer.compare(Buffer.concat(received), Buffer.concat([BLOCK, BLOCK.subarray(0, 100)]))).toBe(0);
});
