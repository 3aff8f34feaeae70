import { describeDataplane } from "../contract.ts";
import { memoryRig } from "./rig.ts";

describeDataplane("memory", memoryRig);
