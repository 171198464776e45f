/**
 * Passwords that are long and yet among the first that anybody tries. NIST SP 800-63B-4 §3.1.1.2 wants a list of common ones; above 15 characters such lists
 * hold hardly anything but what is refused here by its form: something short said again, and walks along the alphabet, the digits or a keyboard.
 */

/** What people walk along. The digits go round, as they do in `1234567890123`. */
const ROWS = [
  '01234567890',
  'abcdefghijklmnopqrstuvwxyz',
  'qwertyuiop',
  'qwertzuiopü',
  'azertyuiop',
  'asdfghjklöä',
  'qsdfghjklm',
  'zxcvbnm',
  'yxcvbnm',
  'wxcvbn',
];
const NEIGHBOURS: ReadonlySet<string> = new Set(
  ROWS.flatMap((row) =>
    Array.from({ length: row.length - 1 }, (_, at) => row.slice(at, at + 2)).flatMap(([left, right]) => [
      `${left}${right}`,
      `${right}${left}`,
    ]),
  ),
);
/** Walks of which a password must have more. Ordinary words are mostly walks of one or two letters. */
const FEW_WALKS = 3;

/** `characters` are those of the password in one spelling; `shortest` is how many a password must have. */
export function isPredictable(characters: readonly string[], shortest: number): boolean {
  const folded = characters.map((character) => character.toLowerCase());
  return periodOf(folded) < Math.min(shortest, folded.length / 2 + 1) || walks(folded) <= FEW_WALKS;
}

/** After how many characters it only says itself again; its length when it never does. */
function periodOf(characters: readonly string[]): number {
  const period = characters.findIndex(
    (_, shift) => shift > 0 && characters.every((character, at) => at < shift || character === characters[at - shift]),
  );
  return period === -1 ? characters.length : period;
}

function walks(characters: readonly string[]): number {
  return characters.filter((character, at) => {
    const before = characters[at - 1];
    return before === undefined || (before !== character && !NEIGHBOURS.has(before + character));
  }).length;
}
