/**
 * Who may read an output: those who may read its source, and nobody else. With an access control list the group's bits
 * of a mode are no longer the group's rights but the most that anybody named in the list gets, so that a mode alone
 * would give them to the group. The list goes along, as with cp -p; where it cannot, the group keeps what it had.
 */
import type { Stats } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { attributeOf, hasAttributes, removeAttribute, setAttribute } from "../platform/c-library.ts";

const MODE_BITS = 0o777;
const GROUP_BITS = 0o070;
const LIST = "system.posix_acl_access";

// The attribute: u32 version, then entries of u16 kind, u16 rights (rwx), u32 user or group; little-endian.
const VERSION = 2;
const HEAD_BYTES = 4;
const ENTRY_BYTES = 8;
const KIND_GROUP = 0x04;
const KIND_MASK = 0x10;
const RIGHTS = 7;

/** Gives an output owner, mode and access list of its source. @param sourcePath absolute @throws system errors */
export async function giveAccess(file: FileHandle, source: Stats, sourcePath: string | undefined): Promise<void> {
  const list = sourcePath === undefined ? undefined : attributeOf(sourcePath, LIST);
  // Only root may give files away; for others the group may still work. Owner first: chown clears mode bits.
  const isOwned = await file.chown(source.uid, source.gid).then(
    () => true,
    () => false,
  );
  const mode = source.mode & MODE_BITS;
  if (isOwned && list && setAttribute(file.fd, LIST, list)) return await file.chmod(mode);
  // The folder may have a list for new files, and a wider mode would let those in whom it names.
  removeAttribute(file.fd, LIST);
  // Without the source's group, its group rights would go to somebody else.
  await file.chmod(isOwned ? (mode & ~GROUP_BITS) | (groupRights(mode, list) << 3) : mode & ~GROUP_BITS);
}

/** What the group of a file with this mode and access list may do: rwx. */
export function groupRights(mode: number, list: Uint8Array | undefined): number {
  const bits = (mode & GROUP_BITS) >> 3;
  if (!list) return process.platform === "linux" && !hasAttributes() ? 0 : bits;
  const view = new DataView(list.buffer, list.byteOffset, list.byteLength);
  if (view.byteLength < HEAD_BYTES || view.getUint32(0, true) !== VERSION) return 0;
  let [group, mask] = [0, RIGHTS];
  for (let at = HEAD_BYTES; at + ENTRY_BYTES <= view.byteLength; at += ENTRY_BYTES) {
    const [kind, rights] = [view.getUint16(at, true), view.getUint16(at + 2, true) & RIGHTS];
    if (kind === KIND_GROUP) group = rights;
    if (kind === KIND_MASK) mask = rights;
  }
  return group & mask & bits;
}
