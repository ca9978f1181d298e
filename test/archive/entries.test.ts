/** Lists of entries that are compared without being kept. */
import { expect, test } from "bun:test";
import { EntryTally } from "../../src/archive/entries.ts";
import type { IndexEntry } from "../../src/archive/format.ts";

const entry = (i: number): IndexEntry => ({ kind: i % 3 ? "stored" : "coded", plainBytes: i + 1, codedBytes: 2 * i });

function tallyOf(entries: readonly IndexEntry[]): EntryTally {
  const tally = new EntryTally();
  for (const each of entries) tally.add(each);
  return tally;
}

test.each([0, 1, 255, 256, 257, 1000])("lists of %p entries are the same or not", (count) => {
  const entries = Array.from({ length: count }, (_, i) => entry(i));
  expect(tallyOf(entries).equals(tallyOf(entries))).toBe(true);
  expect(tallyOf([...entries, entry(7)]).equals(tallyOf(entries))).toBe(false);
  for (const at of [0, 100, 255, 256, count - 1].filter((place) => place >= 0 && place < count)) {
    const { kind, plainBytes, codedBytes } = entry(at);
    const others: IndexEntry[] = [
      { kind: "learned", plainBytes, codedBytes },
      { kind, plainBytes, codedBytes, isCut: true },
      { kind, plainBytes: plainBytes + 1, codedBytes },
      { kind, plainBytes, codedBytes: codedBytes + 1 },
    ];
    for (const other of others) expect(tallyOf(entries.with(at, other)).equals(tallyOf(entries))).toBe(false);
    const swapped = entries.with(at, entry(count)).with(0, entry(count + 1));
    expect(tallyOf(swapped).equals(tallyOf(entries))).toBe(false);
  }
});
