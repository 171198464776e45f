/** Two people and a server over real HTTP: sharing, removing, and a server that lies about keys. */
import { fromBase64Url, newUuid, toBase64Url, type Uuid } from '@strongroom/kernel';
import {
  AccountKeys,
  createAccount,
  createSpaceKey,
  deriveCredentials,
  openItem,
  openSharedSpaceKey,
  openSpaceKey,
  sealSpaceName,
  shareSpaceKey,
  unlockAccount,
  type SpaceKey,
} from '@strongroom/sealing';
import { figure } from '@strongroom/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createApi } from './api.ts';
import { EMAIL, Live, PASSWORD } from './live.test-support.ts';
import { InMemoryCache } from './memory-cache.ts';
import { InMemoryTrustStore } from './trust-store.ts';
import { Vault } from './vault.ts';

const code = (expected: string) => expect.objectContaining({ code: expected });

interface Device {
  readonly vault: Vault;
  readonly trust: InMemoryTrustStore;
  readonly cache: InMemoryCache;
}

let live: Live;
let anna: Device;
let ben: Device;
let benId: Uuid;
let annaId: Uuid;

const device = (trust = new InMemoryTrustStore(), cache = new InMemoryCache()): Device => ({
  vault: new Vault({ api: createApi({ baseUrl: live.baseUrl, fetch: live.fetch }), cache, trust }),
  trust,
  cache,
});
const BEN = { email: 'ben@example.org', password: "ben's very own pass phrase", transport: 'bearer' as const };

/** The same session and key on a device that knows other things. */
async function again(of: Device, options: Partial<Device> = {}): Promise<Vault> {
  const account = of.vault.account!;
  const password = account.id === annaId ? PASSWORD : BEN.password;
  const vault = new Vault({
    api: of.vault.api,
    cache: options.cache ?? new InMemoryCache(),
    trust: options.trust ?? new InMemoryTrustStore(),
  });
  await vault.resume();
  await vault.unlock(password);
  return vault;
}

/** Everything of somebody that a password opens. */
async function keysOf({ vault }: Device, password: string): Promise<AccountKeys> {
  const { record } = vault.account!;
  const { unlockKey } = await deriveCredentials(password, fromBase64Url(record.salt), record.parameters);
  return unlockAccount(record, unlockKey);
}

type Json = Record<string, unknown>;
/** Changes the answers of requests whose path matches. */
function tamper(path: RegExp, change: (answer: Json) => Json): void {
  live.wire = async (address, init) => {
    const answer = await fetch(address, init);
    if (!path.test(address.pathname) || !answer.ok || init.method !== 'GET') return answer;
    return Response.json(change((await answer.json()) as Json));
  };
}

beforeAll(async () => {
  live = await Live.start();
  await live.signUp();
  anna = device();
  await anna.vault.signIn({ email: EMAIL, password: PASSWORD, transport: 'bearer' });
  await anna.vault.reauthenticate(PASSWORD);
  const { code: invitation, token } = await anna.vault.invite('member');
  ben = device();
  const before = live.sent.length;
  await ben.vault.signUp({ ...BEN, invitation, displayName: 'Ben' });
  // The server gets the token it knows; the inviter's key went from person to person.
  expect(live.sent.slice(before).join()).toContain(token);
  expect(live.sent.slice(before).join()).not.toContain(invitation);
  annaId = anna.vault.account!.id;
  benId = ben.vault.account!.id;
});
beforeEach(() => {
  live.wire = fetch;
});
afterAll(() => live.close());

describe('sharing a space', () => {
  let space: Uuid;
  beforeAll(async () => {
    space = (await anna.vault.createSpace('Family')).id;
    await anna.vault.remember(space, { text: 'the key is with Ines' });
  });

  it('is not done before the fingerprint was compared', async () => {
    expect(await ben.vault.members()).toMatchObject([
      { account: annaId, trust: 'compared', fingerprint: await anna.vault.fingerprint() },
      { account: benId, trust: 'self' },
    ]);
    const [, shown] = await anna.vault.members();
    expect(shown).toMatchObject({ account: benId, trust: 'unknown' });
    await expect(anna.vault.shareSpace(space, benId, 'viewer')).rejects.toMatchObject({
      code: 'client.unknown-key',
      members: { account: benId, fingerprint: shown!.fingerprint },
    });
    await expect(anna.vault.trust(benId, '12345 12345 12345 12345 12345 12345')).rejects.toEqual(
      code('client.fingerprint-differs'),
    );
    await expect(anna.vault.trust(newUuid(), shown!.fingerprint!)).rejects.toEqual(code('client.unknown-member'));
    // What Ben reads out.
    await anna.vault.trust(benId, (await ben.vault.fingerprint()).replaceAll(' ', '-'));
    expect((await anna.vault.members())[1]).toMatchObject({ trust: 'compared' });
  });

  it('lets a viewer really read and really not write', async () => {
    await anna.vault.shareSpace(space, benId, 'viewer');
    const listed = await ben.vault.listSpaces();
    expect(listed).toMatchObject([{ id: space, name: 'Family', role: 'viewer', pending: null }]);
    await ben.vault.sync(space);
    const [memory] = await ben.vault.list(space);
    expect(memory).toMatchObject({ author: annaId, document: { text: 'the key is with Ines' } });
    expect(await ben.vault.recall('Ines')).toHaveLength(1);
    await expect(ben.vault.remember(space, { text: 'mine' })).rejects.toEqual(code('pipeline.forbidden'));
    await expect(ben.vault.update(space, memory!.id, 1, { text: 'changed' })).rejects.toEqual(
      code('pipeline.forbidden'),
    );
    await expect(ben.vault.forget(space, memory!.id, 1)).rejects.toEqual(code('pipeline.forbidden'));
  });

  it('needs to be received once: another device that knows nobody opens it', async () => {
    const stored = await live.storedSpaceKeys(space);
    expect(stored.map(({ account, sender }) => ({ account, sender }))).toEqual(
      expect.arrayContaining([
        { account: annaId, sender: null },
        { account: benId, sender: null },
      ]),
    );
    expect(await (await again(ben)).listSpaces()).toMatchObject([{ name: 'Family' }]);
  });

  it('lets a member write, and both read what the other wrote', async () => {
    await anna.vault.shareSpace(space, benId, 'member');
    await ben.vault.listSpaces();
    await ben.vault.remember(space, { text: 'the ladder is in the shed' });
    await anna.vault.sync(space);
    expect(await anna.vault.recall('ladder')).toMatchObject([{ author: benId }]);
  });

  it('lists who is in it', async () => {
    expect(await ben.vault.spaceMembers(space)).toMatchObject([
      { account: annaId, role: 'owner', trust: 'compared', epochs: [1] },
      { account: benId, role: 'member', trust: 'self', epochs: [1] },
    ]);
  });

  it('ends with a new key: what comes later stays closed, even with a copy of the database', async () => {
    const benKeys = await keysOf(ben, BEN.password);
    const held = await ben.vault.api.space(space);
    const removed = await anna.vault.unshareSpace(space, [benId]);
    expect(removed).toMatchObject({ name: 'Family', rotationDue: false });
    const later = await anna.vault.remember(space, { text: 'what Ben must not read' });

    await expect(ben.vault.sync(space)).rejects.toMatchObject({ status: 404 });
    expect(await ben.vault.listSpaces()).toEqual([]);
    expect(await ben.vault.recall('ladder')).toEqual([]);

    // Everything the server has, in the hands of somebody with Ben's keys and what he had before.
    const { epoch, token } = await anna.vault.api.memory(space, later.id);
    expect(epoch).toBe(2);
    const kept: SpaceKey[] = [];
    let tried = 0;
    for (const { epoch: of, wrappedKey } of held.keys) kept.push(await openSpaceKey(benKeys, space, of, wrappedKey));
    for (const { epoch: of, key } of await live.storedSpaceKeys(space)) {
      const attempts = [openSpaceKey(benKeys, space, of, key)];
      for (const sender of [anna, ben]) {
        const publicKey = fromBase64Url(sender.vault.account!.record.publicKey);
        const account = sender.vault.account!.id;
        attempts.push(
          openSharedSpaceKey(benKeys, space, of, key, { account, publicKey }).then(({ spaceKey }) => spaceKey),
        );
      }
      tried += attempts.length;
      for (const attempt of await Promise.allSettled(attempts)) {
        if (attempt.status === 'fulfilled') kept.push(attempt.value);
      }
    }
    expect(kept.map((key) => key.epoch)).toEqual([1]);
    figure(`after the removal, ${tried} openings of stored keys of the space tried, none of the new epoch opened`);
    const text = new TextDecoder().decode(fromBase64Url(token));
    for (const key of kept) {
      await expect(openItem(key, { item: later.id, version: 1 }, text)).rejects.toEqual(code('sealing.cannot-open'));
    }
  });

  it('shares what is there when somebody comes back, or only what comes', async () => {
    await anna.vault.shareSpace(space, benId, 'viewer', { history: false });
    await ben.vault.listSpaces();
    await ben.vault.sync(space);
    expect((await ben.vault.list(space)).map(({ document }) => document.text)).toEqual(['what Ben must not read']);
    // With the former key, the rest opens too.
    await anna.vault.shareSpace(space, benId, 'viewer');
    await ben.vault.listSpaces();
    await ben.vault.sync(space);
    expect(await ben.vault.list(space)).toHaveLength(3);
  });

  it('goes on under a new key without anybody having to do anything', async () => {
    await anna.vault.shareSpace(space, benId, 'member');
    await ben.vault.listSpaces();
    await anna.vault.rotateSpace(space);
    // Ben's device still has the old state: it writes under the new key all the same, and reads it.
    await ben.vault.remember(space, { text: 'written across a change of key' });
    await anna.vault.remember(space, { text: 'written under the third key' });
    const other = await again(ben, { trust: ben.trust });
    await other.listSpaces();
    await anna.vault.rotateSpace(space);
    await anna.vault.remember(space, { text: 'written under the fourth key' });
    const result = await other.sync(space);
    expect(result.unreadable).toEqual([]);
    expect((await other.list(space)).map(({ document }) => document.text)).toEqual(
      expect.arrayContaining(['written across a change of key', 'written under the fourth key']),
    );
  });

  it('can be left, and asks for a new key then', async () => {
    await ben.vault.leaveSpace(space);
    expect(await ben.vault.listSpaces()).toEqual([]);
    const [left] = await anna.vault.listSpaces();
    expect(left).toMatchObject({ id: space, rotationDue: true });
    expect(await anna.vault.rotateSpace(space)).toMatchObject({ rotationDue: false });
  });
});

describe('a server that lies about keys', () => {
  let space: Uuid;
  let server: AccountKeys;
  let attacks = 0;
  afterEach(({ task }) => {
    if (task.result?.state === 'pass') attacks += 1;
  });
  afterAll(() => {
    figure(`${attacks} ways in which a server lies about keys, each detected or without effect`);
  });
  beforeAll(async () => {
    // Whatever a server can make: an account of its own, as good as any.
    ({ keys: server } = await createAccount({ account: newUuid(), password: 'the server has pass phrases too' }));
  });
  beforeEach(async () => {
    space = (await anna.vault.createSpace('Attacked')).id;
    await anna.vault.shareSpace(space, benId, 'member');
    await ben.vault.listSpaces();
  });

  const membersWith = (change: (member: Json) => Json) => (answer: Json) => ({
    ...answer,
    items: (answer['items'] as Json[]).map(change),
  });
  const asBen = (member: Json): Json =>
    member['account'] === benId ? { ...member, publicKey: toBase64Url(server.publicKey) } : member;

  it('by a key of its own in place of a new person is found by comparing, and gets nothing', async () => {
    const stranger = await again(anna);
    const own = (await stranger.createSpace('First contact')).id;
    tamper(/members$/, membersWith(asBen));
    const shown = (await stranger.members()).find(({ account }) => account === benId)!;
    await expect(stranger.trust(benId, await ben.vault.fingerprint())).rejects.toEqual(
      code('client.fingerprint-differs'),
    );
    const before = live.sent.length;
    await expect(stranger.shareSpace(own, benId, 'viewer')).rejects.toMatchObject({
      code: 'client.unknown-key',
      members: { fingerprint: shown.fingerprint },
    });
    expect(live.sent.slice(before).filter((request) => request.includes('sealedKey'))).toEqual([]);
  });

  it('by another key for somebody known is refused for sharing, roles and new keys', async () => {
    tamper(/members$/, membersWith(asBen));
    expect((await anna.vault.members()).find(({ account }) => account === benId)).toMatchObject({ trust: 'changed' });
    const before = live.sent.length;
    await expect(anna.vault.shareSpace(space, benId, 'admin')).rejects.toEqual(code('client.key-changed'));
    await expect(anna.vault.rotateSpace(space)).rejects.toEqual(code('client.key-changed'));
    expect(live.sent.slice(before).filter((request) => request.includes('sealedKey'))).toEqual([]);
  });

  it('by a member nobody invited gets no share of the next key', async () => {
    tamper(new RegExp(`${space}/members$`), (answer) => ({
      ...answer,
      items: [
        ...(answer['items'] as Json[]),
        {
          account: server.account,
          displayName: 'Ben',
          role: 'member',
          publicKey: toBase64Url(server.publicKey),
          epochs: [1],
        },
      ],
    }));
    const before = live.sent.length;
    await expect(anna.vault.rotateSpace(space)).rejects.toMatchObject({
      code: 'client.unknown-key',
      members: { account: server.account },
    });
    expect(live.sent.slice(before).filter((request) => request.includes('sealedKey'))).toEqual([]);
  });

  /** A next epoch with a key that the server knows, sealed to Ben, as from `sender`. */
  async function injected(sender: { account: Uuid; publicKey: string | null }, by: AccountKeys) {
    const { spaceKey, wrapping } = await createSpaceKey(by, space, 2);
    const benKey = fromBase64Url(ben.vault.account!.record.publicKey);
    const sealed = await shareSpaceKey(by, space, 2, wrapping, { account: benId, publicKey: benKey });
    const sealedName = await sealSpaceName(spaceKey, 'Attacked');
    const attacked = (answer: Json): Json => ({
      ...answer,
      epoch: 2,
      sealedName,
      keys: [
        ...(answer['keys'] as Json[]),
        { epoch: 2, wrappedKey: sealed, sharedBy: { ...sender, displayName: 'Anna' } },
      ],
    });
    tamper(new RegExp(`/v1/spaces(/${space})?$`), (answer) =>
      answer['items'] === undefined
        ? attacked(answer)
        : {
            ...answer,
            items: (answer['items'] as Json[]).map((item) => (item['id'] === space ? attacked(item) : item)),
          },
    );
  }

  it.each<[string, () => Promise<void>, string | null]>([
    [
      'as from Anna, with her key',
      () => {
        const pretending = new AccountKeys(
          annaId,
          fromBase64Url(anna.vault.account!.record.publicKey),
          server.privateKey,
          server.wrappingKey,
        );
        return injected({ account: annaId, publicKey: anna.vault.account!.record.publicKey }, pretending);
      },
      null,
    ],
    [
      'as from Anna, with a key that is not hers',
      () => {
        const pretending = new AccountKeys(annaId, server.publicKey, server.privateKey, server.wrappingKey);
        return injected({ account: annaId, publicKey: toBase64Url(server.publicKey) }, pretending);
      },
      'changed',
    ],
    [
      'as from somebody this device does not know',
      () => injected({ account: server.account, publicKey: toBase64Url(server.publicKey) }, server),
      'unknown',
    ],
    [
      'as from Anna, without showing a key',
      () =>
        injected(
          { account: annaId, publicKey: null },
          new AccountKeys(annaId, server.publicKey, server.privateKey, server.wrappingKey),
        ),
      null,
    ],
  ])('by a space key of its own, %s, is not believed: nothing is written under it', async (_how, attack, reason) => {
    await attack();
    const reader = await again(ben, { trust: ben.trust });
    expect((await reader.listSpaces()).find(({ id }) => id === space)!.pending?.reason ?? null).toBe(reason);
    const before = live.sent.length;
    await expect(reader.remember(space, { text: 'for the family only' })).rejects.toEqual(code('client.cannot-open'));
    expect(live.sent.slice(before).filter((request) => request.includes('"token"'))).toEqual([]);
    live.wire = fetch;
    // Once the server is honest again, everything opens as before.
    expect((await reader.listSpaces()).find(({ id }) => id === space)).toMatchObject({
      name: 'Attacked',
      pending: null,
    });
  });

  it('by somebody unknown as sharer waits, says whose fingerprint to compare, and opens after that', async () => {
    const fresh = (await anna.vault.createSpace('Waiting')).id;
    await anna.vault.shareSpace(fresh, benId, 'viewer');
    const stranger = await again(ben);
    const waiting = (await stranger.listSpaces()).find(({ id }) => id === fresh);
    expect(waiting).toMatchObject({
      name: null,
      pending: { account: annaId, displayName: 'Anna', reason: 'unknown', fingerprint: await anna.vault.fingerprint() },
    });
    await stranger.trust(annaId, await anna.vault.fingerprint());
    expect((await stranger.listSpaces()).find(({ id }) => id === fresh)).toMatchObject({
      name: 'Waiting',
      pending: null,
    });
  });

  it('by an earlier epoch than this device has seen is noticed, after a restart too', async () => {
    const old: Json = { ...(await anna.vault.api.space(space)) };
    await anna.vault.rotateSpace(space);
    tamper(new RegExp(`/v1/spaces/${space}$`), () => old);
    await expect((await again(anna, { trust: anna.trust })).remember(space, { text: 'x' })).rejects.toEqual(
      code('client.rolled-back'),
    );
    tamper(/\/v1\/spaces$/, (answer) => ({
      ...answer,
      items: (answer['items'] as Json[]).map((item) => (item['id'] === space ? old : item)),
    }));
    await expect(anna.vault.listSpaces()).rejects.toEqual(code('client.rolled-back'));
  });

  it('by an epoch that never was does not make the device wait for it', async () => {
    tamper(new RegExp(`/v1/spaces/${space}$`), (answer) => ({ ...answer, epoch: 1_000_000 }));
    const reader = await again(ben, { trust: ben.trust });
    await expect(reader.remember(space, { text: 'x' })).rejects.toEqual(code('client.cannot-open'));
    live.wire = fetch;
    expect(await reader.sync(space)).toMatchObject({ unreadable: [] });
  });

  it('by refusing to let a key be taken over changes nothing for this device', async () => {
    const fresh = (await anna.vault.createSpace('Not taken')).id;
    await anna.vault.shareSpace(fresh, benId, 'viewer');
    live.wire = (address, init) =>
      address.pathname.includes('/keys/') ? Promise.resolve(new Response('no', { status: 403 })) : fetch(address, init);
    const reader = await again(ben, { trust: ben.trust });
    expect((await reader.listSpaces()).find(({ id }) => id === fresh)).toMatchObject({ name: 'Not taken' });
    const stored = await live.storedSpaceKeys(fresh);
    expect(stored.find(({ account }) => account === benId)).toMatchObject({ sender: annaId });
  });

  it('by a share that opens but is not the key of the space is not taken over', async () => {
    const annaKeys = await keysOf(anna, PASSWORD);
    const { wrapping } = await createSpaceKey(annaKeys, space, 1);
    const benKey = fromBase64Url(ben.vault.account!.record.publicKey);
    const sealed = await shareSpaceKey(annaKeys, space, 1, wrapping, { account: benId, publicKey: benKey });
    const sharedBy = { account: annaId, displayName: 'Anna', publicKey: anna.vault.account!.record.publicKey };
    tamper(new RegExp(`/v1/spaces/${space}$`), (answer) => ({
      ...answer,
      keys: [{ epoch: 1, wrappedKey: sealed, sharedBy }],
    }));
    const reader = await again(ben, { trust: ben.trust });
    const before = live.sent.length;
    await expect(reader.remember(space, { text: 'x' })).rejects.toEqual(code('client.cannot-open'));
    expect(live.sent.slice(before).filter((request) => request.includes('/keys/'))).toEqual([]);
  });
});
