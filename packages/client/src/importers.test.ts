import { createReadStream } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { corpora, needs } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';
import { parseChatGptExport } from './import-chatgpt.ts';
import type { ImportItem } from './import-item.ts';
import { parseMarkdownNote } from './import-markdown.ts';
import { parseExport, parseJsonLines } from './import-json-lines.ts';
import { parseMcpMemory } from './import-mcp-memory.ts';

async function all(items: AsyncIterable<ImportItem>): Promise<ImportItem[]> {
  const found: ImportItem[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const invalid = (detail: RegExp) =>
  expect.objectContaining({ code: 'client.invalid-import', detail: expect.stringMatching(detail) });

describe.skipIf(!needs('corpora:memories'))('the shared samples', () => {
  it('memory.jsonl gives 165 entities and 135 relations, none twice', async () => {
    const items = await all(parseMcpMemory(createReadStream(corpora('memories', 'memory.jsonl')!, 'utf8')));
    expect(items).toHaveLength(300);
    expect(items.filter((item) => item.details['type'] === 'entity')).toHaveLength(165);
    expect(items.filter((item) => item.kind === 'relation')).toHaveLength(135);
    expect(new Set(items.map((item) => item.key)).size).toBe(300);
    const observations = items.flatMap((item) => (item.details['type'] === 'entity' ? item.text.split('\n') : []));
    expect(observations).toHaveLength(330);
    expect(items[0]).toMatchObject({ title: 'Mara_Ellwood', kind: 'person', createdAt: null });
  });

  it('conversations.json gives 20 conversations with what their readers saw last', async () => {
    const text = await readFile(corpora('memories', 'conversations.json')!, 'utf8');
    const items = await all(parseChatGptExport(text));
    expect(items).toHaveLength(20);
    expect(new Set(items.map((item) => item.key)).size).toBe(20);
    expect(items[0]).toMatchObject({ title: 'Tenancy renewal letter', createdAt: '2026-01-01T17:44:30.759Z' });
    const messages = items.flatMap((item) => item.text.match(/^(?:User|Assistant):$/gm) ?? []);
    const discarded = countOffBranch(JSON.parse(text) as Conversation[]);
    expect(discarded).toBeGreaterThan(0);
    expect(messages).toHaveLength(98 - discarded);
    expect(items.map((item) => item.title)).toContain('祖母の通院メモ');
  });

  it('gives the same items however the file is cut into pieces', async () => {
    const text = await readFile(corpora('memories', 'conversations.json')!, 'utf8');
    const whole = await all(parseChatGptExport(text));
    for (const size of [1, 7, 4096]) {
      const cut = Array.from({ length: Math.ceil(text.length / size) }, (_, index) =>
        text.slice(index * size, (index + 1) * size),
      );
      expect(await all(parseChatGptExport(cut))).toEqual(whole);
    }
  });

  it('notes gives 30 notes with titles, dates and tags from their front matter', async () => {
    const folder = corpora('memories', 'notes')!;
    const names = (await readdir(folder)).filter((name) => name.endsWith('.md'));
    const items = await Promise.all(
      names.map(async (name) => parseMarkdownNote(name, await readFile(join(folder, name), 'utf8'))),
    );
    expect(items).toHaveLength(30);
    expect(items.every((item) => item.createdAt !== null && item.tags.length > 0 && !item.text.startsWith('---'))).toBe(
      true,
    );
    expect(items.find((item) => item.key === 'de-01.md')).toMatchObject({
      title: 'Telefonliste Familie',
      createdAt: '2026-01-03T00:00:00.000Z',
      tags: ['kontakte', 'familie'],
      details: { frontMatter: { updated: '2026-01-04', lang: 'de' } },
    });
  });
});

interface Conversation {
  mapping: Record<string, { message: { author: { role: string } } | null; parent: string | null }>;
  current_node: string;
}

/** Messages of people and assistants that are not on the way from the current node to the root. */
function countOffBranch(conversations: readonly Conversation[]): number {
  let count = 0;
  for (const { mapping, current_node: current } of conversations) {
    const branch = new Set<string>();
    for (let node: string | null = current; node !== null; node = mapping[node]!.parent) branch.add(node);
    count += Object.entries(mapping).filter(
      ([id, { message }]) => message !== null && message.author.role !== 'system' && !branch.has(id),
    ).length;
  }
  return count;
}

describe('parseMcpMemory', () => {
  it('skips empty lines, and keeps an entity that has nothing observed', async () => {
    const items = await all(
      parseMcpMemory('\ufeff{"type":"entity","name":"A","entityType":"thing","observations":[]}\r\n\r\n'),
    );
    expect(items).toEqual([expect.objectContaining({ title: 'A', text: 'A', kind: 'thing' })]);
  });

  it.each([
    ['{"type":"entity","name":"A","entityType":"thing","observations":[]}\n{"type":"ent', /^Line 2 is not JSON/],
    ['[]', /^Line 1/],
    ['{"type":"entity","name":"A","entityType":"thing","observations":[1]}', /^Line 1/],
    ['{"type":"relation","from":"A","to":"","relationType":"knows"}', /^Line 1/],
    ['{"type":"other"}', /^Line 1/],
  ])('refuses %s', async (text, detail) => {
    await expect(all(parseMcpMemory(text))).rejects.toEqual(invalid(detail));
  });
});

describe('parseExport', () => {
  const own = { id: 'a', version: 2, writtenAt: '2026-11-22T00:00:00.000Z', text: 'Own', tags: ['x'] };
  const createdAt = '2026-11-21T00:00:00.000Z';
  const line = (more: object) => JSON.stringify({ ...own, createdAt, ...more });

  it('gives each memory back with its origin, or as one of its own', async () => {
    const source = { name: 'markdown', key: 'a.md', digest: 'd', details: { path: 'a.md' } };
    const text = `${line({})}\n\n${line({ id: 'b', title: 'T', kind: 'note', source })}\n`;
    expect(await all(parseExport(text))).toEqual([
      { text: 'Own', tags: ['x'], createdAt, exported: 'a', source: 'strongroom', key: 'a', details: {} },
      {
        text: 'Own',
        title: 'T',
        kind: 'note',
        tags: ['x'],
        createdAt,
        exported: 'b',
        source: 'markdown',
        key: 'a.md',
        digest: 'd',
        details: { path: 'a.md' },
      },
    ]);
  });

  it('is told from the other file of JSON Lines by its first line, however the file is cut', async () => {
    const theirs = '{"type":"entity","name":"A","entityType":"thing","observations":[]}';
    for (const [text, source] of [
      [line({}), 'strongroom'],
      [`\ufeff ${line({})}`, 'strongroom'],
      [theirs, 'mcp-memory'],
    ] as const) {
      for (const pieces of [text, [text], text.split('')]) {
        expect(await all(parseJsonLines(pieces))).toEqual([expect.objectContaining({ source })]);
      }
    }
    expect(await all(parseJsonLines(''))).toEqual([]);
    await expect(all(parseJsonLines(`${line({})}\n${theirs}`))).rejects.toEqual(invalid(/^Line 2 is no memory/));
    await expect(all(parseJsonLines(`${theirs}\n${line({})}`))).rejects.toEqual(invalid(/^Line 2/));
  });

  it.each([
    ['[]', /^Line 1 is no object/],
    [line({ id: 1 }), /^Line 1 is no memory. Check "id"/],
    [line({ text: ' ' }), /^Line 1 is no memory. Check "text"/],
    [line({ tags: 'x' }), /^Line 1 is no memory. Check "tags"/],
    [line({ createdAt: 'yesterday' }), /^Line 1 is no memory. Check "createdAt"/],
    [line({ source: { name: 'markdown' } }), /^Line 1 is no memory. Check "source"/],
    [line({ later: 1 }), /^Line 1 is no memory. There is an unknown field/],
    [`${line({})}\n${line({}).slice(0, 30)}`, /^Line 2 is not JSON/],
  ])('refuses %s', async (text, detail) => {
    await expect(all(parseExport(text))).rejects.toEqual(invalid(detail));
  });
});

const message = (role: string, text: string, more: object = {}) => ({
  message: {
    author: { role },
    content: { content_type: 'text', parts: [text] },
    metadata: {},
    recipient: 'all',
    weight: 1,
    ...more,
  },
});
const conversation = (mapping: object, current: unknown, more: object = {}) =>
  JSON.stringify([{ id: 'c', title: 'T', create_time: 1, mapping, current_node: current, ...more }]);

describe('parseChatGptExport', () => {
  it('leaves out system messages, hidden ones, tool calls, tools and thoughts', async () => {
    const mapping = {
      a: { ...message('system', 'hidden rules'), parent: null },
      b: { ...message('user', 'the question'), parent: 'a' },
      c: { ...message('assistant', 'call(1)', { recipient: 'browser' }), parent: 'b' },
      d: { ...message('tool', 'tool says'), parent: 'c' },
      e: {
        ...message('assistant', 'pondering', { content: { content_type: 'thoughts', parts: ['pondering'] } }),
        parent: 'd',
      },
      f: { ...message('user', 'profile', { metadata: { is_visually_hidden_from_conversation: true } }), parent: 'e' },
      g: { ...message('assistant', 'the answer'), parent: 'f' },
      h: { ...message('assistant', 'another answer'), parent: 'f' },
    };
    expect(await all(parseChatGptExport(conversation(mapping, 'g')))).toEqual([
      expect.objectContaining({ key: 'c', text: 'User:\nthe question\n\nAssistant:\nthe answer' }),
    ]);
  });

  it('splits a long conversation into parts of which the first keeps the plain key', async () => {
    const mapping = {
      a: { ...message('user', `first ${'word '.repeat(6000)}`), parent: null },
      b: { ...message('assistant', `${'😀'.repeat(20_000)} last`), parent: 'a' },
    };
    const items = await all(parseChatGptExport(conversation(mapping, 'b')));
    expect(items.map((item) => item.key)).toEqual(['c', 'c/2', 'c/3', 'c/4']);
    expect(items.every((item) => item.text.isWellFormed() && item.text.length <= 24 * 1024)).toBe(true);
    expect(items.at(-1)!.text.endsWith('last')).toBe(true);
    expect(
      items
        .map((item) => item.text)
        .join('')
        .match(/😀/gu),
    ).toHaveLength(20_000);
  });

  it('reads an empty list, and a conversation in which nothing was said', async () => {
    expect(await all(parseChatGptExport(' [ ] '))).toEqual([]);
    expect(await all(parseChatGptExport(conversation({}, null)))).toEqual([]);
  });

  it.each([
    ['a text that is no list', '{"a":1}', /list/],
    ['a truncated file', conversation({}, null).slice(0, -3), /too early/],
    ['text after the end', '[] x', /after the end/],
    ['a missing comma', '[{"id":"a"} {"id":"b"}]', /^Conversation 1 of the file is not JSON/],
    ['a comma too many', `${conversation({}, null).slice(0, -1)},]`, /^Conversation 2 of the file is not JSON/],
    ['a circle', conversation({ a: { message: null, parent: 'a' } }, 'a'), /hang together/],
    ['a missing parent', conversation({ a: { message: null, parent: 'b' } }, 'a'), /hang together/],
    ['an inherited name as node', conversation({ a: { message: null, parent: 'toString' } }, 'a'), /hang together/],
    ['no current node', conversation({ a: { ...message('user', 'x'), parent: null } }, null), /current message/],
    ['no id', conversation({}, null, { id: 7 }), /no id/],
  ])('refuses %s', async (_name, text, detail) => {
    await expect(all(parseChatGptExport(text))).rejects.toEqual(invalid(detail));
  });
});

describe('parseMarkdownNote', () => {
  it('takes the title from the front matter, the first heading or the file name', () => {
    expect(parseMarkdownNote('a/b.md', '---\ntitle: Own\n---\n# Heading\n\ntext').title).toBe('Own');
    expect(parseMarkdownNote('a/b.md', '# Heading #\n\ntext').title).toBe('Heading');
    expect(parseMarkdownNote('./a/b.md', 'text')).toMatchObject({
      title: 'b',
      key: 'a/b.md',
      createdAt: null,
      tags: [],
    });
  });

  it('keeps what looks like front matter but is not', () => {
    expect(parseMarkdownNote('a.md', 'text\n---\ntitle: x\n---\n').text).toBe('text\n---\ntitle: x\n---');
    expect(parseMarkdownNote('a.md', '---\nno end').text).toBe('---\nno end');
  });

  it('reads Windows line ends, a byte order mark, tags in one line and unknown fields', () => {
    const note = parseMarkdownNote(
      'a.md',
      '\ufeff---\r\ntags: "#one, two,one"\r\ncreated: 2026-01-03T10:00:00+01:00\r\nrating: .inf\r\n---\r\ntext',
    );
    expect(note).toMatchObject({ text: 'text', tags: ['one', 'two'], createdAt: '2026-01-03T09:00:00.000Z' });
    expect(note.details['frontMatter']).toEqual({ rating: null });
  });

  it('does not take a local time for a moment', () => {
    expect(parseMarkdownNote('a.md', '---\ncreated: 2026-01-03 10:00\n---\ntext').createdAt).toBeNull();
    expect(parseMarkdownNote('a.md', '---\ncreated: 2026-99-03\n---\ntext').createdAt).toBeNull();
  });

  it.each([
    ['broken YAML', '---\ntitle: [\n---\n'],
    ['a field twice', '---\ntitle: a\ntitle: b\n---\n'],
    ['a list', '---\n- a\n---\n'],
    ['aliases', '---\na: &x [1]\nb: *x\n---\n'],
  ])('refuses front matter with %s', (_name, text) => {
    expect(() => parseMarkdownNote('a.md', text)).toThrowError(invalid(/^The front matter of a\.md/));
  });
});
