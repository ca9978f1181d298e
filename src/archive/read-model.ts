/** The fields of a frame's model, which stand in its header or between its blocks. */
import { checkHyperParameters, HyperParameterError, type HyperParameters } from "../model/hyper.ts";
import type { ByteReader } from "./bytes.ts";
import { CorruptError, UnsupportedVersionError } from "./errors.ts";
import {
  FORMAT_VERSION_3,
  type FrameModel,
  GROUPS_MAX,
  MODEL_CONTRACT_VERSION,
  MODEL_CONTRACT_VERSION_1,
} from "./format.ts";

/**
 * @param version of the format: all models before version 4 were of contract 1
 * @throws UnsupportedVersionError, TruncatedError, CorruptError
 */
export function readModel(body: ByteReader, version: number): FrameModel {
  const start = body.position;
  const contract = body.varintWithin("the model contract", 0, 0xffff_ffff);
  if (version <= FORMAT_VERSION_3 && contract !== MODEL_CONTRACT_VERSION_1) {
    throw new CorruptError(start, "the model contract", `${MODEL_CONTRACT_VERSION_1}`, `${contract}`);
  }
  if (contract !== MODEL_CONTRACT_VERSION) {
    throw new UnsupportedVersionError(start, "model contract", contract, MODEL_CONTRACT_VERSION);
  }
  const number = (field: string) => body.varintWithin(`hyper-parameter ${field}`, 0, 0xffff_ffff);
  const hyper: HyperParameters = {
    history: number("history"),
    embedding: number("embedding"),
    globalHidden: number("globalHidden"),
    slot: number("slot"),
    fineHidden: number("fineHidden"),
    coarseHidden: number("coarseHidden"),
    streams: number("streams"),
    learningRate: number("learningRate"),
    contexts: number("contexts"),
    slotBits: number("slotBits"),
    tables: number("tables"),
    tableBits: number("tableBits"),
    trainEvery: number("trainEvery"),
  };
  try {
    checkHyperParameters(hyper);
  } catch (error) {
    if (!(error instanceof HyperParameterError)) throw error;
    throw new CorruptError(start, `hyper-parameter ${error.field}`, error.rule, `${error.value}`);
  }
  const groupsMax = Math.min(GROUPS_MAX, hyper.streams);
  return { hyper, groupCount: body.varintWithin("the number of coder groups", 1, groupsMax) };
}
