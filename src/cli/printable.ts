/** Text for a terminal: control characters, which subscribers could put into their names, become U+FFFD. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, "\uFFFD");
}

/**
 * JSON without a character that acts on a terminal or turns text round, escaped where they stand in strings: it says the
 * same. JSON itself escapes only those below U+0020.
 */
export function printableJson(json: string): string {
  return json.replaceAll(/[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from({ length: character.length }, (_, i) => {
      const unit = character.charCodeAt(i).toString(16);
      return `\\u${unit.padStart(4, "0")}`;
    }).join(""),
  );
}
