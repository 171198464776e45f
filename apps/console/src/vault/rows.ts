/** Memories as lists show them: a heading and one line, cut here so that thousands of them travel lightly. */
import type { OpenedMemory } from '@strongroom/client';
import type { Row } from './protocol.ts';

/** Characters; more than two lines on any screen. */
const HEADING_CHARACTERS = 160;
export const EXCERPT_CHARACTERS = 240;

export function rowOf({ space, id, version, document }: OpenedMemory): Row {
  const { title, text, kind, tags, createdAt } = document;
  const { heading, excerpt } = headingAndExcerpt(title, text);
  return { space, id, version, heading, excerpt, kind: kind ?? null, tags, createdAt };
}

export function headingAndExcerpt(title: string | undefined, text: string): { heading: string; excerpt: string } {
  // Twice as much as is shown: white space shrinks.
  const start = oneLine(text.slice(0, (HEADING_CHARACTERS + EXCERPT_CHARACTERS) * 2));
  if (title !== undefined && title.trim() !== '') {
    return { heading: cut(oneLine(title), HEADING_CHARACTERS), excerpt: cut(start, EXCERPT_CHARACTERS) };
  }
  const [first = ''] = text.trim().split('\n', 1);
  const heading = cut(oneLine(first), HEADING_CHARACTERS);
  const rest = start.startsWith(heading) ? start.slice(heading.length).trim() : '';
  return { heading, excerpt: cut(rest, EXCERPT_CHARACTERS) };
}

/** Also what turns text around or hides it in a list: bidirectional controls and their like. */
export const oneLine = (text: string): string =>
  text
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+/gu, ' ')
    .replaceAll(/\s+/gu, ' ')
    .trim();

export function cut(text: string, characters: number): string {
  if (text.length <= characters) return text;
  const shorter = text.slice(0, characters);
  return shorter.isWellFormed() ? shorter : shorter.slice(0, -1);
}
