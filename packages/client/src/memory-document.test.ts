import { utf8, newUuid, parseUuid } from '@strongroom/kernel';
import { SpaceKey } from '@strongroom/sealing';
import {
  MAXIMUM_BATCH_BYTES,
  MAXIMUM_BATCH_ITEMS,
  MAXIMUM_PAGE_ITEMS,
  MAXIMUM_TOKEN_BYTES,
} from '@strongroom/memories/wire';
import { beforeAll, describe, expect, it } from 'vitest';
import { BATCH_CHARACTERS, BATCH_ITEMS } from './import.ts';
import { LONGEST_TOKEN_BYTES, openDocument, openDocuments, sealDocument } from './internal/item-codec.ts';
import { PAGE_ITEMS } from './internal/open-space.ts';
import { decodeDocument, encodeDocument, type MemoryDocument } from './memory-document.ts';

const document: MemoryDocument = {
  text: 'The spare key is with Ines.\n"Quoted" \u{1f511}',
  title: 'Spare key',
  kind: 'fact',
  tags: ['home', 'keys'],
  source: { name: 'markdown', key: 'a.md', digest: 'abc', details: { lang: 'en', nested: [1, null] } },
  createdAt: '2026-11-22T10:00:00.000Z',
};

const code = (expected: string) => expect.objectContaining({ code: expected });

describe('the document inside', () => {
  it('comes back as it was', () => {
    expect(decodeDocument(encodeDocument(document))).toEqual(document);
    const { text, tags, createdAt } = document;
    expect(decodeDocument(encodeDocument({ text, tags, createdAt }))).toEqual({ text, tags, createdAt });
  });

  it.each([
    ['empty text', { text: '  ' }],
    ['an empty title', { title: '' }],
    ['a long title', { title: 'x'.repeat(501) }],
    ['an empty tag', { tags: [''] }],
    ['many tags', { tags: Array.from({ length: 101 }, () => 'x') }],
    ['a local time', { createdAt: '2026-11-22T10:00:00' }],
    ['an impossible time', { createdAt: '2026-13-22T10:00:00.000Z' }],
  ])('is refused with %s, without repeating it', (_name, change) => {
    expect(() => encodeDocument({ ...document, ...change })).toThrowError(code('client.invalid-memory'));
  });

  it.each([
    ['an unknown field', { ...document, format: 1, later: true }],
    ['a newer format', { ...document, format: 2 }],
    ['an unknown source field', { ...document, format: 1, source: { ...document.source, later: 1 } }],
    ['a number as text', { ...document, format: 1, text: 1 }],
    ['no tags', { ...document, format: 1, tags: undefined }],
    ['a list', []],
    ['null', null],
  ])('is not taken for one with %s', (_name, value) => {
    expect(() => decodeDocument(utf8(JSON.stringify(value)))).toThrowError(code('client.unknown-format'));
  });

  it('is not read from broken UTF-8 or JSON', () => {
    expect(() => decodeDocument(new Uint8Array([0x22, 0xff, 0x22]))).toThrowError(code('client.unknown-format'));
    expect(() => decodeDocument(utf8('{'))).toThrowError(code('client.unknown-format'));
  });
});

describe('sealing it', () => {
  const space = newUuid();
  const id = newUuid();
  let key: SpaceKey;
  let other: SpaceKey;
  beforeAll(async () => {
    key = await spaceKey(space, 1);
    other = await spaceKey(space, 2);
  });

  it('opens in its place only', async () => {
    const token = await sealDocument(key, { id, version: 3 }, document);
    expect(await openDocument(key, { id, version: 3, epoch: 1, token })).toEqual(document);
    for (const [opening, place] of [
      [key, { id, version: 4, epoch: 1, token }],
      [key, { id: newUuid(), version: 3, epoch: 1, token }],
      [other, { id, version: 3, epoch: 2, token }],
      [key, { id, version: 3, epoch: 1, token: `${token.slice(0, -2)}AA` }],
      [key, { id, version: 3, epoch: 1, token: token.slice(0, -24) }],
    ] as const) {
      await expect(openDocument(opening, place)).rejects.toEqual(code('client.cannot-open'));
    }
  });

  it('one that does not open leaves the others open', async () => {
    const good = { id, version: 1, epoch: 1, token: await sealDocument(key, { id, version: 1 }, document) };
    const replayed = { ...good, version: 2 };
    expect(await openDocuments(key, [replayed, good])).toEqual([code('client.cannot-open'), document]);
  });

  it('short memories have tokens of one length, and the token is the only thing on the wire', async () => {
    const one = await sealDocument(key, { id, version: 1 }, { ...document, text: 'a' });
    const two = await sealDocument(key, { id, version: 1 }, { ...document, text: 'abc' });
    expect(one).toHaveLength(two.length);
    expect(one).toMatch(/^gAAAA[\w-]+$/);
  });

  it('refuses what the server would not take', async () => {
    const text = 'x'.repeat(LONGEST_TOKEN_BYTES - 400);
    await expect(sealDocument(key, { id, version: 1 }, { ...document, text })).rejects.toEqual(
      code('client.memory-too-large'),
    );
    const shorter = await sealDocument(key, { id, version: 1 }, { ...document, text: text.slice(0, -12_000) });
    expect((shorter.length * 3) / 4).toBeLessThanOrEqual(MAXIMUM_TOKEN_BYTES);
  });

  it("keeps to the server's limits", () => {
    expect(LONGEST_TOKEN_BYTES).toBe(MAXIMUM_TOKEN_BYTES);
    expect(PAGE_ITEMS).toBe(MAXIMUM_PAGE_ITEMS);
    expect(BATCH_ITEMS).toBe(MAXIMUM_BATCH_ITEMS);
    expect(BATCH_CHARACTERS + 1000).toBeLessThan(MAXIMUM_BATCH_BYTES);
  });
});

async function spaceKey(space: string, epoch: number): Promise<SpaceKey> {
  const secret = await crypto.subtle.importKey('raw', new Uint8Array(32).fill(epoch), 'HKDF', false, ['deriveBits']);
  return new SpaceKey(parseUuid(space), epoch, secret);
}
