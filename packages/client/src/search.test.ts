import { createReadStream } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { corpora, needs } from '@strongroom/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseChatGptExport } from './import-chatgpt.ts';
import type { ImportItem } from './import-item.ts';
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
