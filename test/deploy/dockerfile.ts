/** As much of a Dockerfile as ours uses: https://docs.docker.com/reference/dockerfile/ */

/** One stage: the image that it begins with, and what is done to it in order. */
export interface Stage {
  readonly base: string;
  readonly name: string | undefined;
  readonly steps: readonly Step[];
}

export type Step =
  | { readonly kind: "run"; readonly command: string }
  | {
      readonly kind: "copy";
      readonly from: string | undefined;
      readonly source: string;
      readonly target: string;
    }
  | { readonly kind: "workdir"; readonly path: string }
  | { readonly kind: "user"; readonly name: string }
  | { readonly kind: "entrypoint" | "cmd" | "healthcheck"; readonly words: readonly string[] }
  | { readonly kind: "volume"; readonly path: string };

/** Throws an Error that names the line which it does not understand. */
export function parseDockerfile(text: string): readonly Stage[] {
  const stages: { base: string; name: string | undefined; steps: Step[] }[] = [];
  const lines = text
    .replace(/^\s*#.*\n/gm, "")
    .replace(/\\\n/g, " ")
    .split("\n");
  for (const line of lines.map((each) => each.trim()).filter((each) => each !== "")) {
    const [, instruction = "", rest = ""] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
    if (instruction === "FROM") {
      const [, base = "", name] = /^(\S+)(?:\s+AS\s+(\S+))?$/.exec(rest) ?? [];
      stages.push({ base, name, steps: [] });
      continue;
    }
    const stage = stages.at(-1);
    if (stage === undefined) throw new Error(`nothing may come before FROM: ${line}`);
    stage.steps.push(stepOf(instruction, rest, line));
  }
  return stages;
}

function stepOf(instruction: string, rest: string, line: string): Step {
  switch (instruction) {
    case "RUN":
      return { kind: "run", command: rest };
    case "COPY": {
      const [, from, source, target] = /^(?:--from=(\S+)\s+)?(\S+)\s+(\S+)$/.exec(rest) ?? [];
      if (source === undefined || target === undefined) throw new Error(`not understood: ${line}`);
      return { kind: "copy", from, source, target };
    }
    case "WORKDIR":
      return { kind: "workdir", path: rest };
    case "USER":
      return { kind: "user", name: rest };
    case "VOLUME":
      return { kind: "volume", path: rest };
    case "ENTRYPOINT":
      return { kind: "entrypoint", words: JSON.parse(rest) as string[] };
    case "CMD":
      return { kind: "cmd", words: JSON.parse(rest) as string[] };
    case "HEALTHCHECK": {
      const [, words] = /^(?:--\S+\s+)*CMD\s+(\[.*\])$/.exec(rest) ?? [];
      if (words === undefined) throw new Error(`not understood: ${line}`);
      return { kind: "healthcheck", words: JSON.parse(words) as string[] };
    }
    default:
      throw new Error(`not understood: ${line}`);
  }
}
