/** Cuts text that arrives in arbitrary pieces into lines or JSON values, holding no more than one of them. */
import type { JsonValue } from '@strongroom/kernel';
import { invalidImport, isRecord, type TextSource } from '../import-item.ts';

/** Characters of one line or one array element. Above it, something that never ends is being read. */
const LONGEST_PIECE = 64 * 1024 * 1024;

function pieces(source: TextSource): Iterable<string> | AsyncIterable<string> {
  return typeof source === 'string' ? [source] : source;
}

/** Lines without their ends; a byte order mark at the beginning is dropped. */
async function* lines(source: TextSource): AsyncGenerator<string> {
  let pending = '';
  let first = true;
  for await (const piece of pieces(source)) {
    pending += first && piece.startsWith('\ufeff') ? piece.slice(1) : piece;
    first &&= piece === '';
    let start = 0;
    for (let end = pending.indexOf('\n'); end !== -1; end = pending.indexOf('\n', start)) {
      yield pending.slice(start, end).replace(/\r$/, '');
      start = end + 1;
    }
    pending = pending.slice(start);
    if (pending.length > LONGEST_PIECE) throw invalidImport('A line never ends.');
  }
  if (pending !== '') yield pending.replace(/\r$/, '');
}

/** JSON objects, one in a line, with the number of the line; empty lines are left out. Throws `client.invalid-import`. */
export async function* records(
  source: TextSource,
): AsyncGenerator<{ readonly record: Readonly<Record<string, JsonValue>>; readonly number: number }> {
  let number = 0;
  for await (const line of lines(source)) {
    number += 1;
    if (line.trim() === '') continue;
    let record: unknown;
    try {
      record = JSON.parse(line);
    } catch (cause) {
      throw invalidImport(`Line ${number} is not JSON.`, cause);
    }
    if (!isRecord(record)) throw invalidImport(`Line ${number} is no object.`);
    yield { record, number };
  }
}

const SPACE = /\s/;

/**
 * The elements of a JSON array, each as its own JSON text, so that a file larger than memory can be read. Only
 * brackets, strings and commas are followed here; `JSON.parse` judges the rest, element by element.
 */
export async function* arrayElements(source: TextSource): AsyncGenerator<string> {
  const scanner = new ArrayScanner();
  for await (const piece of pieces(source)) yield* scanner.read(piece);
  scanner.end();
}

class ArrayScanner {
  #state: 'before' | 'between' | 'inside' | 'after' = 'before';
  /** The element so far, from earlier pieces. */
  #element = '';
  #depth = 0;
  #inString = false;
  #escaped = false;
  #found = 0;

  *read(piece: string): Generator<string> {
    let start = 0;
    for (let index = 0; index < piece.length; index += 1) {
      const character = piece[index]!;
      if (this.#state !== 'inside') {
        if (!this.#begins(character)) continue;
        start = index;
      }
      if (!this.#ends(character)) continue;
      yield this.#element + piece.slice(start, index);
      this.#element = '';
      this.#found += 1;
      this.#state = character === ',' ? 'between' : 'after';
    }
    if (this.#state === 'inside') this.#element += piece.slice(start);
    if (this.#element.length > LONGEST_PIECE) throw invalidImport('One element of the list is too large.');
  }

  end(): void {
    if (this.#state !== 'after') throw invalidImport('The list ends too early; the file may be incomplete.');
  }

  /** Between elements: true when `character` is the first of one. */
  #begins(character: string): boolean {
    if (SPACE.test(character)) return false;
    if (this.#state === 'after') throw invalidImport('There is something after the end of the list.');
    if (this.#state === 'before') {
      // A byte order mark counts as white space for the expression above.
      if (character !== '[') throw invalidImport('Expected a list.');
      this.#state = 'between';
      return false;
    }
    if (character === ']' && this.#found === 0) {
      this.#state = 'after';
      return false;
    }
    this.#state = 'inside';
    return true;
  }

  /** Inside an element: true when `character` is the first that no longer belongs to it. */
  #ends(character: string): boolean {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (character === '\\') this.#escaped = true;
      else if (character === '"') this.#inString = false;
      return false;
    }
    if (character === '"') this.#inString = true;
    else if (character === '{' || character === '[') this.#depth += 1;
    else if (this.#depth > 0) {
      if (character === '}' || character === ']') this.#depth -= 1;
    } else return character === ',' || character === ']';
    return false;
  }
}
