/**
 * `fade bench kernels`: the bit mixers of the levels that are asked for, and every kernel of the networks, as a table
 * for people or as JSON lines.
 */
import { cpus } from "node:os";
import type { CheckResult, KernelBenchResult, KernelResult, MixerResult } from "../bench/kernel-results.ts";
import { shortTime } from "../bench/report/text.ts";
import { type HyperParameters, hasNetwork } from "../contract/hyper.ts";
import { EngineUnavailableError } from "../engine/engine.ts";
import type { EngineParts } from "../engine/registry.ts";
import { hyperForSize, isMixer } from "../model/levels.ts";
import type { BenchContestant, BenchSettings } from "./bench-settings.ts";
import { FileError, UsageError } from "./errors.ts";
import { printLine } from "./io.ts";
import type { Session } from "./session.ts";
import { sizeText } from "./words.ts";

/** Streams of a file of half a megabyte. */
const STREAMS_DEFAULT = 64;
/** Lines of a mixer's lanes are as many as for so many bytes. */
const LANE_BYTES = 2 ** 20;

export async function runKernelsBench(session: Session, bench: BenchSettings, parts: EngineParts): Promise<void> {
  if (bench.operands.length > 0) {
    throw new UsageError("bench kernels takes no files", "a file called kernels is ./kernels");
  }
  if (bench.wantsPlan) {
    const { runPlan } = await import("./bench-plan.ts");
    await runPlan(session, bench);
    return;
  }
  const { filter } = bench;
  const failed: string[] = [];
  let shown = 0;
  const onResult = async (result: KernelBenchResult) => {
    if (result.kind === "kernel" || result.kind === "mixer") shown += 1;
    if (result.kind === "check" && result.difference) failed.push(`${result.device}: ${result.difference}`);
    await printLine(session.io, bench.json ? JSON.stringify(result) : textOf(result));
  };
  for (const { engine, contestants } of await engineGroups(bench.contestants, parts)) {
    const all = contestants.map(({ setting, settings }) => ({ setting, hyper: hyperOf(settings, engine) }));
    const models = all.filter(({ hyper }) => hasNetwork(hyper));
    const mixers =
      filter === undefined || "mixer".includes(filter) ? all.filter(({ hyper }) => !hasNetwork(hyper)) : [];
    const request = { models, mixers, onResult, ...(filter !== undefined && { filter }) };
    if (engine === "gpu") {
      const { benchGpuKernels } = await import("../bench/gpu-kernels.ts");
      await benchGpuKernels(request, contestants[0]?.settings.adapter);
    } else {
      const { benchCpuKernels } = await import("../bench/cpu-kernels.ts");
      await benchCpuKernels(request, cpus()[0]?.model.trim() ?? "unknown");
    }
  }
  if (shown === 0) throw new UsageError(`no kernel is called ${filter}`, "without --filter, all are shown");
  for (const difference of failed) session.complain("kernels", new FileError(difference));
}

function hyperOf({ level, streams }: BenchContestant["settings"], engine: "cpu" | "gpu"): HyperParameters {
  if (!isMixer(level)) return { ...level.shape, streams: streams ?? STREAMS_DEFAULT };
  const lanes = streams ?? (engine === "cpu" ? 1 : STREAMS_DEFAULT);
  return hyperForSize(level, lanes * LANE_BYTES, lanes);
}

/** Engine by engine; "auto" is the CPU engine and, where there is an adapter, the GPU engine. */
async function engineGroups(contestants: readonly BenchContestant[], parts: EngineParts) {
  const names = [...new Set(contestants.map(({ engine }) => engine))];
  const groups: { engine: "cpu" | "gpu"; contestants: BenchContestant[] }[] = [];
  for (const name of names) {
    if (name === "reference") throw new UsageError("the reference engine has no kernels", "use --engine cpu,gpu");
    const own = contestants.filter(({ engine }) => engine === name);
    if (name !== "gpu" && own.every(({ settings }) => settings.adapter === undefined)) {
      groups.push({ engine: "cpu", contestants: own });
    }
    const wantsGpu = name === "gpu" || own.some(({ settings }) => settings.adapter !== undefined);
    if (wantsGpu || (name === "auto" && (await hasAdapter(parts)))) groups.push({ engine: "gpu", contestants: own });
  }
  return groups;
}

async function hasAdapter(parts: EngineParts): Promise<boolean> {
  try {
    return (await parts.listAdapters()).length > 0;
  } catch (error) {
    if (error instanceof EngineUnavailableError) return false;
    throw error;
  }
}

/** Three digits and a unit of thousands. */
function rateText(perSecond: number | undefined, unit: string): string {
  if (perSecond === undefined || perSecond === 0) return "-";
  return sizeText(perSecond).replace(/B$/, unit).replace("kB", `k${unit}`);
}

function textOf(result: KernelBenchResult): string {
  if (result.kind === "peak") {
    const { device, what, loop, perSecond } = result;
    return `${device}: at most ${rateText(perSecond, what === "bytes" ? "B" : "MAC")}/s (${loop})`;
  }
  if (result.kind === "overhead") return `${result.device}: ${result.what} takes ${shortTime(result.microseconds)}`;
  if (result.kind === "kernel") return kernelText(result);
  if (result.kind === "mixer") return mixerText(result);
  const model = `fade ${result.setting} with ${result.streams} streams on ${result.device}`;
  if (result.kind === "check" && result.isMixer) return checkedMixerText(result);
  if (result.kind === "check") {
    const { steps, difference } = result;
    const verdict = difference === undefined ? "equal the reference" : `DIFFER from the reference: ${difference}`;
    return `${model}: all numbers of ${steps} steps ${verdict}\n${HEAD}`;
  }
  const { kernelsMicroseconds, wholeMicroseconds, calls, clock, streams } = result;
  const speed = sizeText((streams * 1e6) / wholeMicroseconds);
  const { multiplyAdds, shareOfPeak = 0 } = result;
  const rate = multiplyAdds ? `, ${rateText((multiplyAdds * 1e6) / wholeMicroseconds, "MAC")}/s` : "";
  const share = shareOfPeak > 0 ? ` (${(100 * shareOfPeak).toFixed(0)}% of the peak)` : "";
  return (
    `${model}: a step of ${calls} calls takes ${shortTime(wholeMicroseconds)}, ${speed}/s${rate}${share}; ` +
    `the kernels above sum to ${shortTime(kernelsMicroseconds)} (${clock})`
  );
}

function checkedMixerText({ steps, difference, setting, device }: CheckResult): string {
  const differ = `DIFFER from the reference's: ${difference}`;
  const verdict = difference === undefined ? "are those of the reference" : differ;
  return `fade ${setting} on ${device}: payloads of ${steps} bytes a lane ${verdict}`;
}

function mixerText(result: MixerResult): string {
  const { setting, streams, contexts, counters, lineBits, openMs, microseconds, restoreMicroseconds } = result;
  const shape = `${contexts} contexts${counters > 0 ? `, ${counters} with counters` : ""}, 2^${lineBits} lines each`;
  const speed = (micros: number, perSecond: number) => `${shortTime(micros)} (${rateText(perSecond, "B")}/s)`;
  return (
    `fade ${setting}, ${streams} ${streams === 1 ? "lane" : "lanes"} of ${shape}, ` +
    `opened in ${shortTime(openMs * 1000)}: ` +
    `a byte of a lane takes ${speed(microseconds, result.bytesPerSecond)}, ` +
    `restored ${speed(restoreMicroseconds, result.restoredPerSecond)}`
  );
}

const WIDTHS = [22, 36, 6, 11, 12, 12, 7];
const columns = (cells: readonly string[]) =>
  WIDTHS.map((width, i) => (i < 2 ? `${cells[i] ?? ""} `.padEnd(width) : ` ${(cells[i] ?? "").padStart(width - 1)}`))
    .join("")
    .trimEnd();
const HEAD = columns(["kernel", "shape", "calls", "a call", "MAC/s", "B/s", "peak"]);

function kernelText(result: KernelResult): string {
  const { kernel, shape, calls, microseconds, work, shareOfPeak, nearest } = result;
  if (calls === 0) return columns([kernel, "not in this step"]);
  const share = shareOfPeak === undefined ? "" : `${(100 * shareOfPeak).toFixed(0)}%${nearest === "bytes" ? "b" : ""}`;
  const rates = work
    ? [rateText(result.multiplyAddsPerSecond, ""), rateText(result.bytesPerSecond, "B"), share]
    : ["", "no case"];
  const what = result.isDecodingOnly ? `${shape} (decompression only)`.trimStart() : shape;
  return columns([kernel, what, String(calls), shortTime(microseconds), ...rates]);
}
