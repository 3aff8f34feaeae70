// Runs in a process of its own: restores recorded machines from their snapshots at every point of their
// exchange, gives them the inputs that followed, and tells where an output differs.
//
//   node replay-machines.mjs RECORDING     prints {"replays":…,"inputs":…,"differences":[…]}
import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { deserialize } from "node:v8";
import { L2tpEndpoint } from "../../dist/src/l2tp/endpoint.js";
import { PppServer } from "../../dist/src/ppp/server.js";
import { AccessConcentrator } from "../../dist/src/pppoe/access-concentrator.js";

const CLASSES = { AccessConcentrator, L2tpEndpoint, PppServer };

let replays = 0;
let inputs = 0;
const differences = [];

/** Gives back what was drawn then; a machine that draws anything else has gone another way. */
function replayedRandom(draws) {
  const next = () => {
    if (draws.length === 0)
      throw new Error("a restored machine draws a random number that the first one did not");
    return draws.shift();
  };
  return { uint32: next, bytes: next };
}

for (const machine of deserialize(readFileSync(process.argv[2]))) {
  for (let from = 0; from < machine.inputs.length; from++) {
    const draws = [];
    const restored = new CLASSES[machine.kind](
      machine.config,
      replayedRandom(draws),
      machine.inputs[from].before,
    );
    replays += 1;
    for (const [i, input] of machine.inputs.slice(from).entries()) {
      draws.push(...input.draws);
      const outputs = restored[input.method](...input.args);
      inputs += 1;
      if (isDeepStrictEqual(outputs, input.outputs) && draws.length === 0) continue;
      differences.push(
        `${machine.kind} restored before input ${from}: ${input.method} (input ${from + i}) differs`,
      );
      break;
    }
  }
}
console.log(JSON.stringify({ replays, inputs, differences }));
