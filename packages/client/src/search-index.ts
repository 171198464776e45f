/**
 * Full-text search over opened memories: BM25+ (Lv and Zhai, 2011) over title, text and tags, with beginnings of words and typos. It lives in
 * memory and holds all words of what it indexes; whoever keeps `encode()` on a disk seals it.
 */
import type { Bytes } from '@strongroom/kernel';
import {
  countedIn,
  countIn,
  decodePostings,
  encodePostings,
  FIELDS,
  type Posting,
  type Postings,
} from './internal/postings.ts';
import { TermTable } from './internal/term-table.ts';
import type { MemoryDocument } from './memory-document.ts';
import { isUnspaced, searchTerms } from './search-terms.ts';

export interface Found {
  readonly id: string;
  /** Higher is better; comparable within one search only. */
  readonly score: number;
}

/** Title, text, tags: a word in a title says more about a memory than the same word in its text. */
const BOOST = [2, 1, 1.5] as const;
/** A term found only by its beginning or with a typo counts less than one found as typed, the less the more differs. */
const WEIGHTS = { prefix: 0.5, fuzzy: 0.25 };
/** How fast the letters that a beginning lacks take weight away. */
const PREFIX_LOSS = 0.3;
/** Letters from which on a typo is forgiven; shorter words have too many neighbours. */
const FUZZY_FROM = 5;
/** Edits per letter, rounded: one from five letters on, two from eight. */
const FUZZINESS = 0.2;
/** Edits, however long the word. */
const MOST_EDITS = 6;
/** Terms of one query that are looked up; more are a pasted document, not a question. */
const MOST_TERMS = 50;
/** BM25+: saturation of repetitions, influence of length, and what any occurrence is worth; the usual values. */
const SATURATION = 1.2;
const LENGTH_INFLUENCE = 0.7;
const OCCURRENCE = 0.5;
/** Replaced and removed documents that are carried along, beside as many as there are live ones. */
const MOST_GONE = 1000;

/** A term of the index that answers a term of the query. */
interface Candidate {
  readonly term: string;
  readonly weight: number;
}

export class SearchIndex {
  /** Null for a document that was removed or replaced. */
  #ids: (string | null)[] = [];
  #numbers = new Map<string, number>();
  #lengths: Uint32Array = new Uint32Array(FIELDS * 64);
  /** Sum of the lengths of all documents, for each field. */
  #totals = [0, 0, 0];
  #postings = new Map<string, Posting>();
  #terms = new TermTable();

  /** From `encode`; null for the form of another version. */
  static decode(bytes: Bytes): SearchIndex | null {
    const postings = decodePostings(bytes);
    if (postings === null) return null;
    const index = new SearchIndex();
    index.#take(postings);
    return index;
  }

  get size(): number {
    return this.#numbers.size;
  }

  has(id: string): boolean {
    return this.#numbers.has(id);
  }

  ids(): string[] {
    return [...this.#numbers.keys()];
  }

  /** Adds the memory, in place of what was indexed under this id. */
  put(id: string, document: MemoryDocument): void {
    this.remove(id);
    const number = this.#ids.length;
    this.#ids.push(id);
    this.#numbers.set(id, number);
    const counts = new Map<string, number>();
    for (const [field, text] of [document.title ?? '', document.text, document.tags.join(' ')].entries()) {
      for (const term of searchTerms(text)) counts.set(term, countedIn(counts.get(term) ?? 0, field));
    }
    for (const [term, packed] of counts) this.#posting(term).added.push(number, packed);
    this.#setLengths(number, counts.values());
  }

  remove(id: string): void {
    const number = this.#numbers.get(id);
    if (number === undefined) return;
    this.#numbers.delete(id);
    this.#ids[number] = null;
    for (let field = 0; field < FIELDS; field += 1) this.#totals[field]! -= this.#lengths[number * FIELDS + field]!;
    if (this.#ids.length > this.size * 2 + MOST_GONE) this.#take(this.#live());
  }

  /** Memories that hold any of the words, those with more and rarer ones first. */
  search(query: string, limit: number): Found[] {
    return SearchIndex.searchAll([this], query, limit);
  }

  /** The same over several indexes, ranked as if they were one. */
  static searchAll(indexes: readonly SearchIndex[], query: string, limit: number): (Found & { index: SearchIndex })[] {
    const terms = [...new Set(searchTerms(query))].slice(0, MOST_TERMS);
    const sizes = indexes.reduce((sum, { size }) => sum + size, 0);
    const averages = BOOST.map(
      (_, field) => indexes.reduce((sum, index) => sum + index.#totals[field]!, 0) / Math.max(1, sizes),
    );
    const scores = indexes.map((index) => new Scores(index.#ids.length));
    for (const term of terms) {
      const candidates = new Map<string, Candidate>();
      for (const index of indexes) index.#candidates(term, candidates);
      for (const candidate of candidates.values()) {
        const frequencies = [0, 0, 0];
        for (const index of indexes) index.#countDocuments(candidate.term, frequencies);
        const worths = frequencies.map(
          (frequency, field) =>
            candidate.weight * BOOST[field]! * Math.log(1 + (sizes - frequency + 0.5) / (frequency + 0.5)),
        );
        for (const [at, index] of indexes.entries()) index.#score(candidate.term, worths, averages, scores[at]!);
      }
      for (const score of scores) score.nextTerm();
    }
    return scores
      .flatMap((score, at) => {
        const index = indexes[at]!;
        return score.best(limit).flatMap(([number, value]) => {
          const id = index.#ids[number];
          return id === null || id === undefined ? [] : [{ id, score: value, index }];
        });
      })
      .toSorted((left, right) => right.score - left.score)
      .slice(0, limit);
  }

  /** Everything in it, in clear. */
  encode(): Bytes {
    return encodePostings(this.#live());
  }

  /** Words that count for a word of the query, each with the greatest weight that it has for one reason. */
  #candidates(word: string, found: Map<string, Candidate>): void {
    const { length } = word;
    found.set(word, { term: word, weight: 1 });
    const unspaced = isUnspaced(word);
    if (unspaced || length > 2) {
      for (const term of this.#terms.startingWith(word)) {
        const weight = (WEIGHTS.prefix * length) / (length + PREFIX_LOSS * (term.length - length));
        if (!found.has(term)) found.set(term, { term, weight });
      }
    }
    if (unspaced || length < FUZZY_FROM || /\p{N}/u.test(word)) return;
    const edits = Math.min(MOST_EDITS, Math.round(length * FUZZINESS));
    for (const [term, distance] of this.#terms.near(word, edits)) {
      if (!found.has(term)) found.set(term, { term, weight: (WEIGHTS.fuzzy * length) / (length + distance) });
    }
  }

  /** Adds to each field the number of documents that hold the term there. */
  #countDocuments(term: string, frequencies: number[]): void {
    const posting = this.#postings.get(term);
    if (posting === undefined) return;
    for (const list of [posting.kept, posting.added]) {
      for (let at = 0; at < list.length; at += 2) {
        if (this.#ids[list[at]!] === null) continue;
        const packed = list[at + 1]!;
        for (let field = 0; field < FIELDS; field += 1) if (countIn(packed, field) > 0) frequencies[field]! += 1;
      }
    }
  }

  /** Adds what the term is worth to each document that holds it. */
  #score(term: string, worths: readonly number[], averages: readonly number[], scores: Scores): void {
    const posting = this.#postings.get(term);
    if (posting === undefined) return;
    for (const list of [posting.kept, posting.added]) {
      for (let at = 0; at < list.length; at += 2) {
        const number = list[at]!;
        if (this.#ids[number] === null) continue;
        const packed = list[at + 1]!;
        let score = 0;
        for (let field = 0; field < FIELDS; field += 1) {
          const count = countIn(packed, field);
          if (count === 0) continue;
          const relative = this.#lengths[number * FIELDS + field]! / averages[field]!;
          const damped = count + SATURATION * (1 - LENGTH_INFLUENCE + LENGTH_INFLUENCE * relative);
          score += worths[field]! * (OCCURRENCE + (count * (SATURATION + 1)) / damped);
        }
        scores.add(number, score);
      }
    }
  }

  #posting(term: string): Posting {
    const known = this.#postings.get(term);
    if (known !== undefined) return known;
    const posting: Posting = { kept: NOTHING, added: [] };
    this.#postings.set(term, posting);
    this.#terms.add(term);
    return posting;
  }

  #setLengths(number: number, counts: Iterable<number>): void {
    const start = number * FIELDS;
    if (start + FIELDS > this.#lengths.length) {
      const larger = new Uint32Array(this.#lengths.length * 2 + FIELDS);
      larger.set(this.#lengths);
      this.#lengths = larger;
    }
    for (const packed of counts) {
      for (let field = 0; field < FIELDS; field += 1)
        if (countIn(packed, field) > 0) this.#lengths[start + field]! += 1;
    }
    for (let field = 0; field < FIELDS; field += 1) this.#totals[field]! += this.#lengths[start + field]!;
  }

  /** Without what was removed. */
  #live(): Postings {
    const places = new Int32Array(this.#ids.length).fill(-1);
    const ids: string[] = [];
    const lengths = new Uint32Array(this.size * FIELDS);
    for (const [number, id] of this.#ids.entries()) {
      if (id === null) continue;
      places[number] = ids.length;
      lengths.set(this.#lengths.subarray(number * FIELDS, (number + 1) * FIELDS), ids.length * FIELDS);
      ids.push(id);
    }
    const terms: string[] = [];
    const pairs: Uint32Array[] = [];
    for (const term of this.#terms.all()) {
      const { kept, added } = this.#postings.get(term)!;
      const list = new Uint32Array(kept.length + added.length);
      let end = 0;
      for (const part of [kept, added]) {
        for (let at = 0; at < part.length; at += 2) {
          const place = places[part[at]!]!;
          if (place === -1) continue;
          list[end] = place;
          list[end + 1] = part[at + 1]!;
          end += 2;
        }
      }
      if (end === 0) continue;
      terms.push(term);
      pairs.push(list.subarray(0, end));
    }
    return { ids, lengths, terms, pairs };
  }

  #take({ ids, lengths, terms, pairs }: Postings): void {
    this.#ids = [...ids];
    this.#numbers = new Map(ids.map((id, number) => [id, number]));
    this.#lengths = lengths.length === 0 ? new Uint32Array(FIELDS * 64) : lengths;
    this.#totals = [0, 0, 0];
    for (let at = 0; at < lengths.length; at += 1) this.#totals[at % FIELDS]! += lengths[at]!;
    this.#postings = new Map(terms.map((term, at) => [term, { kept: pairs[at]!, added: [] }]));
    this.#terms = new TermTable([...terms]);
  }
}

const NOTHING = new Uint32Array(0);

/** What the documents of one index have earned in one search. */
class Scores {
  readonly #sums: Float64Array;
  /** How many terms of the query a document answers. */
  readonly #terms: Uint8Array;
  /** The last term of the query that it answered, counted from 1. */
  readonly #last: Uint8Array;
  readonly #touched: number[] = [];
  #term = 1;

  constructor(documents: number) {
    this.#sums = new Float64Array(documents);
    this.#terms = new Uint8Array(documents);
    this.#last = new Uint8Array(documents);
  }

  add(number: number, score: number): void {
    this.#sums[number]! += score;
    if (this.#last[number] === this.#term) return;
    if (this.#terms[number] === 0) this.#touched.push(number);
    this.#last[number] = this.#term;
    this.#terms[number]! += 1;
  }

  nextTerm(): void {
    this.#term += 1;
  }

  /** The best ones, in no order; a few more where scores are equal. */
  best(limit: number): (readonly [number: number, score: number])[] {
    const total = (number: number): number => this.#sums[number]! * this.#terms[number]!;
    const sorted = Float64Array.from(this.#touched, total).toSorted();
    const least = sorted[Math.max(0, sorted.length - limit)] ?? 0;
    return this.#touched.flatMap((number) => {
      const score = total(number);
      return score >= least ? [[number, score] as const] : [];
    });
  }
}
