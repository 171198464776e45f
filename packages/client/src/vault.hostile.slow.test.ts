import { newUuid, type Uuid } from '@strongroom/kernel';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createApi } from './api.ts';
import { verifyRemoteLog, type RememberedLog, type RememberedLogStore } from './audit.ts';
import { ClientError } from './errors.ts';
import { EMAIL, Live } from './live.test-support.ts';
import { InMemoryCache } from './memory-cache.ts';
import type { Vault } from './vault.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });

let live: Live;
beforeAll(async () => {
  live = await Live.start();
  await live.signUp();
});
beforeEach(() => {
  live.wire = fetch;
});
afterAll(() => live.close());

describe('a server that is not honest', () => {
  let writer: Vault;
  let space: Uuid;
  let ids: Uuid[];
  beforeAll(async () => {
    writer = await live.device();
    space = (await writer.createSpace('Attacked')).id;
    ids = [];
    for (const text of ['first words', 'second words']) ids.push((await writer.remember(space, { text })).id);
    await writer.update(space, ids[0]!, 1, { text: 'first words, better' });
    await writer.sync(space);
  });

  type Feed = { items: Record<string, unknown>[]; next: string | null; sequence: number };
  /** Changes what the feed says. */
  const tamper = (change: (feed: Feed) => Feed) => {
    live.wire = async (address, init) => {
      const answer = await fetch(address, init);
      if (!address.href.includes('/changes')) return answer;
      const feed = change((await answer.json()) as Feed);
      return new Response(JSON.stringify(feed), { headers: { 'content-type': 'application/json' } });
    };
  };
  const swap = (feed: Feed, name: string): Feed => {
    const [left, right] = feed.items as [Record<string, unknown>, Record<string, unknown>];
    return {
      ...feed,
      items: [
        { ...left, [name]: right[name] },
        { ...right, [name]: left[name] },
      ],
    };
  };

  it.each(['token', 'id'])('that swaps the %s of two memories shows neither', async (name) => {
    const reader = await live.device();
    tamper((feed) => swap(feed, name));
    const result = await reader.sync(space);
    expect(result.unreadable).toHaveLength(2);
    expect(await reader.recall('words')).toEqual([]);
    await expect(reader.get(space, ids[0]!)).rejects.toEqual(code('client.cannot-open'));
  });

  it('that shows an old version as a new one shows nothing', async () => {
    const old = (await writer.api.versions(space, ids[0]!)).items.at(-1)!;
    const reader = await live.device();
    tamper((feed) => ({
      ...feed,
      items: feed.items.map((item) => (item['id'] === old.id ? { ...item, token: old.token } : item)),
    }));
    expect((await reader.sync(space)).unreadable).toEqual([{ id: ids[0], code: 'client.cannot-open' }]);
    expect(await reader.recall('better')).toEqual([]);
  });

  it('that goes back to an old state is noticed by whoever saw the newer one', async () => {
    const cache = new InMemoryCache();
    await (await live.device(cache)).sync(space);
    const reader = await live.device(cache);
    tamper((feed) => ({ ...feed, items: [], next: null, sequence: 1 }));
    await expect(reader.sync(space)).rejects.toEqual(code('client.rolled-back'));
  });

  it('that brings an old version back under a new place in the feed is noticed', async () => {
    const old = (await writer.api.versions(space, ids[0]!)).items.at(-1)!;
    const reader = await live.device();
    await reader.sync(space);
    tamper((feed) => {
      const item = { ...old, deleted: false, sequence: feed.sequence + 1, changedAt: old.writtenAt };
      return { items: [item], next: null, sequence: feed.sequence + 1 };
    });
    await expect(reader.sync(space)).rejects.toEqual(code('client.rolled-back'));
    expect((await reader.get(space, ids[0]!)).document.text).toBe('first words, better');
  });

  it('that drops what it acknowledged is noticed', async () => {
    const own = await live.device();
    await own.sync(space);
    const at = own.api.changes(space, { after: 0 });
    const { sequence: before } = await at;
    const { id } = await own.remember(space, { text: 'acknowledged and dropped' });
    tamper((feed) => ({ items: feed.items.filter((item) => item['id'] !== id), next: null, sequence: before }));
    await expect(own.sync(space)).rejects.toEqual(code('client.rolled-back'));
  });

  it('that puts another space in place of the asked one, or its key, is noticed', async () => {
    const other = await writer.createSpace('Another');
    const reader = await live.device();
    live.wire = (address, init) => fetch(new URL(address.href.replace(space, other.id)), init);
    await expect(reader.sync(space)).rejects.toEqual(code('client.bad-answer'));
    live.wire = async (address, init) => {
      const answer = await fetch(address, init);
      if (address.pathname !== '/v1/spaces') return answer;
      const list = (await answer.json()) as { items: { id: string; keys: unknown }[] };
      const keys = list.items.find((item) => item.id === other.id)!.keys;
      return Response.json({
        ...list,
        items: list.items.map((item) => (item.id === space ? { ...item, keys } : item)),
      });
    };
    const listed = await (await live.device()).listSpaces();
    expect(listed.find((item) => item.id === space)!.name).toBeNull();
    expect(listed.find((item) => item.id === other.id)!.name).toBe('Another');
  });

  it('that asks for a weak key derivation never gets a guess at the password', async () => {
    live.wire = async (address, init) => {
      const answer = await fetch(address, init);
      if (!address.href.endsWith('/parameters')) return answer;
      const asked = (await answer.json()) as { keyDerivation: { salt: string; parameters: object } };
      const parameters = { ...asked.keyDerivation.parameters, memoryKibibytes: 8 };
      return Response.json({ keyDerivation: { ...asked.keyDerivation, parameters } });
    };
    const before = live.sent.length;
    await expect(live.signIn()).rejects.toEqual(code('sealing.weak-parameters'));
    expect(live.sent.slice(before).filter((request) => request.includes('/v1/sessions'))).toEqual([]);
  });

  it.each<[string, unknown]>([
    ['a list instead of an object', []],
    ['negative numbers', { items: [], next: null, sequence: -1 }],
    [
      'an id that is none',
      {
        items: [{ id: '../x', version: 1, epoch: 1, deleted: true, sequence: 1, changedAt: '' }],
        next: null,
        sequence: 1,
      },
    ],
    [
      'a token that is no text',
      {
        items: [
          {
            id: newUuid(),
            version: 1,
            epoch: 1,
            token: 1,
            author: newUuid(),
            deleted: false,
            sequence: 1,
            changedAt: '',
          },
        ],
        next: null,
        sequence: 1,
      },
    ],
  ])('that answers %s is not understood', async (_name, body) => {
    const reader = await live.device();
    tamper(() => body as Feed);
    await expect(reader.sync(space)).rejects.toEqual(code('client.bad-answer'));
  });
});

describe('the audit log over HTTP', () => {
  function store(): RememberedLogStore & { log: RememberedLog | null } {
    return {
      log: null,
      read() {
        return Promise.resolve(this.log);
      },
      write(log) {
        this.log = log;
        return Promise.resolve();
      },
    };
  }

  it('verifies, is remembered, and verifies again as it grows', async () => {
    const vault = await live.device();
    await live.sequence();
    const kept = store();
    const first = await verifyRemoteLog(vault.api, kept);
    expect(first).toMatchObject({ ok: true, findings: [] });
    // Only what happened outside of any tenant is withheld.
    expect(first.verifiedEntries).toBeGreaterThan(first.withheldEntries);
    expect(kept.log).toMatchObject({ size: first.size });
    await vault.createSpace('One more');
    await live.sequence();
    const second = await verifyRemoteLog(vault.api, kept);
    expect(second.ok).toBe(true);
    expect(second.size).toBeGreaterThan(first.size);
  });

  it('a log that is shorter than the remembered one, or signed by others, is noticed', async () => {
    const vault = await live.device();
    await live.sequence();
    const kept = store();
    const { size } = await verifyRemoteLog(vault.api, kept);
    const { log } = kept;
    kept.log = { ...log!, size: size + 10 };
    const verdict = await verifyRemoteLog(vault.api, kept);
    expect(verdict.findings.map(({ what }) => what).join()).toContain('cut');
    expect(kept.log).toMatchObject({ size: size + 10 });
    kept.log = { ...log!, keys: ['other.example+00000000+AAAA'] };
    await expect(verifyRemoteLog(vault.api, kept)).rejects.toEqual(code('client.log-keys-changed'));
  });

  it('an entry that was changed on the way is named', async () => {
    const vault = await live.device();
    await live.sequence();
    let changed: number | undefined;
    live.wire = async (address, init) => {
      const answer = await fetch(address, init);
      if (!address.href.includes('/entries')) return answer;
      const page = (await answer.json()) as { items: { index: number; event: { type: string } | null }[] };
      const items = page.items.map((item) => {
        if (item.event === null || item.index < 5 || (changed !== undefined && changed !== item.index)) return item;
        changed = item.index;
        return { ...item, event: { ...item.event, type: 'nothing.happened' } };
      });
      return Response.json({ ...page, items });
    };
    const verdict = await verifyRemoteLog(vault.api, store());
    expect(verdict.ok).toBe(false);
    expect(verdict.findings.map(({ where }) => where)).toContain(`event ${changed}`);
  });
});

it('every error of the client is a ClientError', async () => {
  live.wire = () => Promise.reject(new TypeError('no network'));
  const failing = createApi({ baseUrl: live.baseUrl, fetch: live.fetch }).signIn({
    email: EMAIL,
    authenticationSecret: 'x',
    transport: 'bearer',
  });
  await expect(failing).rejects.toBeInstanceOf(ClientError);
});
