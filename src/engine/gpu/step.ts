/**
 * One step of the network as a list of dispatches: the same boxes in the same order as the reference's forward.ts and
 * backward.ts, with a kernel and its buffers for each line.
 *
 * Everything a kernel needs is said here by name; shapes become constants. Nothing here runs: the lists are built
 * once per model and recorded for every step.
 */
import { ceilLog2 } from "../../contract/fixed.ts";
import { activationExponent } from "../../contract/network.ts";
import type { ModelBuffers } from "./buffers.ts";
import { StepBuilder } from "./builder.ts";
import type { TileSize } from "./fused-plan.ts";
import { type Dispatch, elementGroups, flatGroups, type KernelCompiler } from "./kernel.ts";
import { denseRange } from "./places.ts";

export interface StepDispatches {
  /** Of the fused kernels; undefined for a kernel to a box. */
  readonly tile: TileSize | undefined;
  /** From the bytes of the past to `ends`. */
  readonly forward: readonly Dispatch[];
  /** From the bytes that came to the next step's weights; writes `intervals` on its way. */
  readonly backward: readonly Dispatch[];
  /** What takes the place of `backward` in a step in which the network does not train; empty if it always does. */
  readonly untrained: readonly Dispatch[];
}

function addForward(step: StepBuilder): void {
  const { B, H } = step;
  const { globalHidden: G, fineHidden: F, coarseHidden: C, cacheStep: S, contexts: N, tables: M } = step.buffers.hyper;
  const wide = B * H;
  step.add("embed", {}, { embedding: "embedding", embedded: "embedded" }, elementGroups(wide));
  step.norm("inputNorm");
  step.quantiseActivation("input", "inputNorm.out", wide);
  step.lookUp();

  step.linear("newest");
  step.add("geglu", { N: S, RING: G / S }, { x: "newest", out: "cache" }, elementGroups(B * S));
  const cache = { cache: "cache", operand: "operand.cache" };
  step.add("cache_operand", { EXPONENT: activationExponent("cache") }, cache, elementGroups((B * G) / 4));
  step.linear("global");
  step.geluSkip("globalSkip", "global", "inputNorm.out", "far");

  step.norm("localNorm");
  const taps = { TAP_AT: step.offset("tap"), TAP_BIAS_AT: step.offset("tapBias") };
  step.add("local", taps, { z: "localNorm.out", pre: "local", near: "near" }, elementGroups(wide));

  step.linear("router");
  const mix = { r: "router", far: "far", near: "near", alpha: "alpha", mixed: "mixed" };
  step.add("mix", { COUNT: wide }, mix, elementGroups(wide));

  step.norm("coarseNorm");
  step.quantiseActivation("coarse", "coarseNorm.out", wide);
  step.linear("down");
  step.quantiseActivation("downOut", "down", 2 * B * C);
  step.streamMatrix();
  step.quantiseActivation("memoryOut", "recalled", 2 * B * C);
  step.linear("up");
  step.linear("gate");
  if (N > 0) step.linear("feature");
  step.coarseGate();

  step.norm("fineNorm");
  step.quantiseActivation("fineIn", "fineNorm.out", wide);
  step.linear("fine");
  step.add("geglu", { N: F, RING: 1 }, { x: "fine", out: "hidden" }, elementGroups(B * F));
  step.quantiseActivation("fineHidden", "hidden", B * F);
  step.linear("fineOut");
  step.norm("lastNorm");
  step.geluSkip("fineSkip", "lastNorm.out", "fineNorm.out", "last");
  step.quantiseActivation("last", "last", wide);
  step.linear("logits");
  if (N + M > 0) step.linear("recallGate");
  step.add("frequencies", {}, { logits: "logits", gates: "recallGate" }, flatGroups(B));
}

function addBackward(step: StepBuilder): void {
  const { B, H } = step;
  const { hyper } = step.buffers;
  const { globalHidden: G, fineHidden: F, coarseHidden: C, cacheStep: S, embedding: D } = hyper;
  const wide = B * H;
  step.logitGradient();
  step.linearBackward("logits");
  if (hyper.contexts + hyper.tables > 0) {
    step.gateGradient();
    step.linearBackward("recallGate");
  }

  const last = { d: "dLast", x: "lastNorm.out", skipped: "fineNorm.out", d_x: "dThroughGelu", d_skipped: "dSkipped" };
  step.geluSkipBackward("fineSkip", last);
  step.normBackward("lastNorm");
  step.quantiseGradient("fineOut", "dFineOut", wide);
  step.linearBackward("fineOut");
  const fine = { x: "fine", d: "dHidden", out: "dHiddenPre" };
  step.add("geglu_backward", { N: F, D_PITCH: F, D_START: 0 }, fine, elementGroups(B * F));
  step.quantiseGradient("fine", "dHiddenPre", 2 * B * F);
  step.linearBackward("fine");
  step.sum("dFine", "dSkipped", "dNewestIn", 0, H, "dThroughGelu"); // nothing of the third
  step.normBackward("fineNorm");

  if (hyper.contexts > 0) {
    step.quantiseGradient("feature", "dCoarse", wide);
    step.linearBackward("feature");
  }
  step.coarseGateBackward("dCoarse");
  addCoarseProducts(step, wide, C);
  step.normBackward("coarseNorm");

  const mix = { d: "dMixed", alpha: "alpha", far: "far", near: "near" };
  const mixed = { d_far: "dFar", d_near: "dNear", d_router: "dRouter" };
  step.add("mix_backward", { COUNT: wide }, { ...mix, ...mixed }, elementGroups(wide));
  step.quantiseGradient("router", "dRouter", wide);
  step.linearBackward("router");

  const far = { d: "dFar", x: "global", skipped: "inputNorm.out", d_x: "dThroughGelu", d_skipped: "dSkipped" };
  step.geluSkipBackward("globalSkip", far);
  step.quantiseGradient("global", "dThroughGelu", wide);
  step.linearBackward("global");
  const newest = { x: "newest", d: "dCache", out: "dNewest" };
  step.add("geglu_backward", { N: S, D_PITCH: G, D_START: G - S }, newest, elementGroups(B * S));
  step.quantiseGradient("newest", "dNewest", 2 * B * S);
  step.linearBackward("newest");
  step.sum("dInput", "dSkipped", "dNewestIn", D, H, "dGlobal");

  const local = { d_near: "dNear", pre: "local", z: "localNorm.out", d_z: "dThroughGelu", gradient: "dense" };
  const taps = {
    TAP_AT: step.offset("tap"),
    TAP_DENSE: step.dense("tap"),
    TAP_BIAS_DENSE: step.dense("tapBias"),
    ROWS_LOG2: ceilLog2(B * hyper.history),
  };
  step.add("local_backward", taps, local, flatGroups(B));
  step.normBackward("localNorm");
  step.normBackward("inputNorm");
  const embedded = { d_input: "dEmbedded", d_local: "dLocal", gradient: "dense" };
  step.add("embed_backward", {}, embedded, elementGroups(wide));

  const { count } = denseRange(step.buffers.layout);
  step.add("optimise_dense", {}, { gradient: "dense", embedding: "embedding" }, elementGroups(count));
  step.learnRecall();
  step.endStep(true);
}

/** Only the recall stream learns. */
function addUntrained(step: StepBuilder): void {
  step.logitGradient();
  step.learnRecall();
  step.endStep(false);
}

/** The matrix products of the coarse refiner, from dUpGate to the sum of what reaches its norm. */
function addCoarseProducts(step: StepBuilder, wide: number, C: number): void {
  step.quantiseGradient("up", "dUpGate", wide);
  step.quantiseGradient("gate", "dUpGate", wide, wide);
  step.linearBackward("gate");
  step.linearBackward("up");
  step.quantiseGradient("memory", "dRecalled", 2 * step.B * C);
  step.streamMatrixBackward();
  step.quantiseGradient("down", "dDown", 2 * step.B * C);
  step.linearBackward("down");
  step.sum("dGateIn", "dSkipped", "dDownIn", step.H / 2, step.H / 2, "dThroughGelu");
}

type List = "forward" | "backward" | "untrained";

/** A kernel to a box. */
const BOXES: Readonly<Record<List, (step: StepBuilder) => void>> = {
  forward: addForward,
  backward: addBackward,
  untrained: addUntrained,
};

/** Both passes of the network and the update of all weights in one dispatch each; recall as it is. */
function fusedLists(tile: TileSize): typeof BOXES {
  const learn = (step: StepBuilder, trains: boolean) => {
    step.pass("backward", tile, trains);
    if (trains) step.weights(tile);
    step.learnRecall();
    step.endStep(trains);
  };
  return {
    forward: (step) => {
      step.lookUp();
      step.pass("forward", tile, true);
    },
    backward: (step) => learn(step, true),
    untrained: (step) => learn(step, false),
  };
}

/**
 * Compiles one step for a model.
 *
 * @param tile of the fused kernels; undefined for a kernel to a box
 * @throws ShaderError
 */
export async function buildStep(
  compiler: KernelCompiler,
  buffers: ModelBuffers,
  tile: TileSize | undefined,
): Promise<StepDispatches> {
  const lists = tile ? fusedLists(tile) : BOXES;
  const build = async (list: List) => {
    const step = new StepBuilder(compiler, buffers);
    lists[list](step);
    return await step.finish();
  };
  // What never runs is not compiled.
  const isSkipped = buffers.hyper.trainEvery > 1;
  const [forward, backward, untrained] = await Promise.all([
    build("forward"),
    build("backward"),
    isSkipped ? build("untrained") : [],
  ]);
  return { tile, forward, backward, untrained };
}
