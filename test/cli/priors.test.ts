/** Priors through the command line: trained, given both ways, named where they are missing, listed, refused. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mix32 } from "../../src/contract/fixed.ts";
import { createCpuEngine } from "../../src/engine/cpu/engine.ts";
import { decodePrior } from "../../src/prior/file.ts";
import { runFade as fade } from "./harness.ts";

const cwd = mkdtempSync(join(tmpdir(), "fade-test-"));
afterAll(() => rmSync(cwd, { recursive: true }));
const engine = await createCpuEngine({ threads: 1 });
const at = (name: string) => join(cwd, name);

const record = (i: number) =>
  `{\n  "id": ${mix32(i) >>> 8},\n  "name": "user${mix32(i + 7) % 100}",\n  "tags": ["t${i % 7}", "t${i % 5}"],\n` +
  `  "created": "2026-0${1 + (i % 9)}-1${i % 10}T0${i % 10}:00:00Z",\n` +
  `  "address": {"street": "Road ${i}", "zip": null}\n}\n`;

mkdirSync(at("samples"));
for (let i = 0; i < 60; i++) writeFileSync(at(`samples/${i}.json`), record(i));
writeFileSync(at("empty"), "");
for (let i = 0; i < 4; i++) writeFileSync(at(`new${i}`), record(500 + i));

const run = (...argv: string[]) => fade(argv, { cwd, engine: async () => engine });
const ok = async (...argv: string[]) => {
  const outcome = await run(...argv);
  expect([outcome.exitCode, outcome.exitCode === 0 ? "" : outcome.stderr]).toEqual([0, ""]);
  return outcome;
};
const text = async (...argv: string[]) => new TextDecoder().decode((await ok(...argv)).stdout);
/** The complaint of a run that ends with `code` and says `message`. */
const complaint = async (code: number, message: string, ...argv: string[]) => {
  const { exitCode, stderr } = await run(...argv);
  expect([exitCode, stderr]).toEqual([code, expect.stringContaining(message)]);
  return stderr;
};
const bytesOf = (name: string) => readFileSync(at(name));

const trained = await ok("-q", "--train", "-1", "-r", "samples", "-o", "my.prior", "--maxdict=8K");
const hash = decodePrior(bytesOf("my.prior")).hash.toString(16).padStart(16, "0");

describe("--train", () => {
  test("keeps to the size, names the prior, and says what a held-back tenth gains", async () => {
    const { stdout, stderr } = await ok(
      "--train",
      "-1",
      "-r",
      "samples",
      "-o",
      "a.prior",
      "--maxdict",
      "6000",
      "--json",
    );
    expect(bytesOf("a.prior").length).toBeLessThanOrEqual(6000);
    expect(decodePrior(bytesOf("a.prior"))).toMatchObject({ name: "a", contexts: 8, stride: 0 });
    const facts = JSON.parse(new TextDecoder().decode(stdout));
    expect(facts).toMatchObject({ name: "a.prior", samples: 60, held: { samples: 6 } });
    expect(facts.held.withBytes).toBeLessThan(0.6 * facts.held.withoutBytes);
    expect(stderr).toContain("6 of them, held back:");
  });

  test("takes a folder of samples without -r, and says which prior it has made", async () => {
    const { stderr } = await ok("--train", "-1", "samples", "-o", "folder.prior", "--maxdict=8K");
    expect(decodePrior(bytesOf("folder.prior")).content).toEqual(decodePrior(bytesOf("my.prior")).content);
    const { hash: made } = decodePrior(bytesOf("folder.prior"));
    expect(stderr).toContain(`from 60 samples, prior ${made.toString(16).padStart(16, "0")}`);
  });

  test("is the same again, and does not overwrite", async () => {
    await ok("-q", "--train", "-1", "-r", "samples", "-o", "b/../again.prior".replace("b/../", ""), "--maxdict=8K");
    expect(decodePrior(bytesOf("again.prior")).content).toEqual(decodePrior(bytesOf("my.prior")).content);
    await complaint(1, "already exists", "--train", "-1", "-r", "samples", "-o", "my.prior", "--maxdict=8K");
  });

  test.each([
    [["--train", "new0", "new1", "-o", "x"], 1, "2 samples are too few to train a prior: 8 are the least"],
    [["--train", "-o", "x"], 2, "--train needs samples"],
    [["--train", "new0", "-o", "x", "-D", "my.prior"], 2, "--train makes a prior, and begins with none"],
    [["--train", "new0", "-c"], 2, "--train writes a file"],
    [["--train", "new0", "--maxdict=100"], 2, "--maxdict must be at least 1024 bytes"],
    [["--train", "new0", "--maxdict=5M"], 2, "--maxdict may be at most 4194304 bytes"],
    [["--maxdict=5K", "new0"], 2, "--maxdict goes with --train"],
    [["--train-cover=k=32", "new0"], 2, "--train-cover is zstd's: fade trains in one way"],
    [["--train", "--preset", "network-1", "new0"], 2, "a prior is for a level, not for a network"],
    [["--train", "new0", "--rm"], 2, "--rm does not go with --train"],
    [["--train", "new0", "-B1K"], 2, "-B does not go with --train"],
    [["--train", "-r", "samples", "-o", "samples/1.json", "-f"], 1, "is a sample and the output, too"],
    [["--train", "-r", "samples", "-o", "no/such"], 1, "no/such: its directory does not exist"],
    [["--train", "-1", "-M4M", "-r", "samples", "-o", "x"], 4, "x: needs about"],
    [["-D", "empty", "new0"], 1, "is empty: there is nothing to begin with"],
    [["-D", "samples", "new0"], 1, "samples: is not a regular file"],
    [["-M1K", "-D", "my.prior", "new0"], 4, "my.prior: needs about"],
    [["--no-prior", "-D", "my.prior", "new0"], 2, "-D and --no-prior contradict each other"],
    [["--no-prior", "--patch-from", "new1", "new0"], 2, "--patch-from and --no-prior contradict each other"],
    [["--no-prior", "-l", "new0"], 2, "--no-prior goes with compression"],
    [["--train", "--no-prior", "new0"], 2, "--no-prior does not go with --train"],
    [["-D", "my.prior", "--preset", "paper", "new0"], 2, "a prior is for a level, not for a network"],
  ])("%j", async (argv, code, message) => {
    await complaint(code, `: ${message}`, ...argv);
  });
});

test.each([8, 12])("--train warns where a prior of %d samples gains next to nothing, also with -q", async (count) => {
  const chance = Array.from({ length: count }, (_, file) => `chance${file}`);
  for (const [file, name] of chance.entries()) {
    writeFileSync(
      at(name),
      Uint8Array.from({ length: 300 }, (_, i) => mix32(1000 * file + i) >>> 24),
    );
  }
  const { stderr } = await ok("-q", "-f", "--train", "-1", ...chance, "-o", "chance.prior", "--maxdict=4K");
  expect(stderr).toBe("fade: chance.prior: warning: files like these gain less than 1% from it\n");
  expect(trained.stderr).toBe("");
});

test("--no-prior: a short file begins with none of the program's priors", async () => {
  const facts = async (...argv: string[]) => {
    await ok("-q", "-f", "-1", ...argv, "new0", "-o", "short.fade");
    const { prior } = JSON.parse(await text("-l", "--json", "short.fade")).frames[0];
    return { prior, bytes: bytesOf("short.fade").length };
  };
  const [usual, without] = [await facts(), await facts("--no-prior")];
  expect([usual.prior, without.prior]).toEqual([expect.anything(), undefined]);
  expect(without.bytes).toBeGreaterThan(usual.bytes);
  expect(await text("-dc", "short.fade")).toBe(record(500));
  rmSync(at("short.fade"));
});

describe("-D", () => {
  const clean = () => {
    for (const name of readdirSync(cwd)) if (name.endsWith(".fade") || name.startsWith("out")) rmSync(at(name));
  };

  test("makes files smaller, one after another, and restores them", async () => {
    clean();
    await ok("-q", "-1", "new0");
    const alone = bytesOf("new0.fade").length;
    await ok("-q", "-f", "-D", "my.prior", "new0", "new1", "new2", "new3");
    expect(bytesOf("new0.fade").length).toBeLessThan(0.6 * alone);
    await ok("-q", "-t", "--dict", "my.prior", "new0.fade", "new1.fade", "new2.fade", "new3.fade");
    for (let i = 0; i < 4; i++) {
      expect(await text("-dc", `-Dmy.prior`, `new${i}.fade`)).toBe(record(500 + i));
    }
    await ok("-q", "-D", "my.prior", "--rm", "-o", "out0.fade", "-k", "new0");
  });

  test("without it, says which is missing and how to give it, and leaves all as it was", async () => {
    clean();
    await ok("-q", "-D", "my.prior", "-o", "out.fade", "new0");
    for (const argv of [["-d"], ["-t"], ["-d", "--rm"], ["-dD", "a.prior"]]) {
      const stderr = await complaint(3, `out.fade: needs prior ${hash.slice(8)}, `, ...argv, "out.fade");
      expect(stderr).toContain("fade: hint: name the file of that prior with -D");
    }
    expect(readdirSync(cwd).filter((name) => name.startsWith("out"))).toEqual(["out.fade"]);
  });

  test("is listed, with its name where it is given", async () => {
    clean();
    await ok("-q", "-D", "my.prior", "-o", "out.fade", "new0");
    expect(await text("-lv", "out.fade")).toContain(
      `    prior:        xxHash64 ${hash.slice(8)}\n    model:        that of its prior\n`,
    );
    expect(await text("-lvD", "my.prior", "out.fade")).toContain(
      `xxHash64 ${hash.slice(8)} (my)\n    level:        1\n`,
    );
    expect(JSON.parse(await text("-l", "--json", "out.fade")).frames[0]).toMatchObject({ prior: hash.slice(8) });
    expect(await text("-l", "out.fade")).toContain(`out.fade (prior ${hash.slice(8)})`);
    await ok("-q", "-1", "--patch-from", "new3", "new0", "-o", "out.patch");
    expect(await text("-l", "out.patch")).toMatch(/out\.patch \(patch of [0-9a-f]{16}\)\n$/);
  });

  test("says which one it is, when it is listed itself", async () => {
    expect(await text("-l", "my.prior")).toStartWith(`my.prior: no archive but a prior, ${hash}, "my" (`);
    expect(JSON.parse(await text("-l", "--json", "my.prior"))).toMatchObject({ prior: hash, priorName: "my" });
    writeFileSync(at("cut.prior"), bytesOf("my.prior").subarray(0, 900));
    await complaint(3, "cut.prior: is truncated", "-l", "cut.prior");
  });

  test("of any file takes its bytes, of a damaged prior nothing", async () => {
    clean();
    await ok("-q", "-D", "samples/3.json", "-o", "out.fade", "new0");
    await ok("-qt", "-D", "samples/3.json", "out.fade");
    const damaged = bytesOf("my.prior");
    damaged[500] = (damaged[500] as number) ^ 1;
    writeFileSync(at("bad.prior"), damaged);
    await complaint(3, "bad.prior: is corrupt: the checksum of a prior", "-D", "bad.prior", "new0");
    expect((await run("-D", "nowhere", "new0")).stderr).toContain("nowhere: no such file or directory");
    expect(readdirSync(cwd)).not.toContain("new0.fade");
  });

  test("with larger files, pipes, blocks and lanes", async () => {
    clean();
    const many = Array.from({ length: 700 }, (_, i) => record(900 + i)).join("");
    writeFileSync(at("out.many"), many);
    await ok("-q", "-D", "my.prior", "-B64K", "--streams", "2", "out.many");
    expect(await text("-dc", "-D", "my.prior", "out.many.fade")).toBe(many);
    await complaint(3, `needs prior ${hash}, `, "-t", "out.many.fade");
  });
});

describe("what archives begin with", () => {
  test("is neither removed nor replaced by them", async () => {
    for (const option of ["-D", "--patch-from"]) {
      await complaint(1, "and --rm would remove it", "-1", "--rm", option, "new1", "new1", "-o", "gone.fade");
      await complaint(1, "would be overwritten", "-1", "-f", option, "new1", "new2", "-o", "new1");
      expect(bytesOf("new1").toString()).toBe(record(501));
    }
  });

  test("may differ in joined archives, if all are given", async () => {
    await ok("-q", "-1", "-D", "my.prior", "new0", "-o", "j0.fade");
    await ok("-q", "-1", "-D", "new1", "new2", "-o", "j1.fade");
    await ok("-q", "-1", "--patch-from", "new3", "new2", "-o", "j2.fade");
    writeFileSync(at("joined.fade"), Buffer.concat(["j0", "j1", "j2"].map((name) => bytesOf(`${name}.fade`))));
    const last = await ok("-qc", "-1", "-D", "new1", "-D", "my.prior", "new0");
    expect(Buffer.from(last.stdout).equals(bytesOf("j0.fade"))).toBe(true);
    const restored = await text("-dc", "-D", "new1", "-D", "my.prior", "--patch-from", "new3", "joined.fade");
    expect(restored).toBe(record(500) + record(502) + record(502));
  });

  test("counts in the time", async () => {
    writeFileSync(at("long"), record(1).repeat(10_000));
    await ok("-q", "-1", "-D", "long", "new0", "-o", "long.fade");
    await complaint(3, "takes about", "-t", "--max-time", "1", "-D", "long", "long.fade");
  });
});

describe("--patch-from", () => {
  const old = Array.from({ length: 300 }, (_, i) => record(2000 + i)).join("");
  const next = old.replaceAll("user7", "User 7").slice(0, -500);

  test("makes a patch, restores it with the old file, and says so without it", async () => {
    writeFileSync(at("old"), old);
    writeFileSync(at("next"), next);
    await ok("-q", "-1", "--patch-from", "old", "-o", "out.patch.fade", "next");
    expect(bytesOf("out.patch.fade").length).toBeLessThan(next.length / 20);
    expect(await text("-dc", "--patch-from=old", "out.patch.fade")).toBe(next);
    await ok("-q", "-1", "-f", "--patch-from", "old", "--verify", "-o", "out.patch.fade", "next");
    for (const argv of [["-t"], ["-t", "-D", "old"], ["-t", "--patch-from", "next"]]) {
      const stderr = await complaint(3, "is a patch of a file whose xxHash64 is ", ...argv, "out.patch.fade");
      expect(stderr).toContain("fade: hint: name that file with --patch-from");
    }
    expect(await text("-lv", "out.patch.fade")).toContain("    patch of:     a file of xxHash64 ");
    expect(JSON.parse(await text("-l", "--json", "out.patch.fade")).frames[0].patch).toBe(true);
  });

  test.each([
    [["--patch-from", "old", "-D", "my.prior", "next"], 2, "-D and --patch-from contradict each other"],
    [["--patch-from", "old", "--repeats", "0", "next"], 2, "a patch is made of copies, and --repeats 0 wants none"],
    [["--patch-from", "old", "--preset", "paper", "next"], 2, ""],
    [["--patch-from", "nothing", "next"], 1, "nothing: no such file or directory"],
    [["--patch-from", "old", "-M1M", "next"], 4, "next: needs about"],
  ])("%j", async (argv, code, message) => {
    await complaint(code, message, ...argv);
    expect(readdirSync(cwd)).not.toContain("next.fade");
  });
});
