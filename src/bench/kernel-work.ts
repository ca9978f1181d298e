/**
 * What a call of a GPU kernel must do, from what it is bound to: the products of its matrix, and the bytes of its
 * arrays. The list of kernels comes from the step itself; this file only knows how to count the ones that are named
 * here. A kernel that is not named is still timed, and shown as having no case.
 */
import type { Constants } from "../engine/gpu/kernel.ts";
import type { KernelWork } from "./kernel-results.ts";

/** A call as it was bound. */
export interface BoundCall {
  readonly kernel: string;
  readonly constants: Constants;
  readonly bindings: readonly { readonly name: string; readonly access: string; readonly sizeBytes: number }[];
  readonly workgroups: readonly [number, number, number];
}

/** Kernels that multiply a matrix, ROWS x INPUTS x OUTPUTS, and others, whose work is to move their arrays. */
const PRODUCTS = new Set(["linear", "linear_inputs", "linear_weights"]);
const MOVES = new Set(
  (
    "bias_gradient cache_operand coarse_gate coarse_gate_backward embed embed_backward end_step frequencies geglu " +
    "geglu_backward gelu_skip gelu_skip_backward local local_backward logit_gradient mix mix_backward norm " +
    "norm_backward optimise_dense quantise_activation quantise_gradient sum_gradients look_up gate_gradient " +
    "learn_recall remember decode"
  ).split(" "),
);

/** Arrays of the whole model, of which a call touches its own part only. */
const SHARED = new Set([
  "master",
  "moment",
  "square",
  "copies",
  "constants",
  "control",
  "seen",
  "bytes",
  "gradient",
  "rates",
  "payloads",
  "coders",
  "live",
]);
/** Bytes of one weight in each of those that training reads and writes. */
const WEIGHT_BYTES: Readonly<Record<string, number>> = { master: 4, moment: 4, square: 4 };

const numberOf = (constants: Constants, name: string) => {
  const value = constants[name];
  return typeof value === "number" ? value : 0;
};

/** undefined for kernels that have no case here. */
export function workOf(call: BoundCall): KernelWork | undefined {
  const { kernel, constants, bindings } = call;
  // Fused kernels say themselves how much they multiply; what they move is mostly in caches.
  const fused = numberOf(constants, "MULTIPLY_ADDS");
  if (fused > 0) return { multiplyAdds: fused, bytes: 0 };
  const isProduct = PRODUCTS.has(kernel);
  if (!isProduct && !MOVES.has(kernel)) return undefined;
  const rows = numberOf(constants, "ROWS");
  // Streams may have a matrix each, of which a few rows know.
  const matrices = isProduct ? rows / numberOf(constants, "MATRIX_ROWS") : 1;
  const weights = numberOf(constants, "OUTPUTS") * numberOf(constants, "INPUTS") * matrices;
  // The dense list is the one place where vectors' weights are walked through.
  const walked = isProduct ? weights : kernel === "optimise_dense" ? numberOf(constants, "DENSE_COUNT") : 0;
  let bytes = 0;
  for (const { name, access, sizeBytes } of bindings) {
    const touched = touchedOf(constants, name);
    if (touched !== undefined) bytes += access === "read" ? touched : 2 * touched;
    else if (!SHARED.has(name) || isOwn(call, name)) bytes += sizeBytes * partOf(constants, name);
    else if (name === "copies") bytes += walked;
    // Who only reads the master weights wants a bias or a scale of them.
    else if (access !== "read") bytes += 2 * walked * (WEIGHT_BYTES[name] ?? 0);
  }
  return { multiplyAdds: isProduct ? (weights / matrices) * rows : 0, bytes };
}

/** Bytes that all streams together touch in the recall stream's memories, wherever in them: each a place of its own. */
function touchedOf(constants: Constants, name: string): number | undefined {
  const streams = numberOf(constants, "STREAMS");
  if (name === "entries") return streams * numberOf(constants, "LOGIT_TABLES") * 1024;
  if (name === "slots" || name === "owners") return streams * numberOf(constants, "CONTEXTS") * 4;
  return undefined;
}

/** GeGLUs of the global stream touch one place of each row of a ring. */
function partOf(constants: Constants, name: string): number {
  const { RING, N, D_PITCH } = constants;
  if (name === "out" && typeof RING === "number") return 1 / RING;
  if (name === "d" && typeof N === "number" && typeof D_PITCH === "number") return N / D_PITCH;
  return 1;
}

/** The products bind their own rows under a name that elsewhere means the dense list. */
function isOwn({ kernel }: BoundCall, name: string): boolean {
  return name === "gradient" && PRODUCTS.has(kernel);
}

const SHAPE_NAMES = ["ROWS", "OUTPUTS", "INPUTS", "WIDTH", "COUNT", "N"];

/** "64 x 256 x 256": the constants that tell one shape from another; else the workgroups. */
export function shapeOf({ constants, workgroups }: BoundCall): string {
  const sizes = SHAPE_NAMES.flatMap((name) => {
    const value = constants[name];
    return typeof value === "number" ? [`${name.toLowerCase()} ${value}`] : [];
  });
  return sizes.length > 0 ? sizes.join(" ") : `${workgroups.filter((n) => n > 1).join("x") || "1"} groups`;
}
