/** What changed between two texts, word by word. */

export interface Piece {
  readonly kind: 'same' | 'removed' | 'added';
  readonly text: string;
}

/** Cells of the comparison table; beyond, the middle of the texts counts as replaced whole. About 8 MB for a moment. */
const MOST_CELLS = 4_000_000;

/** Words, and the white space between them, so that joining gives the text again; Japanese and Chinese by character. */
const WORDS =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[^\s\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]+|\s+/gu;

export function differences(before: string, after: string): Piece[] {
  const old = before.match(WORDS) ?? [];
  const next = after.match(WORDS) ?? [];
  let start = 0;
  while (start < old.length && start < next.length && old[start] === next[start]) start += 1;
  let end = 0;
  while (end < old.length - start && end < next.length - start && old.at(-1 - end) === next.at(-1 - end)) end += 1;
  const middle = compare(old.slice(start, old.length - end), next.slice(start, next.length - end));
  return phrases([
    { kind: 'same', text: old.slice(0, start).join('') },
    ...middle,
    { kind: 'same', text: old.slice(old.length - end).join('') },
  ]);
}

/** Longest common subsequence. */
function compare(old: readonly string[], next: readonly string[]): Piece[] {
  const columns = next.length + 1;
  if ((old.length + 1) * columns > MOST_CELLS) {
    return [
      { kind: 'removed', text: old.join('') },
      { kind: 'added', text: next.join('') },
    ];
  }
  const table = new Uint16Array((old.length + 1) * columns);
  for (let row = old.length - 1; row >= 0; row -= 1) {
    for (let column = next.length - 1; column >= 0; column -= 1) {
      table[row * columns + column] =
        old[row] === next[column]
          ? table[(row + 1) * columns + column + 1]! + 1
          : Math.max(table[(row + 1) * columns + column]!, table[row * columns + column + 1]!);
    }
  }
  const pieces: Piece[] = [];
  let row = 0;
  let column = 0;
  while (row < old.length || column < next.length) {
    if (row < old.length && column < next.length && old[row] === next[column]) {
      pieces.push({ kind: 'same', text: old[row]! });
      row += 1;
      column += 1;
    } else if (
      column === next.length ||
      (row < old.length && table[(row + 1) * columns + column]! >= table[row * columns + column + 1]!)
    ) {
      pieces.push({ kind: 'removed', text: old[row]! });
      row += 1;
    } else {
      pieces.push({ kind: 'added', text: next[column]! });
      column += 1;
    }
  }
  return pieces;
}

/** Neighbouring changes as one: white space alone between them does not keep them apart, or whole phrases would be read in shreds. */
function phrases(pieces: readonly Piece[]): Piece[] {
  const result: Piece[] = [];
  let change = { removed: '', added: '' };
  /** White space since the last change; it belongs to the change if another one follows. */
  let space = '';
  const finish = (): void => {
    push(result, { kind: 'removed', text: change.removed });
    push(result, { kind: 'added', text: change.added });
    push(result, { kind: 'same', text: space });
    change = { removed: '', added: '' };
    space = '';
  };
  for (const piece of pieces) {
    const { kind, text } = piece;
    if (kind !== 'same') {
      change = { removed: change.removed + space, added: change.added + space };
      change[kind] += text;
      space = '';
    } else if (change.removed + change.added !== '' && text.trim() === '') space += text;
    else {
      finish();
      push(result, piece);
    }
  }
  finish();
  return result;
}

function push(result: Piece[], { kind, text }: Piece): void {
  if (text === '') return;
  const last = result.at(-1);
  if (last?.kind === kind) result[result.length - 1] = { kind, text: last.text + text };
  else result.push({ kind, text });
}
