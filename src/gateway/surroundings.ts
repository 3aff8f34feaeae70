import type { Logger } from "../base/logger.ts";
import type { RandomSource } from "../base/random.ts";
import type { Scheduler } from "../base/scheduler.ts";
import type { Clock } from "../base/time.ts";
import type { Dataplane } from "../channel/dataplane.ts";
import type { Config } from "../config/config.ts";
import type { FramePort } from "../io/frame-port.ts";
import type { HostNetwork } from "../io/host-network.ts";
import type { IcmpSender } from "../io/icmp-sender.ts";
import type { Journal } from "../journal/journal.ts";
import type { LinkInfo } from "../wire/rtnetlink-link.ts";
import type { EventSink } from "./events.ts";

/** What the gateway lives in: the system's in production, made of memory and virtual time in tests. */
export interface Surroundings {
  /** As it is now: Gateway.reload() puts another one in its place, and tells those who have made something of it. */
  config: Config;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly logger: Logger;
  readonly scheduler: Scheduler;
  readonly dataplane: Dataplane;
  readonly host: HostNetwork;
  readonly icmp: IcmpSender;
  /** Who is told what happens. */
  readonly events: EventSink;
  /** Where what happens is written down, for those who ask why. */
  readonly journal: Journal;
  /** The gateway cannot go on and is to be stopped. */
  onFailure(reason: string): void;
  /** Opens the PPPoE discovery port of an interface. */
  openFramePort(link: LinkInfo): FramePort;
}
