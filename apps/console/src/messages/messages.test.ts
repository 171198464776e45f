import { rooms } from 'strongroom';
import { describe, expect, it } from 'vitest';
import { de } from './de.ts';
import { en } from './en.ts';
import { errorText, languageOf } from './messages.ts';

/** Paths of all sentences, so that lists keyed by codes are compared too: their keys are no part of the type. */
function paths(value: unknown, at = ''): string[] {
  if (typeof value !== 'object' || value === null) return [at];
  return Object.entries(value).flatMap(([name, inner]) => paths(inner, `${at}/${name}`));
}

describe('messages', () => {
  it('say the same things in both languages', () => {
    expect(paths(de)).toEqual(paths(en));
  });

  it('are not left in English', () => {
    const same = Object.entries(de.errors.codes).filter(([code, text]) => en.errors.codes[code] === text);
    expect(same).toEqual([]);
  });

  it('have plain words for every event that any room may log', () => {
    const types = rooms.flatMap((room) => Object.keys(room.auditEvents ?? {}));
    expect(types.filter((type) => !Object.hasOwn(en.audit.events, type))).toEqual([]);
  });

  it('follow the browser when nobody chose', () => {
    expect(languageOf({ language: 'system' }, ['fr-FR', 'de-AT', 'en'])).toBe('de');
    expect(languageOf({ language: 'system' }, ['fr'])).toBe('en');
    expect(languageOf({ language: 'en' }, ['de'])).toBe('en');
  });

  it('show known codes, with a detail where it helps, and nothing of unknown ones', () => {
    expect(errorText(en, { code: 'client.timeout', detail: 'x' })).toBe(en.errors.codes['client.timeout']);
    expect(errorText(en, { code: 'client.invalid-import', detail: 'Line 3 is not JSON.' })).toContain('Line 3');
    expect(errorText(en, { code: 'pipeline.limited', retryAfter: 840 })).toContain('14 minutes');
    expect(errorText(en, { code: 'pipeline.limited', retryAfter: 3 })).toBe(en.errors.codes['pipeline.limited']);
    for (const error of [new Error('raw'), { code: 'constructor' }, { code: 7 }, null, 'raw']) {
      expect(errorText(de, error)).toBe(de.errors.unexpected);
    }
  });
});
