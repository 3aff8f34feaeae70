/** One VLAN tag as on the wire: TPID 0x8100 or 0x88A8, and priority, DEI and VLAN id in `tci`. */
export interface VlanTag {
  readonly tpid: number;
  readonly tci: number;
}
