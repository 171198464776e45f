/** `strongroom audit search` and `export` over a life in the vault: over the network, through the socket, and with the server stopped. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import path from 'node:path';
import { corpora, figure, needs, temporaryFolder } from '@strongroom/testing';
import { ocsfValidator } from '@strongroom/testing/ocsf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Device, type RunningVault, startVault, until } from './running-vault.fixture.ts';

const EMAIL = 'ada@example.org';

interface Found {
  readonly items: readonly {
    readonly type: string;
    readonly outcome: string;
    readonly actor: string | null;
    readonly index: number;
  }[];
  readonly next: string | null;
}

describe('audit search and export', () => {
  let vault: RunningVault;
  const ada = new Device();
  const files = temporaryFolder();
  const file = (name: string) => path.join(files, name);
  const search = (...parameters: readonly string[]) => ada.json<Found>('audit', 'search', ...parameters);
  const onMachine = () => ['--data', vault.data];
  const lines = (name: string) =>
    readFileSync(file(name), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  beforeAll(async () => {
    vault = await startVault();
    await ada.lines('signup', '--invitation', vault.setupLink!);
    await ada.lines('remember', 'the spare key is with Ines');
    await ada.lines('space', 'create', 'garden');
    expect((await ada.run(['login'], { environment: { STRONGROOM_PASSWORD: 'quite another one' } })).code).not.toBe(0);
    await ada.lines('login');
    await ada.lines('recall', 'spare key');
    await until(
      'the events have their place',
      async () => (await search('--action', 'memory.created')).items.length > 0,
    );
  });

  it('finds by person, kind, outcome, time and words, as a table and as JSON', async () => {
    const mine = await search('--actor', EMAIL, '--action', 'memory.created');
    expect(mine.items).toHaveLength(1);
    const { actor } = mine.items[0]!;
    expect((await search('--actor', actor!, '--class', 'data-change', '--from', '1h')).items.length).toBeGreaterThan(1);
    expect((await search('--to', '1h')).items).toEqual([]);
    expect((await search('--actor', 'nobody@example.org')).items).toEqual([]);
    // The refused sign-in is nobody's: it belongs to no tenant, so only the operator sees it.
    expect((await search('--outcome', 'denied')).items).toEqual([]);
    const denied = await search(...onMachine(), '--outcome', 'denied', '--class', 'sign-in');
    expect(denied.items.map(({ type }) => type)).toEqual(['session.created']);
    const unsuccessful = ['--outcome', 'denied', 'failure', '--class', 'sign-in', '--class', 'policy'];
    expect((await search(...onMachine(), ...unsuccessful)).items).toEqual(denied.items);
    expect((await search(...onMachine(), '--outcome', 'denied', '--class', 'policy', 'permission')).items).toEqual([]);
    const kinds = new Set((await search('--class', 'sign-in', 'security')).items.map(({ type }) => type));
    expect([...kinds].toSorted()).toEqual(['account.created', 'session.created']);
    expect((await search(...onMachine(), '--text', 'failed sign')).items).toHaveLength(1);
    const table = await ada.lines('audit', 'search', '--action', 'memory.created');
    expect(table).toMatch(/^ *# +time \(UTC\) +action +outcome +actor/);
    expect(table).toMatch(/memory\.created +success +Ada Lovelace +memory /);
    expect(await ada.lines('audit', 'search', '--action', 'no.such')).toBe('Nothing found.\n');
  });

  it('pages, and refuses what it does not understand', async () => {
    const all = await search(...onMachine(), '--limit', '500', '--class', 'data-change', '--oldest');
    const indexes: number[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: Found = await search(
        ...onMachine(),
        '--limit',
        '2',
        '--class',
        'data-change',
        '--oldest',
        ...(cursor === '' ? [] : ['--cursor', cursor]),
      );
      indexes.push(...page.items.map(({ index }) => index));
      cursor = page.next;
    }
    expect(indexes).toEqual(all.items.map(({ index }) => index));
    for (const wrong of [
      ['--from', 'yesterday'],
      ['--limit', '0'],
      ['--actor', 'x'],
      ['--class', 'x'],
      ['--outcome', 'x'],
      ['--purpose', 'Ines Example'],
    ]) {
      expect((await ada.run(['audit', 'search', ...wrong])).code, wrong.join(' ')).toBe(2);
    }
    expect((await ada.run(['audit', 'export', '--format', 'xml'])).code).toBe(2);
    expect((await ada.run(['audit', 'export', '--out', file('no/such/folder')])).code).toBe(1);
  });

  it.skipIf(!needs('corpora:ocsf'))(
    'exports valid OCSF, running and stopped, and leaves an event that says so',
    async () => {
      const validate = ocsfValidator(corpora('ocsf')!);
      await ada.lines('audit', 'export', '--purpose', 'review', '--out', file('own'));
      await ada.lines('audit', 'export', ...onMachine(), '--format', 'ocsf', '--out', file('all'));
      await ada.lines('audit', 'export', ...onMachine(), '--format', 'jsonl', '--out', file('plain'));
      await ada.lines('audit', 'export', '--actor', 'nobody@example.org', '--out', file('none'));
      expect(statSync(file('none')).size).toBe(0);
      expect(statSync(file('own')).mode & 0o777).toBe(0o600);
      await vault.stop();
      await ada.lines('audit', 'export', ...onMachine(), '--out', file('stopped'));
      const seen = new Set<unknown>();
      for (const name of ['own', 'all', 'stopped']) {
        for (const event of lines(name)) {
          expect(validate(event), JSON.stringify(event)).toEqual([]);
          seen.add((event['metadata'] as { readonly event_code: string }).event_code);
        }
      }
      expect([...seen]).toEqual(
        expect.arrayContaining([
          'account.created',
          'session.created',
          'memory.created',
          'audit.searched',
          'audit.exported',
        ]),
      );
      expect(lines('own').length).toBeLessThan(lines('all').length);
      expect(lines('all').length).toBeLessThan(lines('stopped').length);
      const plain = lines('plain');
      const indexes = plain.map(({ index }) => index);
      expect(indexes).toEqual(Array.from({ length: plain.length }, (_, index) => index));
      // Neither form names anybody.
      for (const name of ['stopped', 'plain']) {
        expect(/lovelace|example\.org/i.test(readFileSync(file(name), 'utf8')), name).toBe(false);
      }
      const last = await search(...onMachine(), '--action', 'audit.exported');
      expect((await search(...onMachine(), '--action', 'audit.exported', '--text', 'review')).items).toHaveLength(1);
      // The one that could not be written was begun all the same.
      expect(last.items.length).toBe(6);
      expect(existsSync(file('own'))).toBe(true);
      figure(`${lines('stopped').length} events of ${seen.size} types of a real story are valid OCSF`);
    },
  );
});

/** Events of one page, about a kilobyte each. */
const PAGE = 4096;
const PAGES = 40;

/** Megabytes of old objects that the process may have: far fewer than the export is long. */
const HEAP = 64;

describe('an export', () => {
  let server: Server;
  const data = temporaryFolder();

  /** What a running server would answer on its socket, without end: the events are what a page costs, whoever stored them. */
  function answer(url: string): unknown {
    const event = {
      eventId: '01a20164-6120-715d-a7e6-82cee6c3664e',
      occurredAt: '2026-11-22T03:54:45.123Z',
      type: 'memory.read',
      outcome: 'success',
      reason: null,
      actorKind: 'account',
      actor: 'e2668f13-0dd3-454b-af57-a41b06c290c1',
      actorVia: null,
      sessionId: '01a20164-6120-715d-a7e6-82cee6c3664e',
      tenantId: '01a20164-6120-715d-a7e6-82cee6c3664e',
      requestId: '01a20164-6120-715d-a7e6-82cee6c3664e',
      addressCommitment: null,
      objectType: 'memory',
      objectId: '01a20164-6120-715d-a7e6-82cee6c3664e',
      subjects: [],
      details: '{"version":1}',
    };
    if (url === '/operator/status') return { version: '0' };
    if (url === '/operator/audit/exports') return { note: null };
    const page = Number(/cursor=01a20164-6120-715d-a7e6-(\d{12})/.exec(url)?.[1] ?? 0);
    const items = Array.from({ length: PAGE }, (_, place) => ({
      index: page * PAGE + place,
      leafHash: 'A'.repeat(43),
      event,
      addressPrefix: null,
    }));
    const next = page + 1 < PAGES ? `01a20164-6120-715d-a7e6-${String(page + 1).padStart(12, '0')}` : null;
    return { items, next, people: [] };
  }

  beforeAll(async () => {
    server = createServer((request, response) => response.end(JSON.stringify(answer(request.url!))));
    await new Promise<void>((resolve) => server.listen(path.join(data, 'administrator.sock'), resolve));
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  it('takes no more memory the longer it is', async () => {
    const out = path.join(data, 'long');
    const device = new Device({ NODE_OPTIONS: `--max-old-space-size=${HEAP}` });
    await device.lines('audit', 'export', '--data', data, '--out', out);
    const { size } = statSync(out);
    expect(size).toBeGreaterThan(2 * HEAP * 1024 * 1024);
    figure(`${PAGE * PAGES} events, ${Math.round(size / 1024 / 1024)} MB of OCSF, exported with ${HEAP} MB of heap`);
  });
});
