/** Letters to put in, take out or exchange to make one of the other. */
function distance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (const [above, letter] of left.split('').entries()) {
    const next = [above + 1];
    for (const [index, other] of right.split('').entries()) {
      next.push(Math.min(row[index]! + (letter === other ? 0 : 1), row[index + 1]! + 1, next[index]! + 1));
    }
    row = next;
  }
  return row[right.length]!;
}

/** Share of a word's letters that may be wrong. */
const LIKENESS = 0.5;

/** The one that was probably meant, if any looks like it. */
export function closest(word: string, names: readonly string[]): string | undefined {
  const [best] = names
    .map((name) => ({ name, wrong: distance(word, name) }))
    .toSorted((left, right) => left.wrong - right.wrong);
  return best !== undefined && best.wrong <= best.name.replace(/^-+/, '').length * LIKENESS ? best.name : undefined;
}
