/**
 * Files of priors that were damaged: each is refused with an error of archives, or gives a state that a lane has, the
 * same in both engines.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ArchiveError } from "../../src/archive/errors.ts";
import { mix32 } from "../../src/contract/fixed.ts";
import { MixerLane } from "../../src/engine/mixer/lane.ts";
import { ReferenceLane } from "../../src/engine/reference/mixer.ts";
import { host } from "../../src/platform/host.ts";
import { decodePrior, encodePrior, type Prior } from "../../src/prior/file.ts";
import { encodeTrained } from "../../src/prior/state.ts";
import { chooseTallies } from "../../src/prior/tallies.ts";
import { encodeTallies } from "../../src/prior/tally-bytes.ts";
import { stateOf } from "./lane-state.ts";

const TEXT = new Uint8Array(readFileSync(join(import.meta.dir, "..", "golden", "text.bin")));
const CONTEXTS = 4;
const CHECK_BYTES = 8;

/** @param lessons which contexts learn what; absent: in a file of the version before */
function soundFile(lessons?: Uint32Array): Uint8Array {
  const lane = new MixerLane({ contexts: CONTEXTS, lineBits: 8 });
  lane.begin();
  lane.study(TEXT.subarray(0, 400));
  const trained = encodeTrained(lane.trained(), CONTEXTS);
  const samples = [0, 1, 2].map((source) => ({ bytes: TEXT.subarray(800 * source, 800 * source + 700), source }));
  const choice = { contexts: CONTEXTS, tallies: [40, 0, 30, 20], sourcesMin: 1 };
  const tallies = encodeTallies(chooseTallies(samples, choice));
  const start = { content: TEXT.slice(0, 200), skimmedBytes: 30, tallies, ...(lessons && { lessons }) };
  return encodePrior({ name: "fuzz", contexts: CONTEXTS, stride: 0, ...start, trained });
}

/** A copy with a few bytes changed, left out or put in; sealed again three times of four, so that it is looked into. */
function damaged(sound: Uint8Array, seed: number): Uint8Array {
  const pick = (n: number, salt: number) => mix32(Math.imul(seed, 31) + salt) % n;
  // Half of the time in the head, where a byte means most.
  const at = (salt: number) => pick(pick(2, salt + 7) === 0 ? 24 : sound.length - CHECK_BYTES, salt);
  let bytes = sound.slice();
  for (let i = 0; i <= pick(3, 1); i++) bytes[at(10 * i + 20)] = mix32(seed + 99 * i);
  if (pick(4, 2) === 0) bytes = bytes.slice(0, CHECK_BYTES + pick(bytes.length - CHECK_BYTES, 3));
  if (pick(4, 4) === 0) bytes = host.concatenate([bytes.subarray(0, at(5)), bytes.subarray(at(6))]);
  if (bytes.length < CHECK_BYTES || pick(4, 8) === 0) return bytes;
  const check = host.xxHash64(bytes.subarray(0, bytes.length - CHECK_BYTES), 0n);
  new DataView(bytes.buffer, bytes.byteOffset).setBigUint64(bytes.length - CHECK_BYTES, check, true);
  return bytes;
}

/** @throws Error if the engines differ */
function compareEngines({ contexts, ...prior }: Prior): void {
  const shape = { contexts, lineBits: 5 };
  const lanes = [new MixerLane(shape), new ReferenceLane(shape)] as const;
  const content = prior.content.subarray(0, 60);
  for (const lane of lanes) {
    lane.seed({ ...prior, contexts, content, skimmedBytes: Math.min(content.length, prior.skimmedBytes ?? 0) });
    lane.begin();
    lane.encode(TEXT.subarray(700, 740));
  }
  const [own, judged] = lanes.map(stateOf);
  if (JSON.stringify(own) !== JSON.stringify(judged)) throw new Error("the engines differ");
}

interface FuzzOutcome {
  readonly refused: number;
  readonly accepted: number;
}

/**
 * @param seed of the first file; the others follow
 * @throws Error for anything that is neither an archive's error nor an equal state
 */
export function fuzzPriors(count: number, seed: number): FuzzOutcome {
  const sounds = [soundFile(), soundFile(Uint32Array.of(1, 0, 3, 2 ** 32 - 1))] as const;
  let refused = 0;
  for (let i = 0; i < count; i++) {
    const bytes = damaged(sounds[i % 2 === 0 ? 0 : 1], seed + i);
    let prior: Prior;
    try {
      prior = decodePrior(bytes);
    } catch (error) {
      if (!(error instanceof ArchiveError)) throw new Error(`file ${seed + i}`, { cause: error });
      refused += 1;
      continue;
    }
    try {
      compareEngines(prior);
    } catch (error) {
      throw new Error(`file ${seed + i}`, { cause: error });
    }
  }
  return { refused, accepted: count - refused };
}
