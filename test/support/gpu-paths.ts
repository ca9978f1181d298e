/** The ways that the GPU engine can go on an adapter, for tests that go all of them. */
import type { ModelOptions } from "../../src/engine/gpu/model.ts";
import { HARDWARE_TILE, SOFTWARE_TILE, TOGETHER_TILE } from "../../src/engine/gpu/path.ts";
import { canLoadTogether } from "../../src/engine/gpu/together.ts";
import { openTestDevice } from "../setup/adapters.ts";

export type Path = NonNullable<ModelOptions["path"]>;
export type TitledPath = readonly [string, Path];

/** A kernel to a box; tiles in which nobody waits; tiles in which several invocations work on a stream. */
export const BOXES: TitledPath = ["a kernel to a box", "boxes"];
export const APART: TitledPath = ["fused, streams apart", SOFTWARE_TILE];
export const SHARED: TitledPath = ["fused, streams shared", HARDWARE_TILE];
const PATHS: readonly TitledPath[] = [BOXES, APART, SHARED];
export const TOGETHER: TitledPath = ["fused, streams apart, words loaded together", TOGETHER_TILE];

/** together.test.ts says which of the software adapters must be able to. */
export async function pathsOf(which: string): Promise<readonly TitledPath[]> {
  const opened = await openTestDevice(which).catch(() => undefined); // each test says what is wrong
  const can = opened !== undefined && (await canLoadTogether(opened.device));
  opened?.device.destroy();
  return can ? [...PATHS, TOGETHER] : PATHS;
}
