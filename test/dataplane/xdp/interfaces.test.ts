import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../src/base/logger.ts";
import { interfaceFaults } from "../../../src/dataplane/xdp/interface-faults.ts";
import { Interfaces } from "../../../src/dataplane/xdp/interfaces.ts";
import type { LinkFeatures } from "../../../src/io/link-features.ts";
import {
  XDP_INTERFACE_BYTES,
  XDP_INTERFACE_DOMAIN,
  XDP_INTERFACE_FLAGS,
  XDP_INTERFACE_NEEDS_CHECKSUM,
  XDP_INTERFACE_NEEDS_LENGTH,
  XDP_INTERFACE_PORT,
  type XdpLink,
  type XdpMode,
} from "../../../src/io/xdp.ts";
import { FakeLog, FakeProgram } from "./fakes.ts";

const FEATURES: LinkFeatures = {
  isRedirectTarget: () => true,
  keepVlanTags: () => undefined,
  otherEnd: () => undefined,
  nameOf: () => undefined,
  close: () => {},
};
const CORE = 3;
const GENERIC_ONLY = 4;
const TUNNELS = { kind: "tunnels", domain: 1, mac: Uint8Array.of(2, 0, 0, 0, 0, 1) } as const;

/** Remembers what an interface's entry says at the moment when frames begin to find the program there. */
class WatchedProgram extends FakeProgram {
  readonly atAttach: string[] = [];

  override attach(ifindex: number, mode: XdpMode | "auto"): XdpLink {
    const link = super.attach(ifindex, mode);
    this.atAttach.push(`${ifindex} ${link.mode} ${this.entry(ifindex)}`);
    return link;
  }

  entry(ifindex: number): string {
    const at = ifindex * XDP_INTERFACE_BYTES;
    const port = this.word("interfaces", at + XDP_INTERFACE_PORT);
    return `port ${port} domain ${this.word("interfaces", at + XDP_INTERFACE_DOMAIN)}`;
  }
}

function setUp() {
  const program = new WatchedProgram();
  program.genericOnly.add(GENERIC_ONLY);
  return { program, interfaces: new Interfaces(program, FEATURES, "auto", silentLogger) };
}

describe("the entry of an interface", () => {
  it("is of nobody while the program goes from native to generic, where frames are read in another way", () => {
    const { program, interfaces } = setUp();
    interfaces.use(CORE, "core0", TUNNELS);
    interfaces.use(GENERIC_ONLY, "acc0", { kind: "access", port: 1 });
    expect(program.atAttach.at(-1)).toBe(`${CORE} generic port 0 domain 0`);
    expect(program.entry(CORE)).toBe("port 0 domain 1");
    expect(program.half("interfaces", CORE * XDP_INTERFACE_BYTES + XDP_INTERFACE_FLAGS)).toBe(
      XDP_INTERFACE_NEEDS_LENGTH | XDP_INTERFACE_NEEDS_CHECKSUM,
    );
  });

  it("is of nobody once the program cannot be on the interface any more", () => {
    const { program, interfaces } = setUp();
    const use = interfaces.use(CORE, "core0", TUNNELS);
    program.refusals.set(CORE, "EBUSY");
    interfaces.use(GENERIC_ONLY, "acc0", { kind: "access", port: 1 });
    expect(use.attached).toBe(false);
    expect(program.entry(CORE)).toBe("port 0 domain 0");
    use.close();
    program.refusals.clear();
    interfaces.use(CORE, "core0", { kind: "access", port: 2 });
    expect(program.atAttach.at(-1)).toBe(`${CORE} generic port 0 domain 0`);
    expect(program.entry(CORE)).toBe("port 2 domain 0");
  });
});

describe("what is said of an interface that the program is on", () => {
  const well = { mode: "native", spoilsNative: false, isTarget: true, otherEnd: undefined } as const;
  const there = { name: "sub0", hidesTags: false } as const;
  const elsewhere = { name: undefined, hidesTags: undefined } as const;

  it("is nothing when all is well", () => {
    expect(interfaceFaults(well)).toEqual([]);
    expect(interfaceFaults({ ...well, otherEnd: there })).toEqual([]);
    // it is not because of this one
    expect(interfaceFaults({ ...well, mode: "generic", isTarget: false })).toEqual([]);
  });

  it.each([
    ["sends are lost", { isTarget: false }, /^what the program sends to it is lost$/],
    ["sends are lost to a veth", { isTarget: false, otherEnd: there }, /is lost \(ethtool -K sub0 gro on\)$/],
    ["no native", { mode: "generic", spoilsNative: true }, /generic mode, .*: the driver of this one has no/],
    [
      "no target",
      { mode: "generic", spoilsNative: true, isTarget: false },
      /generic mode, .* does not transmit/,
    ],
    [
      "hidden tags",
      { otherEnd: { name: "sub0", hidesTags: true } },
      /since.*\(ethtool -K sub0 txvlan off\)$/,
    ],
    ["perhaps hidden tags", { otherEnd: elsewhere }, /in case.*in another namespace: .* txvlan off\)$/],
  ] as const)("is what is wrong and what to do: %s", (_, changes, fault) => {
    expect(interfaceFaults({ ...well, ...changes })).toEqual([expect.stringMatching(fault)]);
  });

  it("is one line of the log", () => {
    const program = new FakeProgram();
    program.genericOnly.add(GENERIC_ONLY);
    const log = new FakeLog();
    const features = { ...FEATURES, otherEnd: () => elsewhere };
    const interfaces = new Interfaces(program, features, "auto", log);
    interfaces.use(GENERIC_ONLY, "acc0", { kind: "access", port: 1 });
    expect(log.of("warn")).toEqual([expect.stringMatching(/"acc0".*generic mode.*; tagged frames/)]);
  });
});
