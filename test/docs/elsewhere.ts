/** Commands that the documentation names and no test of its transcripts runs: why not, and what does. */

interface Elsewhere {
  readonly reason: string;
  /** A file of this checkout, and what stands in it. */
  readonly file: string;
  readonly text: string;
}

const HOURS = "takes longer than a change should wait for";

/** By what is before the options that are the command's own (` -- `). */
export const ELSEWHERE: Readonly<Record<string, Elsewhere>> = {
  "npm test": { reason: "it is what runs the tests", file: ".ci/run", text: "npm test" },
  "npm start": { reason: "its set-up is not run beside tests", file: ".ci/run", text: "npm start -- --once" },
  "npm run check": { reason: "it judges the tests, too", file: ".ci/run", text: "npm run check" },
  "npm run build": {
    reason: "it would change the program that is tested",
    file: "deploy/container/Dockerfile",
    text: "RUN npm run build",
  },
  "npm run package": {
    reason: "a test runs the script itself",
    file: "test/deploy/package.test.ts",
    text: "scripts/package.mjs",
  },
  "npm run docs": {
    reason: "it writes; tests compare its pages with what is there",
    file: "test/cli/generated.test.ts",
    text: "npm run docs",
  },
  "npm run format": {
    reason: "it writes; the check refuses what it would change",
    file: "scripts/check.mjs",
    text: "biome",
  },
  "npm run bench": {
    reason: "takes an hour of a machine that does nothing else; its parts are tested",
    file: "test/bench/report.test.ts",
    text: "describe(",
  },
  "npm run sim": { reason: HOURS, file: ".ci/long", text: "run sim" },
  "npm run fuzz": { reason: HOURS, file: ".ci/long", text: "run fuzz" },
  "npm run interop": { reason: HOURS, file: ".ci/long", text: "run interop" },
  "npm run test:image": { reason: HOURS, file: ".ci/long", text: "run test:image" },
  "npm run test:sanitizers": { reason: HOURS, file: ".ci/long", text: "run test:sanitizers" },
  "docker compose": {
    reason:
      "no container engine may be had; the steps of the Dockerfile and the gateway in its image are tested",
    file: "test/deploy/container.image.ts",
    text: "as in compose.yaml",
  },
  "npm ci": { reason: "the set-up runs it", file: "scripts/setup/steps.mjs", text: '"ci"' },
};
