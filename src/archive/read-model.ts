/** The fields of a frame's model, which stand in its header or between its blocks. */
import { hasNetwork, MODEL_CONTRACT_OLDEST, MODEL_CONTRACT_VERSION } from "../contract/hyper.ts";
import type { ByteReader } from "./bytes.ts";
import { CorruptError, UnsupportedVersionError } from "./errors.ts";
import { FORMAT_VERSION_3, type FrameModel, groupsMaxOf, MODEL_CONTRACT_VERSION_1 } from "./format.ts";
import { readHyperParameters } from "./hyper-fields.ts";

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
  if (contract < MODEL_CONTRACT_OLDEST || contract > MODEL_CONTRACT_VERSION) {
    throw new UnsupportedVersionError(start, "model contract", contract, MODEL_CONTRACT_VERSION);
  }
  const hyper = readHyperParameters(body, contract);
  // Each lane of a mixer has a coder of its own.
  const groupsMin = hasNetwork(hyper) ? 1 : hyper.streams;
  return { hyper, groupCount: body.varintWithin("the number of coder groups", groupsMin, groupsMaxOf(hyper)) };
}
