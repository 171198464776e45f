/** Full-text search over opened memories. It lives in memory, holds their words, and goes when the vault is locked. */
import MiniSearch from 'minisearch';
import type { MemoryDocument } from './memory-document.ts';
import { isUnspaced, searchTerms } from './search-terms.ts';

export interface Found {
  readonly id: string;
  /** Higher is better; comparable within one search only. */
  readonly score: number;
}

interface Indexed {
  readonly id: string;
  readonly title: string;
  readonly text: string;
  readonly tags: string;
}

/** A word in a title says more about a memory than the same word in its text. */
const BOOST = { title: 2, tags: 1.5 };
/** A term found only by its beginning or with a typo counts less than one found as typed. */
const WEIGHTS = { prefix: 0.5, fuzzy: 0.25 };
/** Letters from which on a typo is forgiven; shorter words have too many neighbours. */
const FUZZY_FROM = 5;
/** Edits per letter: one from five letters on, two from ten. */
const FUZZINESS = 0.2;
/** Terms of one query that are looked up; more are a pasted document, not a question. */
const MOST_TERMS = 50;

export class SearchIndex {
  readonly #index = new MiniSearch<Indexed>({
    fields: ['title', 'text', 'tags'],
    tokenize: searchTerms,
    processTerm: (term) => term,
  });

  get size(): number {
    return this.#index.documentCount;
  }

  /** Adds the memory, in place of what was indexed under this id. */
  put(id: string, document: MemoryDocument): void {
    this.remove(id);
    this.#index.add({ id, title: document.title ?? '', text: document.text, tags: document.tags.join(' ') });
  }

  remove(id: string): void {
    if (this.#index.has(id)) this.#index.discard(id);
  }

  /** Memories that hold any of the words, those with more and rarer ones first. */
  search(query: string, limit: number, wanted: (id: string) => boolean = () => true): Found[] {
    const terms = [...new Set(searchTerms(query))].slice(0, MOST_TERMS);
    if (terms.length === 0) return [];
    const found = this.#index.search(terms.join('\n'), {
      tokenize: (joined) => joined.split('\n'),
      combineWith: 'OR',
      filter: ({ id }) => wanted(id as string),
      boost: BOOST,
      weights: WEIGHTS,
      prefix: (term) => isUnspaced(term) || term.length > 2,
      fuzzy: (term) => (isUnspaced(term) || term.length < FUZZY_FROM || /\p{N}/u.test(term) ? false : FUZZINESS),
    });
    return found.slice(0, limit).map(({ id, score }) => ({ id: id as string, score }));
  }
}
