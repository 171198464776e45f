import { createReadStream } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { corpora, needs, rounds } from '@strongroom/testing';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseChatGptExport } from './import-chatgpt.ts';
import type { ImportItem } from './import-item.ts';
import { TermTable } from './internal/term-table.ts';
import { parseMarkdownNote } from './import-markdown.ts';
import { parseMcpMemory } from './import-mcp-memory.ts';
import { SearchIndex } from './search-index.ts';
import { foldText, searchTerms } from './search-terms.ts';

describe('searchTerms', () => {
  it.each([
    ['Grüße aus Łódź, ØRSTED!', ['grusse', 'aus', 'lodz', 'orsted']],
    ["à l'école, ﬁn", ['a', 'l', 'ecole', 'fin']],
    ['Mara_Ellwood <mara.ellwood@example.com>', ['mara', 'ellwood', 'mara', 'ellwood', 'example', 'com']],
    ['+44 7700 900142', ['44', '7700', '900142']],
    ['ＡＢＣ １２３', ['abc', '123']],
    ['  \n!?', []],
  ])('%s', (text, terms) => {
    expect(searchTerms(text)).toEqual(terms);
  });

  it('cuts Japanese by dictionary and into pairs, and leaves single kana out', () => {
    const terms = searchTerms('森川健太は東京に住んでいます。');
    expect(terms).toEqual(expect.arrayContaining(['東京', '森川', '健太']));
    expect(terms).not.toContain('は');
    expect(terms).not.toContain('に');
  });

  it('keeps the voicing marks that make other Japanese words', () => {
    expect(foldText('がぎ')).toBe('がぎ');
    expect(foldText('ｶﾞ')).toBe('ガ');
    expect(foldText('か')).not.toBe(foldText('が'));
  });
});

const memory = (text: string, more: object = {}) => ({
  text,
  tags: [],
  createdAt: '2026-01-01T00:00:00.000Z',
  ...more,
});

describe('SearchIndex', () => {
  it('finds by beginning, with a typo and without accents, and ranks what was typed exactly first', () => {
    const index = new SearchIndex();
    index.put('exact', memory('The lighthouse at Bramblewick'));
    index.put('typo', memory('The lihgthouse keeper'));
    index.put('other', memory('Rye bread without barley'));
    expect(index.search('lighthouse', 10).map((found) => found.id)).toEqual(['exact', 'typo']);
    expect(index.search('light', 10).map((found) => found.id)).toEqual(['exact']);
    expect(index.search('brämblewick', 10).map((found) => found.id)).toEqual(['exact']);
    expect(index.search('zzz', 10)).toEqual([]);
    expect(index.search(' ', 10)).toEqual([]);
  });

  it('does not forgive typos in numbers', () => {
    const index = new SearchIndex();
    index.put('a', memory('900142'));
    expect(index.search('900143', 10)).toEqual([]);
  });

  it('forgets what is replaced or removed', () => {
    const index = new SearchIndex();
    index.put('a', memory('umbrella'));
    index.put('a', memory('parasol'));
    expect(index.search('umbrella', 10)).toEqual([]);
    expect(index.search('parasol', 10)).toHaveLength(1);
    index.remove('a');
    index.remove('a');
    expect(index.search('parasol', 10)).toEqual([]);
    expect(index.size).toBe(0);
  });

  it('a title counts more than a text, and no name is special', () => {
    const index = new SearchIndex();
    index.put('text', memory('harbour plan'));
    index.put('title', memory('something else', { title: 'harbour' }));
    expect(index.search('harbour', 1)[0]!.id).toBe('title');
    expect(index.search('constructor __proto__ hasOwnProperty', 10)).toEqual([]);
  });
});

describe('a kept index', () => {
  const word = fc.stringMatching(/^[abc]{1,7}$/);
  const text = fc.array(word, { maxLength: 6 }).map((words) => `x ${words.join(' ')}`);

  it('answers like the one it was made from, and goes on like it', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(9), fc.option(text)), { maxLength: 25 }), text, (steps, query) => {
        const whole = new SearchIndex();
        let kept = new SearchIndex();
        for (const [number, content] of steps) {
          for (const index of [whole, kept]) {
            if (content === null) index.remove(`m${number}`);
            else index.put(`m${number}`, memory(content, { title: content.slice(0, 5) }));
          }
          if (number % 3 === 0) kept = SearchIndex.decode(kept.encode())!;
        }
        expect(kept.size).toBe(whole.size);
        expect(ranked(kept.search(query, 100))).toEqual(ranked(whole.search(query, 100)));
      }),
      { numRuns: rounds(80, 200) },
    );
  });

  it('is not read in the form of another version', () => {
    const index = new SearchIndex();
    index.put('a', memory('umbrella'));
    const bytes = index.encode();
    bytes[0]! += 1;
    expect(SearchIndex.decode(bytes)).toBeNull();
    expect(SearchIndex.decode(new Uint8Array(3))).toBeNull();
    expect(SearchIndex.decode(index.encode())!.search('umbrella', 1)).toHaveLength(1);
  });

  it('ranks over several as over one', () => {
    const one = new SearchIndex();
    const parts = [new SearchIndex(), new SearchIndex()];
    const texts = ['harbour plan', 'the harbour at night, and the plan of the harbour', 'night train', 'plans'];
    for (const [number, content] of texts.entries()) {
      one.put(String(number), memory(content));
      parts[number % 2]!.put(String(number), memory(content));
    }
    for (const query of ['harbour', 'plan night', 'harbuor'])
      expect(ranked(SearchIndex.searchAll(parts, query, 10))).toEqual(ranked(one.search(query, 10)));
  });
});

/** By score and then id: equal scores have no order. */
const ranked = (found: readonly { id: string; score: number }[]) =>
  found
    .map(({ id, score }) => ({ id, score: Math.round(score * 1e9) / 1e9 }))
    .toSorted((left, right) => right.score - left.score || (left.id < right.id ? -1 : 1));

describe('a table of terms', () => {
  /** Wagner and Fischer, 1974, the plain way. */
  function distance(left: string, right: string): number {
    let above = Array.from({ length: right.length + 1 }, (_, index) => index);
    for (const [row, letter] of Array.from(left).entries()) {
      const next = [row + 1];
      for (let column = 1; column <= right.length; column += 1) {
        const same = right[column - 1] === letter ? 0 : 1;
        next.push(Math.min(above[column - 1]! + same, above[column]! + 1, next[column - 1]! + 1));
      }
      above = next;
    }
    return above.at(-1)!;
  }

  it('finds what looking at each term finds', () => {
    const word = fc.stringMatching(/^[abc]{0,8}$/);
    fc.assert(
      fc.property(fc.uniqueArray(word, { maxLength: 40 }), word, fc.nat(3), fc.nat(40), (words, wanted, most, few) => {
        const table = new TermTable(words.slice(0, few).toSorted(byLetters));
        for (const later of words.slice(few)) table.add(later);
        const near = words.flatMap((term) =>
          distance(wanted, term) <= most ? [`${term} ${distance(wanted, term)}`] : [],
        );
        expect([...table.near(wanted, most)].map((pair) => pair.join(' ')).toSorted(byLetters)).toEqual(
          near.toSorted(byLetters),
        );
        expect([...table.startingWith(wanted)].toSorted(byLetters)).toEqual(
          words.filter((term) => term.startsWith(wanted)).toSorted(byLetters),
        );
        expect(table.all()).toEqual(words.toSorted(byLetters));
      }),
      { numRuns: rounds(200, 500) },
    );
  });
});

const byLetters = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);

describe.skipIf(!needs('corpora:memories'))('recall over the shared samples', () => {
  const index = new SearchIndex();
  beforeAll(async () => {
    const items: ImportItem[] = [];
    for await (const item of parseMcpMemory(createReadStream(corpora('memories', 'memory.jsonl')!, 'utf8')))
      items.push(item);
    for await (const item of parseChatGptExport(createReadStream(corpora('memories', 'conversations.json')!, 'utf8')))
      items.push(item);
    const folder = corpora('memories', 'notes')!;
    for (const name of await readdir(folder))
      items.push(parseMarkdownNote(name, await readFile(join(folder, name), 'utf8')));
    for (const item of items)
      index.put(item.title ?? item.key, {
        ...memory(item.text),
        ...(item.title === undefined ? {} : { title: item.title }),
        tags: item.tags,
      });
  });

  it.each([
    ['en', 'who has coeliac disease', 'Tobias_Renshaw'],
    ['en', 'emergency contacts on the water', 'Contact sheet for the trip'],
    ['de', 'Telefonnummer der Familie Brandhorst', 'Telefonliste Familie'],
    ['de', 'steuererklarung', 'Steuererklärung vorbereiten'],
    ['fr', "l'inscription a l'ecole", "Inscription à l'école"],
    ['fr', 'numero du pediatre', 'Numéros utiles'],
    ['es', 'la tarjeta esta caducada', 'Tarjeta caducada'],
    ['es', 'agenda de emergencias nevera', 'Agenda de emergencias'],
    ['ja', '緊急連絡先', '緊急連絡先'],
    ['ja', 'ピアノの先生', 'ピアノのレッスン'],
    ['ja', '祖母の通院', '祖母の通院メモ'],
  ])('%s: %s', (_language, query, title) => {
    expect(index.search(query, 3).map((found) => found.id)).toContain(title);
  });
});
