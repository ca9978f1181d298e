/**
 * Folders for code that is loaded: what lies in them was put there by this program, whoever else uses the machine.
 *
 * A native addon can only be loaded from a file, and it looks for its own libraries beside itself. In a folder where
 * others can write, that is their code: a file planted under a name that can be foretold, or exchanged between a check
 * and its use. So the folder belongs to this user alone, and nobody else can write to, or rename, a folder above it.
 * The user's cache folder is taken if it is like that; else a fresh one, which `removeFreshFolders` removes at the end.
 */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";

const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;
const OPEN_TO_OTHERS = 0o077;
const OWN_FOLDER_MODE = 0o700;

/** The user's, as the process acts; undefined on Windows, whose profile folders are private by their own lists. */
const userId = (): number | undefined => process.geteuid?.();

/** Fresh folders of this process, until they are removed. */
const freshFolders = new Set<string>();

/** Whoever ends the program by a signal. */
interface Watcher {
  /** What to remove then. Fresh folders are entered here, too, as long as they are there. */
  readonly paths: Set<string>;
  /** Does `work` in which the program is not ended: a folder that is made is entered. */
  uninterrupted<T>(work: () => T): T;
}

let watcher: Watcher = { paths: new Set(), uninterrupted: (work) => work() };

export function trackFreshFolders(by: Watcher): void {
  watcher = by;
}

/**
 * Private folders to try in turn: loading from one fails where its file system forbids to execute (noexec).
 *
 * @param name of the folder in the user's cache
 */
export function* privateFolders(name: string): Generator<string> {
  const kept = keptFolder(cacheHome(), name);
  if (kept !== undefined) yield kept;
  const fresh = freshFolder(tmpdir(), name);
  if (fresh !== undefined) yield fresh;
}

/** Where this user's programs keep what can be made again; undefined if the environment names no folder. */
function cacheHome(): string | undefined {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  const home = homedir();
  // Where not even the home is there (/nonexistent of a service), none is made.
  const inHome = (...names: string[]) => (home && existsSync(home) ? join(home, ...names) : undefined);
  const found =
    process.platform === "win32"
      ? LOCALAPPDATA
      : process.platform === "darwin"
        ? inHome("Library", "Caches")
        : XDG_CACHE_HOME || inHome(".cache");
  return found && isAbsolute(found) ? found : undefined;
}

/**
 * `name` in `home`, made if it is missing; undefined if it cannot be, or is not this user's alone. Nothing is made in
 * places of others: root would leave folders in somebody's home that are not theirs.
 * @returns its path without links, which nobody can lead elsewhere after it was looked at
 */
export function keptFolder(home: string | undefined, name: string): string | undefined {
  if (home === undefined) return undefined;
  const user = userId();
  try {
    const folder = join(home, name);
    if (user !== undefined && !isOutOfReach(realpathSync(nearest(folder)), user)) return undefined;
    mkdirSync(folder, { recursive: true, mode: OWN_FOLDER_MODE });
    const real = realpathSync(folder);
    return isPrivate(folder) && isPrivate(real) ? real : undefined;
  } catch {
    return undefined;
  }
}

/** The path itself, or the lowest folder above it that is there. */
function nearest(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : nearest(dirname(path));
}

/** A new folder in `parent`, whose name nobody can foretell; undefined if it cannot be made, or not privately. */
export function freshFolder(parent: string, name: string): string | undefined {
  try {
    const folder = watcher.uninterrupted(() => {
      const made = mkdtempSync(join(realpathSync(parent), `${name}-`));
      freshFolders.add(made);
      watcher.paths.add(made);
      return made;
    });
    return isPrivate(folder) ? folder : undefined;
  } catch {
    return undefined;
  }
}

/** To be called when the program ends. */
export function removeFreshFolders(): void {
  for (const folder of freshFolders) {
    rmSync(folder, { recursive: true, force: true });
    watcher.paths.delete(folder);
  }
  freshFolders.clear();
}

/**
 * Whether only this user, and root, decides what lies in a folder: it is this user's and closed to others, it is no
 * link, and each folder above belongs to root or this user and is writable by nobody else, or is sticky (as /tmp),
 * where others cannot rename what is not theirs.
 */
export function isPrivate(folder: string): boolean {
  const user = userId();
  if (user === undefined) return true;
  const { uid, mode } = lstatSync(folder);
  if (!lstatSync(folder).isDirectory() || uid !== user || (mode & OPEN_TO_OTHERS) !== 0) return false;
  return isOutOfReach(dirname(realpathSync(folder)), user);
}

/** Whether nobody but `user` and root can exchange what lies at a path, or anything above it. */
export function isOutOfReach(path: string, user = userId() ?? 0): boolean {
  for (let at = path; ; at = dirname(at)) {
    const { uid, mode } = lstatSync(at);
    if (uid !== 0 && uid !== user) return false;
    if ((mode & WRITABLE_BY_OTHERS) !== 0 && (mode & STICKY) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

/**
 * A file of a private folder with exactly these bytes: what is there is compared, all of it, and replaced if it
 * differs. Nothing is half written: a new file gets its name when it is complete.
 *
 * @returns its path
 */
export function placeFile(folder: string, name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  if (!holds(path, bytes)) {
    const unfinished = join(mkdtempSync(join(folder, "new-")), name);
    try {
      writeFileSync(unfinished, bytes, { mode: OWN_FOLDER_MODE, flag: "wx" });
      replace(path, unfinished);
    } finally {
      rmSync(dirname(unfinished), { recursive: true, force: true });
    }
  }
  return path;
}

/** Windows has neither. */
function isOnlyOurs({ uid, mode }: Stats): boolean {
  const user = userId();
  return user === undefined || (uid === user && (mode & WRITABLE_BY_OTHERS) === 0);
}

function holds(path: string, bytes: Uint8Array): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  } catch {
    return false;
  }
  try {
    const facts = fstatSync(descriptor);
    const isOurs = facts.isFile() && isOnlyOurs(facts);
    return isOurs && facts.size === bytes.length && Buffer.compare(readFileSync(descriptor), bytes) === 0;
  } finally {
    closeSync(descriptor);
  }
}

/** A link of a private folder to `target`; whatever else has its name goes. */
export function placeLink(folder: string, name: string, target: string): void {
  const path = join(folder, name);
  try {
    if (readlinkSync(path) === target) return;
  } catch {
    // It is missing, or no link.
  }
  const unfinished = join(mkdtempSync(join(folder, "new-")), name);
  symlinkSync(target, unfinished);
  replace(path, unfinished);
  rmSync(dirname(unfinished), { recursive: true, force: true });
}

/** At once, so that another process that starts meanwhile finds the old one or the new one. */
function replace(path: string, unfinished: string): void {
  try {
    renameSync(unfinished, path);
  } catch {
    rmSync(path, { recursive: true, force: true }); // a folder
    renameSync(unfinished, path);
  }
}
