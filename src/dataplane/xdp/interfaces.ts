import type { Logger } from "../../base/logger.ts";
import type { EngineInterface } from "../../channel/dataplane.ts";
import type { LinkFeatures } from "../../io/link-features.ts";
import {
  XDP_INTERFACE_BYTES,
  XDP_INTERFACE_DOMAIN,
  XDP_INTERFACE_FLAGS,
  XDP_INTERFACE_MAC,
  XDP_INTERFACE_NEEDS_CHECKSUM,
  XDP_INTERFACE_NEEDS_LENGTH,
  XDP_INTERFACE_PORT,
  type XdpLink,
  type XdpMode,
  type XdpProgram,
} from "../../io/xdp.ts";

import { type Attachment, interfaceFaults } from "./interface-faults.ts";

/** What an interface is used for: the sessions of an access port, or a device that L2TP peers are behind. */
export type InterfaceRole =
  | { readonly kind: "access"; readonly port: number }
  /** `mac`: where L2TP must be addressed to. `domain`: the peers that are believed there. */
  | { readonly kind: "tunnels"; readonly domain: number; readonly mac: Uint8Array };

export interface InterfaceUse {
  /** Whether the program is on the interface; frames may leave by it then. */
  readonly attached: boolean;
  close(): void;
}

/** Native where every interface can be, else generic everywhere; or one of them whatever the interfaces say. */
export type ModePolicy = XdpMode | "auto";

/** What the sender's kernel has neither cut into datagrams yet nor summed comes as it is in generic mode. */
const GENERIC_FLAGS = XDP_INTERFACE_NEEDS_LENGTH | XDP_INTERFACE_NEEDS_CHECKSUM;

interface Interface {
  readonly ifindex: number;
  /** As it was called when it came into use. */
  readonly name: string;
  link: XdpLink | undefined;
  /** Why there is no link. */
  reason: string;
  /** The driver has refused native mode, or does not transmit by it what is redirected to it. */
  genericOnly: boolean;
  /** What it said when it refused. */
  refusal: string | undefined;
  /** It has done so at some time. */
  hasRefused: boolean;
  readonly roles: InterfaceRole[];
}

/**
 * The interfaces that the program is attached to, each for as long as somebody uses it. One that cannot be attached is
 * the loop's, and tried again when something has changed, and now and then; why is said once for each reason.
 *
 * Either all of them are native or all of them generic: what a native program redirects goes to the other driver's
 * transmit function, which must be there and ready; what a generic one redirects is sent as any packet. Both can change
 * while frames flow: what comes while one is taken off and the other not yet on is the loop's.
 */
export class Interfaces {
  readonly #program: Pick<XdpProgram, "attach">;
  readonly #features: LinkFeatures;
  readonly #logger: Logger;
  readonly #limit: number;
  readonly #words: Int32Array;
  readonly #halves: Uint16Array;
  readonly #bytes: Uint8Array;
  readonly #interfaces = new Map<number, Interface>();
  readonly #policy: ModePolicy;
  readonly #attachedLater: () => void;
  #native: boolean;
  /** All are taken from one mode to the other: whatever comes is the loop's. */
  #changing = false;
  #ended = false;

  /** `attachedLater`: called when the program has come to an interface that had been left to the loop. */
  constructor(
    program: Pick<XdpProgram, "attach" | "tables">,
    features: LinkFeatures,
    policy: ModePolicy,
    logger: Logger,
    attachedLater: () => void = () => {},
  ) {
    const { interfaces } = program.tables;
    this.#program = program;
    this.#features = features;
    this.#policy = policy;
    this.#native = policy !== "generic";
    this.#logger = logger;
    this.#attachedLater = attachedLater;
    this.#limit = interfaces.byteLength / XDP_INTERFACE_BYTES;
    this.#words = new Int32Array(interfaces);
    this.#halves = new Uint16Array(interfaces);
    this.#bytes = new Uint8Array(interfaces);
    features.listen({
      concerns: (ifindex) => this.#interfaces.has(ifindex),
      changed: (settled) => this.#changed(settled),
    });
  }

  use(ifindex: number, name: string, role: InterfaceRole): InterfaceUse {
    const known = this.#interfaces.get(ifindex);
    const used: Interface = known ?? {
      ifindex,
      name,
      link: undefined,
      reason: "",
      genericOnly: false,
      refusal: undefined,
      hasRefused: false,
      roles: [],
    };
    this.#interfaces.set(ifindex, used);
    used.roles.push(role);
    if (known === undefined) this.#attach(used);
    this.#describe(used);
    return {
      get attached() {
        return used.link !== undefined;
      },
      close: () => this.#leave(used, role),
    };
  }

  /**
   * Drivers that have refused native mode are asked again in a while: somebody may have changed what they refused it for,
   * as queues, offloads and the MTU, and nothing tells of that.
   */
  askAgain(): void {
    const refused = [...this.#interfaces.values()].filter(({ genericOnly }) => genericOnly);
    for (const used of refused) {
      used.genericOnly = false;
      used.refusal = undefined;
    }
    if (refused.length > 0) this.#features.reconsider();
  }

  list(): EngineInterface[] {
    return [...this.#interfaces.values()].map((used) => {
      const { ifindex, link, reason } = used;
      const name = (this.#ended ? undefined : this.#features.nameOf(ifindex)) ?? used.name;
      return link === undefined ? { name, mode: undefined, reason } : { name, mode: link.mode };
    });
  }

  /** The program is gone, and its links with it. */
  end(): void {
    this.#ended = true;
    for (const used of this.#interfaces.values()) used.link = undefined;
  }

  #leave(used: Interface, role: InterfaceRole): void {
    used.roles.splice(used.roles.indexOf(role), 1);
    this.#describe(used);
    if (used.roles.length > 0) return;
    this.#interfaces.delete(used.ifindex);
    used.link?.close();
    // it may have been because of this one
    if (!this.#native) this.#features.reconsider();
  }

  #attach(used: Interface): void {
    const { ifindex, name, reason: before } = used;
    let known: Pick<Attachment, "isTarget" | "otherEnd"> | undefined;
    try {
      used.reason = this.#obstacle(ifindex) ?? "";
      if (used.reason === "") {
        used.link = this.#link(used);
        known = this.#ask(used);
      }
    } catch (error) {
      // of what cannot be asked it cannot be said what becomes of its frames
      used.link?.close();
      used.link = undefined;
      used.reason = messageOf(error);
    }
    if (used.link === undefined || known === undefined) {
      if (used.reason !== before)
        this.#logger.error({ interface: name, reason: used.reason }, "the interface is left to the loop");
      return;
    }
    const { mode } = used.link;
    const spoilsNative = mode === "generic" && this.#native && this.#policy === "auto";
    if (spoilsNative) this.#makeGeneric();
    this.#logger.info({ interface: name, mode }, "the program forwards on the interface");
    this.#warn(used, { mode, spoilsNative, ...known });
  }

  #ask({ ifindex, name }: Interface): Pick<Attachment, "isTarget" | "otherEnd"> {
    return {
      isTarget: this.#features.isRedirectTarget(ifindex, name),
      otherEnd: this.#features.otherEnd(ifindex),
    };
  }

  #warn({ name, refusal }: Interface, attachment: Omit<Attachment, "refusal">): void {
    const faults = interfaceFaults({ ...attachment, refusal });
    if (faults.length === 0) return;
    const fields = { interface: name, reason: faults.join("; ") };
    this.#logger.warn(fields, "the interface is not at its best for the program");
  }

  #obstacle(ifindex: number): string | undefined {
    if (ifindex >= this.#limit) return `its index ${ifindex} is beyond the program's table`;
    // a tag that the card takes off is out of sight: frames of one VLAN would look like another's
    return this.#features.keepVlanTags(ifindex);
  }

  #link(used: Interface): XdpLink {
    const { ifindex, name } = used;
    if (this.#policy !== "auto") return this.#program.attach(ifindex, this.#policy);
    if (!this.#native || !this.#isPromising(ifindex, name)) return this.#program.attach(ifindex, "generic");
    const native = this.#nativeLink(used);
    used.genericOnly = native === undefined;
    used.hasRefused ||= used.genericOnly;
    return native ?? this.#program.attach(ifindex, "generic");
  }

  /** Undefined: the driver has refused it, or does not transmit by it what is redirected to it. */
  #nativeLink(used: Interface): XdpLink | undefined {
    const { ifindex, name } = used;
    let link: XdpLink;
    try {
      link = this.#program.attach(ifindex, "native");
    } catch (error) {
      used.refusal = messageOf(error);
      return undefined;
    }
    used.refusal = undefined;
    let isTarget = false;
    try {
      isTarget = this.#features.isRedirectTarget(ifindex, name);
    } finally {
      if (!isTarget) link.close();
    }
    return isTarget ? link : undefined;
  }

  /** What is redirected to it would be transmitted if it had a native program, as far as can be said before it has one. */
  #isPromising(ifindex: number, name: string): boolean {
    return this.#features.isRedirectTarget(ifindex, name) || this.#features.mayBecomeTarget(ifindex);
  }

  /** `settled`: as LinkFeatureListener has it, now and then, too. */
  #changed(settled: boolean): void {
    if (this.#ended) return;
    if (settled) this.#tryAgain();
    if (this.#policy === "auto") this.#judge(settled);
  }

  /** What has been left to the loop, but for what is gone. */
  #tryAgain(): void {
    let attached = false;
    for (const used of [...this.#interfaces.values()]) {
      if (used.link !== undefined || this.#nameOf(used) === undefined) continue;
      this.#attach(used);
      this.#describe(used);
      attached ||= used.link !== undefined;
    }
    if (attached) this.#attachedLater();
  }

  /** Undefined also when it cannot be asked. */
  #nameOf({ ifindex }: Interface): string | undefined {
    try {
      return this.#features.nameOf(ifindex);
    } catch (error) {
      this.#sayUnasked(error);
      return undefined;
    }
  }

  #sayUnasked(error: unknown): void {
    this.#logger.warn({ reason: messageOf(error) }, "what the interfaces can do could not be asked");
  }

  /**
   * Goes by what is said of the interfaces now. What a native program redirects to one that is not ready any more is lost,
   * so all are generic at once; native again, when each has been ready for a while.
   */
  #judge(settled: boolean): void {
    try {
      const attached = [...this.#interfaces.values()].filter(({ link }) => link !== undefined);
      const unready = attached.find((used) => !this.#canBeNative(used));
      if (unready === undefined) {
        if (settled && !this.#native && attached.length > 0) this.#makeNative();
      } else if (this.#native) {
        this.#makeGeneric();
        const otherEnd = this.#features.otherEnd(unready.ifindex);
        this.#warn(unready, { mode: "generic", spoilsNative: true, isTarget: false, otherEnd });
      }
    } catch (error) {
      // it is asked again
      this.#sayUnasked(error);
    }
  }

  /** Of one that is gone nothing is asked: nothing is sent to it either. */
  #canBeNative({ ifindex, link, genericOnly }: Interface): boolean {
    const name = this.#features.nameOf(ifindex);
    if (name === undefined) return true;
    if (genericOnly) return false;
    return link?.mode === "native"
      ? this.#features.isRedirectTarget(ifindex, name)
      : this.#isPromising(ifindex, name);
  }

  /** One of the interfaces cannot be native. */
  #makeGeneric(): void {
    this.#native = false;
    this.#attachAgain("native", () => true);
  }

  #makeNative(): void {
    this.#native = true;
    // until a driver refuses, and all are generic
    this.#attachAgain("generic", () => this.#native);
  }

  /**
   * Those that are in one mode, in the other. Frames that come meanwhile are the loop's: in generic mode they are read in
   * another way, and a native program must not send to a device that has none yet, or none any more.
   */
  #attachAgain(from: XdpMode, goesOn: () => boolean): void {
    this.#changing = true;
    this.#describeAll();
    try {
      // a driver that has refused before is asked first: when it refuses again, the others have stayed as they were
      const all = [...this.#interfaces.values()].sort((a, b) => Number(b.hasRefused) - Number(a.hasRefused));
      for (const used of all) {
        if (!goesOn()) break;
        if (used.link?.mode !== from) continue;
        used.link.close();
        used.link = undefined;
        this.#attach(used);
      }
    } finally {
      this.#changing = false;
      this.#describeAll();
    }
  }

  #describeAll(): void {
    for (const used of this.#interfaces.values()) this.#describe(used);
  }

  /**
   * Writes the interface's entry, which is of nobody while there is no link, or a change is under way: what is attached
   * later must not find what was. The words are stored one by one: an entry between two states fits no frame.
   */
  #describe({ ifindex, link, roles }: Interface): void {
    if (ifindex >= this.#limit) return;
    const at = ifindex * XDP_INTERFACE_BYTES;
    const served = link === undefined || this.#changing ? [] : roles;
    const access = served.find((role) => role.kind === "access");
    const tunnels = served.find((role) => role.kind === "tunnels");
    if (tunnels !== undefined) {
      this.#bytes.set(tunnels.mac, at + XDP_INTERFACE_MAC);
      this.#halves[(at + XDP_INTERFACE_FLAGS) >>> 1] = link?.mode === "generic" ? GENERIC_FLAGS : 0;
    }
    Atomics.store(this.#words, (at + XDP_INTERFACE_DOMAIN) >>> 2, tunnels?.domain ?? 0);
    Atomics.store(this.#words, (at + XDP_INTERFACE_PORT) >>> 2, access?.port ?? 0);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
