/** The examples in docs/FORMAT.md are what the writer writes. */
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CHECK_START, chainCheck } from "../../src/archive/checksum.ts";
import { chainPieces } from "../../src/archive/fills.ts";
import type { PlainBlock } from "../../src/archive/format.ts";
import { encodeSmallFrame } from "../../src/archive/small.ts";
import { encodeFrame, encodeStoredFrame } from "../../src/archive/write.ts";

const text = (s: string) => new TextEncoder().encode(s);

describe("the test vectors of docs/FORMAT.md", () => {
  const document = readFileSync(join(import.meta.dir, "../../docs/FORMAT.md"), "utf8");
  const vectors = document.slice(document.indexOf("## Test vectors"), document.indexOf("## Which errors"));
  const hexLines = vectors.match(/^ {4}(?:[0-9a-f]{2} +)*[0-9a-f]{2}(?= {3,}|$)/gm) ?? [];
  const bytes = (lines: string[]) => Buffer.from(lines.join("").replaceAll(" ", ""), "hex");
  const block: PlainBlock = { kind: "stored", plainBytes: 5, check: 0n, payload: text("hello") };
  const pattern = { gapBytes: 0, lengthBytes: 100, pattern: text("ab") };
  const fills = [
    { gapBytes: 2, lengthBytes: 70_000, pattern: new Uint8Array(1) },
    { gapBytes: 0, lengthBytes: 5000, pattern: text("abc") },
  ];

  test("small frames", () => {
    expect(Buffer.from(encodeStoredFrame(text("")))).toEqual(bytes(hexLines.slice(0, 1)));
    expect(Buffer.from(encodeStoredFrame(text("hello")))).toEqual(bytes(hexLines.slice(1, 2)));
    const check = chainCheck(Buffer.alloc(100, "ab"), CHECK_START);
    const repeated = { ...block, plainBytes: 0, payload: text(""), fills: [pattern], check };
    expect(Buffer.from(encodeSmallFrame(repeated))).toEqual(bytes(hexLines.slice(2, 3)));
  });

  test("fills", async () => {
    const check = await chainPieces(block.payload, fills, CHECK_START, async () => {});
    const frame = encodeFrame({ plainBytes: 75_005, blockBytes: 75_005 }, [{ ...block, check, fills }]);
    expect(Buffer.from(frame)).toEqual(bytes(hexLines.slice(3, 7)));
  });
});
