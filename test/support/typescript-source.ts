/** A look at TypeScript source that is just deep enough for the rules about imports and words. */

/**
 * The source with comments and the contents of string and template literals blanked, so that words in them count
 * for nothing. Offsets and lines stay. `keepStrings` leaves the strings: imports are written in them.
 */
export function withoutComments(source: string, keepStrings = false): string {
  // in this order at each place: comments, strings, templates; whatever starts first wins. A regular expression
  // literal with a quote or slash pair in it is taken before they are.
  const token =
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\[\s\S]|[^`\\])*`|(?<=[=(,:!&|?{};\n]\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/g;
  return source.replace(token, (text) => {
    const isComment = text.startsWith("//") || text.startsWith("/*");
    return isComment || !keepStrings ? text.replace(/[^\n]/g, " ") : text;
  });
}

/** Every module that the source names: import, export … from, import(), require() and new URL(…, import.meta.url). */
export function importsOf(source: string): string[] {
  const specifier =
    /\b(?:from|import)\s*["']([^"']+)["']|\b(?:import|require)\s*\(\s*["']([^"']+)["']|\bnew URL\(\s*["']([^"']+)["']/g;
  return [...withoutComments(source, true).matchAll(specifier)].map(
    (match) => match[1] ?? match[2] ?? match[3]!,
  );
}
