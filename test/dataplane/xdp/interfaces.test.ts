import { describe, expect, it } from "vitest";
import { silentLogger } from "../../../src/base/logger.ts";
import { interfaceFaults } from "../../../src/dataplane/xdp/interface-faults.ts";
import { Interfaces } from "../../../src/dataplane/xdp/interfaces.ts";
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
import { FakeFeatures, FakeLog, FakeProgram } from "./fakes.ts";

const CORE = 3;
const GENERIC_ONLY = 4;
const TUNNELS = { kind: "tunnels", domain: 1, mac: Uint8Array.of(2, 0, 0, 0, 0, 1) } as const;

/** Remembers what an interface's entry says at the moment when frames begin to find the program there. */
class WatchedProgram extends FakeProgram {
  readonly atAttach: string[] = [];
  onAttach = (): void => {};

  override attach(ifindex: number, mode: XdpMode | "auto"): XdpLink {
    const link = super.attach(ifindex, mode);
    this.atAttach.push(`${ifindex} ${link.mode} ${this.entry(ifindex)}`);
    this.onAttach();
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
  return { program, interfaces: new Interfaces(program, new FakeFeatures(), "auto", silentLogger) };
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
  const well = {
    mode: "native",
    spoilsNative: false,
    refusal: undefined,
    isTarget: true,
    otherEnd: undefined,
  } as const;
  const refusal = "bpf: EINVAL (acc0)";
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
    [
      "no native, and so no queues to transmit by",
      { mode: "generic", spoilsNative: true, refusal, isTarget: false },
      /generic mode, .*: the driver of this one refuses the program \(bpf: EINVAL \(acc0\)\)$/,
    ],
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
    const features = new FakeFeatures();
    features.otherEnd = () => elsewhere;
    const interfaces = new Interfaces(program, features, "auto", log);
    interfaces.use(GENERIC_ONLY, "acc0", { kind: "access", port: 1 });
    expect(log.of("warn")).toEqual([expect.stringMatching(/"acc0".*generic mode.*; tagged frames/)]);
  });
});

describe("an interface that the program cannot be on", () => {
  function failing() {
    const program = new WatchedProgram();
    const features = new FakeFeatures();
    const log = new FakeLog();
    let reached = 0;
    features.names.set(CORE, "core0");
    const interfaces = new Interfaces(program, features, "auto", log, () => {
      reached += 1;
    });
    return {
      program,
      features,
      log,
      interfaces,
      reached: () => reached,
      changed: features.listener!.changed,
    };
  }

  it("is tried again now and then, and said of once, until the program is on it", () => {
    const { program, log, interfaces, reached, changed } = failing();
    program.refusals.set(CORE, "EBUSY, another program");
    const use = interfaces.use(CORE, "core0", TUNNELS);
    changed(true);
    changed(true);
    expect(log.of("error")).toEqual([expect.stringMatching(/left to the loop .*another program/)]);
    expect([use.attached, reached()]).toEqual([false, 0]);
    program.refusals.clear();
    changed(false);
    expect(use.attached).toBe(false);
    changed(true);
    expect([use.attached, reached()]).toEqual([true, 1]);
    expect(program.entry(CORE)).toBe("port 0 domain 1");
    changed(true);
    expect(reached()).toBe(1);
  });

  it("is not tried again once it is gone", () => {
    const { program, features, interfaces, changed } = failing();
    program.refusals.set(CORE, "ENODEV");
    interfaces.use(CORE, "core0", TUNNELS);
    program.refusals.clear();
    features.names.clear();
    changed(true);
    expect(program.attached.size).toBe(0);
  });

  it.each([0, 1, 2])("has none after its device could not be asked about (question %i)", (answered) => {
    const { program, features, log, interfaces } = failing();
    let asked = 0;
    features.isRedirectTarget = () => {
      if (asked++ === answered) throw new Error("ENOBUFS");
      return true;
    };
    const use = interfaces.use(CORE, "core0", TUNNELS);
    expect([use.attached, program.attached.size]).toEqual([false, 0]);
    expect(log.of("error")).toEqual([expect.stringMatching(/left to the loop .*ENOBUFS/)]);
    expect(program.entry(CORE)).toBe("port 0 domain 0");
  });
});

describe("the mode of the interfaces while they are used", () => {
  const ACCESS = 5;

  function running() {
    const program = new WatchedProgram();
    const features = new FakeFeatures();
    const log = new FakeLog();
    for (const [ifindex, name] of [[CORE, "core0"] as const, [ACCESS, "acc0"] as const])
      features.names.set(ifindex, name);
    const interfaces = new Interfaces(program, features, "auto", log);
    const use = () => [
      interfaces.use(ACCESS, "acc0", { kind: "access", port: 1 }),
      interfaces.use(CORE, "core0", TUNNELS),
    ];
    const modes = () => [program.attached.get(ACCESS), program.attached.get(CORE)];
    return { program, features, log, interfaces, use, modes, changed: features.listener!.changed };
  }

  it("becomes native when each has been ready for a while, by the same entries", () => {
    const { program, features, use, modes, changed } = running();
    features.notTargets.add(ACCESS);
    use();
    expect(modes()).toEqual(["generic", "generic"]);
    features.notTargets.clear();
    changed(false);
    expect(modes()).toEqual(["generic", "generic"]);
    changed(true);
    expect(modes()).toEqual(["native", "native"]);
    expect(program.atAttach.slice(-2)).toEqual([
      `${ACCESS} native port 0 domain 0`,
      `${CORE} native port 0 domain 0`,
    ]);
    expect([program.entry(ACCESS), program.entry(CORE)]).toEqual(["port 1 domain 0", "port 0 domain 1"]);
    expect(program.half("interfaces", CORE * XDP_INTERFACE_BYTES + XDP_INTERFACE_FLAGS)).toBe(0);
    // nothing more to do
    changed(true);
    expect(program.atAttach).toHaveLength(4);
  });

  describe("with cards that transmit what is redirected to them only while they have a program", () => {
    const OTHER = 6;

    function cards() {
      const site = running();
      const { program, features } = site;
      for (const ifindex of [ACCESS, CORE]) features.promising.add(ifindex);
      features.isRedirectTarget = (ifindex) =>
        features.promising.has(ifindex)
          ? program.attached.get(ifindex) === "native"
          : !features.notTargets.has(ifindex);
      return site;
    }

    it("is native from the start", () => {
      const { log, use, modes, changed } = cards();
      use();
      expect(modes()).toEqual(["native", "native"]);
      changed(true);
      expect(modes()).toEqual(["native", "native"]);
      expect(log.of("warn")).toEqual([]);
    });

    it("becomes native while no entry sends anything to one that has no program yet, and generic likewise", () => {
      const { program, features, interfaces, use, modes, changed } = cards();
      features.notTargets.add(OTHER);
      features.names.set(OTHER, "other0");
      use();
      const other = interfaces.use(OTHER, "other0", { kind: "access", port: 2 });
      expect(modes()).toEqual(["generic", "generic"]);
      other.close();
      const entries: string[] = [];
      program.onAttach = () => entries.push(...[ACCESS, CORE].map((ifindex) => program.entry(ifindex)));
      changed(true);
      expect(modes()).toEqual(["native", "native"]);
      features.promising.delete(ACCESS);
      features.notTargets.add(ACCESS);
      changed(false);
      expect(modes()).toEqual(["generic", "generic"]);
      expect(entries).toEqual(Array(8).fill("port 0 domain 0"));
      expect([program.entry(ACCESS), program.entry(CORE)]).toEqual(["port 1 domain 0", "port 0 domain 1"]);
    });

    it("is generic because of one that does not with a program either, which is tried once", () => {
      const { program, features, log, use, modes, changed } = cards();
      features.isRedirectTarget = (ifindex) =>
        ifindex !== ACCESS && program.attached.get(ifindex) === "native";
      use();
      expect(modes()).toEqual(["generic", "generic"]);
      expect(log.of("warn")).toEqual([expect.stringMatching(/"acc0".*does not transmit what is redirected/)]);
      const attached = program.atAttach.length;
      changed(true);
      expect(program.atAttach).toHaveLength(attached);
    });

    it("is generic because of one whose driver refuses a program, which is tried once", () => {
      const { program, use, modes, changed } = cards();
      program.genericOnly.add(CORE);
      use();
      expect(modes()).toEqual(["generic", "generic"]);
      const attached = program.atAttach.length;
      changed(true);
      expect(program.atAttach).toHaveLength(attached);
    });
  });

  it("becomes generic as soon as one loses what is sent to it, and that is said", () => {
    const { features, log, use, modes, changed } = running();
    use();
    expect(modes()).toEqual(["native", "native"]);
    features.notTargets.add(CORE);
    changed(false);
    expect(modes()).toEqual(["generic", "generic"]);
    expect(log.of("warn")).toEqual([
      expect.stringMatching(/"core0".*generic mode.* does not transmit what is redirected to it/),
    ]);
    changed(false);
    changed(true);
    expect(log.of("warn")).toHaveLength(1);
  });

  it("stays generic because of a driver that has refused, until that interface is not used any more", () => {
    const { program, features, use, modes, changed } = running();
    program.genericOnly.add(ACCESS);
    const [access] = use();
    const attached = program.atAttach.length;
    changed(true);
    expect(modes()).toEqual(["generic", "generic"]);
    expect(program.atAttach).toHaveLength(attached);
    expect(features.reconsidered).toBe(0);
    access!.close();
    expect(features.reconsidered).toBe(1);
    changed(true);
    expect(modes()).toEqual([undefined, "native"]);
  });

  it("is tried again with a driver that has refused when somebody says so, and no other one is touched in vain", () => {
    const { program, features, interfaces, use, modes, changed } = running();
    program.genericOnly.add(ACCESS);
    use();
    let attached = program.atAttach.length;
    interfaces.askAgain();
    expect(features.reconsidered).toBe(1);
    changed(true);
    expect(modes()).toEqual(["generic", "generic"]);
    expect(program.atAttach.slice(attached)).toEqual([`${ACCESS} generic port 0 domain 0`]);
    attached = program.atAttach.length;
    changed(true);
    expect(program.atAttach).toHaveLength(attached);
    program.genericOnly.clear();
    interfaces.askAgain();
    changed(true);
    expect(modes()).toEqual(["native", "native"]);
    interfaces.askAgain();
    expect(features.reconsidered).toBe(2);
  });

  it("asks a driver that has refused before the others, wherever it stands", () => {
    const { program, interfaces, use, changed } = running();
    program.genericOnly.add(CORE);
    use();
    const attached = program.atAttach.length;
    interfaces.askAgain();
    changed(true);
    expect(program.atAttach.slice(attached)).toEqual([`${CORE} generic port 0 domain 0`]);
  });

  it("goes back when a driver refuses what it was thought to have", () => {
    const { program, features, use, modes, changed } = running();
    features.notTargets.add(ACCESS);
    use();
    features.notTargets.clear();
    program.genericOnly.add(CORE);
    changed(true);
    expect(modes()).toEqual(["generic", "generic"]);
    const attached = program.atAttach.length;
    changed(true);
    expect(program.atAttach).toHaveLength(attached);
  });

  it("is not changed by an interface that is gone, nor by one that nobody uses", () => {
    const { features, use, modes, changed } = running();
    use();
    expect([ACCESS, CORE, 9].map((ifindex) => features.listener!.concerns(ifindex))).toEqual([
      true,
      true,
      false,
    ]);
    features.names.delete(ACCESS);
    features.notTargets.add(ACCESS);
    changed(false);
    expect(modes()).toEqual(["native", "native"]);
  });

  it("stays as it is when nothing can be asked, which is said", () => {
    const { features, log, use, modes, changed } = running();
    use();
    features.isRedirectTarget = () => {
      throw new Error("recv: ETIMEDOUT");
    };
    changed(false);
    expect(modes()).toEqual(["native", "native"]);
    expect(log.of("warn")).toEqual([expect.stringMatching(/could not be asked.*ETIMEDOUT/)]);
  });

  it("is left alone when the operator has chosen it, and after the end", () => {
    const { interfaces, use, modes, features, changed } = running();
    use();
    interfaces.end();
    features.notTargets.add(CORE);
    changed(false);
    expect(modes()).toEqual(["native", "native"]);
    const chosen = new FakeFeatures();
    const fixed = new FakeProgram();
    chosen.names.set(CORE, "core0");
    new Interfaces(fixed, chosen, "native", silentLogger).use(CORE, "core0", TUNNELS);
    chosen.notTargets.add(CORE);
    chosen.listener!.changed(true);
    expect(fixed.attached.get(CORE)).toBe("native");
  });
});
