import { describeTaps } from "../contract-taps.ts";
import { memoryRig } from "./rig.ts";

describeTaps("memory", memoryRig);
