import { CAPTURE_CODECS } from "./codecs/capture.ts";
import { DATAPLANE_CODECS } from "./codecs/dataplane.ts";
import { IP_CODECS } from "./codecs/ip.ts";
import { L2TP_CODECS } from "./codecs/l2tp.ts";
import { NETLINK_CODECS } from "./codecs/netlink.ts";
import { PPP_CODECS } from "./codecs/ppp.ts";
import { PPPOE_CODECS } from "./codecs/pppoe.ts";
import { TEXT_CODECS } from "./codecs/text.ts";
import { DATAPLANE_MACHINES } from "./machines/dataplane.ts";
import { L2TP_MACHINES } from "./machines/l2tp.ts";
import { PPP_MACHINES } from "./machines/ppp.ts";
import { PPPOE_MACHINES } from "./machines/pppoe.ts";
import type { CodecTarget, Target } from "./target.ts";

export const CODECS: readonly CodecTarget[] = [
  ...PPP_CODECS,
  ...PPPOE_CODECS,
  ...L2TP_CODECS,
  ...IP_CODECS,
  ...NETLINK_CODECS,
  ...TEXT_CODECS,
  ...DATAPLANE_CODECS,
  ...CAPTURE_CODECS,
];

export const TARGETS: readonly Target[] = [
  ...CODECS,
  ...PPP_MACHINES,
  ...PPPOE_MACHINES,
  ...L2TP_MACHINES,
  ...DATAPLANE_MACHINES,
];
