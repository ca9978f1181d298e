/**
 * `npm test`: compile the CPU kernels, lint, type check, then all tests. Every step runs even if one before it failed;
 * the last line counts them all, "N passed, N failed", and the exit code is 1 if anything failed.
 *
 * `npm test -- FILE… [-t NAME]`: only these test files, or all below these folders, and neither lint nor types.
 * Arguments go to `bun test`.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

interface Counts {
  passed: number;
  failed: number;
}

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TEST_TIMEOUT_MILLISECONDS = 120_000;
/**
 * Test files that run beside each other, each in a process of its own. Most of the tests wait for one thread; two files
 * take half the time of one after the other on two cores, and more would disturb those that look at memory and signals.
 */
const FILES_AT_A_TIME = 2;

function run(command: string[]): boolean {
  console.log(`\n$ ${command.map((word) => word.replace(ROOT, "")).join(" ")}`);
  const { success } = Bun.spawnSync(command, { cwd: ROOT, stdio: ["ignore", "inherit", "inherit"] });
  return success;
}

/** What comes before the tests counts as one test each. */
function check(name: string, command: string[], counts: Counts): void {
  if (run(command)) counts.passed++;
  else {
    counts.failed++;
    console.log(`(fail) ${name}`);
  }
}

/** `bun test` takes a word for a pattern, which fits other paths, too, unless it is a whole path. */
function asPath(argument: string): string {
  return existsSync(join(ROOT, argument)) && !argument.startsWith("-") ? join(ROOT, argument) : argument;
}

function runTests(counts: Counts, extraArguments: readonly string[]): void {
  const folder = mkdtempSync(join(tmpdir(), "fade-test-"));
  const report = join(folder, "junit.xml");
  const files = [`--parallel=${FILES_AT_A_TIME}`, `--timeout=${TEST_TIMEOUT_MILLISECONDS}`];
  const reports = ["--reporter=junit", `--reporter-outfile=${report}`];
  const success = run([process.execPath, "test", ...files, ...reports, ...extraArguments]);
  const totals = readTotals(report);
  rmSync(folder, { recursive: true, force: true });
  counts.passed += totals.passed;
  counts.failed += totals.failed;
  // A crash, or a file that does not load, fails without a failed test.
  if (!success && totals.failed === 0) counts.failed++;
  if (totals.skipped > 0) {
    console.log(`(fail) ${totals.skipped} tests were skipped: nothing is skipped in silence`);
    counts.failed += totals.skipped;
  }
}

/** The totals of the report's <testsuites> element. */
function readTotals(report: string): Counts & { skipped: number } {
  let head: string;
  try {
    head = readFileSync(report, "utf8").match(/<testsuites[^>]*>/)?.[0] ?? "";
  } catch {
    head = ""; // the run died before it could write
  }
  const number = (name: string) => Number(head.match(new RegExp(` ${name}="(\\d+)"`))?.[1] ?? 0);
  const failed = number("failures") + number("errors");
  const skipped = number("skipped");
  return { passed: number("tests") - failed - skipped, failed, skipped };
}

const counts: Counts = { passed: 0, failed: 0 };
const chosen = process.argv.slice(2);
const tool = (name: string) => join(ROOT, "node_modules", ".bin", name);
check("compile the CPU kernels", [process.execPath, join(ROOT, "src/engine/cpu/assembly/build.ts")], counts);
if (chosen.length === 0) {
  check("lint", [tool("biome"), "check", "--error-on-warnings", "."], counts);
  check("type check", [tool("tsc"), "--noEmit"], counts);
  check("type check of the page", [tool("tsc"), "--noEmit", "-p", "web"], counts);
}
runTests(counts, chosen.map(asPath));
console.log(`\n${counts.passed} passed, ${counts.failed} failed`);
process.exit(counts.failed > 0 ? 1 : 0);
