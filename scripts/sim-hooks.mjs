/**
 * Module hooks of the simulation: who imports one of these machines gets its stand-in (test/sim/replaceable.ts),
 * and everything else of the module as it is. No source of ours need know of it.
 */

const MACHINES = new Map([
  ["/src/pppoe/access-concentrator.js", "AccessConcentrator"],
  ["/src/l2tp/endpoint.js", "L2tpEndpoint"],
  ["/src/ppp/server.js", "PppServer"],
]);
const ORIGINAL = "?original";

export async function load(url, context, next) {
  const path = [...MACHINES.keys()].find((end) => url.endsWith(end));
  if (path === undefined) return next(url, context);
  const replaceable = url.replace(path, "/test/sim/replaceable.js");
  const name = MACHINES.get(path);
  const original = JSON.stringify(url + ORIGINAL);
  const source = `
    export * from ${original};
    import { ${name} as Original } from ${original};
    import { replaceable } from ${JSON.stringify(replaceable)};
    export const ${name} = replaceable(Original);`;
  return { format: "module", source, shortCircuit: true };
}
