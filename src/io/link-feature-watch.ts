import type { Clock } from "../base/time.ts";
import { parseChangedDevice } from "../wire/device-features.ts";
import { NETLINK_GENERIC } from "../wire/generic-netlink.ts";
import { parseNetlinkMessages } from "../wire/rtnetlink.ts";
import type { LinkFeatureListener } from "./link-features.ts";
import { addon } from "./native.ts";
import { watchNetlink } from "./netlink-watch.ts";
import { Settling } from "./settling.ts";
import { timerAlarm } from "./system.ts";

const COALESCE_MS = 10;
/** Who switches one thing at a device often switches others. */
const SETTLE_MS = 2000;
/** Where the kernel announces changes, against what was missed; and where it does not. */
const REFRESH_MS = 30_000;
const UNANNOUNCED_REFRESH_MS = 5000;

/** Groups that a socket is bound to are bits of 32. */
const MOST_GROUPS = 32;

/** The family of generic netlink that tells of devices, and its multicast group. */
export interface Announcements {
  readonly family: number;
  readonly group: number;
}

/** Tells a listener when what the kernel says of devices may be otherwise, until close(). */
export class LinkFeatureWatch {
  readonly #listener: LinkFeatureListener;
  readonly #clock: Clock;
  readonly #settling: Settling;
  readonly #alarm: ReturnType<typeof timerAlarm>;
  readonly #stop: () => void;

  /** `announced`: undefined where the kernel announces nothing. Throws a NativeError when there is no netlink socket. */
  constructor(announced: Announcements | undefined, listener: LinkFeatureListener, clock: Clock) {
    this.#listener = listener;
    this.#clock = clock;
    const stop = announced && announced.group <= MOST_GROUPS ? this.#join(announced) : undefined;
    this.#stop = stop ?? (() => {});
    this.#settling = new Settling(clock.now(), {
      coalesceMs: COALESCE_MS,
      settleMs: SETTLE_MS,
      refreshMs: stop === undefined ? UNANNOUNCED_REFRESH_MS : REFRESH_MS,
    });
    this.#alarm = timerAlarm(clock, () => this.#timeout());
    this.#alarm.arm(this.#settling.deadline());
  }

  heard(): void {
    this.#settling.heard(this.#clock.now());
    this.#alarm.arm(this.#settling.deadline());
  }

  close(): void {
    this.#alarm.cancel();
    this.#stop();
  }

  #timeout(): void {
    const what = this.#settling.timeout(this.#clock.now());
    this.#alarm.arm(this.#settling.deadline());
    if (what !== undefined) this.#listener.changed(what === "settled");
  }

  #join({ family, group }: Announcements): () => void {
    const fd = addon.openNetlink({ groups: (1 << (group - 1)) >>> 0, protocol: NETLINK_GENERIC });
    const listener = watchNetlink(fd, {
      heard: (part) => {
        for (const message of parseNetlinkMessages([part])) {
          const ifindex = parseChangedDevice(message, family);
          if (ifindex !== undefined && this.#listener.concerns(ifindex)) this.heard();
        }
      },
      overrun: () => this.heard(),
    });
    return () => {
      listener.close();
      addon.close(fd);
    };
  }
}
