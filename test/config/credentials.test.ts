import { afterEach, describe, expect, it } from "vitest";
import { fromUtf8 } from "../../src/base/bytes.ts";
import { ConfigFolder } from "./config-folder.ts";

const YAML = `
name: gw
l2tp:
  listen: [{ address: 10.0.0.2 }]
  peers: [{ name: lns1, address: 10.0.0.11, secret-file: "credential:lns1.secret" }]
users-file: "credential:users"
`;

const given = process.env.CREDENTIALS_DIRECTORY;

afterEach(() => {
  if (given === undefined) delete process.env.CREDENTIALS_DIRECTORY;
  else process.env.CREDENTIALS_DIRECTORY = given;
});

describe("a file that is a systemd credential", () => {
  it("is read from where systemd has put it, whatever its mode", () => {
    const folder = new ConfigFolder();
    const credentials = new ConfigFolder();
    // as it is with a user of its own: an ACL lets it read, and shows as the group's access
    credentials.write("lns1.secret", "between us\n", 0o440);
    credentials.write("users", "- { name: alice, password: wonderland }\n", 0o440);
    process.env.CREDENTIALS_DIRECTORY = credentials.path;
    const { l2tp, users } = folder.load(YAML);
    expect(fromUtf8(l2tp.peers[0]!.secret!.octets())).toBe("between us");
    expect(users.map(({ name }) => name)).toEqual(["alice"]);
  });

  it("is complained of where it is not given to us", () => {
    const folder = new ConfigFolder();
    delete process.env.CREDENTIALS_DIRECTORY;
    const reason =
      "is no credential that systemd has given us: $CREDENTIALS_DIRECTORY is not set (the running service's is /run/credentials/lacewing.service), or that is no name";
    expect(folder.complaints(YAML)).toEqual([
      `lacewing.yaml:5:58: l2tp.peers[0].secret-file: credential:lns1.secret ${reason}`,
      `lacewing.yaml:6:13: users-file: credential:users ${reason}`,
    ]);
    process.env.CREDENTIALS_DIRECTORY = folder.path;
    expect(folder.complaints(YAML.replaceAll("credential:users", "credential:../users"))[1]).toContain(
      reason,
    );
    expect(folder.complaints(YAML)[0]).toContain("cannot be opened: ENOENT");
  });
});
