/** The manual page, made from what commander knows of the command (man-pages(7)). */

import type { Command, Option } from "commander";
import { EXAMPLES } from "./examples.ts";

/** deploy/lacewing.8. */
export function manualPage(program: Command): string {
  return [
    '.\\" Generated from the command itself.',
    '.TH LACEWING 8 "" "Lacewing" "System administration"',
    ".SH NAME",
    `lacewing \\- ${escaped(program.description())}`,
    ".SH SYNOPSIS",
    ".B lacewing",
    "[\\fIoptions\\fR]",
    ".br",
    ...program.commands.flatMap((command) => synopses(command, "lacewing")),
    ".SH DESCRIPTION",
    ...DESCRIPTION,
    ".SH COMMANDS",
    ...program.commands.flatMap((command) => section(command, "lacewing")),
    ".SH EXAMPLES",
    ...EXAMPLES.flatMap(([line, what]) => [".TP", `.B ${escaped(line)}`, `${escaped(sentence(what))}`]),
    ...REST,
    "",
  ].join("\n");
}

const DESCRIPTION = [
  "Lacewing takes PPP from where subscribers are (PPPoE on Ethernet, L2TP from another LAC)",
  "and either carries it on, unchanged, to where it is terminated (an L2TP tunnel to an LNS),",
  "or terminates it itself on a network device of its own.",
  ".PP",
  ".B lacewing run",
  "is the gateway. All other commands but",
  '.BR check ", " dial',
  "and",
  ".B capture \\-\\-interface",
  "ask a running gateway over its local socket; what they can, its HTTP API can.",
  ".B lacewing",
  "without a command does what",
  ".B lacewing show",
  "does.",
];

const REST = [
  ".SH EXIT STATUS",
  ".TP",
  ".B 0",
  "It was done.",
  ".TP",
  ".B 1",
  "It was tried, and did not work; or there was nothing to be done.",
  ".TP",
  ".B 2",
  "The command line or the configuration is wrong.",
  ".SH JSON",
  "With",
  ".B \\-\\-json",
  "the answer is one JSON document, as the HTTP API describes it (docs/openapi.json, or",
  ".I /v1/openapi.json",
  "of a running gateway); a list that the API gives in parts is one array of all rows.",
  "Names and meanings stay; what is new is added beside them.",
  ".SH ENVIRONMENT",
  ".TP",
  ".B LACEWING_SOCKET",
  "The local socket of the gateway that is asked, where",
  ".B \\-\\-socket",
  "names none. It is the asking commands' only: where the gateway listens is said by",
  ".I control.socket",
  "of its configuration.",
  ".TP",
  ".B NO_COLOR",
  "When it is there and not empty, nothing is coloured. Colours are for terminals only.",
  ".SH SIGNALS",
  ".TP",
  '.BR SIGTERM ", " SIGINT',
  "The gateway ends every session politely, and itself within three seconds; at once on the second one.",
  ".TP",
  ".B SIGHUP",
  "The gateway reads its configuration file again, as with",
  '.BR "lacewing reload" .',
  ".SH FILES",
  ".TP",
  ".I /etc/lacewing/lacewing.yaml",
  "The configuration of the packaged service.",
  ".TP",
  ".I /run/lacewing/lacewing.sock",
  "The local socket, for its owner and group.",
];

function synopses(command: Command, path: string): string[] {
  const name = `${path} ${command.name()}`;
  if (command.commands.length > 0) return command.commands.flatMap((each) => synopses(each, name));
  const words = command.registeredArguments.map((argument) =>
    argument.required ? `\\fI${escaped(argument.name())}\\fR` : `[\\fI${escaped(argument.name())}\\fR]`,
  );
  const options = visible(command).length > 0 ? ["[\\fIoptions\\fR]"] : [];
  return [`.B ${escaped(name)}`, [...words, ...options].join(" "), ".br"];
}

function section(command: Command, path: string): string[] {
  const name = `${path} ${command.name()}`;
  if (command.commands.length > 0) return command.commands.flatMap((each) => section(each, name));
  const rows = [
    ...command.registeredArguments.map((argument) => ({
      term: `\\fI${escaped(argument.name())}\\fR`,
      text: withChoices(argument.description, argument.argChoices),
    })),
    ...visible(command).map((option) => ({
      term: `\\fB${escaped(option.flags)}\\fR`,
      text: withChoices(option.description, option.argChoices) + withDefault(option),
    })),
  ];
  return [
    `.SS ${escaped(name)}`,
    `${sentence(command.description())}`,
    ...rows.flatMap(({ term, text }) => [".TP", term, escaped(sentence(text))]),
  ];
}

function visible(command: Command): readonly Option[] {
  return command.options.filter(({ hidden }) => !hidden);
}

function withChoices(text: string, choices: readonly string[] | undefined): string {
  return choices === undefined ? text : `${text} (${choices.join(", ")})`;
}

function withDefault({ defaultValue, defaultValueDescription }: Option): string {
  if (defaultValue === undefined || defaultValue === "") return "";
  return `; ${defaultValueDescription ?? String(defaultValue)} when absent`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** Hyphens that are typed, and lines that roff would take for requests. */
function escaped(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll(/^([.'])/gm, "\\&$1");
}
