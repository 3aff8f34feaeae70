/** The reference of the configuration, docs/configuration.md: made from the schema, which is where its texts are. */

import { DEVICE_KEYS, type Effect, effectOf } from "./effects.ts";
import { EXAMPLES, USERS_EXAMPLE } from "./examples.ts";
import { flowText } from "./flow-text.ts";
import { configJsonSchema, isDestination, type JsonSchema, usersJsonSchema } from "./json-schema.ts";

const INTRODUCTION = `# Configuration

<!-- Made from the schema (src/config) by \`npm run docs\`: do not edit. -->

\`lacewing run -c FILE\` reads one YAML file, and the files that it names; their paths are relative to it. \`lacewing check -c FILE\`
tells everything that is wrong with them, with line and column, and warns of what is allowed but will hardly work.
\`lacewing reload\`, or SIGHUP, applies a changed file to the running gateway; \`lacewing reload --plan\` only tells what that would do.

Every value is written out: there are no aliases, tags or includes. Durations are text with a unit (\`500ms\`, \`60s\`, \`5m\`,
\`1h\`), and so is memory (\`512KiB\`, \`32MiB\`). A text that looks like a number needs quotes where it is a secret or a password.

Editors that know JSON Schema complete and check the file when its first line says where
[lacewing.schema.json](lacewing.schema.json) is, here beside it:

\`\`\`yaml
# yaml-language-server: $schema=./lacewing.schema.json
\`\`\`

## What a change does

The column *change* says what \`lacewing reload\` does about a value that is another one than before.

| change | meaning |
|---|---|
| at once | It holds for the sessions and tunnels that are there, too. |
| new sessions | Sessions and tunnels that begin from then on have it; those that are there go on with what they began with. |
| ends sessions | Sessions that rest on it are ended politely, and may call again. |
| restart | It waits for the next start of the gateway; everything else in the file is applied. |

What is taken out of the file, an access interface, a peer, a local address or a unit group, ends the sessions that go through it,
and no others. Realms, services, lines, groups of LNSes and users decide about new sessions only. Where a tunnel was opened with
another secret, name or address than the file now says, its sessions go on, it takes no new calls of ours, and it is closed when
it is empty. \`lacewing reload --plan\` says how many sessions a change ends.

## Secrets

A secret or a users file must be its owner's alone (\`chmod 600\`). A path that begins with \`credential:\` names a file in
\`$CREDENTIALS_DIRECTORY\`, where systemd puts what \`LoadCredential=\` and \`LoadCredentialEncrypted=\` say: with
\`LoadCredential=lns1.secret:/etc/lacewing/lns1.secret\` in the unit, \`secret-file: credential:lns1.secret\` is that secret,
though the service's own user could not read /etc/lacewing. It holds for \`secret-file\`, \`users-file\` and every other key that
names a file.

systemd hands credentials over when it starts the service: one that has changed is effective with the next start, not with a reload.
\`lacewing check\` in a shell is told where those of the running service are, and must be root's to read them:
\`CREDENTIALS_DIRECTORY=/run/credentials/lacewing.service lacewing check -c FILE\`.
`;

const CHANGES: Readonly<Record<Effect, string>> = {
  live: "at once",
  "new-sessions": "new sessions",
  "ends-sessions": "ends sessions",
  restart: "restart",
};

/** The text of docs/configuration.md. */
export function referencePage(): string {
  const config = configJsonSchema();
  const destination = config.definitions?.destination ?? {};
  const { items: user = {} } = usersJsonSchema();
  return [
    INTRODUCTION,
    "## The whole file\n",
    example(""),
    table("", config),
    ...sections("", config),
    "## Destinations\n",
    `${DESTINATION}\n`,
    example("destination"),
    table("destination", destination),
    "## The users file\n",
    "What `users-file` names: a list of users.\n",
    yaml(USERS_EXAMPLE),
    table("users[]", user),
  ].join("\n");
}

const DESTINATION =
  "Where a subscriber's PPP goes. `realms`, `services`, `lines`, `default` and the `destination` of a peer say it in one way: with exactly one of `lns`, `terminate` and `refuse`.";

/** A section for each block beneath a block. */
function sections(place: string, block: JsonSchema): string[] {
  return Object.entries(block.properties ?? {}).flatMap(([key, value]): string[] => {
    const below = blockIn(value);
    if (below === undefined) return [];
    const here = `${place === "" ? "" : `${place}.`}${key}${below.suffix}`;
    const level = "#".repeat(
      Math.min(4, 1 + here.split(/[.[]/).filter((step) => /^[a-z]/.test(step)).length),
    );
    return [
      `${level} ${heading(here)}\n`,
      `${value.description ?? ""}${below.kind}\n`,
      example(here),
      table(here, below.block),
      ...sections(here, below.block),
    ];
  });
}

interface Below {
  readonly block: JsonSchema;
  readonly suffix: "" | "[]" | ".*";
  readonly kind: string;
}

/** The block that a value is, or is a list or mapping of; a destination is none, since it has a section of its own. */
function blockIn(value: JsonSchema): Below | undefined {
  if (value.properties !== undefined) return { block: value, suffix: "", kind: "" };
  if (value.items?.properties !== undefined)
    return { block: value.items, suffix: "[]", kind: " A list; each element has these keys." };
  const named = value.additionalProperties;
  return typeof named === "object" && named.properties !== undefined
    ? { block: named, suffix: ".*", kind: " A mapping of names to blocks with these keys." }
    : undefined;
}

/** "l2tp.peers[].switch-avps" as a title. */
function heading(place: string): string {
  return place.replaceAll("[]", "").replaceAll(".*", "");
}

function example(place: string): string {
  const text = EXAMPLES[place];
  return text === undefined ? "" : yaml(text);
}

function yaml(text: string): string {
  return `\`\`\`yaml\n${text}\`\`\`\n`;
}

function table(place: string, block: JsonSchema): string {
  const rows = Object.entries(block.properties ?? {}).map(([key, value]) => {
    const here = place === "" ? key : `${place}.${key}`;
    const name = block.required?.includes(key) ? `**\`${key}\`**` : `\`${key}\``;
    const cells = [
      name,
      kindOf(value, heading(here)),
      defaultOf(value),
      meaningOf(value),
      changeOf(here, value),
    ];
    return `| ${cells.map(cell).join(" | ")} |`;
  });
  const head = "| key | allowed | default | meaning | change |\n|---|---|---|---|---|";
  const note = block.required === undefined ? "" : "\nKeys in bold must be there.\n";
  return rows.length === 0 ? "" : `${head}\n${rows.join("\n")}\n${note}`;
}

/** What is allowed, or where that is described. */
function kindOf(value: JsonSchema, title: string): string {
  const below = blockIn(value);
  if (below !== undefined) return `[${title}](#${anchor(title)})`;
  if (isDestination(value)) return "a [destination](#destinations)";
  const named = value.additionalProperties;
  if (typeof named === "object" && isDestination(named))
    return "a mapping of names to [destinations](#destinations)";
  return value.errorMessage ?? "";
}

/** As GitHub makes it of a heading. */
function anchor(title: string): string {
  return title.toLowerCase().replaceAll(/[^\w-]/g, "");
}

function defaultOf({ default: value }: JsonSchema): string {
  if (value === undefined) return "";
  const isBlock = typeof value === "object" && value !== null && Object.keys(value).length === 0;
  return isBlock ? "" : `\`${typeof value === "string" ? value : flowText(value)}\``;
}

/** A block's own section has its description. */
function meaningOf(value: JsonSchema): string {
  return blockIn(value) === undefined ? (value.description ?? "") : "";
}

function changeOf(place: string, value: JsonSchema): string {
  if (blockIn(value) !== undefined) return "";
  const change = CHANGES[effectOf(place)];
  const isDevice = DEVICE_KEYS.some((key) => place === `units.*.${key}`);
  return isDevice ? `${change}; of a shared device: ${CHANGES["ends-sessions"]}` : change;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
