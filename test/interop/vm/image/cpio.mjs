// A writer for "newc" cpio archives, the form in which the kernel takes its initial root file system.

/**
 * @typedef {{ kind: "directory", path: string }
 *   | { kind: "symlink", path: string, target: string }
 *   | { kind: "file", path: string, data: Uint8Array, executable: boolean }} CpioEntry
 */

const MODE = { directory: 0o040755, symlink: 0o120777, file: 0o100644, executable: 0o100755 };

/** The archive of `entries`, in order; a directory comes before what is in it. Paths have no leading slash. */
export function cpioArchive(/** @type {readonly CpioEntry[]} */ entries) {
  const parts = [];
  let inode = 1;
  for (const entry of entries) parts.push(...member(entry.path, modeOf(entry), dataOf(entry), inode++));
  parts.push(...member("TRAILER!!!", 0, Buffer.alloc(0), 0));
  return Buffer.concat(parts);
}

function modeOf(entry) {
  return entry.kind === "file" && entry.executable ? MODE.executable : MODE[entry.kind];
}

function dataOf(entry) {
  if (entry.kind === "file") return entry.data;
  return entry.kind === "symlink" ? Buffer.from(entry.target) : Buffer.alloc(0);
}

function member(path, mode, data, inode) {
  const name = Buffer.from(`${path}\0`);
  const links = 1;
  // ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
  const fields = [inode, mode, 0, 0, links, 0, data.length, 0, 0, 0, 0, name.length, 0];
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`);
  return [header, name, padding(header.length + name.length), data, padding(data.length)];
}

function padding(length) {
  return Buffer.alloc((4 - (length % 4)) % 4);
}
