import { isDeepStrictEqual } from "node:util";
import { LacewingError } from "../base/errors.ts";
import { type Ipv4Range, ipv4FromNumber, ipv4ToNumber } from "../wire/ipv4-range.ts";

export interface AddressPoolConfig {
  /** Addresses for subscribers, not overlapping. Empty: there are only fixed ones. */
  readonly ranges: readonly Ipv4Range[];
  /** Never handed out to whoever comes: our own address, and users' fixed addresses. */
  readonly reserved: Iterable<string>;
}

export type Lease =
  | { readonly ok: true; readonly address: string }
  | { readonly ok: false; readonly reason: string };

/** How much of a pool is given out. */
export interface PoolFill {
  /** Addresses for whoever comes: those of the ranges, but for reserved ones. */
  readonly size: number;
  /** Of them, those that somebody has. */
  readonly used: number;
}

/**
 * IPv4 addresses of one group of subscribers, oldest-free first. `Holder` says whose an address is, compared
 * by identity. Memory grows with what was ever leased, not with the size of the ranges.
 */
export class AddressPool<Holder> {
  #ranges: readonly Ipv4Range[];
  #reserved: ReadonlySet<number>;
  /** As fill() tells it: counted as addresses come and go. */
  #size: number;
  #used = 0;
  readonly #holders = new Map<number, Holder>();
  /** The next address that was never handed out. */
  #range = 0;
  #next: number;
  /** Addresses that came back, oldest first, from `#released[#head]` on. */
  #released: number[] = [];
  #head = 0;

  constructor(config: AddressPoolConfig) {
    this.#ranges = config.ranges;
    this.#reserved = new Set([...config.reserved].map(numberOf));
    this.#next = this.#ranges[0]?.first ?? 0;
    this.#size = this.#countSize();
  }

  /**
   * Goes on with other ranges and other fixed addresses. Who has an address keeps it, wherever it is now; which free one
   * has been free for longest is forgotten.
   */
  reconfigure(config: AddressPoolConfig): void {
    const reserved = new Set([...config.reserved].map(numberOf));
    if (isDeepStrictEqual([this.#ranges, this.#reserved], [config.ranges, reserved])) return;
    this.#ranges = config.ranges;
    this.#reserved = reserved;
    this.#released = [];
    this.#head = 0;
    this.#range = 0;
    this.#next = this.#ranges[0]?.first ?? 0;
    this.#size = this.#countSize();
    this.#used = [...this.#holders.keys()].filter((address) => this.#isForAnybody(address)).length;
  }

  /** Who has a fixed address, or one that is in no range any more, is not in it. */
  fill(): PoolFill {
    return { size: this.#size, used: this.#used };
  }

  /** The addresses in "198.51.100.0/24" that anybody has. */
  usedOf(prefix: string): readonly string[] {
    const [network = "", length = "32"] = prefix.split("/");
    const size = 2 ** (32 - Number(length));
    const first = numberOf(network);
    const isInside = (address: number): boolean => address >= first && address < first + size;
    return [...this.#holders.keys()].filter(isInside).map(ipv4FromNumber);
  }

  /** Leases the address that has been free for longest. */
  lease(holder: Holder): Lease {
    const address = this.#takeFresh() ?? this.#takeReleased();
    if (address === undefined)
      return { ok: false, reason: this.#ranges.length === 0 ? "no address pool" : "address pool exhausted" };
    this.#holders.set(address, holder);
    this.#used += 1;
    return { ok: true, address: ipv4FromNumber(address) };
  }

  /**
   * Leases a reserved address, whoever has it: a new login takes over from its stale session, whose own release()
   * then changes nothing. Ask holderOf() first for whom to end.
   */
  leaseFixed(address: string, holder: Holder): void {
    const number = numberOf(address);
    if (!this.#reserved.has(number))
      throw new LacewingError("not-reserved", `${address} is not a reserved address of the pool`);
    this.#holders.set(number, holder);
  }

  /** Who has an address now. */
  holderOf(address: string): Holder | undefined {
    return this.#holders.get(numberOf(address));
  }

  /** Gives an address back; nothing happens when it is not, or no longer, the holder's. */
  release(address: string, holder: Holder): void {
    const number = numberOf(address);
    if (!this.#holders.has(number) || this.#holders.get(number) !== holder) return;
    this.#holders.delete(number);
    if (this.#isForAnybody(number)) this.#used -= 1;
    if (!this.#reserved.has(number) && this.#hasBeenReached(number)) this.#released.push(number);
  }

  #countSize(): number {
    const all = this.#ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
    return all - [...this.#reserved].filter((address) => this.#isInRange(address)).length;
  }

  #isForAnybody(address: number): boolean {
    return !this.#reserved.has(address) && this.#isInRange(address);
  }

  #isInRange(address: number): boolean {
    return this.#ranges.some(({ first, last }) => address >= first && address <= last);
  }

  /** What has not been reached is handed out when it is; what is in no range is not at all. */
  #hasBeenReached(address: number): boolean {
    const index = this.#ranges.findIndex(({ first, last }) => address >= first && address <= last);
    return index >= 0 && (index < this.#range || (index === this.#range && address < this.#next));
  }

  #takeFresh(): number | undefined {
    for (;;) {
      const range = this.#ranges[this.#range];
      if (range === undefined) return undefined;
      if (this.#next > range.last) {
        this.#range += 1;
        this.#next = this.#ranges[this.#range]?.first ?? 0;
        continue;
      }
      const address = this.#next;
      this.#next += 1;
      // somebody may have one from before the ranges were these
      if (!this.#reserved.has(address) && !this.#holders.has(address)) return address;
    }
  }

  #takeReleased(): number | undefined {
    const address = this.#released[this.#head];
    if (address === undefined) return undefined;
    this.#head += 1;
    if (this.#head > 1024 && this.#head * 2 > this.#released.length) {
      this.#released = this.#released.slice(this.#head);
      this.#head = 0;
    }
    return address;
  }
}

/** Addresses come from the configuration, which was checked: anything else is our bug. */
function numberOf(address: string): number {
  const number = ipv4ToNumber(address);
  if (number === undefined) throw new LacewingError("not-ipv4", `not an IPv4 address: ${address}`);
  return number;
}
