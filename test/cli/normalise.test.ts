/** The normaliser: whatever a file is called, the program gets that name. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { checkWithCac } from "../../src/cli/cac.ts";
import { UsageError } from "../../src/cli/errors.ts";
import { normalise } from "../../src/cli/normalise.ts";
import { settingsOf } from "../../src/cli/settings.ts";
import { forAll } from "../support/for-all.ts";

const hostileNames = fc.constantFrom(
  "-",
  "--",
  "007",
  "1e5",
  "a b",
  "--x",
  "-19",
  "--no-x",
  "--output=0010",
  "true",
  "",
);
const names = fc.oneof(hostileNames, fc.string(), fc.string({ unit: "binary" }));

/** Words that change the settings, each spelled in one of its ways. */
const options = fc.constantFrom(
  ["-d"],
  ["-kf"],
  ["-9k"],
  ["-T4"],
  ["-T", "0"],
  ["-vv"],
  ["--streams=3"],
  ["--streams", "3"],
  ["--engine", "auto"],
  ["--adapter", "007"],
  ["--no-progress"],
  ["-M2Gv"],
  ["-B64KiBk"],
  ["-B", "1M"],
  ["--memory", "007"],
  ["--rm"],
  ["--verify", "--no-sparse"],
  ["--output-dir-mirror", "--x"],
  ["--output-dir-flat=1e5"],
);

const parse = (argv: string[]) => {
  const args = normalise(argv);
  checkWithCac(args);
  return settingsOf(args);
};

describe("operands", () => {
  test("reach the program unchanged behind --, whatever came before", () => {
    forAll([fc.array(options), fc.array(names)], (given, files) => {
      const settings = parse([...given.flat(), "--", ...files]);
      expect(settings.operands).toEqual(files.map((name) => ({ name, isStandardInput: false })));
    });
  });

  test("reach the program unchanged among options if they start with no dash", () => {
    const plain = names.filter((name) => !name.startsWith("-") && name !== "devices");
    forAll([fc.array(fc.oneof(options, fc.tuple(plain)))], (wordGroups) => {
      const settings = parse(wordGroups.flat());
      const files = wordGroups.filter(([word = "", more]) => more === undefined && !word.startsWith("-"));
      expect(settings.operands.map(({ name }) => name)).toEqual(files.flat());
    });
  });
});

describe("paths as values", () => {
  test("come through all spellings of -o", () => {
    const paths = names.filter((name) => name !== "" && name !== "-");
    forAll([paths], (path) => {
      for (const words of [["-o", path], [`-o${path}`], ["--output", path], [`--output=${path}`], ["-fo", path]]) {
        const settings = parse([...words, "a"]);
        expect(settings.output).toBe(path);
        expect(settings.operands).toEqual([{ name: "a", isStandardInput: false }]);
      }
    });
  });
});

describe("any words at all", () => {
  test("are understood or refused as a usage error", () => {
    const word = fc.oneof(
      names,
      options.map((words) => words.join(" ")),
      fc.string().map((text) => `-${text}`),
    );
    fc.assert(
      fc.property(fc.array(word), (argv) => {
        try {
          parse(argv);
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("numbers and clusters", () => {
  test("say the same in every spelling", () => {
    const spelled = [
      ["-dkfT4", "a"],
      ["-d", "-k", "-f", "-T", "4", "a"],
      ["--decompress", "--keep", "--force", "--threads=4", "a"],
      ["a", "-T4fkd"],
    ];
    const [first, ...others] = spelled.map(parse);
    for (const other of others) expect(other).toEqual(first!);
    expect(first).toMatchObject({ action: "decompress", force: true, threads: 4 });
  });

  test("sizes are the same in every spelling", () => {
    const units = fc.constantFrom(["", 0], ["K", 10], ["k", 10], ["MB", 20], ["MiB", 20], ["G", 30], ["GiB", 30]);
    forAll([fc.integer({ min: 1024, max: 4095 }), units], (count, [unit, shift]) => {
      for (const words of [[`-B${count}${unit}`], ["-B", `${count}${unit}`], [`--block-size=${count}${unit}`]]) {
        expect(parse([...words, "a"]).blockBytes).toBe(count * 2 ** Number(shift));
      }
    });
  });

  test("the last mode and the last level win", () => {
    expect(parse(["-d", "-t", "-z"]).action).toBe("compress");
    expect(parse(["-1", "-9"]).level).toEqual(parse(["-9"]).level);
    expect(parse(["--preset", "paper", "-3"]).level).toEqual(parse(["-3"]).level);
    expect(parse(["--preset=paper"]).streams).toBe(512);
  });
});
