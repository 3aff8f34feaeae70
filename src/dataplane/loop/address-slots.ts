import { ADDRESS_BYTES, ADDRESS_GROUP_MAX } from "../../io/addon.ts";
import { addressRecord } from "./address-record.ts";

const SLOTS = 256;
/** Datagrams up to this leave in groups, to be cut up again: what every path carries whole. */
const GROUP_MAX_BYTES = 1200;

/** Address records of those whom the control plane sends to, made once each. */
export class AddressSlots {
  /** The records, one after the other. */
  readonly table = new Uint8Array(SLOTS * ADDRESS_BYTES);
  readonly #offsets = new Map<string, number>();

  /** The offset in `table` of a record; `forget` is called when all are to be given up for it. `dscp`: 0 to 63. */
  offsetOf(
    address: string,
    udpPort: number,
    dscp: number,
    localAddress: string | undefined,
    forget: () => void,
  ): number {
    const key = `${address} ${udpPort} ${dscp} ${localAddress}`;
    const known = this.#offsets.get(key);
    if (known !== undefined) return known;
    if (this.#offsets.size === SLOTS) {
      forget();
      this.#offsets.clear();
    }
    const offset = this.#offsets.size * ADDRESS_BYTES;
    const record = addressRecord(address, udpPort, dscp, localAddress);
    new DataView(record.buffer).setUint32(ADDRESS_GROUP_MAX, GROUP_MAX_BYTES, LITTLE_ENDIAN);
    this.table.set(record, offset);
    this.#offsets.set(key, offset);
    return offset;
  }
}

/** Records have this field in the host's order. */
const LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
