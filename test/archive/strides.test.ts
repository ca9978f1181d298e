/** The stride of a block in the container: where it stands, what it may be, and that damage to it is noticed. */
import { describe, expect, test } from "bun:test";
import { ByteWriter } from "../../src/archive/bytes.ts";
import { guardOf } from "../../src/archive/checksum.ts";
import { CorruptError } from "../../src/archive/errors.ts";
import type { Block } from "../../src/archive/format.ts";
import { encodeFrame, encodeHeader } from "../../src/archive/write.ts";
import { SEQUENCE, STRIDE_MAX } from "../../src/contract/contexts.ts";
import { hyperForSize, levelOf } from "../../src/model/levels.ts";
import { tinyHyper } from "../support/fake-engine.ts";
import { readArchive } from "../support/in-memory.ts";
import { fileOf, listFrames } from "../support/listing.ts";

const header = { model: { hyper: tinyHyper(6), groupCount: 2 }, plainBytes: 36, blockBytes: 9 };
const payload = Uint8Array.from({ length: 9 }, (_, i) => i);
const copies = { restBytes: 5, list: Uint8Array.of(1, 2) };
const facts = { plainBytes: 9, check: 7n };
const groups = [Uint8Array.of(1, 2, 3), Uint8Array.of(4)];

/** All kinds of blocks that the model sees, with a stride each. */
function framed(stride: number): { bytes: Uint8Array; blocks: Block[] } {
  const stated = stride > 0 ? { stride } : {};
  const blocks: Block[] = [
    { kind: "coded", ...facts, ...stated, groups },
    { kind: "coded", ...facts, ...stated, copies, groups },
    { kind: "learned", ...facts, ...stated, payload },
    { kind: "learned", ...facts, ...stated, copies, payload: payload.subarray(0, 5) },
  ];
  return { bytes: encodeFrame(header, blocks), blocks };
}

describe("strides", () => {
  const legal = [0, SEQUENCE, 2, 3, 127, 128, 2304, STRIDE_MAX];
  test.each(legal)("of %p come back with every kind of block", async (stride) => {
    const { bytes, blocks } = framed(stride);
    const [frame] = await readArchive(bytes);
    expect(frame?.blocks).toEqual(blocks);
    const listed = (await listFrames(fileOf(bytes)))[0]?.blocks ?? [];
    expect(listed.map(({ kind }) => kind)).toEqual(blocks.map(({ kind }) => kind));
    // One byte if small, else two; a reader from behind knows it.
    const lengths = (await listFrames(fileOf(framed(0).bytes)))[0]?.blocks.map(({ codedBytes }) => codedBytes) ?? [];
    expect(listed.map(({ codedBytes }) => codedBytes)).toEqual(
      lengths.map((length) => length + (stride < 128 ? 0 : 1)),
    );
  });

  test("out of range are not written", () => {
    for (const stride of [2.5, STRIDE_MAX + 1]) expect(() => framed(stride)).toThrow(RangeError);
    const stored: Block = { kind: "stored", ...facts, copies, payload: payload.subarray(0, 5), stride: 4 };
    expect(() => encodeFrame({ ...header, plainBytes: 9 }, [stored])).toThrow(RangeError);
  });

  /** A frame of one learned block whose stride, a byte that was 9, is replaced, with the guard made right again. */
  function withStride(...stride: number[]): Uint8Array {
    const one = { ...header, plainBytes: 9 };
    const block: Block = { kind: "learned", ...facts, stride: 9, payload };
    const bytes = encodeFrame(one, [block]);
    const start = encodeHeader(one).length;
    const end = start + 1 + 1 + 8 + 9;
    expect(bytes[start + 1]).toBe(9);
    const guarded = Uint8Array.from([
      ...bytes.subarray(start, start + 1),
      ...stride,
      ...bytes.subarray(start + 2, end),
    ]);
    const guard = new ByteWriter().u32(guardOf(guarded)).finish();
    return Uint8Array.from([...bytes.subarray(0, start), ...guarded, ...guard, ...bytes.subarray(end + 4)]);
  }

  test("out of range are corrupt", async () => {
    expect((await readArchive(withStride(9)))[0]?.blocks[0]).toMatchObject({ stride: 9 });
    expect((await readArchive(withStride(0)))[0]?.blocks[0]).not.toHaveProperty("stride");
    for (const bad of [
      [0x80, 0x40],
      [0xff, 0xff, 0x03],
    ]) {
      const error = readArchive(withStride(...bad));
      await expect(error).rejects.toThrow(CorruptError);
      await expect(error).rejects.toThrow("the stride of a block");
    }
  });

  test("any changed byte is noticed before the model is asked", async () => {
    const { bytes } = framed(2304);
    for (let at = 0; at < bytes.length; at += 1) {
      await expect(readArchive(bytes.with(at, (bytes[at] as number) ^ 0x40))).rejects.toThrow();
    }
  });
});

describe("foresight", () => {
  const stretches = Uint8Array.of(1, 2, 3);
  const mixer = { model: { hyper: hyperForSize(levelOf(1), 9), groupCount: 1 }, plainBytes: 18, blockBytes: 9 };
  const foreseen = { ...facts, stretches, isForeseen: true };

  test.each([0, 50, STRIDE_MAX])("comes back beside a stride of %d", async (stride) => {
    const stated = stride > 0 ? { stride } : {};
    const blocks: Block[] = [
      { kind: "coded", ...foreseen, ...stated, groups: [Uint8Array.of(1, 2, 3)] },
      { kind: "learned", ...foreseen, ...stated, payload },
    ];
    const bytes = encodeFrame(mixer, blocks);
    expect((await readArchive(bytes))[0]?.blocks).toEqual(blocks);
    expect((await listFrames(fileOf(bytes)))[0]?.blocks.map(({ kind }) => kind)).toEqual(["coded", "learned"]);
  });

  test("of no stretches is not written, and that of a network not read", async () => {
    const { stretches: _, ...without } = foreseen;
    const blocks: Block[] = [{ kind: "learned", ...without, payload }];
    expect(() => encodeFrame({ ...mixer, plainBytes: 9 }, blocks)).toThrow(RangeError);
    const network = encodeFrame(header, [
      { kind: "coded", ...facts, groups },
      { kind: "coded", ...foreseen, groups },
      { kind: "coded", ...facts, groups },
      { kind: "coded", ...facts, groups },
    ]);
    await expect(readArchive(network)).rejects.toThrow(CorruptError);
    await expect(readArchive(network)).rejects.toThrow("no foresight of a network");
  });
});
