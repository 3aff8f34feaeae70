import type { LocalUser, LoginVerdict } from "../aaa/local-users.ts";
import { NEVER } from "../base/time.ts";
import type { UnitConfig } from "../config/config.ts";
import type { Credentials } from "../ppp/authenticator.ts";
import type { Ipv4Up, Ipv6Up, NetworkProtocol } from "../ppp/link-types.ts";
import { IPV6_MIN_MTU } from "../wire/ipv6.ts";
import { endCause } from "./cause.ts";
import { linkLocalAddress } from "./link-local.ts";
import type { Joint, Role } from "./role.ts";
import type { Session } from "./session.ts";
import type { Surroundings } from "./surroundings.ts";
import type { SessionUnit, UnitGroup } from "./unit-group.ts";

/** LNS or PTA: the session's channel is attached to a unit of ours, and its user has an address of our pools. */
export class Termination implements Role {
  readonly kind: "lns" | "pta";
  readonly onward = null;
  readonly onwardPeer = undefined;
  readonly #session: Session;
  readonly #user: LocalUser;
  readonly #group: UnitGroup;
  /** As the group was when the session began. */
  readonly #config: UnitConfig;
  readonly #verify: (credentials: Credentials) => LoginVerdict;
  readonly #around: Surroundings;
  /** The newest attempt that was verified. */
  #attempt = 0;
  /** What shows its sender that we know his password too; MS-CHAPv2 only. */
  #authenticatorResponse: string | undefined;
  /** Why there is no address for him. */
  #refusal = "no address";
  #address: string | undefined;
  #sessionUnit: SessionUnit | undefined;
  #ipv4: Ipv4Up | undefined;
  #ipv6: Ipv6Up | undefined;
  #attached = false;
  /** What is under way, one after the other: units and attachments are made and taken down in order. */
  #work: Promise<void> = Promise.resolve();

  constructor(
    session: Session,
    user: LocalUser,
    group: UnitGroup,
    verify: (credentials: Credentials) => LoginVerdict,
    around: Surroundings,
  ) {
    this.kind = session.carrier.kind === "pppoe" ? "pta" : "lns";
    this.#session = session;
    this.#user = user;
    this.#group = group;
    this.#config = group.config;
    this.#verify = verify;
    this.#around = around;
  }

  get unit(): string {
    return this.#group.name;
  }

  get device(): string | null {
    return this.#sessionUnit?.device ?? null;
  }

  get address(): string | null {
    return this.#address ?? null;
  }

  get joint(): Joint | undefined {
    return this.#attached && this.#sessionUnit !== undefined
      ? { state: "attached", device: this.#sessionUnit.device }
      : undefined;
  }

  /** An address and a unit first, then the subscriber is let in: what he sends with IPCP open has somewhere to go. */
  start(attempt: number, authenticatorResponse: string | undefined): void {
    this.#attempt = attempt;
    this.#authenticatorResponse = authenticatorResponse;
    this.#next(async () => {
      const lease = await this.#group.lease(this.#user, this.#session);
      if (lease.ok) {
        this.#address = lease.address;
        if (this.#session.isOver) return;
        this.#sessionUnit = await this.#group.openUnit(lease.address, this.#session);
      } else {
        this.#refusal = lease.reason;
        this.#refused(`no address: ${lease.reason}`);
        this.#around.logger.warn(
          { session: this.#session.id, user: this.#user.name, unit: this.unit, reason: lease.reason },
          "login refused: no address",
        );
      }
      this.#answer();
    });
  }

  reauthenticated(credentials: Credentials, attempt: number): void {
    const verdict = this.#verify(credentials);
    if (!verdict.ok) {
      this.#refused(verdict.reason);
      this.#session.reject(attempt, "wrong user name or password");
      return;
    }
    this.#attempt = attempt;
    this.#authenticatorResponse = verdict.authenticatorResponse;
    this.#next(async () => this.#answer());
  }

  networkUp(up: Ipv4Up | Ipv6Up): void {
    if (up.protocol === "ipv4") this.#ipv4 = up;
    else this.#ipv6 = up;
    this.#next(() => this.#attach());
  }

  networkDown(protocol: NetworkProtocol): void {
    if (protocol === "ipv4") this.#ipv4 = undefined;
    else this.#ipv6 = undefined;
    this.#next(() => this.#attach());
  }

  deadline(): number {
    return NEVER;
  }

  timeout(): void {
    // a terminated session waits for nothing but its PPP
  }

  hangUp(): void {
    // nobody is behind us
  }

  async release(): Promise<void> {
    this.#ipv4 = undefined;
    this.#ipv6 = undefined;
    this.#next(async () => {
      await this.#detach();
      if (this.#sessionUnit !== undefined) await this.#group.closeUnit(this.#sessionUnit, this.#session);
      if (this.#address !== undefined) await this.#group.release(this.#address, this.#session);
    });
    await this.#work;
  }

  /** Attaches as what is open now, or detaches when nothing is. */
  async #attach(): Promise<void> {
    await this.#detach();
    const up = this.#ipv4 ?? this.#ipv6;
    if (up === undefined || this.#sessionUnit === undefined || this.#session.isOver) return;
    const addresses: string[] = [];
    if (this.#ipv4 !== undefined && this.#address !== undefined) addresses.push(this.#address);
    if (this.#ipv6 !== undefined) addresses.push(linkLocalAddress(this.#ipv6.remoteIdentifier));
    await this.#around.dataplane.attach(this.#session.carrier.channel, {
      unit: this.#sessionUnit.unit,
      addresses,
      mruBytes: Math.min(up.mruBytes, this.#sessionUnit.mtuBytes),
      clampMss: this.#config.clampMss,
      ipv6: this.#ipv6 !== undefined,
    });
    this.#attached = true;
    this.#session.opened();
  }

  async #detach(): Promise<void> {
    if (!this.#attached) return;
    this.#attached = false;
    await this.#around.dataplane.detach(this.#session.carrier.channel);
  }

  #refused(reason: string): void {
    this.#around.journal.note("login-refused", { session: this.#session.number }, reason);
  }

  #answer(): void {
    const config = this.#config;
    if (this.#address === undefined) {
      this.#session.reject(this.#attempt, this.#refusal);
      return;
    }
    const localIdentifier = this.#ipv6Identifier();
    const grant = {
      ipv4: { local: config.address, remote: this.#address, dns: this.#user.dns ?? config.dns },
      ...(localIdentifier !== undefined && { ipv6: { localIdentifier } }),
    };
    this.#session.accept(this.#attempt, grant, this.#authenticatorResponse);
  }

  /** Ours for IPV6CP, or undefined when it is not to be opened: what he sends by it must have somewhere to go. */
  #ipv6Identifier(): Uint8Array | undefined {
    const { id, mruBytes } = this.#session;
    if (!this.#config.ipv6) return undefined;
    if (mruBytes >= IPV6_MIN_MTU) return this.#sessionUnit?.interfaceIdentifier;
    this.#around.logger.info({ session: id, mruBytes }, "no IPv6 for this session: its MRU is below 1280");
    return undefined;
  }

  #next(step: () => Promise<void>): void {
    this.#work = this.#work.then(step).catch((error: Error) => {
      this.#around.logger.error(
        { session: this.#session.id, user: this.#user.name, error: error.message },
        "session cannot be terminated here",
      );
      this.#session.leave(endCause("failed", error.message));
    });
  }
}
