/** What `fade -lv` and its JSON say of the model that made an archive: the words that make the same one again. */
import { expect, test } from "bun:test";
import { inDirectory, runFade } from "./harness.ts";

/** What no built-in prior knows: it would choose the model. */
const LETTERS = Uint8Array.from({ length: 400 }, (_, i) => 97 + ((i * i + (i >> 4)) % 5));
const TEXT = new TextEncoder().encode(
  "The names of the people who live in the house are in the list that was made of them at the end of the year.\n",
);

async function listed(option: string, ...listing: string[]): Promise<string> {
  return await listedOf(LETTERS, option, ...listing);
}

async function listedOf(plain: Uint8Array, option: string, ...listing: string[]): Promise<string> {
  return await inDirectory(async (cwd) => {
    const model = [option, "--repeats=0", "--streams=1", "-M4G"];
    expect(await runFade(["-q", ...model, "-o", "a.fade"], { cwd, stdin: plain })).toMatchObject({ stderr: "" });
    return new TextDecoder().decode((await runFade([...listing, "a.fade"], { cwd })).stdout);
  });
}

test("a level by its number", async () => {
  expect(await listed("-3", "-lv")).toContain("\n    level:        3\n");
  expect(await listed("-3", "-l", "--json")).toContain('"level":3,"decode');
});

test("a built-in prior by its number and name, and the model that follows from it", async () => {
  expect(await listedOf(TEXT, "-3", "-lv")).toMatch(
    /prior: {8}built in, number 7 \(prose\)\n.*\n.*mixer of 20 contexts/,
  );
  expect(await listedOf(TEXT, "-3", "-l", "--json")).toContain('"prior":"7"');
});

test("the preset by its name", async () => {
  expect(await listed("--preset=paper", "-lv")).toContain("\n    preset:       paper\n");
  expect(await listed("--preset=paper", "-l", "--json")).toContain('"level":null,"preset":"paper"');
});

test("contexts with counters, which only longer files have", async () => {
  const long = Uint8Array.from({ length: 66_000 }, (_, i) => LETTERS[(i * i + (i >> 9)) % LETTERS.length] as number);
  const text = await listedOf(long, "-9", "-lv");
  expect(text).toContain("\n    level:        9\n    model:        mixer of 28 contexts (8 with counters), ");
  expect(text).toContain(", contract 5\n");
  expect(await listed("-9", "-lv")).toMatch(/mixer of 28 contexts, .*, contract 4\n/);
});
