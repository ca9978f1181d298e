/** Folders of this user's alone: which are believed, and that what lies in them is what was put there. */
import { describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import {
  freshFolder,
  isOutOfReach,
  isPrivate,
  keptFolder,
  placeFile,
  placeLink,
  removeFreshFolders,
} from "../../src/platform/private-folder.ts";
import { inDirectory, testInDirectory } from "../faults/support.ts";

/** A folder with this mode, in spite of the mask of new files. */
function folder(path: string, mode: number): string {
  mkdirSync(path, { recursive: true });
  chmodSync(path, mode);
  return path;
}

describe("a folder is believed", () => {
  test.each([
    [0o700, true],
    [0o500, true],
    [0o750, false],
    [0o701, false],
    [0o1777, false],
    [0o770, false],
  ])("with mode %o: %p", async (mode, expected) => {
    await inDirectory((cwd) => expect(isPrivate(folder(join(cwd, "own"), mode))).toBe(expected));
  });

  test.each([
    [0o755, true],
    [0o1777, true],
    [0o777, false],
    [0o775, false],
  ])("below one with mode %o: %p", async (mode, expected) => {
    await inDirectory((cwd) => {
      const above = folder(join(cwd, "above"), 0o755);
      const own = folder(join(above, "own"), 0o700);
      chmodSync(above, mode);
      expect(isPrivate(own)).toBe(expected);
      expect(isOutOfReach(own)).toBe(expected);
      chmodSync(above, 0o700);
    });
  });

  testInDirectory("not if it is a link, though it leads to a private one", (cwd) => {
    const own = folder(join(cwd, "own"), 0o700);
    symlinkSync(own, join(cwd, "link"));
    expect(isPrivate(join(cwd, "link"))).toBe(false);
    expect(keptFolder(cwd, "link")).toBeUndefined();
  });
});

testInDirectory("a kept folder is made, with all above it, closed to others", (cwd) => {
  const made = keptFolder(join(cwd, "new", "cache"), "fade") as string;
  expect(made).toBe(join(cwd, "new", "cache", "fade"));
  expect(lstatSync(made).mode & 0o777).toBe(0o700);
  expect(lstatSync(join(cwd, "new")).mode & 0o777).toBe(0o700);
  expect(keptFolder(undefined, "fade")).toBeUndefined();
});

testInDirectory("below a link: by the path that the link led to, which nobody can change behind it", (cwd) => {
  folder(join(cwd, "own"), 0o700);
  symlinkSync("own", join(cwd, "link"));
  expect(keptFolder(join(cwd, "link"), "fade")).toBe(join(realpathSync(cwd), "own", "fade"));
});

testInDirectory("nothing is made where others can write", (cwd) => {
  folder(join(cwd, "open"), 0o777);
  expect(keptFolder(join(cwd, "open", "cache"), "fade")).toBeUndefined();
  expect(readdirSync(join(cwd, "open"))).toEqual([]);
});

testInDirectory("a fresh folder goes when it is told to, and with what is in it", (cwd) => {
  const fresh = freshFolder(cwd, "fade") as string;
  writeFileSync(join(fresh, "x"), "x");
  removeFreshFolders();
  expect(existsSync(fresh)).toBe(false);
  expect(freshFolder(join(cwd, "missing"), "fade")).toBeUndefined();
});

describe("a placed file", () => {
  const bytes = Buffer.from("the right bytes");

  test.each<[string, (path: string) => void]>([
    ["was missing", () => {}],
    ["is there", (path) => writeFileSync(path, bytes)],
    ["was damaged in one byte", (path) => writeFileSync(path, "the right bytez")],
    ["was cut short", (path) => writeFileSync(path, "the right")],
    ["was a folder", (path) => writeFileSync(join(folder(path, 0o700), "x"), "x")],
    ["was a link to a file of others", (path) => symlinkSync("/etc/passwd", path)],
    ["was a link to nothing", (path) => symlinkSync("/nowhere", path)],
  ])("has its bytes and stands alone when it %s", async (_, before) => {
    await inDirectory((cwd) => {
      before(join(cwd, "file"));
      expect(placeFile(cwd, "file", bytes)).toBe(join(cwd, "file"));
      expect(readFileSync(join(cwd, "file"))).toEqual(bytes);
      expect(lstatSync(join(cwd, "file")).isFile()).toBe(true);
      expect(readdirSync(cwd)).toEqual(["file"]);
    });
  });

  testInDirectory("that is right is left as it is", (cwd) => {
    placeFile(cwd, "file", bytes);
    const { ino } = lstatSync(join(cwd, "file"));
    placeFile(cwd, "file", bytes);
    expect(lstatSync(join(cwd, "file")).ino).toBe(ino);
  });
});

test.each<[string, (path: string) => void]>([
  ["nothing", () => {}],
  ["another link", (path) => symlinkSync("/elsewhere", path)],
  ["a planted library", (path) => writeFileSync(path, "code")],
  ["a folder", (path) => mkdirSync(path)],
])("a placed link takes the place of %s", async (_, before) => {
  await inDirectory((cwd) => {
    before(join(cwd, "link"));
    placeLink(cwd, "link", "/the/right/target");
    expect(readlinkSync(join(cwd, "link"))).toBe("/the/right/target");
    expect(readdirSync(cwd)).toEqual(["link"]);
  });
});
