import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { addon } from "../../src/io/native.ts";
import { ifindexOf, ip, nativeError, openDescriptors, root, until } from "./support.ts";

const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const RTM_NEWLINK = 16;
const RTM_GETLINK = 18;
const RTMGRP_LINK = 1;
const ENODEV = 19;

/** RTM_GETLINK with these flags (NLM_F_REQUEST is added) for one interface, or 0. */
function getLink(seq: number, flags: number, ifindex = 0): Uint8Array {
  const view = new DataView(new ArrayBuffer(32));
  view.setUint32(0, 32, true);
  view.setUint16(4, RTM_GETLINK, true);
  view.setUint16(6, flags | 1, true);
  view.setUint32(8, seq, true);
  view.setInt32(20, ifindex, true);
  return new Uint8Array(view.buffer);
}

const typeOf = (part: Uint8Array) => new DataView(part.buffer).getUint16(4, true);
const linkOf = (part: Uint8Array) => new DataView(part.buffer).getInt32(20, true);

describe("netlink sockets", () => {
  const space = `lw-native-nl-${process.pid}`;
  let fd: number;
  const opened: number[] = [];

  function open(options: Parameters<typeof addon.openNetlink>[0]): number {
    const descriptor = addon.openNetlink(options);
    opened.push(descriptor);
    return descriptor;
  }

  beforeAll(() => {
    if (root) ip("netns", "add", space);
    fd = addon.openNetlink({ groups: 0 });
  });
  afterAll(() => {
    addon.close(fd);
    if (root) ip("netns", "del", space);
  });
  afterEach(() => {
    for (const descriptor of opened.splice(0)) addon.close(descriptor);
  });

  it("give every part of a dump, to its end", () => {
    const parts = addon.netlinkTransact(fd, getLink(7, 0x300));
    expect(parts.length).toBeGreaterThan(1);
    expect(typeOf(parts.at(-1)!)).toBe(NLMSG_DONE);
    const links = parts.slice(0, -1);
    expect(links.every((part) => typeOf(part) === RTM_NEWLINK)).toBe(true);
    expect(links.map(linkOf)).toContain(ifindexOf("lo"));
  });

  it("give a single answer, with its acknowledgement when one was asked for", () => {
    expect(addon.netlinkTransact(fd, getLink(8, 0, 1)).map(typeOf)).toEqual([RTM_NEWLINK]);
    expect(addon.netlinkTransact(fd, getLink(9, 4, 1)).map(typeOf)).toEqual([RTM_NEWLINK, NLMSG_ERROR]);
  });

  it("give the kernel's refusal as a part", () => {
    const parts = addon.netlinkTransact(fd, getLink(10, 0, 0x7ffffff0));
    expect(parts.map(typeOf)).toEqual([NLMSG_ERROR]);
    expect(new DataView(parts[0]!.buffer).getInt32(16, true)).toBe(-ENODEV);
  });

  it("refuse what is not one whole message", () => {
    for (const length of [0, 15, 31])
      expect(() => addon.netlinkTransact(fd, getLink(11, 0).slice(0, length))).toThrow(RangeError);
    expect(() => addon.netlinkTransact(fd, new Uint8Array(32))).toThrow(RangeError);
  });

  it.skipIf(!root)("see the namespace that they were opened in, and what happens there", () => {
    const there = open({ netnsPath: `/run/netns/${space}`, groups: RTMGRP_LINK });
    const links = addon
      .netlinkTransact(there, getLink(1, 0x300))
      .filter((part) => typeOf(part) === RTM_NEWLINK);
    expect(links).toHaveLength(ip("-n", space, "-o", "link").trim().split("\n").length);
    expect(addon.receiveFrame(there)).toBeUndefined();
    ip("-n", space, "link", "set", "lo", "up");
    const told = until(() => addon.receiveFrame(there));
    expect([typeOf(told), linkOf(told)]).toEqual([RTM_NEWLINK, 1]);
    // notifications that wait in front of an answer are no part of it
    ip("-n", space, "link", "set", "lo", "down");
    expect(addon.netlinkTransact(there, getLink(2, 0, 1)).map(typeOf)).toEqual([RTM_NEWLINK]);
  });

  it("leave nothing open when they cannot be opened", () => {
    const before = openDescriptors();
    const error = nativeError(() => open({ netnsPath: "/run/netns/lw-none", groups: 0 }));
    expect(error).toMatchObject({ code: "ENOENT", syscall: "open", subject: "/run/netns/lw-none" });
    expect(openDescriptors()).toBe(before);
  });
});
