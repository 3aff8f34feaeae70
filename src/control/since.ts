const UNITS_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A time, milliseconds since 1970, of an ISO 8601 text or of how long ago it was ("15m"); undefined of anything else. */
export function parseSince(text: string, now: number): number | undefined {
  const ago = /^(\d{1,9})([smhd])$/.exec(text);
  if (ago !== null) return now - Number(ago[1]) * UNITS_MS[ago[2] as keyof typeof UNITS_MS];
  const at = /^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}
