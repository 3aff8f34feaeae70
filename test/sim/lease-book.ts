import { AddressPool, type Lease } from "../../src/aaa/address-pool.ts";

/** Who holds which addresses of any pool; kept beside the pools, which do not tell. Worlds live one after the other. */
const held = new Map<unknown, Set<string>>();

export function openLeaseBook(): void {
  held.clear();
}

/** Their pools went with their process. */
export function forgetLeasesOf(holders: Iterable<unknown>): void {
  for (const holder of holders) held.delete(holder);
}

export function leasedAddresses(): readonly string[] {
  return [...held.values()].flatMap((addresses) => [...addresses]);
}

function note(address: string, holder: unknown): void {
  held.set(holder, (held.get(holder) ?? new Set()).add(address));
}

const { lease, leaseFixed, release } = AddressPool.prototype;

AddressPool.prototype.lease = function (holder: unknown): Lease {
  const leased = lease.call(this, holder);
  if (leased.ok) note(leased.address, holder);
  return leased;
};

AddressPool.prototype.leaseFixed = function (address: string, holder: unknown): void {
  leaseFixed.call(this, address, holder);
  note(address, holder);
};

AddressPool.prototype.release = function (address: string, holder: unknown): void {
  release.call(this, address, holder);
  held.get(holder)?.delete(address);
};
