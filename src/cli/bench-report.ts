/** `fade bench report results.json -o report.html`: from the JSON lines of benchmarks to one HTML file. */

import { resolve } from "node:path";
import { reportPage } from "../bench/report/page.ts";
import { type AnyResult, ReportInputError, readResults } from "../bench/report/read.ts";
import type { BenchSettings } from "./bench-settings.ts";
import { FileError, UsageError } from "./errors.ts";
import { displayName, findInput, openInput, plainSource } from "./input.ts";
import type { Operand } from "./normalise.ts";
import { checkTarget, openOutput } from "./output.ts";
import type { Session } from "./session.ts";
import { SAYS } from "./settings.ts";
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
  for (const operand of bench.operands) results.push(...(await readOperand(session, operand)));
  const page = new TextEncoder().encode(pageOf(results, displayName(bench.operands[0] as Operand)));
  if (bench.output === undefined) return await io.stdout.write(page);
  const target = await checkTarget(resolve(io.cwd, bench.output), bench.output, bench.force, undefined);
  const output = await openOutput(io, target, { source: undefined, sparse: false, verify: undefined });
  try {
    await output.write(page);
    await output.finish();
  } finally {
    await output.discard();
  }
  session.say(SAYS.results, `${bench.output}: ${results.length} results, ${sizeText(page.length)}`);
}

async function readOperand({ io }: Session, operand: Operand): Promise<AnyResult[]> {
  const source = await openInput(io, await findInput(io, operand));
  try {
    const bytes = await plainSource(source).read(source.sizeBytes ?? Number.MAX_SAFE_INTEGER);
    return readResults(new TextDecoder().decode(bytes));
  } catch (error) {
    if (!(error instanceof ReportInputError)) throw error;
    const hint = "results are written by fade bench --json and fade bench kernels --json";
    throw new FileError(error.message, hint, displayName(operand));
  } finally {
    await source.close();
  }
}

function pageOf(results: readonly AnyResult[], name: string): string {
  try {
    return reportPage(results);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new FileError("holds no results of a benchmark", "fade bench --json FILE > results.json makes them", name);
  }
}
