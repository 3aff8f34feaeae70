import { existsSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import type { Addon, NamespaceFiles } from "../../src/io/addon.ts";
import { hasNamespace, hasUnitHelper, openUnitNamespace } from "../../src/io/unit-namespace.ts";
import { eventually } from "../support/eventually.ts";

/** An ask of the helper that waits for its answer. */
interface Ask {
  readonly resolve: (files: NamespaceFiles) => void;
  readonly reject: (error: Error) => void;
}

const FILES: NamespaceFiles = { netlink: 7, tuns: [8] };
const SOCKET = "/run/lacewing-units/socket";

interface Refusal {
  readonly code: string;
  readonly syscall: string;
  /** Absent: the namespace's. */
  readonly subject?: string;
}

/** An addon to which the kernel and the helper say this. */
class PlayedAddon implements Pick<Addon, "openNamespace" | "askUnitHelper"> {
  readonly asked: unknown[] = [];
  readonly #kernel: Refusal | undefined;
  readonly #helper: Refusal | undefined;

  constructor(kernel?: Refusal, helper?: Refusal) {
    this.#kernel = kernel;
    this.#helper = helper;
  }

  openNamespace(options: unknown): Promise<NamespaceFiles> {
    return this.#play(options, this.#kernel);
  }

  askUnitHelper(options: unknown): Promise<NamespaceFiles> {
    return this.#play(options, this.#helper);
  }

  async #play(options: unknown, refusal: Refusal | undefined): Promise<NamespaceFiles> {
    this.asked.push(options);
    if (refusal === undefined) return FILES;
    throw Object.assign(new Error(`${refusal.syscall}: ${refusal.code}`), {
      subject: "/run/netns/core",
      ...refusal,
    });
  }
}

const open = (played: PlayedAddon): Promise<NamespaceFiles> =>
  openUnitNamespace(played as unknown as Addon, "core", 1);

const NO_PRIVILEGE: Refusal = { code: "EPERM", syscall: "setns" };

describe("a network namespace for units", () => {
  afterEach(() => {
    delete process.env.LACEWING_UNIT_HELPER;
  });

  it("is entered by ourselves where we may", async () => {
    const played = new PlayedAddon();
    expect(await open(played)).toBe(FILES);
    expect(played.asked).toEqual([{ netnsPath: "/run/netns/core", tuns: 1 }]);
  });

  it("is the helper's where we may not, at the socket that the environment names", async () => {
    const played = new PlayedAddon(NO_PRIVILEGE);
    expect(await open(played)).toBe(FILES);
    expect(played.asked[1]).toEqual({ socketPath: SOCKET, netns: "core", tuns: 1 });
    process.env.LACEWING_UNIT_HELPER = "/tmp/lw-none/socket";
    expect(await open(played)).toBe(FILES);
    expect(played.asked[3]).toEqual({ socketPath: "/tmp/lw-none/socket", netns: "core", tuns: 1 });
    expect(hasUnitHelper()).toBe(false);
  });

  it("is not asked of the helper where it is not there", async () => {
    const played = new PlayedAddon({ code: "ENOENT", syscall: "open" });
    await expect(open(played)).rejects.toMatchObject({
      code: "netns-refused",
      message: "the network namespace core cannot be entered: there is none of that name: ip netns add core",
    });
    expect(played.asked).toHaveLength(1);
    expect(hasNamespace("lw-none")).toBe(false);
    expect(hasNamespace(".")).toBe(existsSync("/run/netns"));
  });

  it("is not said to be missing where something else is", async () => {
    const tun: Refusal = { code: "ENOENT", syscall: "open", subject: "/dev/net/tun" };
    await expect(open(new PlayedAddon(tun))).rejects.toThrow("cannot be entered: open: ENOENT");
    const answer: Refusal = { code: "ENOENT", syscall: "unit helper", subject: "open /dev/net/tun" };
    await expect(open(new PlayedAddon(NO_PRIVILEGE, answer))).rejects.toThrow("refuses: unit helper: ENOENT");
  });

  it("is asked of the helper by one at a time, and of one that is silent not by those who have waited", async () => {
    const asks: Ask[] = [];
    const played = new PlayedAddon(NO_PRIVILEGE);
    played.askUnitHelper = () => new Promise((resolve, reject) => asks.push({ resolve, reject }));
    const opened = [1, 2, 3].map(() => open(played));
    await eventually("the first has asked", () => asks.length > 0);
    asks[0]!.resolve(FILES);
    expect(await opened[0]).toBe(FILES);
    await eventually("the second has asked", () => asks.length > 1);
    asks[1]!.reject(
      Object.assign(new Error("recvmsg: ETIMEDOUT"), { code: "ETIMEDOUT", syscall: "recvmsg" }),
    );
    for (const refused of opened.slice(1)) await expect(refused).rejects.toThrow("recvmsg: ETIMEDOUT");
    expect(asks).toHaveLength(2);
    const later = open(played);
    await eventually("who comes later asks again", () => asks.length > 2);
    asks[2]!.resolve(FILES);
    expect(await later).toBe(FILES);
  });

  it.each([
    ["connect", "ENOENT", "does not run: systemctl enable --now lacewing-units.socket"],
    ["connect", "ECONNREFUSED", "does not run: systemctl enable --now lacewing-units.socket"],
    ["connect", "EACCES", "its socket has to be of our group"],
    ["recvmsg", "ECONNRESET", "it serves another user, or has ended (journalctl -u lacewing-units)"],
    ["recvmsg", "ETIMEDOUT", "cannot be asked: recvmsg: ETIMEDOUT"],
    ["unit helper", "ENOENT", "refuses: there is none of that name: ip netns add core"],
    ["unit helper", "EACCES", "refuses: unit helper: EACCES"],
  ])("says what to do when the helper fails: %s, %s", async (syscall, code, advice) => {
    const refused = open(new PlayedAddon(NO_PRIVILEGE, { syscall, code }));
    await expect(refused).rejects.toMatchObject({ code: "netns-refused" });
    await expect(refused).rejects.toThrow("it takes CAP_SYS_ADMIN, which we do not have, and");
    await expect(refused).rejects.toThrow(SOCKET);
    await expect(refused).rejects.toThrow(advice);
  });
});
