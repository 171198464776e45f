import type { OpenedMemory } from '@strongroom/client';
import { newUuid } from '@strongroom/kernel';
import { describe, expect, it } from 'vitest';
import { foundRow } from './found-rows.ts';

const memory = (text: string, title?: string): OpenedMemory => ({
  space: newUuid(),
  id: newUuid(),
  version: 1,
  author: newUuid(),
  writtenAt: '2026-11-22T01:02:03.000Z',
  document: { text, tags: [], createdAt: '2026-01-01T00:00:00.000Z', ...(title === undefined ? {} : { title }) },
});

/** The row with its marks in brackets. */
function found(query: string, text: string, title?: string) {
  const { heading, excerpt, marks } = foundRow(query)(memory(text, title));
  const bracketed = (line: string, spans: readonly (readonly [number, number])[] = []) =>
    spans
      .toReversed()
      .reduce((done, [from, to]) => `${done.slice(0, from)}[${done.slice(from, to)}]${done.slice(to)}`, line);
  return { heading: bracketed(heading, marks?.heading), excerpt: bracketed(excerpt, marks?.excerpt) };
}

const long = 'Godson of Mara, born 9 June 2016. Has asthma and a red inhaler. He sails the blue boat on Sundays.';

describe('rows of a search', () => {
  it('begin near the first match when it would not be seen', () => {
    expect(found('boat', long, 'Lorcan')).toEqual({
      heading: 'Lorcan',
      excerpt: '… He sails the blue [boat] on Sundays.',
    });
    expect(found('mara', long, 'Lorcan').excerpt).toBe(long.replace('Mara', '[Mara]'));
  });

  it('mark words by their beginning, without accents and case, and nothing in the middle of one', () => {
    expect(found('bla zuri', 'Nach Zürich, blau; unblau', 'BLAU').heading).toBe('[BLAU]');
    expect(found('bla zuri', 'Nach Zürich, blau; unblau', 'x').excerpt).toBe('Nach [Zürich], [blau]; unblau');
    expect(found('strasse', 'In der Straße', 'x').excerpt).toBe('In der [Straße]');
  });

  it('mark Japanese words, which have no spaces around them', () => {
    expect(found('青い船', '予備の鍵は青い船の後ろにあります。', 'x').excerpt).toContain('[青い船]');
  });

  it('are plain where only a typing error was forgiven', () => {
    expect(found('baot', long, 'Lorcan')).toEqual({ heading: 'Lorcan', excerpt: long });
  });

  it('stay short, whole and in one line', () => {
    const { excerpt } = foundRow('needle')(memory(`${'😀'.repeat(3000)}\n\u202eneedle ${'x '.repeat(400)}`, 'title'));
    expect(excerpt.length).toBeLessThanOrEqual(240);
    expect(excerpt.isWellFormed()).toBe(true);
    expect(excerpt).not.toMatch(/[\n\u202e]/);
    expect(excerpt).toContain('needle');
  });
});
