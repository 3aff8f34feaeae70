import type { UnitSpec } from "../../channel/dataplane.ts";
import { DataplaneError } from "../../channel/errors.ts";
import type { Addon, NamespaceFiles } from "../../io/addon.ts";
import { describeRefusedRoute } from "../../io/refused-route.ts";
import { openUnitNamespace } from "../../io/unit-namespace.ts";
import { netlinkErrno } from "../../wire/rtnetlink.ts";
import { addAddressRequest } from "../../wire/rtnetlink-address.ts";
import { getLinkRequest, setLinkRequest } from "../../wire/rtnetlink-link.ts";
import { addRouteRequest } from "../../wire/rtnetlink-route.ts";
import { addressOctets, prefixOf } from "../specs.ts";
import { DeviceCloser } from "./device-closer.ts";

/** A unit's device. */
export interface UnitDevice {
  /** Its queues. */
  readonly fds: readonly number[];
  /** The kernel takes UDP super-segments. */
  readonly segmentsUdp: boolean;
  /** Why a shared unit has one queue instead of several. */
  readonly refusal?: string;
}

type Request = (seq: number) => Uint8Array;

/** Makes devices and asks about them, over rtnetlink. */
export class DeviceSetup {
  readonly #addon: Addon;
  /** In our own namespace, kept open. */
  readonly #own: number;
  readonly #closer: DeviceCloser;
  readonly #queues: number;
  #seq = 0;

  /** `queues`: of the device of a shared unit. A session's own has one. */
  constructor(addon: Addon, queues: number) {
    this.#addon = addon;
    this.#queues = queues;
    this.#own = addon.openNetlink({ groups: 0 });
    this.#closer = new DeviceCloser(addon);
  }

  /**
   * Makes a unit's device and brings it up when its MTU and addresses are there; routes follow, as the kernel
   * takes none through a device that is down. Nothing is left of it when any of this fails; the code of the
   * DataplaneError is "no-ipv6" when the host does not let the device have an IPv6 address.
   *
   * All packets between the host and one subscriber's address wait in one queue of a shared unit, in order.
   */
  async open(spec: UnitSpec): Promise<UnitDevice> {
    if (spec.netns === undefined) return this.#make(spec, this.#own);
    const files = await openUnitNamespace(this.#addon, spec.netns, this.#queuesOf(spec));
    try {
      return await this.#make(spec, files.netlink, files);
    } finally {
      this.#addon.close(files.netlink);
    }
  }

  async #make(spec: UnitSpec, netlink: number, files?: NamespaceFiles): Promise<UnitDevice> {
    const device = this.#addon.openTun({
      name: spec.name,
      queues: this.#queuesOf(spec),
      steering: spec.end === "subscriber" ? "source" : "destination",
      vnetHeader: true,
      segments: true,
      ...(files !== undefined && { files }),
    });
    try {
      for (const { what, describe, request, tolerated, needsIpv6 } of unitRequests(spec, device.ifindex)) {
        const errno = this.#ask(netlink, request);
        if (errno !== 0 && (errno === undefined || errno !== tolerated))
          throw new DataplaneError(
            needsIpv6 === true && NO_IPV6.has(errno) ? "no-ipv6" : "device-refused",
            `${spec.name}: ${describe?.(errno) ?? `${what}: errno ${errno ?? "missing"}`}`,
          );
      }
    } catch (error) {
      await this.remove(device.fds);
      throw error;
    }
    return device;
  }

  #queuesOf(spec: UnitSpec): number {
    return spec.shared ? this.#queues : 1;
  }

  /** Resolves when the device whose queues these are has gone. */
  async remove(fds: readonly number[]): Promise<void> {
    await Promise.all(fds.map((fd) => this.#closer.closeDevice(fd)));
  }

  /** Whether the link is there, up or down, in our own namespace. */
  hasLink(ifindex: number): boolean {
    return this.#ask(this.#own, (seq) => getLinkRequest(seq, ifindex)) === 0;
  }

  /** Resolves when every device is gone that was to be removed. */
  async close(): Promise<void> {
    await this.#closer.close();
    this.#addon.close(this.#own);
  }

  #ask(netlink: number, request: Request): number | undefined {
    this.#seq += 1;
    return netlinkErrno(this.#addon.netlinkTransact(netlink, request(this.#seq)));
  }
}

/** One step of the set-up of a device. */
interface Step {
  readonly what: string;
  /** What its refusal means, where more can be said than its errno. */
  readonly describe?: (errno: number | undefined) => string;
  readonly request: Request;
  /** The errno of a refusal that does no harm. */
  readonly tolerated?: number;
  readonly needsIpv6?: boolean;
}

const EACCES = 13;
const EOPNOTSUPP = 95;
const EAFNOSUPPORT = 97;

/** The refusals of an IPv6 address where net.ipv6.conf.*.disable_ipv6 is set, and where there is no IPv6 at all. */
const NO_IPV6: ReadonlySet<number | undefined> = new Set([EACCES, EOPNOTSUPP, EAFNOSUPPORT]);

/** What is asked for, in this order. */
function unitRequests(spec: UnitSpec, ifindex: number): Step[] {
  const peer = spec.peerAddress === undefined ? undefined : addressOctets(spec.peerAddress);
  return [
    {
      what: "no IPv6 link-local address",
      request: (seq) => setLinkRequest(seq, { ifindex, noIpv6LinkLocal: true }),
      // no IPv6 here at all, and so no such address
      tolerated: EAFNOSUPPORT,
    },
    {
      // after the former: below 1280 the device has no IPv6 to configure
      what: `MTU ${spec.mtuBytes}`,
      request: (seq) => setLinkRequest(seq, { ifindex, mtuBytes: spec.mtuBytes }),
    },
    ...spec.addresses.map((text): Step => {
      const { address: local, prefixLength } = prefixOf(text);
      const pointToPoint =
        peer?.length === local.length ? { peer, prefixLength: local.length * 8 } : undefined;
      return {
        what: `address ${text}`,
        request: (seq) => addAddressRequest(seq, { ifindex, local, prefixLength, ...pointToPoint }),
        needsIpv6: local.length === 16,
      };
    }),
    { what: "up", request: (seq) => setLinkRequest(seq, { ifindex, up: true }) },
    ...spec.routes.map(
      (text): Step => ({
        what: `route ${text}`,
        describe: (errno) => describeRefusedRoute(text, errno),
        request: (seq) => addRouteRequest(seq, { ifindex, destination: prefixOf(text) }),
      }),
    ),
  ];
}
