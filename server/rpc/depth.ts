/**
 * How deep a JSON text nests, found before it is parsed: parsing millions of brackets would take the memory of millions of objects.
 *
 * @module
 */

/** Whether arrays and objects of a JSON text lie more than `max` deep in each other. The text may be malformed. */
export function isDeeperThan(text: string, max: number): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22 /* " */) {
      i = endOfString(text, i);
    } else if (code === 0x5b /* [ */ || code === 0x7b /* { */) {
      if (++depth > max) return true;
    } else if (code === 0x5d /* ] */ || code === 0x7d /* } */) {
      depth--;
    }
  }
  return false;
}

/** Where the string that begins at `start` ends: its closing quote or the end of the text. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1;;) {
    const quote = text.indexOf('"', i);
    if (quote === -1) return text.length;
    let backslashes = 0;
    while (text.charCodeAt(quote - 1 - backslashes) === 0x5c) backslashes++;
    if (backslashes % 2 === 0) return quote;
    i = quote + 1;
  }
}
