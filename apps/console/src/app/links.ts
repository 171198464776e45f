/** Addresses in plain text. Nothing else of a memory is interpreted: no Markdown, no HTML. */

export type TextPiece = { readonly text: string } | { readonly text: string; readonly address: string };

/** Beginnings of addresses; only these two schemes ever become links. */
const ADDRESS = /\bhttps?:\/\/[^\s<>"'`\u202a-\u202e\u2066-\u2069]+/giu;
/** What usually belongs to the sentence around an address, not to it. */
const TRAILING = /[.,;:!?…»”’)\]}*_]+$/u;

export function splitLinks(text: string): TextPiece[] {
  const pieces: TextPiece[] = [];
  let end = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const found = trimmed(match[0]);
    const address = addressOf(found);
    if (address === null) continue;
    if (match.index > end) pieces.push({ text: text.slice(end, match.index) });
    pieces.push({ text: found, address });
    end = match.index + found.length;
  }
  if (end < text.length) pieces.push({ text: text.slice(end) });
  return pieces;
}

/** A closing bracket stays when its opening one is inside. */
function trimmed(address: string): string {
  const trailing = TRAILING.exec(address)?.[0] ?? '';
  const opened = (address.match(/\(/g) ?? []).length;
  let kept = address.slice(0, address.length - trailing.length);
  for (const character of trailing) {
    if (character !== ')' || (kept.match(/\)/g) ?? []).length >= opened) break;
    kept += character;
  }
  return kept;
}

function addressOf(text: string): string | null {
  const url = URL.parse(text);
  // A name and password in front of the host make an address look like another one.
  if (
    url === null ||
    (url.protocol !== 'https:' && url.protocol !== 'http:') ||
    url.username !== '' ||
    url.password !== ''
  )
    return null;
  return url.href;
}
