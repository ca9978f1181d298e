/**
 * The loops of test/faults for longer than `npm test` has time for: `bun scripts/faults.ts [KILLS]`, 1000 if not said.
 * Fewer than some 50 may all come too early to show anything, which the test counts as a failure.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const kills = process.argv[2] ?? "1000";
const ran = spawnSync(process.execPath, ["test", "--timeout=3600000", "test/faults/signals.test.ts", "-t", "kill"], {
  cwd: join(import.meta.dir, ".."),
  env: { ...process.env, FADE_TEST_KILLS: kills },
  stdio: "inherit",
});
process.exit(ran.status ?? 1);
