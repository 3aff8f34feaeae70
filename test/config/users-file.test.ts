import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConfigError } from "../../src/config/config-error.ts";
import { loadConfig, loadConfigSteps } from "../../src/config/load.ts";
import { readUsersFile, type UsersFile, usersFileSteps } from "../../src/config/users-file.ts";
import { stepsInTurns } from "../../src/gateway/turns.ts";
import { ConfigFolder } from "./config-folder.ts";

const loadConfigInTurns = async (path: string) => (await stepsInTurns(loadConfigSteps(path))).config;

const CONFIG = { units: { local: { address: "100.64.0.1" } } };

/** Part by part, and how many parts it had. */
function inParts(text: string): { readonly read: UsersFile; readonly parts: number } {
  const steps = usersFileSteps(CONFIG, "users.yaml", text);
  for (let parts = 0; ; parts++) {
    const step = steps.next();
    if (step.done === true) return { read: step.value, parts };
  }
}

function plainOf({ users, messages }: UsersFile) {
  const shown = users.map(({ password, ...user }) => ({ ...user, password: [...password.octets()] }));
  return { users: messages === "" ? shown : "none", messages };
}

/** A user as somebody writes him, mostly well. */
const user = fc.oneof(
  { weight: 12, arbitrary: fc.nat(60).map((i) => `- { name: user${i}, password: secret-${i} }\n`) },
  { weight: 6, arbitrary: fc.nat(60).map((i) => `- name: u${i}@x.example\n  password: "p-${i}"\n`) },
  fc.nat(9).map((i) => `- { name: b${i}, password: p, address: 10.0.0.${i}, dns: [192.0.2.1] }\n`),
  fc.constantFrom(
    "# a remark\n",
    "\n",
    "- name: c\n  password: p\n  dns:\n  - 192.0.2.1\n  - 192.0.2.2\n",
    "- name: d\n  password: >\n    folded\n\n    - no item\n",
    '- name: "e\n    f"\n  password: p\n',
    "- { name: g, password: p, unit: nowhere }\n",
    "- { name: h, password: p, address: 100.64.0.1 }\n",
    "- { name: i, passwort: hunter2 }\n",
    "- { name: j, name: j, password: 12345 }\n",
    "- { name: k, password: p, address: 10.0.0.300 }\n",
    "-\n  name: l\n  password: p\r\n",
    "- just text\n",
    "-\tname\n",
    "- [1,\n- 2]\n",
    '- name: "open\n',
    "- *alias\n",
    "- &anchor { name: m, password: p }\n",
    "  - { name: n, password: p }\n",
    "---\n",
    "%YAML 1.2\n",
    "o: p\n",
    "-",
    "- { name: q, password: p",
  ),
);
const written = fc
  .tuple(fc.array(user, { maxLength: 60 }), fc.constantFrom("", "  ", "\n# head\n"))
  .map(([users, head]) => (head === "  " ? users.map((each) => each.replace(/^/gm, head)) : [head, ...users]))
  .map((lines) => lines.join(""));

describe("a users file", () => {
  it("says the same in parts as at one go, whatever is wrong with it", () => {
    fc.assert(
      fc.property(written, (text) => {
        expect(plainOf(inParts(text).read)).toEqual(plainOf(readUsersFile(CONFIG, "users.yaml", text)));
      }),
      { numRuns: 150 },
    );
  });

  it("names lines, columns and users as they are in the whole file", () => {
    const users = Array.from({ length: 100 }, (_, i) => `- { name: user${i}, password: p }\n`);
    users[50] = "- { name: user7, pasword: p }\n";
    users[99] = "- { name: user99, password: p, address: 1.2.3 }\n";
    const { read, parts } = inParts(`# users\n${users.join("")}`);
    expect(parts).toBeGreaterThan(5);
    expect(read.messages.split("\n")).toEqual([
      expect.stringMatching(/^users\.yaml:52:3: \[50\]: password is missing:/),
      'users.yaml:52:11: [50].name: read "user7", which user [7] has too',
      expect.stringMatching(
        /^users\.yaml:52:18: \[50\]: unknown key "pasword" \(did you mean "password"\?\)/,
      ),
      expect.stringMatching(/^users\.yaml:101:41: \[99\]\.address: read "1\.2\.3"; allowed: an IPv4 address/),
    ]);
  });
});

describe("many users", () => {
  const users = (count: number): string =>
    Array.from({ length: count }, (_, i) => `- { name: user${i}, password: p${i} }\n`).join("");

  it("are read in turns, of which none has more than a few of them", () => {
    const steps = usersFileSteps(CONFIG, "users.yaml", users(2000));
    let turns = 0;
    while (steps.next().done !== true) turns += 1;
    expect(turns).toBe(2000 / 16);
  });

  it("let others have their turn, and are all there", async () => {
    const folder = new ConfigFolder();
    folder.write("users.yaml", users(3000));
    const path = folder.write("lacewing.yaml", "name: x\nusers-file: users.yaml\n");
    let others = 0;
    const other = setInterval(() => {
      others += 1;
    }, 1);
    const config = await loadConfigInTurns(path);
    clearInterval(other);
    expect(config.users).toHaveLength(3000);
    expect(others).toBeGreaterThan(5);
  });
});

describe("a configuration that is read in turns", () => {
  it("is the same, and as wrong", async () => {
    const folder = new ConfigFolder();
    folder.write("users.yaml", "- { name: a, password: b }\n- { name: a }\n");
    const path = folder.write("lacewing.yaml", "nam: x\nusers-file: users.yaml\n");
    const message = (error: unknown): string => {
      expect(error).toBeInstanceOf(ConfigError);
      return (error as ConfigError).message;
    };
    let expected = "";
    try {
      loadConfig(path);
    } catch (error) {
      expected = message(error);
    }
    expect(expected.split("\n")).toHaveLength(4);
    expect(message(await loadConfigInTurns(path).catch((error) => error))).toBe(expected);
    folder.write("users.yaml", "- { name: a, password: b }\n");
    folder.write("lacewing.yaml", "name: x\nusers-file: users.yaml\n");
    expect(await loadConfigInTurns(path)).toEqual(loadConfig(path));
  });
});
