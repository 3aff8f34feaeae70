/** A value of a file as YAML in one line: `{ lns: isp, idle-timeout: 10m }`, `[chap, pap]`, `""`. */
export function flowText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flowText).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([key, item]) => `${flowText(key)}: ${flowText(item)}`);
    return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
  }
  return typeof value === "string" && !isPlain(value) ? JSON.stringify(value) : String(value);
}

/** Whether YAML takes it for text as it stands, within brackets, too. */
function isPlain(text: string): boolean {
  return (
    /^[\w./%@+-](?:[\w./%@+: -]*[\w./%@+-])?$/.test(text) &&
    !/^[\d.+-]+$|^(?:true|false|null|~)$|: | #/.test(text)
  );
}
