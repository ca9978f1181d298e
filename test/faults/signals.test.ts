/**
 * Signals at random moments: the old target is intact, or the new one is complete, and nothing else lies around. The
 * seed is fixed for the order of signals; the moments are as random as the machine.
 */
import { describe, expect, test } from "bun:test";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FATAL } from "../../src/cli/signals.ts";
import { answerOf, CASES, type Case, prepareFolder } from "../support/answers.ts";
import { trainingBytes } from "../support/text.ts";
import { inDirectory, MAIN, namesIn, noise, shell, start, storedArchive, testInDirectory } from "./support.ts";

const ROUNDS = Number(process.env.FADE_TEST_KILLS ?? 56);
/** Processes at a time: more only wait for each other. */
const AT_ONCE = 4;
const PLAIN = noise(24 << 20);

/** Those that end fade, and some that must not: writing to a closed pipe shows as an error, USR1 asks for progress. */
const SIGNALS = [...FATAL, "SIGPIPE", "SIGUSR1", "SIGCONT"] as const;

async function oneKill(round: number, archive: Uint8Array): Promise<string> {
  const signal = SIGNALS[round % SIGNALS.length]!;
  const afterMs = Math.random() * 400;
  let outcome = "";
  await inDirectory(async (cwd) => {
    writeFileSync(join(cwd, "a.fade"), archive);
    writeFileSync(join(cwd, "a"), "old");
    const fade = start(cwd, ["-qdf", "a.fade"]);
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    fade.kill(signal);
    const ended = await fade.ended;
    const found = readFileSync(join(cwd, "a"));
    const state = Buffer.compare(found, PLAIN) === 0 ? "new" : found.toString("latin1", 0, 20);
    const context = { sent: signal, afterMs, ...ended };
    expect({ names: namesIn(cwd), ...context }).toEqual({ names: ["a", "a.fade"], ...context });
    expect(["old", "new"]).toContain(state);
    if (ended.status === 0) expect(state).toBe("new");
    // Whoever is ended by a signal says so, and by no other.
    else expect([signal, state]).toEqual([ended.signal ?? "no signal", state]);
    outcome = `${ended.signal ?? "finished"} ${state}`;
  });
  return outcome;
}

describe("kill", () => {
  test(`${ROUNDS} times, with every signal that can be caught, at random moments`, async () => {
    const archive = await storedArchive(PLAIN);
    const outcomes: string[] = [];
    let round = 0;
    const lane = async () => {
      while (round < ROUNDS) {
        round += 1;
        outcomes.push(await oneKill(round, archive));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    expect(outcomes.length).toBe(ROUNDS);
    // Otherwise the moments are all too early or all too late to show anything.
    expect(new Set(outcomes.map((outcome) => outcome.split(" ")[1]))).toEqual(new Set(["old", "new"]));
  }, 3_600_000);
});

/** Beside other programs on two cores; scripts/signals.ts measures the built program on an idle machine. */
const ANSWER_MS_MAX = 5000;

describe("a signal while the program is busy or waits", () => {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP", "SIGXCPU", "SIGXFSZ"] as const;
  const works = Object.values<Case>(CASES);

  test(`is answered within ${ANSWER_MS_MAX} ms, and leaves nothing behind`, async () => {
    const folder = prepareFolder(2 ** 28);
    const program = [process.execPath, MAIN];
    let round = 0;
    let answers = 0;
    const lane = async () => {
      while (round < works.length) {
        const work = works[round] as Case;
        const signal = signals[round % signals.length] as (typeof signals)[number];
        round += 1;
        const afterMs = 1500 + 1500 * Math.random();
        const run = { program, folder, signal, afterMs, hangMs: 60_000 };
        const { answerMs, ended, left } = await answerOf(work, run);
        if (ended === "code 0") continue;
        answers += 1;
        const found = { work: work.name, ended, left, isSoon: answerMs <= ANSWER_MS_MAX };
        expect({ ...found, answerMs }).toEqual({ ...found, ended: signal, left: [], isSoon: true, answerMs });
      }
    };
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, lane));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    // Most of the work takes minutes.
    expect(answers).toBeGreaterThanOrEqual(works.length - 3);
  });
});

describe("a signal that was ignored when fade started", () => {
  testInDirectory("stays ignored", (cwd) => {
    writeFileSync(join(cwd, "a"), trainingBytes(100, 1));
    const ran = shell(cwd, "trap '' TERM; FADE -q1 --engine reference a & sleep 0.2; kill -TERM $!; wait $!; echo $?");
    expect(ran).toMatchObject({ stdout: "0\n", stderr: "" });
    expect(namesIn(cwd)).toEqual(["a", "a.fade"]);
  });
});

describe("SIGUSR1", () => {
  testInDirectory("is answered while the network takes seconds for a step", async (cwd) => {
    writeFileSync(join(cwd, "text"), trainingBytes(1 << 20, 1));
    const fade = start(cwd, CASES.paperWide.words);
    for (let tries = 0; tries < 60 && !fade.stderr().includes("text:"); tries++) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      fade.kill("SIGUSR1");
    }
    fade.kill("SIGTERM");
    const { signal, stderr } = await fade.ended;
    expect(signal).toBe("SIGTERM");
    expect(stderr).toMatch(/^(fade: no file is being worked on\n)*(text: 0\.0%.*\n)+$/);
  });

  testInDirectory("prints one line and changes nothing", (cwd) => {
    writeFileSync(join(cwd, "a"), trainingBytes(5000, 1));
    const ran = shell(
      cwd,
      "FADE -q --preset network-1 --engine reference a & sleep 1; kill -USR1 $!; wait $!; echo $?; FADE -qt a.fade",
    );
    expect(ran.stdout).toBe("0\n");
    expect(ran.stderr).toMatch(/^a: .*\n$/);
  });
});
