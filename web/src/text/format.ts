/** Numbers and times as people read them. */

const DECIMAL = ["", "k", "M", "G", "T", "P"] as const;

/** "0", "8.4 k", "120 M": three digits at the most. */
function scaled(value: number): string {
  let scale = 0;
  let rest = Math.abs(value);
  while (rest >= 999.5 && scale < DECIMAL.length - 1) {
    rest /= 1000;
    scale += 1;
  }
  const digits =
    rest >= 99.95 || rest === 0 || (scale === 0 && Number.isInteger(rest)) ? 0 : rest >= 9.995 ? 1 : 2;
  const text = rest.toFixed(digits);
  return `${value < 0 ? "-" : ""}${text} ${DECIMAL[scale]}`;
}

/** Of octets a second: "8.40 Mbit/s". */
export function bitRate(octetsPerSecond: number): string {
  return `${scaled(octetsPerSecond * 8)}bit/s`;
}

/** "56.8 MB": decimal, as links are. */
export function size(octets: number): string {
  return octets < 1000 ? `${Math.round(octets)} B` : `${scaled(octets)}B`;
}

/** "64,000". */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** "4.2", "12": a few of something a second. */
export function perSecond(value: number): string {
  if (value === 0) return "0";
  return value < 10 ? value.toFixed(1) : count(value);
}

/** Steps from mark to mark of an axis; no quarters, which perSecond() would round. */
export const AXIS_STEPS: readonly number[] = Array.from({ length: 17 }, (_, i) =>
  [1, 2, 5].map((digit) => Number(`${digit}e${i - 1}`)),
).flat();

/** "59 s", "62 min 05 s", "1 h 02 min", "3 d 04 h": two parts at the most. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value: number): string => String(value).padStart(2, "0");
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
  return `${Math.floor(whole / 86_400)} d ${two(Math.floor((whole % 86_400) / 3600))} h`;
}

/** "4:07": what is left of a lockout. */
export function countdown(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** "1 session", "12 sessions". */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** Of milliseconds since 1970, in the reader's time zone: "03:04:05", with milliseconds on request. */
export function clockTime(at: number, withMilliseconds = false): string {
  const time = new Date(at);
  const two = (value: number): string => String(value).padStart(2, "0");
  const text = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  return withMilliseconds ? `${text}.${String(time.getMilliseconds()).padStart(3, "0")}` : text;
}

/** "2 Jan 03:04:05", or the time alone when it is of the last hours. */
export function dayTime(at: number, now: number): string {
  const time = new Date(at);
  const isRecent = now - at < 12 * 3_600_000;
  const day = `${time.getDate()} ${time.toLocaleString("en-GB", { month: "short" })} `;
  return `${isRecent ? "" : day}${clockTime(at)}`;
}
