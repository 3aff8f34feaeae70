import { replaceable } from "./replaceable.ts";

// biome-ignore lint/suspicious/noExplicitAny: mixins need it (TypeScript handbook, "Mixins")
type MachineClass = new (...args: any[]) => { snapshot(): unknown; deadline(): number };

/** A module with the stand-in for the machine of that name: for vi.mock(), which does what scripts/sim-hooks.mjs does. */
export function withStandIn<Name extends string, Module extends Record<Name, MachineClass>>(
  module: Module,
  name: Name,
): Module {
  return { ...module, [name]: replaceable(module[name]) };
}
