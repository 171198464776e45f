import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normaliseEmail, normaliseText } from './normalise.ts';

/** Any characters, among them many that change when lower-cased or composed. */
const text = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0x24ff }), fc.integer({ min: 0, max: 0x10ffff })), { maxLength: 30 })
  .map((points) => String.fromCodePoint(...points).toWellFormed());

describe('normaliseEmail', () => {
  it.each([
    ['  Ada@Example.ORG\t', 'ada@example.org'],
    ['ADA@EXAMPLE.ORG', 'ada@example.org'],
    // e with a combining acute accent, and the one character
    ['Andre\u{301}@example.org', 'andr\u{e9}@example.org'],
    ['\u{c9}lodie@example.org', '\u{e9}lodie@example.org'],
    // Kelvin sign
    ['\u{212a}im@example.org', 'kim@example.org'],
    // H with a macron below: only the small letter exists as one character.
    ['H\u{331}ana@example.org', '\u{1e96}ana@example.org'],
    ['ÅSA@EXAMPLE.SE', 'åsa@example.se'],
  ])('%j becomes %j', (given, expected) => {
    expect(normaliseEmail(given)).toBe(expected);
  });

  it.each([
    ['a.b@example.org', 'ab@example.org'],
    ['a+b@example.org', 'a@example.org'],
    // dotless i; Cyrillic a
    ['m\u{131}ke@example.org', 'mike@example.org'],
    ['\u{430}da@example.org', 'ada@example.org'],
    ['a b@example.org', 'ab@example.org'],
    ['straße@example.org', 'strasse@example.org'],
  ])('%j and %j stay different', (left, right) => {
    expect(normaliseEmail(left)).not.toBe(normaliseEmail(right));
  });

  it('changes nothing the second time, and ignores how Unicode was composed', () => {
    fc.assert(
      fc.property(text, (text) => {
        const once = normaliseEmail(text);
        expect(normaliseEmail(once)).toBe(once);
        expect(normaliseEmail(text.normalize('NFD'))).toBe(once);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('normaliseText', () => {
  it('keeps case', () => {
    expect(normaliseText(' Ada ')).toBe('Ada');
    expect(normaliseText('e\u{301}')).toBe('\u{e9}');
    expect(normaliseText('ada')).not.toBe(normaliseText('Ada'));
  });
});
