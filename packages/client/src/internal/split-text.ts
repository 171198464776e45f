/**
 * UTF-16 units of one memory made by an importer: in the worst case of three bytes each, or six when JSON escapes them, still below
 * what the server takes, and short enough that a search hit says where to look.
 */
const LONGEST_PART = 24 * 1024;

/** Puts paragraphs together into texts of bounded length; a paragraph that is too long alone is cut. */
export function splitText(paragraphs: readonly string[], longest: number = LONGEST_PART): string[] {
  const texts: string[] = [];
  let text = '';
  for (const paragraph of paragraphs.flatMap((whole) => cut(whole, longest))) {
    if (text !== '' && text.length + 2 + paragraph.length > longest) {
      texts.push(text);
      text = '';
    }
    text = text === '' ? paragraph : `${text}\n\n${paragraph}`;
  }
  if (text !== '') texts.push(text);
  return texts;
}

/** Cuts at a line end or a space where there is one in the last quarter, and never inside a surrogate pair. */
function cut(text: string, longest: number): string[] {
  const parts: string[] = [];
  let rest = text;
  while (rest.length > longest) {
    const window = rest.slice(0, longest);
    const gap = Math.max(window.lastIndexOf('\n'), window.lastIndexOf(' '));
    let end = gap > longest * 0.75 ? gap + 1 : longest;
    if (/[\ud800-\udbff]/.test(rest[end - 1]!)) end -= 1;
    parts.push(rest.slice(0, end));
    rest = rest.slice(end);
  }
  if (rest !== '') parts.push(rest);
  return parts;
}
