/** What a block's version says of its lists: a golden archive of version 9, asked as what it is and as an older one. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CorruptError } from "../../src/archive/errors.ts";
import type { Block } from "../../src/archive/format.ts";
import { stretchesOf } from "../../src/pipeline/block-facts.ts";
import { readArchive } from "../support/in-memory.ts";

const blockIn = async (name: string): Promise<Block> => {
  const archive = new Uint8Array(readFileSync(join(import.meta.dir, "../golden", name)));
  const [frame] = await readArchive(archive);
  return frame?.blocks[0] as Block;
};

test("a damped table is read in version 9 and refused before", async () => {
  const block = await blockIn("v9-damped.fade");
  expect(stretchesOf(block, 9, 0).map(({ numbers }) => numbers)).toMatchObject([{ kind: "table", isDamped: true }]);
  expect(() => stretchesOf(block, 8, 0)).toThrow(CorruptError);
});

test("one that is not damped is read in both", async () => {
  const block = await blockIn("v9-table.fade");
  expect(stretchesOf(block, 8, 0)).toHaveLength(1);
  expect(stretchesOf(block, 8, 0)).toEqual(stretchesOf(block, 9, 0));
});
