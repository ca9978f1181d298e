/** Loaded into each test process of scripts/ci-files.ts: leaves what instrumented code has counted. */
const { writeFileSync } = require("node:fs");
const { join } = require("node:path");

process.on("exit", () => {
  const counted = globalThis.__coverage__;
  const folder = process.env.COVERAGE_FOLDER;
  if (counted && folder) writeFileSync(join(folder, `${process.pid}.json`), JSON.stringify(counted));
});
