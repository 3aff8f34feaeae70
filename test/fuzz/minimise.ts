/** What makes a failure easier to read: parts that it does not need are left out, as long as it fails. */

/** Attempts for one failure. */
const ATTEMPTS = 2000;

/** Removes pieces of a list, large ones first, while `fails` still says so. */
export function fewer<T>(list: readonly T[], fails: (list: readonly T[]) => boolean): readonly T[] {
  let kept = list;
  let attempts = ATTEMPTS;
  for (let size = kept.length >> 1; size > 0; size >>= 1) {
    for (let at = 0; at < kept.length && attempts > 0; attempts--) {
      const without = [...kept.slice(0, at), ...kept.slice(at + size)];
      if (fails(without)) kept = without;
      else at += size;
    }
  }
  return kept;
}

/** Cuts pieces out of octets, then makes as many of the rest zero as may be. */
export function minimised(bytes: Uint8Array, fails: (bytes: Uint8Array) => boolean): Uint8Array {
  const short = Uint8Array.from(fewer([...bytes], (list) => fails(Uint8Array.from(list))));
  for (let i = 0; i < short.length; i++) {
    const octet = short[i]!;
    if (octet === 0) continue;
    short[i] = 0;
    if (!fails(short)) short[i] = octet;
  }
  return short;
}
