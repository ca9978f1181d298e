/** What `fade -lv` and its JSON say of the model that made an archive: the words that make the same one again. */
import { expect, test } from "bun:test";
import { runFade, temporaryDirectory } from "./harness.ts";

const TEXT = new TextEncoder().encode("to be or not to be, ".repeat(20));

async function listed(option: string, ...listing: string[]): Promise<string> {
  const { path: cwd, remove } = temporaryDirectory();
  try {
    const model = [option, "--repeats=0", "--streams=1", "-M4G"];
    expect(await runFade(["-q", ...model, "-o", "a.fade"], { cwd, stdin: TEXT })).toMatchObject({ stderr: "" });
    return new TextDecoder().decode((await runFade([...listing, "a.fade"], { cwd })).stdout);
  } finally {
    remove();
  }
}

test("a level by its number", async () => {
  expect(await listed("-3", "-lv")).toContain("\n    level:        3\n");
  expect(await listed("-3", "-l", "--json")).toContain('"level":3,"decode');
});

test("the preset by its name", async () => {
  expect(await listed("--preset=paper", "-lv")).toContain("\n    preset:       paper\n");
  expect(await listed("--preset=paper", "-l", "--json")).toContain('"level":null,"preset":"paper"');
});
