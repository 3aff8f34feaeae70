/**
 * The Debian packages that each purpose needs, and nothing that none of them needs. What the VM with real peers
 * needs is listed beside it, in test/interop/vm/packages.txt.
 */

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const BUILD = {
  why: "to build the addon and the cap and raw-socket modules",
  packages: ["g++", "make", "python3", "libpcap-dev"],
};
const NETWORK = { why: "for the network of namespaces", packages: ["iproute2", "iputils-ping", "procps"] };
const PACKAGE = { why: "to build the Debian package", packages: ["binutils", "dpkg-dev"] };
const BOOT = {
  why: "to test the package in a booted Debian",
  packages: ["debootstrap", "systemd-container"],
};
const PAGE = {
  why: "to test the page, the manual page and completion",
  packages: ["chromium", "groff-base", "zsh"],
};
const DOCUMENTED = { why: "for commands in the documentation", packages: ["curl"] };
/** The gateway does not need them: without them it forwards by its loop alone. */
export const XDP = { why: "to build the XDP program", packages: ["clang", "libbpf-dev"] };

/** One name a line; "#" starts a comment. */
function testing(root) {
  const lines = readFileSync(join(root, "test/interop/vm/packages.txt"), "utf8").split("\n");
  const names = lines.map((line) => line.replace(/#.*/, "").trim()).filter(Boolean);
  const packages = names.filter((name) => !NETWORK.packages.includes(name));
  return { why: "for tests with other decoders and real peers", packages };
}

/**
 * @param {string} purpose one of run, test, check, build, bench, package
 * @param {string} root the checkout
 * @returns {{ why: string, packages: string[] }[]}
 */
export function packageGroups(purpose, root) {
  switch (purpose) {
    case "run":
      return [BUILD, NETWORK];
    case "bench":
      return [BUILD, NETWORK, { ...XDP, why: "for the XDP program and the generator of frames" }];
    case "test":
      return [BUILD, NETWORK, testing(root), PACKAGE, BOOT, PAGE, DOCUMENTED];
    case "package":
      return [BUILD, PACKAGE];
    default:
      return [BUILD];
  }
}

/**
 * The groups reduced to what is not installed; all of it where there is no dpkg to ask.
 * @param {{ why: string, packages: string[] }[]} groups
 */
export function missingPackages(groups) {
  const wanted = groups.flatMap((group) => group.packages);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own notation
  const format = "${Package} ${db:Status-Status}\n";
  // exits with 1 when it does not know one of the names, and still lists the others
  const query = spawnSync("dpkg-query", ["-W", "-f", format, ...wanted], { encoding: "utf8" });
  const installed = new Set(
    (query.stdout ?? "")
      .split("\n")
      .filter((line) => line.endsWith(" installed"))
      .map((line) => line.split(" ")[0]),
  );
  return groups
    .map(({ why, packages }) => ({ why, packages: packages.filter((name) => !installed.has(name)) }))
    .filter(({ packages }) => packages.length > 0);
}
