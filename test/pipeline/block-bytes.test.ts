/** How long blocks are where nobody names a length, by the size of the input and the model alone. */
import { expect, test } from "bun:test";
import { compressOptionsOf, type ModelChoice, modelOfLevel, modelOfPreset } from "../../src/library/work.ts";
import { hyperForSize, levelOf, networkOf } from "../../src/model/levels.ts";
import { balancedBlockBytes, blockBytesForSize } from "../../src/pipeline/block-bytes.ts";
import { sourceOf } from "../../src/pipeline/frames.ts";
import { archiveOf, readArchive } from "../support/in-memory.ts";

const MIB = 2 ** 20;

/** Of the input's blocks, when it is known to be so long. */
function lengthOf(choice: ModelChoice, sizeBytes: number): number {
  const { blockBytes, blockBytesFor } = compressOptionsOf({ ...choice, threads: 1 });
  return balancedBlockBytes(sizeBytes, blockBytesFor?.(sizeBytes) ?? blockBytes);
}

test("a level's blocks are of one length, however long the input", () => {
  for (const level of [1, 5, 9]) {
    for (const size of [MIB, 64 * MIB, 1024 * MIB, 2 ** 40]) {
      expect(lengthOf(modelOfLevel(level), size)).toBe(balancedBlockBytes(size, levelOf(level).blockBytes));
    }
  }
});

test.each([
  [64, 8, 512],
  [128, 16, 1024],
  [256, 32, 2048],
  [1024, 32, 2048],
])(
  "a network's blocks grow with an input of %d MiB to %d MiB, and 16 KiB of each are a stream: %d",
  (size, block, streams) => {
    expect(lengthOf(modelOfPreset("network-5"), size * MIB)).toBe(block * MIB);
    expect(hyperForSize(networkOf(5), block * MIB).streams).toBe(streams);
  },
);

test("between these sizes they grow with every byte, and never shrink", () => {
  let before = 0;
  for (let size = 2 ** 16; size < 2 ** 34; size += Math.ceil(size / 7)) {
    const bytes = blockBytesForSize(networkOf(1), size);
    expect(bytes).toBeGreaterThanOrEqual(before);
    expect(bytes).toBe(Math.min(32 * MIB, Math.max(8 * MIB, Math.ceil(size / 8))));
    before = bytes;
  }
});

test("the paper's have 64 MiB, as ever", () => {
  expect(lengthOf(modelOfPreset("paper"), 1024 * MIB)).toBe(64 * MIB);
});

test("who names a length gets it", () => {
  expect(lengthOf({ ...modelOfPreset("network-5"), ...{ blockBytes: MIB } }, 1024 * MIB)).toBe(MIB);
});

test("only an input of known size has the longer blocks: a pipe gives its first bytes soon", async () => {
  const plain = Uint8Array.from({ length: 1500 }, (_, i) => 97 + ((i * i) % 5));
  const lengthsOf = async (isSizeKnown: boolean) => {
    const options = { blockBytes: 300, blockBytesFor: (sizeBytes: number) => sizeBytes / 2 };
    const [frame] = await readArchive(await archiveOf(sourceOf(plain, isSizeKnown), options));
    return frame?.blocks.map(({ plainBytes }) => plainBytes);
  };
  expect(await lengthsOf(true)).toEqual([750, 750]);
  expect(await lengthsOf(false)).toEqual([300, 300, 300, 300, 300]);
});
