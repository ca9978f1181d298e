/** `fade bench report results.json -o report.html`: from the JSON lines of benchmarks to one HTML file. */

import { resolve } from "node:path";
import { reportPage } from "../bench/report/page.ts";
import { type AnyResult, ReportInputError, readResults } from "../bench/report/read.ts";
import { plainSource } from "../library/plain-source.ts";
import type { BenchSettings } from "./bench-settings.ts";
import { FileError, UsageError } from "./errors.ts";
import { displayName, findInput, openInput } from "./input.ts";
import type { Operand } from "./normalise.ts";
import { openOutput } from "./output.ts";
import type { Session } from "./session.ts";
import { SAYS } from "./settings.ts";
import { checkTarget } from "./targets.ts";
import { sizeText } from "./words.ts";

export async function writeReport(session: Session, bench: BenchSettings): Promise<void> {
  const { io } = session;
  if (bench.operands.length === 0) {
    throw new UsageError("bench report needs results", "fade bench --json FILE > results.json makes them");
  }
  if (bench.output === undefined && io.stdout.isTerminal) {
    throw new UsageError("a report is not written to a terminal", "name a file with -o, as in -o report.html");
  }
  const results: AnyResult[] = [];
  for (const operand of bench.operands) {
    const name = displayName(operand);
    const read = await orComplaint(session, name, () => readOperand(session, operand));
    if (!read) return;
    results.push(...read);
  }
  const page = await orComplaint(session, displayName(bench.operands[0] as Operand), async () => pageOf(results));
  if (!page) return;
  if (bench.output === undefined) return await io.stdout.write(page);
  const { output: name, force } = bench;
  const isWritten = await orComplaint(session, name, () => write(session, name, force, page));
  if (isWritten) session.say(SAYS.results, `${name}: ${results.length} results, ${sizeText(page.length)}`);
}

/** The result of `work`; undefined if it failed, which was told. */
async function orComplaint<T>(session: Session, name: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    session.complain(name, error);
    return undefined;
  }
}

async function write({ io }: Session, name: string, force: boolean, page: Uint8Array): Promise<true> {
  const target = await checkTarget(resolve(io.cwd, name), name, { force, isNamed: true });
  const output = await openOutput(io, target, { source: undefined, sparse: false, verify: undefined });
  try {
    await output.write(page);
    await output.finish();
    return true;
  } finally {
    await output.discard();
  }
}

async function readOperand({ io }: Session, operand: Operand): Promise<AnyResult[]> {
  const source = await openInput(io, await findInput(io, operand));
  try {
    const bytes = await plainSource(source).read(source.sizeBytes ?? Number.MAX_SAFE_INTEGER);
    return readResults(new TextDecoder().decode(bytes));
  } catch (error) {
    if (!(error instanceof ReportInputError)) throw error;
    const hint = "results are written by fade bench --json and fade bench kernels --json";
    throw new FileError(error.message, hint);
  } finally {
    await source.close();
  }
}

function pageOf(results: readonly AnyResult[]): Uint8Array {
  try {
    return new TextEncoder().encode(reportPage(results));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new FileError("holds no results of a benchmark", "fade bench --json FILE > results.json makes them");
  }
}
