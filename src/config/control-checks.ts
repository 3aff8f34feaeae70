import { readNamedFile } from "./named-file.ts";
import { type Raw, rawList, rawMap, rawText } from "./raw.ts";
import { where } from "./schema-problems.ts";
import type { Path, Problem } from "./yaml-source.ts";

/** The HTTP API is open to nobody who does not prove himself, and in the clear within the host only. */
export function checkControl(config: Raw, folder: string): Problem[] {
  return rawList(rawMap(config.control).listen)
    .map(rawMap)
    .flatMap((listener, i) => checkListener(["control", "listen", i], listener, folder));
}

function checkListener(path: Path, listener: Raw, folder: string): Problem[] {
  const address = rawText(listener.address);
  const tls = "tls" in listener ? rawMap(listener.tls) : undefined;
  const problems: Problem[] = [];
  if (address !== undefined && tls === undefined && !isLoopback(address))
    problems.push(
      problem(
        [...path, "address"],
        `${address} is not the host's own, so that tokens could be overheard; allowed: 127.0.0.1 or ::1, or any with tls`,
      ),
    );
  if (!("token-file" in listener) && tls?.["client-ca"] === undefined)
    problems.push({
      path,
      at: "value",
      text: `${where(path)}nobody would have to prove who he is; needed: token-file, or tls with client-ca`,
    });
  const privateFiles: [Path, unknown][] = [
    [[...path, "token-file"], listener["token-file"]],
    [[...path, "tls", "key"], tls?.key],
  ];
  for (const [at, name] of privateFiles) {
    const file = rawText(name);
    const complaint = file === undefined ? undefined : complaintAbout(folder, file);
    if (complaint !== undefined) problems.push(problem(at, `${file} ${complaint}`));
  }
  return problems;
}

function complaintAbout(folder: string, written: string): string | undefined {
  const file = readNamedFile(folder, written);
  if (!file.ok) return file.reason;
  return file.exposed === undefined ? undefined : `is a secret, but its ${file.exposed}`;
}

function isLoopback(address: string): boolean {
  return address === "::1" || /^127\./.test(address);
}

function problem(path: Path, text: string): Problem {
  return { path, at: "value", text: `${where(path)}${text}` };
}
