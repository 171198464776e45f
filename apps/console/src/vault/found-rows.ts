/** Search results as lists show them: with the place where the words are, and the words marked. */
import { foldText, isUnspaced, searchTerms, type OpenedMemory } from '@strongroom/client';
import type { Row, Span } from './protocol.ts';
import { EXCERPT_CHARACTERS, cut, oneLine, rowOf } from './rows.ts';

/** Characters of a text that are looked through; the rest of a very long one is left to whoever opens it. */
const READ_CHARACTERS = 8_192;
/** Characters of an excerpt that are surely seen, on a phone too. */
const SEEN_CHARACTERS = 40;
/** Characters before the first match, so that it stands in its sentence. */
const LEAD_CHARACTERS = 24;

const WORD = /[\p{L}\p{N}\p{M}]+/gu;
const WORD_CHARACTER = /[\p{L}\p{N}\p{M}]/u;

/** How the rows of one search are made. What was found only by forgiving a typing error shows its beginning, unmarked. */
export function foundRow(query: string): (memory: OpenedMemory) => Row {
  const terms = [...new Set(searchTerms(query))];
  return (memory) => {
    const row = rowOf(memory);
    const excerpt = excerptAround(row, memory.document.text, terms);
    return { ...row, excerpt, marks: { heading: marksIn(row.heading, terms), excerpt: marksIn(excerpt, terms) } };
  };
}

function excerptAround({ heading, excerpt }: Row, text: string, terms: readonly string[]): string {
  if (marksIn(heading, terms).length > 0 || marksIn(excerpt.slice(0, SEEN_CHARACTERS), terms).length > 0)
    return excerpt;
  const place = firstMatch(text.slice(0, READ_CHARACTERS), terms);
  if (place === undefined || place <= LEAD_CHARACTERS) return excerpt;
  const gap = text.indexOf(' ', place - LEAD_CHARACTERS);
  const near = gap === -1 || gap > place ? place : gap;
  const start = /[\udc00-\udfff]/.test(text[near]!) ? near - 1 : near;
  return cut(`… ${oneLine(text.slice(start, start + EXCERPT_CHARACTERS * 2))}`, EXCERPT_CHARACTERS);
}

/** Where the first of the terms begins, as nearly as folding lets it be said: folded text may be some characters shorter or longer. */
function firstMatch(text: string, terms: readonly string[]): number | undefined {
  const folded = foldText(text);
  const places = terms.flatMap((term) => {
    for (let at = folded.indexOf(term); at !== -1; at = folded.indexOf(term, at + 1)) {
      if (at === 0 || isUnspaced(term) || !WORD_CHARACTER.test(folded[at - 1]!)) return [at];
    }
    return [];
  });
  return places.length === 0 ? undefined : Math.floor((Math.min(...places) * text.length) / folded.length);
}

/** The words of a line that begin with one of the terms, in order and apart from each other. */
function marksIn(line: string, terms: readonly string[]): Span[] {
  const whole = foldText(line);
  if (!terms.some((term) => whole.includes(term))) return [];
  const spans: Span[] = [];
  for (const { 0: word, index } of line.matchAll(WORD)) {
    const folded = foldText(word);
    for (const term of terms) {
      if (isUnspaced(term)) {
        const at = folded.length === word.length ? folded.indexOf(term) : -1;
        if (at !== -1) spans.push([index + at, index + at + term.length]);
      } else if (folded.startsWith(term)) spans.push([index, index + word.length]);
    }
  }
  return joined(spans);
}

function joined(spans: readonly Span[]): Span[] {
  const result: [number, number][] = [];
  for (const [start, end] of spans.toSorted((left, right) => left[0] - right[0])) {
    const last = result.at(-1);
    if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end);
    else result.push([start, end]);
  }
  return result;
}
