/**
 * VLAN tags as numbers, for what there are tens of thousands of.
 *
 *   tag     TPID 2 bits | priority and DEI 4 bits | VLAN id 12 bits
 *   packed  outer tag 18 bits | inner tag 18 bits       a single tag is the inner one
 *   scope   the same without priorities, 14 bits a tag
 *   key     scope 28 bits | session id 16 bits          without tags it is the session id
 */

import type { VlanTag } from "../wire/ethernet.ts";

/** 0 means that there is no tag. 0x9100 stands for whatever else is taken for a TPID: there is no other. */
const TPIDS = [0, 0x8100, 0x88a8, 0x9100] as const;
const OTHER_TPID = 3;

const TCI_VALUES = 2 ** 16;
const PACKED_TAG_VALUES = 2 ** 18;
const SCOPE_TAG_VALUES = 2 ** 14;
const VLAN_IDS = 2 ** 12;
const SESSION_IDS = 2 ** 16;

function packTag({ tpid, tci }: VlanTag): number {
  const known = TPIDS.indexOf(tpid as (typeof TPIDS)[number]);
  return (known > 0 ? known : OTHER_TPID) * TCI_VALUES + tci;
}

function unpackTag(packed: number): VlanTag {
  return { tpid: TPIDS[Math.floor(packed / TCI_VALUES)]!, tci: packed % TCI_VALUES };
}

/** At most two tags, outermost first. */
export function packTags(tags: readonly VlanTag[]): number {
  return tags.reduce((packed, tag) => packed * PACKED_TAG_VALUES + packTag(tag), 0);
}

export function unpackTags(packed: number): readonly VlanTag[] {
  if (packed === 0) return [];
  if (packed < PACKED_TAG_VALUES) return [unpackTag(packed)];
  return [unpackTag(Math.floor(packed / PACKED_TAG_VALUES)), unpackTag(packed % PACKED_TAG_VALUES)];
}

function scopeOfTag(packed: number): number {
  return Math.floor(packed / TCI_VALUES) * VLAN_IDS + (packed % VLAN_IDS);
}

/** Within what session ids are told apart: the VLANs, whatever the priorities. */
export function vlanScope(packed: number): number {
  if (packed < PACKED_TAG_VALUES) return scopeOfTag(packed);
  const outer = Math.floor(packed / PACKED_TAG_VALUES);
  return scopeOfTag(outer) * SCOPE_TAG_VALUES + scopeOfTag(packed % PACKED_TAG_VALUES);
}

/** One number for a session of the port. */
export function sessionKey(scope: number, sessionId: number): number {
  return scope * SESSION_IDS + sessionId;
}
