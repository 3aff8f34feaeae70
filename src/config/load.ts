import { dirname } from "node:path";
import { Secret } from "../base/secret.ts";
import type { Config } from "./config.ts";
import { ConfigError } from "./config-error.ts";
import { readControl } from "./control-checks.ts";
import { checkDestinations } from "./destination-checks.ts";
import { checkLnsGroups } from "./lns-checks.ts";
import { pathOfNamedFile, readNamedFile } from "./named-file.ts";
import { checkPeers } from "./peer-checks.ts";
import { type FileText, readTextFile } from "./private-file.ts";
import { type Raw, rawList, rawMap, rawText } from "./raw.ts";
import { configSchema } from "./schema.ts";
import { type Confidential, schemaProblems, where } from "./schema-problems.ts";
import { checkUnits } from "./unit-checks.ts";
import { type UsersFile, usersFileSteps } from "./users-file.ts";
import { formatProblems, type Path, type Problem, YamlSource } from "./yaml-source.ts";

const CONFIG_CONFIDENTIAL: Confidential = {
  value: (path) => path.includes("secret"),
  // "secret swordfish", without a colon, is a key
  unknownKeys: (path) => path.includes("peers"),
};

/** A configuration, and the file that it was read from. */
export interface LoadedConfig {
  readonly config: Config;
  readonly source: YamlSource;
}

/**
 * Reads and checks a configuration file, and the files of secrets, certificates and users that it names.
 * Throws a ConfigError that tells everything that is wrong with them, each with its file, line and column, in order.
 */
export function loadConfig(path: string): Config {
  return loadConfigFile(path).config;
}

/** As loadConfig(), with what tells where everything is in the file. */
export function loadConfigFile(path: string): LoadedConfig {
  const steps = loadConfigSteps(path);
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

/** As loadConfigFile(), but it stops after every few users, and is to be gone on with: many of them take long. */
export function* loadConfigSteps(path: string): Generator<undefined, LoadedConfig, undefined> {
  const file = readTextFile(path);
  if (!file.ok) throw new ConfigError(`${path}: ${file.reason}`);
  const source = new YamlSource(path, file.text, CONFIG_CONFIDENTIAL.unknownKeys);
  if (!source.readable) throw new ConfigError(formatProblems(source.problems));
  const raw = rawMap(source.value);

  const parsed = configSchema.safeParse(source.value);
  const secrets = readSecrets(raw, dirname(path), file);
  const control = readControl(raw, dirname(path));
  yield;
  const users = yield* readUsers(raw, dirname(path));
  const problems: Problem[] = [
    ...schemaProblems(source, parsed.error?.issues ?? [], CONFIG_CONFIDENTIAL),
    ...control.problems,
    ...checkDestinations(raw),
    ...checkLnsGroups(raw),
    ...checkPeers(raw),
    ...checkUnits(raw),
    ...secrets.problems,
    ...users.problems,
  ];
  const messages = [
    formatProblems([...source.problems, ...problems.map((problem) => source.place(problem))]),
    users.messages,
  ].filter((text) => text !== "");
  if (!parsed.success || messages.length > 0) throw new ConfigError(messages.join("\n"));

  const config = parsed.data;
  const peers = config.l2tp.peers.map((peer, i) => {
    const secret = secrets.byPeer.get(i);
    return secret === undefined ? peer : Object.freeze({ ...peer, secret });
  });
  const listen = config.control.listen.map((each, i) => Object.freeze({ ...each, ...control.files[i] }));
  return {
    source,
    config: Object.freeze({
      ...config,
      control: Object.freeze({ ...config.control, listen: Object.freeze(listen) }),
      l2tp: Object.freeze({ ...config.l2tp, peers: Object.freeze(peers) }),
      users: users.users,
    }),
  };
}

/** The peers' secret files; and whether this file may have secrets in it. */
function readSecrets(config: Raw, folder: string, file: FileText & { ok: true }) {
  const byPeer = new Map<number, Secret>();
  const problems: Problem[] = [];
  for (const [i, peer] of rawList(rawMap(config.l2tp).peers).map(rawMap).entries()) {
    const path = ["l2tp", "peers", i];
    if ("secret" in peer && file.exposed !== undefined)
      problems.push(
        valueProblem([...path, "secret"], `this file has a secret in it, but its ${file.exposed}`),
      );
    const secretFile = rawText(peer["secret-file"]);
    if (secretFile === undefined) continue;
    const secret = readSecret(folder, secretFile);
    if (typeof secret === "string")
      problems.push(valueProblem([...path, "secret-file"], `${secretFile} ${secret}`));
    else byPeer.set(i, secret);
  }
  return { byPeer, problems };
}

/** The first line of a private file, or what is wrong with it. */
function readSecret(folder: string, written: string): Secret | string {
  const file = readNamedFile(folder, written);
  if (!file.ok) return file.reason;
  if (file.exposed !== undefined) return `is a secret, but its ${file.exposed}`;
  const octets = Buffer.from(file.text.replace(/\r?\n$/, ""));
  if (octets.length === 0 || octets.length > 255 || octets.includes(10))
    return "does not have the secret as its only line; allowed: 1 to 255 octets";
  return new Secret(octets);
}

/** `problems` are the configuration's, `messages` the users file's own. */
function* readUsers(
  config: Raw,
  folder: string,
): Generator<undefined, UsersFile & { readonly problems: Problem[] }, undefined> {
  const none = { users: Object.freeze([]), problems: [] as Problem[], messages: "" };
  const usersFile = rawText(config["users-file"]);
  if (usersFile === undefined) return none;
  const problem = (text: string) => ({
    ...none,
    problems: [valueProblem(["users-file"], `${usersFile} ${text}`)],
  });
  const file = readNamedFile(folder, usersFile);
  if (!file.ok) return problem(file.reason);
  if (file.exposed !== undefined) return problem(`has passwords in it, but its ${file.exposed}`);
  const path = pathOfNamedFile(folder, usersFile) ?? usersFile;
  return { ...none, ...(yield* usersFileSteps(config, path, file.text)) };
}

function valueProblem(path: Path, text: string): Problem {
  return { path, at: "value", text: `${where(path)}${text}` };
}
