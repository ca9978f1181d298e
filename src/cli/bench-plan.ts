/**
 * `fade bench kernels --plan`: what a hardware GPU would be made to do, kernel by kernel, as a table for people or as
 * JSON lines. Nothing runs, and no GPU is needed.
 */
import { planOf } from "../bench/gpu-plan.ts";
import type { PlanResult } from "../bench/kernel-results.ts";
import { mixerPlanOf } from "../bench/mixer-plan.ts";
import { hasNetwork } from "../contract/hyper.ts";
import { hyperForSize, isMixer } from "../model/levels.ts";
import type { BenchContestant, BenchSettings } from "./bench-settings.ts";
import { UsageError } from "./errors.ts";
import { printLine } from "./io.ts";
import type { Session } from "./session.ts";
import { sizeText } from "./words.ts";

/** Streams of a file of 8 MB, of 32, of many; lanes of one, four and eight to a multiprocessor of an H100. */
const STREAMS = [488, 1952, 4096];
const LANES = [132, 528, 1056];
/** As fade bench kernels has them. */
const LANE_BYTES = 2 ** 20;

/** @throws UsageError */
export async function runPlan(session: Session, { contestants, filter = "", json }: BenchSettings): Promise<void> {
  let shown = 0;
  // A plan is of no engine: each model once.
  const settings = [...new Map(contestants.map((contestant) => [contestant.setting, contestant])).values()];
  for (const contestant of settings) {
    for (const streams of streamsOf(contestant)) {
      const results = (await plan(contestant, streams)).filter(({ kernel }) => kernel.includes(filter));
      shown += results.length;
      const lines = json ? results.map((result) => JSON.stringify(result)) : tableOf(results);
      for (const line of lines) await printLine(session.io, line);
    }
  }
  if (shown === 0) throw new UsageError(`no kernel is called ${filter}`, "without --filter, all are shown");
}

function streamsOf({ settings: { level, streams } }: BenchContestant): readonly number[] {
  if (streams !== undefined) return [streams];
  return isMixer(level) ? LANES : STREAMS;
}

async function plan({ setting, settings: { level } }: BenchContestant, streams: number): Promise<PlanResult[]> {
  if (isMixer(level)) return [mixerPlanOf(setting, hyperForSize(level, streams * LANE_BYTES, streams))];
  const hyper = { ...level.shape, streams };
  return hasNetwork(hyper) ? await planOf(setting, hyper) : [];
}

const WIDTHS = [20, 6, 12, 7, 12, 12, 10];
const columns = (cells: readonly string[]) =>
  WIDTHS.map((width, i) => (i === 0 ? (cells[i] ?? "").padEnd(width) : ` ${(cells[i] ?? "").padStart(width - 1)}`))
    .join("")
    .trimEnd();
const HEAD = columns(["kernel", "calls", "workgroups", "used", "iterations", "products", "moved"]);

function tableOf(results: readonly PlanResult[]): string[] {
  const [first] = results;
  if (!first) return [];
  const what = first.kernel === "mixer" ? "a byte of each of" : "a step of";
  const unit = first.kernel === "mixer" ? "lanes" : "streams";
  return [`fade ${first.setting}, ${what} ${first.streams} ${unit}`, HEAD, ...results.map(lineOf), ""];
}

function lineOf(result: PlanResult): string {
  const { kernel, calls, workgroups, invocations, lanesUsed, iterations, multiplyAdds, bytes } = result;
  return columns([
    result.isDecodingOnly ? `${kernel} (restoring)` : kernel,
    String(calls),
    `${workgroups}x${invocations}`,
    lanesUsed === undefined ? "-" : `${(100 * lanesUsed).toFixed(0)}%`,
    String(iterations),
    multiplyAdds === 0 ? "-" : sizeText(multiplyAdds).replace(/B$/, "").trimEnd(),
    sizeText(bytes),
  ]);
}
