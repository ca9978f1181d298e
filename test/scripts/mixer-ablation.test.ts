/** What the table of the mixer's parts takes away is there to be taken away. */
import { expect, test } from "bun:test";
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { PARTS, takeAway } from "../../scripts/mixer-ablation.ts";
import { inDirectory } from "../cli/harness.ts";

const SRC = join(import.meta.dir, "..", "..", "src");

test.each(PARTS.map((part) => [part.name, part] as const))("%s", async (_name, part) => {
  await inDirectory((folder) => {
    const files = new Set(part.changes.map(([file]) => file));
    for (const file of files) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      copyFileSync(join(SRC, file), join(folder, file));
    }
    takeAway(part, folder);
    for (const file of files) {
      expect(readFileSync(join(folder, file), "utf8")).not.toBe(readFileSync(join(SRC, file), "utf8"));
    }
  });
});
