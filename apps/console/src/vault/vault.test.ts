import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseMarkdownNote, type OpenedMemory } from '@strongroom/client';
import { newUuid, StrongroomError, utf8 } from '@strongroom/kernel';
import { describe, expect, it } from 'vitest';
import { exportFile, jsonLines, markdownNote } from './export-files.ts';
import { readFiles, sourceOf } from '../reader/read-files.ts';
import { headingAndExcerpt } from './rows.ts';
import { wireError } from './wire-error.ts';
import { crc32, zip } from './zip.ts';

describe('headingAndExcerpt', () => {
  it('takes the title, else the first line, and never says the same twice', () => {
    expect(headingAndExcerpt('Title', 'Some\n text')).toEqual({ heading: 'Title', excerpt: 'Some text' });
    expect(headingAndExcerpt(undefined, '\n First line\nand more')).toEqual({
      heading: 'First line',
      excerpt: 'and more',
    });
    expect(headingAndExcerpt('  ', 'only')).toEqual({ heading: 'only', excerpt: '' });
  });

  it('stays short and whole for long texts', () => {
    const { heading, excerpt } = headingAndExcerpt(undefined, '😀'.repeat(100_000));
    expect(heading.length).toBeLessThanOrEqual(160);
    expect(heading.isWellFormed()).toBe(true);
    expect(excerpt.length).toBeLessThanOrEqual(240);
  });

  it('lets no text turn a list around', () => {
    expect(headingAndExcerpt('a\u202eb\u0000c\u2066', 'x').heading).toBe('a b c');
  });
});

describe('zip', () => {
  it('knows the check value of CRC-32', () => {
    expect(crc32(utf8('123456789'))).toBe(0xcbf43926);
  });

  it('is read by another program', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'zip-'));
    try {
      const file = path.join(folder, 'a.zip');
      const files = [
        { name: 'grüße.md', content: utf8('Grüße aus Łódź'), modifiedAt: Date.UTC(2026, 10, 22, 1, 2, 4) },
        { name: 'empty.md', content: utf8(''), modifiedAt: 0 },
      ];
      writeFileSync(file, new Uint8Array(await zip(files).arrayBuffer()));
      const script =
        'import json,sys,zipfile\nz=zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\n' +
        'print(json.dumps([[i.filename,list(i.date_time),z.read(i).decode()] for i in z.infolist()]))';
      expect(JSON.parse(execFileSync('python3', ['-c', script, file], { encoding: 'utf8' }))).toEqual([
        ['grüße.md', [2026, 11, 22, 1, 2, 4], 'Grüße aus Łódź'],
        ['empty.md', [1980, 1, 1, 0, 0, 0], ''],
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

const memory = (text: string, title?: string): OpenedMemory => ({
  space: newUuid(),
  id: newUuid(),
  version: 2,
  author: newUuid(),
  writtenAt: '2026-11-22T01:02:03.000Z',
  document: {
    text,
    tags: ['a', 'b: c'],
    createdAt: '2026-01-01T00:00:00.000Z',
    ...(title === undefined ? {} : { title }),
  },
});

describe('export', () => {
  it('writes one line for each memory', async () => {
    const lines = jsonLines([memory('one\ntwo'), memory('three')])
      .trimEnd()
      .split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { text: string }).text)).toEqual(['one\ntwo', 'three']);
    expect(await exportFile([], 'jsonl').text()).toBe('');
  });

  it('writes notes that come back the same, whatever is in a title', () => {
    const { document } = memory('Text\n---\nmore', '--- "quoted": yes\n#');
    const item = parseMarkdownNote('x.md', markdownNote(document));
    expect(item).toMatchObject({ text: document.text, tags: document.tags, createdAt: document.createdAt });
    expect(item.title).toBe(document.title!.trim());
  });
});

describe('import', () => {
  const file = (content: string): Blob => new Blob([content]);

  it.each([
    ['notes/a.md', '# x', 'markdown'],
    ['A.MARKDOWN', '', 'markdown'],
    ['conversations.json', '\ufeff [ {}', 'chatgpt'],
    ['memory.jsonl', '{"type":"entity"}', 'mcp-memory'],
    ['memory.json', '{"type":"entity"}', 'mcp-memory'],
    ['picture.png', 'x', null],
    ['x.json', 'hello', null],
  ])('%s is for %s', async (name, content, source) => {
    expect(await sourceOf(name, file(content))).toBe(source);
  });

  it('takes files whole or not at all, and says which', async () => {
    const entity = '{"type":"entity","name":"Mara","entityType":"person","observations":["sails"]}';
    const { items, preview } = await readFiles(
      [
        { name: 'memory.jsonl', file: file(`${entity}\n`) },
        { name: 'broken.jsonl', file: file(`${entity}\n{"type":`) },
        { name: 'binary.jsonl', file: new Blob([new Uint8Array([0x7b, 0xff])]) },
        { name: '<img src=x onerror=alert(1)>.md', file: file('note') },
        { name: 'photo.png', file: file('') },
      ],
      () => undefined,
    );
    expect(items.map(({ title }) => title)).toEqual(['Mara', '<img src=x onerror=alert(1)>']);
    expect(preview.files.map(({ items: count, problem }) => [count, problem?.code ?? null])).toEqual([
      [1, null],
      [0, 'client.invalid-import'],
      [0, 'console.unexpected'],
      [1, null],
      [0, 'client.invalid-import'],
    ]);
    expect(preview.items).toBe(2);
  });
});

describe('wireError', () => {
  it('says nothing of foreign errors', () => {
    expect(JSON.stringify(wireError(new Error('secret words')))).not.toContain('secret');
    expect(wireError('secret words').code).toBe('console.unexpected');
  });

  it('passes on what our own say', () => {
    class Own extends StrongroomError {}
    const error = new Own({ 'a.b': { status: 409, message: 'M' } }, 'a.b', {
      members: { currentVersion: 3 },
      detail: 'D',
    });
    expect(wireError(error)).toEqual({
      code: 'a.b',
      status: 409,
      message: 'M',
      detail: 'D',
      retryAfter: null,
      members: { currentVersion: 3 },
    });
  });
});
