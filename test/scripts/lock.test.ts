/** `npm ci` warns of nothing where the documents say that it works. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { NODE_VERSION_MIN, refusing } from "../../scripts/lock.ts";

const read = (path: string) => readFileSync(join(import.meta.dir, "..", "..", path), "utf8");

test("every package of the lock takes the oldest Node that the documents name", () => {
  expect(read("CONTRIBUTING.md")).toContain(`Node ${NODE_VERSION_MIN.replace(/\.0$/, "")} or newer`);
  expect(read("README.md")).toContain(`Node ${NODE_VERSION_MIN.split(".")[0]} and npm`);
  expect(refusing(NODE_VERSION_MIN)).toEqual([]);
});

test("one that wants a newer Node is named", () => {
  const packages = { "": {}, "node_modules/old": { engines: { node: ">=18" } } };
  const withNewer = { ...packages, "node_modules/new": { engines: { node: "^22.17.0 || >=24.0.0" } } };
  expect(refusing("20.19.0", { packages })).toEqual([]);
  expect(refusing("20.19.0", { packages: withNewer })).toEqual(["node_modules/new: Node ^22.17.0 || >=24.0.0"]);
  expect(refusing("22.17.1", { packages: withNewer })).toEqual([]);
});
