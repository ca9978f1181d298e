/**
 * What the table of ablations says is off is off: the reference, with the same tensors pinned, gives the same
 * intervals as the script's models, and what the part gives in it is 0.
 */
import { describe, expect, test } from "bun:test";
import { Ablated, deadSlots, ownedBy, PARTS, type Part, planWithout, tableOf } from "../../scripts/ablation.ts";
import { type DataKind, planFor, SEQUENCE } from "../../src/contract/contexts.ts";
import type { HyperParameters } from "../../src/contract/hyper.ts";
import type { TensorName } from "../../src/contract/tensors.ts";
import { ReferenceModel } from "../../src/engine/reference/engine.ts";
import type { Forward } from "../../src/engine/reference/forward.ts";
import { TINY_RECALL, textBytes } from "../model/tiny.ts";

/** Calibration is over after 4 steps. */
const STEPS = 16;
const HYPER: HyperParameters = { ...TINY_RECALL, contexts: 12 };

const partOf = (name: string) => PARTS.find((part) => part.name === name) as Part;

const allAre = (values: ArrayLike<number>, value: number) => Array.from(values).every((each) => each === value);

/** Pins what the part pins, in the reference. */
function pin({ state }: ReferenceModel, part: Part, dead: readonly number[]): void {
  for (const [name, value] of Object.entries(part.pins ?? {})) {
    const { offset, size } = state.tensor(name as TensorName);
    state.master.fill(value, offset, offset + size);
    state.copy.fill(0, offset, offset + size);
  }
  for (const slot of deadSlots(state.hyper, dead)) state.recall.slots[slot] = 0;
}

/** Runs both; `check` looks at the reference after each forward pass. */
async function compare(part: Part, kind: DataKind, check: (forward: Forward, dead: readonly number[]) => void) {
  const hyper = part.reshape?.(HYPER) ?? HYPER;
  const ablated = await Ablated.open(hyper, kind, part);
  const reference = new ReferenceModel(hyper);
  const plan = planFor(hyper, kind);
  const dead = ownedBy(part, plan, kind);
  reference.state.recall.plan = planWithout(plan, dead);
  const mine = new Uint32Array(2 * hyper.streams);
  const wanted = new Uint32Array(2 * hyper.streams);
  for (let step = 0; step < STEPS; step++) {
    const bytes = textBytes(step, hyper.streams);
    pin(reference, part, dead);
    await ablated.step(bytes, mine);
    await reference.fillIntervals(bytes, 1, wanted);
    expect(mine, `${part.name}, step ${step}`).toEqual(wanted);
    check(reference.forward, dead);
  }
  const { master, at } = ablated.model.inspect();
  for (const [name, value] of Object.entries(part.pins ?? {})) {
    const { offset, size } = at.layout.byName[name as TensorName];
    expect(size, name).toBeGreaterThan(0);
    expect(allAre(master.subarray(offset, offset + size), value), name).toBe(true);
  }
  await ablated.model.close();
}

/** What a part gives, in the reference. A product with a matrix of zeros needs no look. */
const GIVES: Record<string, (forward: Forward) => boolean> = {
  features: () => true,
  gates: ({ recall }) => allAre(recall.gate, 8192),
  "own logits": () => true,
  global: ({ far, alpha }) => allAre(far, 0) && alpha.every((value) => value <= 5),
  local: ({ near, alpha }) => allAre(near, 0) && alpha.every((value) => value >= 16384 - 5),
  router: ({ alpha }) => allAre(alpha, 8192),
  coarse: ({ up }) => allAre(up, 0),
  fine: ({ lastNorm }) => allAre(lastNorm.out, 0),
};

describe("a part that is off", () => {
  test.each(Object.entries(GIVES))("%s gives nothing", async (name, isNothing) => {
    await compare(partOf(name), { stride: 0 }, (forward) => expect(isNothing(forward)).toBe(true));
  });

  test.each(PARTS.filter((part) => part.owns).map(({ name }) => [name]))("contexts: %s find nothing", async (name) => {
    for (const stride of [0, SEQUENCE, 12]) {
      await compare(partOf(name), { stride }, ({ recall }, dead) => {
        recall.found.forEach((word, at) => {
          if (dead.includes(at % HYPER.contexts)) expect(word).toBe(0);
        });
      });
    }
  });

  test.each(PARTS.filter((part) => part.reshape).map(({ name }) => [name]))("%s", async (name) => {
    const shape = partOf(name).reshape?.(HYPER);
    expect(shape).not.toEqual(HYPER);
    await compare(partOf(name), { stride: 0 }, () => {});
  });
});

test("every context belongs to one family", () => {
  const families = PARTS.filter((part) => part.owns);
  for (const stride of [0, SEQUENCE, 12, 2304]) {
    const plan = planFor({ ...HYPER, contexts: 20 }, { stride });
    const owned = families.flatMap((part) => ownedBy(part, plan, { stride }));
    expect(owned.sort((a, b) => a - b)).toEqual([...plan.contexts.keys()]);
  }
});

test("the table counts a part that is not there as nothing", () => {
  const shared = { level: 5, bytes: 1000, stride: 0 };
  const results = [
    { ...shared, file: "a.text", complete: 100, without: { words: 120, fine: 99 } },
    { ...shared, file: "b.genome", complete: 300, without: { fine: 301 } },
  ];
  expect(tableOf(results, PARTS).split("\n").slice(2)).toEqual([
    "| nothing, bytes | 400 | 100 | 300 |",
    "| words | 5.0 | 20.0 |  |",
    "| fine | 0 | −1.0 | 0.3 |",
  ]);
});
