/** All terms of an index, so that those that begin with something or are nearly something are found without looking at each one twice. */

/** Terms that came since the table was sorted: looking at each of them costs less than sorting all. */
const MOST_UNSORTED = 512;

export class TermTable {
  #sorted: string[];
  #recent: string[] = [];

  /** Takes the array over; it must be sorted by code units. */
  constructor(sorted: string[] = []) {
    this.#sorted = sorted;
  }

  /** For a term that is not in the table yet. */
  add(term: string): void {
    this.#recent.push(term);
  }

  /** Sorted by code units. Not to be changed. */
  all(): readonly string[] {
    if (this.#recent.length > 0) {
      this.#sorted = [...this.#sorted, ...this.#recent].toSorted(byCodeUnits);
      this.#recent = [];
    }
    return this.#sorted;
  }

  *startingWith(prefix: string): Generator<string> {
    const sorted = this.#whenFewRecent();
    for (let at = lowerBound(sorted, prefix); at < sorted.length && sorted[at]!.startsWith(prefix); at += 1)
      yield sorted[at]!;
    for (const term of this.#recent) if (term.startsWith(prefix)) yield term;
  }

  /** With the number of letters to insert, delete or replace (Levenshtein), from 0 to `most`. */
  *near(word: string, most: number): Generator<readonly [term: string, distance: number]> {
    const sorted = this.#whenFewRecent();
    const distances = new Distances(word, most);
    for (const terms of [sorted, this.#recent]) {
      for (const term of terms) {
        const distance = distances.to(term);
        if (distance <= most) yield [term, distance];
      }
    }
  }

  #whenFewRecent(): readonly string[] {
    return this.#recent.length > MOST_UNSORTED ? this.all() : this.#sorted;
  }
}

/**
 * Distances from one word to many. The table of Wagner and Fischer has one row for each letter of the other word: rows of letters that two
 * neighbours in a sorted list share are computed once, and what begins too differently is left after those letters.
 */
class Distances {
  readonly #word: string;
  readonly #most: number;
  readonly #rows: Uint16Array[];
  /** Whose rows are there, and how many of them count. */
  #path = '';
  #depth = 0;
  /** Whatever shares this many letters of the path is too far away; 0 for nothing. */
  #hopeless = 0;

  constructor(word: string, most: number) {
    this.#word = word;
    this.#most = most;
    this.#rows = [Uint16Array.from({ length: word.length + 1 }, (_, index) => index)];
  }

  /** Some number above `most` when it is more. */
  to(term: string): number {
    const shared = sharedLetters(this.#path, term, this.#depth);
    if (this.#hopeless > 0 && shared >= this.#hopeless) return this.#most + 1;
    this.#path = term;
    this.#hopeless = 0;
    for (this.#depth = shared; this.#depth < term.length;) {
      const nearest = this.#addRow(term.charCodeAt(this.#depth));
      this.#depth += 1;
      if (nearest > this.#most) {
        this.#hopeless = this.#depth;
        return nearest;
      }
    }
    return this.#rows[this.#depth]![this.#word.length]!;
  }

  /** The smallest distance in it: no longer word can be nearer. */
  #addRow(letter: number): number {
    const above = this.#rows[this.#depth]!;
    const row = (this.#rows[this.#depth + 1] ??= new Uint16Array(above.length));
    row[0] = this.#depth + 1;
    let nearest = this.#depth + 1;
    for (let column = 1; column < row.length; column += 1) {
      const replaced = above[column - 1]! + (this.#word.charCodeAt(column - 1) === letter ? 0 : 1);
      const value = Math.min(replaced, above[column]! + 1, row[column - 1]! + 1);
      row[column] = value;
      if (value < nearest) nearest = value;
    }
    return nearest;
  }
}

function sharedLetters(left: string, right: string, most: number): number {
  const end = Math.min(most, right.length);
  let at = 0;
  while (at < end && left.charCodeAt(at) === right.charCodeAt(at)) at += 1;
  return at;
}

/** Where in the sorted list the text is, or would be. */
function lowerBound(sorted: readonly string[], text: string): number {
  let from = 0;
  let to = sorted.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (sorted[middle]! < text) from = middle + 1;
    else to = middle;
  }
  return from;
}

const byCodeUnits = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);
