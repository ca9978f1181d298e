/**
 * Writes docs/fade.1 and completions/ from the table of options: `bun scripts/manual.ts`. A test compares them.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import packageFacts from "../package.json" with { type: "json" };
import { COMPLETION_FILES, completionsFor } from "../src/cli/completions.ts";
import { manualPage } from "../src/cli/manual.ts";

const root = join(import.meta.dir, "..");
writeFileSync(join(root, "docs", "fade.1"), manualPage(packageFacts.version));
for (const [shell, file] of Object.entries(COMPLETION_FILES)) {
  const folder = join(root, "completions", shell);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, file), completionsFor(shell));
}
