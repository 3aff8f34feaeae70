import { repeatsTooOften } from "./first-ids.ts";
import { type Outcome, simulate } from "./run.ts";

/** Every so many seeds are lived through twice: with and without machines that are replaced by their snapshots. */
const TWINS_EVERY = 8;

const USAGE = "usage: npm run sim -- [--seeds N] [--seed S] [--trace]";

interface Options {
  readonly first: number;
  readonly count: number;
  readonly trace: boolean;
}

function optionsOf(argv: readonly string[]): Options | undefined {
  let first = 1;
  let count: number | undefined;
  let trace = false;
  for (let i = 0; i < argv.length; i++) {
    const value = Number(argv[i + 1]);
    if (argv[i] === "--trace") trace = true;
    else if (argv[i] === "--seed" && Number.isSafeInteger(value)) first = Number(argv[++i]);
    else if (argv[i] === "--seeds" && Number.isSafeInteger(value) && value > 0) count = Number(argv[++i]);
    else return undefined;
  }
  return { first, count: count ?? (argv.includes("--seed") ? 1 : 500), trace };
}

function report({ seed, violation, lastLines }: Outcome, text: string): void {
  console.log(`seed ${seed}: ${text}\n`);
  for (const line of lastLines) console.log(line);
  if (violation !== undefined) console.log(`\n${violation.invariant}: ${violation.text}`);
  console.log(`\nthe whole story: npm run sim -- --seed ${seed} --trace`);
}

/** Of all worlds together: one that repeats an id may do so by chance. */
const firstIds = { compared: 0, repeated: 0 };

/** False, after a report, when the seed fails. */
async function seedPasses(seed: number, trace: boolean, twin: boolean): Promise<boolean> {
  const print = trace ? (line: string): void => console.log(line) : undefined;
  const outcome = await simulate({ seed, disturb: true, ...(print && { print }) });
  firstIds.compared += outcome.firstIds.compared;
  firstIds.repeated += outcome.firstIds.repeated;
  if (outcome.violation !== undefined) {
    report(outcome, "failed");
    return false;
  }
  if (!twin || (await simulate({ seed, disturb: false })).hash === outcome.hash) return true;
  report(outcome, "goes another way when machines are replaced by their snapshots, or wall clocks are set");
  return false;
}

async function main(): Promise<number> {
  const options = optionsOf(process.argv.slice(2));
  if (options === undefined) {
    console.error(USAGE);
    return 2;
  }
  const { first, count, trace } = options;
  const started = process.cpuUsage();
  for (let seed = first; seed < first + count; seed++)
    if (!(await seedPasses(seed, trace, count === 1 || seed % TWINS_EVERY === 0))) return 1;
  if (repeatsTooOften(firstIds)) {
    console.log(
      `restarted gateways began with old ids: ${firstIds.repeated} of ${firstIds.compared} first ids`,
    );
    return 1;
  }
  const { user, system } = process.cpuUsage(started);
  const seconds = (user + system) / 1e6;
  console.log(
    `${count} seeds from ${first} on passed in ${seconds.toFixed(1)} s of CPU, ${((1000 * seconds) / count).toFixed(0)} ms each`,
  );
  return 0;
}

process.exitCode = await main();
