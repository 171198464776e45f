/** From text to search terms, the same for memories and for what somebody types. */

/**
 * Scripts that are written without spaces between words, and the two marks that belong to them. Only their runs go
 * through the dictionary of `Intl.Segmenter`, which is many times slower than a regular expression.
 */
const UNSPACED =
  '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}\\u3005\\u30fc';
const WORDS = new RegExp(`[${UNSPACED}]+|[[\\p{L}\\p{N}\\p{M}]--[${UNSPACED}]]+`, 'gv');
const IS_UNSPACED = new RegExp(`^[${UNSPACED}]`, 'v');
const ONLY_HIRAGANA = /^[\p{Script=Hiragana}\u30fc]+$/v;
const JAPANESE_OR_CHINESE = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u3005\u30fc]+$/v;

/** Accents of European scripts. Not all of \p{M}: it holds the Japanese voicing marks, which make other words. */
const ACCENTS = /[\u0300-\u036f]/g;
/** Letters that Unicode does not decompose but people type without their stroke or as two letters. */
const LETTERS: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  ł: 'l',
  þ: 'th',
  ı: 'i',
};
const FOLDED_LETTERS = /[ßæœøđðłþı]/g;

/** The dictionary is chosen by script, not by locale; a fixed locale keeps every device the same. */
const segmenter = new Intl.Segmenter('en', { granularity: 'word' });

/** One spelling for what looks alike: NFKC, lower case, no accents. */
export function foldText(text: string): string {
  const lower = text.normalize('NFKC').toLowerCase();
  return lower
    .normalize('NFD')
    .replace(ACCENTS, '')
    .normalize('NFC')
    .replace(FOLDED_LETTERS, (letter) => LETTERS[letter]!);
}

/**
 * The terms of a text in their order, repetitions kept. Runs of Japanese and Chinese give their dictionary words and,
 * besides, their pairs of characters: the dictionary cuts the same name differently in different surroundings.
 */
export function searchTerms(text: string): string[] {
  const terms: string[] = [];
  for (const [run] of foldText(text).matchAll(WORDS)) {
    if (!IS_UNSPACED.test(run)) {
      terms.push(run);
      continue;
    }
    for (const { segment, isWordLike } of segmenter.segment(run)) {
      // Single Hiragana are particles and endings, in nearly every sentence.
      if (isWordLike === true && !(segment.length === 1 && ONLY_HIRAGANA.test(segment))) terms.push(segment);
    }
    if (JAPANESE_OR_CHINESE.test(run)) terms.push(...pairs(run));
  }
  return terms;
}

function pairs(run: string): string[] {
  const characters = Array.from(run);
  const found: string[] = [];
  for (let index = 0; index + 1 < characters.length; index += 1) {
    const pair = characters[index]! + characters[index + 1]!;
    if (!ONLY_HIRAGANA.test(pair)) found.push(pair);
  }
  return found;
}

/** True for a term of a script written without spaces: compared exactly and by prefix, never by edit distance. */
export const isUnspaced = (term: string): boolean => IS_UNSPACED.test(term);
