/**
 * The text of every shader, embedded at build time so that the executable needs nothing beside it.
 *
 * A kernel is one file of shaders/; the prelude goes in front of each, the other libraries in front of the kernels that
 * use them.
 */

import backward from "../../../shaders/backward.wgsl" with { type: "text" };
import backwardApart from "../../../shaders/backward_apart.wgsl" with { type: "text" };
import backwardShared from "../../../shaders/backward_shared.wgsl" with { type: "text" };
import biasGradient from "../../../shaders/bias_gradient.wgsl" with { type: "text" };
import boxes from "../../../shaders/boxes.wgsl" with { type: "text" };
import cacheOperand from "../../../shaders/cache_operand.wgsl" with { type: "text" };
import coarseGate from "../../../shaders/coarse_gate.wgsl" with { type: "text" };
import coarseGateBackward from "../../../shaders/coarse_gate_backward.wgsl" with { type: "text" };
import decode from "../../../shaders/decode.wgsl" with { type: "text" };
import decodeAlone from "../../../shaders/decode_alone.wgsl" with { type: "text" };
import decodeTogether from "../../../shaders/decode_together.wgsl" with { type: "text" };
import deviation from "../../../shaders/deviation.wgsl" with { type: "text" };
import eightApart from "../../../shaders/eight_apart.wgsl" with { type: "text" };
import eightTogether from "../../../shaders/eight_together.wgsl" with { type: "text" };
import embed from "../../../shaders/embed.wgsl" with { type: "text" };
import embedBackward from "../../../shaders/embed_backward.wgsl" with { type: "text" };
import endStep from "../../../shaders/end_step.wgsl" with { type: "text" };
import forward from "../../../shaders/forward.wgsl" with { type: "text" };
import forwardApart from "../../../shaders/forward_apart.wgsl" with { type: "text" };
import forwardShared from "../../../shaders/forward_shared.wgsl" with { type: "text" };
import frequencies from "../../../shaders/frequencies.wgsl" with { type: "text" };
import fusedEnds from "../../../shaders/fused_ends.wgsl" with { type: "text" };
import gateGradient from "../../../shaders/gate_gradient.wgsl" with { type: "text" };
import geglu from "../../../shaders/geglu.wgsl" with { type: "text" };
import gegluBackward from "../../../shaders/geglu_backward.wgsl" with { type: "text" };
import geluSkip from "../../../shaders/gelu_skip.wgsl" with { type: "text" };
import geluSkipBackward from "../../../shaders/gelu_skip_backward.wgsl" with { type: "text" };
import gradients from "../../../shaders/gradients.wgsl" with { type: "text" };
import hash from "../../../shaders/hash.wgsl" with { type: "text" };
import learnRecall from "../../../shaders/learn_recall.wgsl" with { type: "text" };
import linear from "../../../shaders/linear.wgsl" with { type: "text" };
import linearInputs from "../../../shaders/linear_inputs.wgsl" with { type: "text" };
import linearWeights from "../../../shaders/linear_weights.wgsl" with { type: "text" };
import local from "../../../shaders/local.wgsl" with { type: "text" };
import localBackward from "../../../shaders/local_backward.wgsl" with { type: "text" };
import logitGradient from "../../../shaders/logit_gradient.wgsl" with { type: "text" };
import lookUp from "../../../shaders/look_up.wgsl" with { type: "text" };
import luts from "../../../shaders/luts.wgsl" with { type: "text" };
import mix from "../../../shaders/mix.wgsl" with { type: "text" };
import mixBackward from "../../../shaders/mix_backward.wgsl" with { type: "text" };
import mixer from "../../../shaders/mixer.wgsl" with { type: "text" };
import mixerBits from "../../../shaders/mixer_bits.wgsl" with { type: "text" };
import mixerCode from "../../../shaders/mixer_code.wgsl" with { type: "text" };
import mixerContexts from "../../../shaders/mixer_contexts.wgsl" with { type: "text" };
import mixerCounters from "../../../shaders/mixer_counters.wgsl" with { type: "text" };
import mixerNoCounters from "../../../shaders/mixer_no_counters.wgsl" with { type: "text" };
import mixerNoTallies from "../../../shaders/mixer_no_tallies.wgsl" with { type: "text" };
import mixerNumbers from "../../../shaders/mixer_numbers.wgsl" with { type: "text" };
import mixerPast from "../../../shaders/mixer_past.wgsl" with { type: "text" };
import mixerRowsApart from "../../../shaders/mixer_rows_apart.wgsl" with { type: "text" };
import mixerRowsWithin from "../../../shaders/mixer_rows_within.wgsl" with { type: "text" };
import mixerTallies from "../../../shaders/mixer_tallies.wgsl" with { type: "text" };
import mixerText from "../../../shaders/mixer_text.wgsl" with { type: "text" };
import norm from "../../../shaders/norm.wgsl" with { type: "text" };
import normBackward from "../../../shaders/norm_backward.wgsl" with { type: "text" };
import operand from "../../../shaders/operand.wgsl" with { type: "text" };
import optimiseDense from "../../../shaders/optimise_dense.wgsl" with { type: "text" };
import optimizer from "../../../shaders/optimizer.wgsl" with { type: "text" };
import past from "../../../shaders/past.wgsl" with { type: "text" };
import prelude from "../../../shaders/prelude.wgsl" with { type: "text" };
import probeTogether from "../../../shaders/probe_together.wgsl" with { type: "text" };
import quantiseActivation from "../../../shaders/quantise_activation.wgsl" with { type: "text" };
import quantiseGradient from "../../../shaders/quantise_gradient.wgsl" with { type: "text" };
import recall from "../../../shaders/recall.wgsl" with { type: "text" };
import remember from "../../../shaders/remember.wgsl" with { type: "text" };
import slices from "../../../shaders/slices.wgsl" with { type: "text" };
import softmax from "../../../shaders/softmax.wgsl" with { type: "text" };
import sumGradients from "../../../shaders/sum_gradients.wgsl" with { type: "text" };
import tile from "../../../shaders/tile.wgsl" with { type: "text" };
import weights from "../../../shaders/weights.wgsl" with { type: "text" };

export const LIBRARIES = {
  prelude,
  luts,
  optimizer,
  past,
  hash,
  recall,
  boxes,
  deviation,
  operand,
  softmax,
  tile,
  fusedEnds,
  slices,
  forwardApart,
  forwardShared,
  backwardApart,
  backwardShared,
  decodeAlone,
  decodeTogether,
  eightApart,
  eightTogether,
  mixerPast,
  mixerText,
  mixerNumbers,
  mixerCode,
  mixerContexts,
  mixerBits,
  mixerCounters,
  mixerNoCounters,
  mixerTallies,
  mixerNoTallies,
  mixerRowsApart,
  mixerRowsWithin,
} as const;

export type LibraryName = keyof typeof LIBRARIES;

export const KERNELS = {
  bias_gradient: biasGradient,
  cache_operand: cacheOperand,
  coarse_gate: coarseGate,
  coarse_gate_backward: coarseGateBackward,
  embed,
  embed_backward: embedBackward,
  end_step: endStep,
  frequencies,
  gate_gradient: gateGradient,
  geglu,
  geglu_backward: gegluBackward,
  gelu_skip: geluSkip,
  gelu_skip_backward: geluSkipBackward,
  learn_recall: learnRecall,
  linear,
  linear_inputs: linearInputs,
  linear_weights: linearWeights,
  local,
  local_backward: localBackward,
  logit_gradient: logitGradient,
  look_up: lookUp,
  mix,
  mix_backward: mixBackward,
  norm,
  norm_backward: normBackward,
  optimise_dense: optimiseDense,
  quantise_activation: quantiseActivation,
  quantise_gradient: quantiseGradient,
  remember,
  sum_gradients: sumGradients,
} as const;

/** Kernels that do the work of many of the above in one dispatch, bound to the whole arena. */
export const FUSED_KERNELS = { forward, backward, gradients, weights } as const;

/** Kernels of the range coder, between the passes of a step. */
export const CODER_KERNELS = { decode } as const;

/** All of the bit mixer, coder included. */
export const MIXER_KERNELS = { mixer } as const;

/** Kernels that find out what a device does, and take no part in a model. */
export const PROBES = { probe_together: probeTogether } as const;

const ALL_KERNELS = { ...KERNELS, ...FUSED_KERNELS, ...CODER_KERNELS, ...MIXER_KERNELS, ...PROBES } as const;

export type KernelName = keyof typeof ALL_KERNELS;

export const shaderText = (name: KernelName): string => ALL_KERNELS[name];
