/** How many columns of a terminal a text takes, as wcwidth(3) has it: names are in every script. */

/** Two columns: East Asian Wide and Fullwidth (UAX #11), and what is shown as emoji by itself (UTS #51). */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6b\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18cff}\u{1aff0}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
/** A flag is made of two of these. */
const REGIONAL_INDICATOR = /\p{Regional_Indicator}/u;
/** None: what is put on the letter before, and the later parts of a Hangul syllable. */
const NONE = /[\p{Mn}\p{Me}\u1160-\u11ff\ud7b0-\ud7ff]/u;
/** Each takes one, as nearly always. */
const ASCII = /^[\x20-\x7e]*$/;

/** Of a text without control characters. */
export function displayWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += widthOf(character);
  return width;
}

/** As much of the text's beginning as fits in so many columns; no letter loses what is put on it. */
export function beginning(text: string, columns: number): string {
  if (ASCII.test(text)) return text.slice(0, Math.max(0, columns));
  let left = columns;
  let end = 0;
  for (const character of text) {
    left -= widthOf(character);
    if (left < 0) break;
    end += character.length;
  }
  return text.slice(0, end);
}

function widthOf(character: string): number {
  if (NONE.test(character)) return 0;
  return WIDE.test(character) && !REGIONAL_INDICATOR.test(character) ? 2 : 1;
}
