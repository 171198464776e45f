/** Several server processes on one PostgreSQL, each with a data folder of its own, and one root slot between them. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InMemoryCache, type ImportItem, Vault, createApi } from '@strongroom/client';
import { figure, temporaryFolder } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { beforeAll, describe, expect, it } from 'vitest';
import { Device, PASSWORD, type RunningVault, runServer, startVault, until } from './running-vault.fixture.ts';

const postgresql = databases().find(({ name }) => name === 'PostgreSQL')!;

/** Sign-ins at one address before it has to wait, over all servers. */
const SIGN_INS = 10;
const KILLS = 4;
const ITEMS = 400;

let environment: Record<string, string>;
/** Of a further server. */
let sharing: Record<string, string>;
let servers: [RunningVault, RunningVault];
const ada = new Device();
/** Opened by the tests themselves, for what would take too many processes. */
let token: string;
let space: string;

const itemsOf = (name: string): ImportItem[] =>
  Array.from({ length: ITEMS }, (_, number) => ({
    source: 'markdown',
    key: `${name}-${number}.md`,
    kind: 'note',
    text: `${name} ${number}`,
    tags: [],
    createdAt: null,
    details: {},
  }));

async function vaultAt(server: RunningVault): Promise<Vault> {
  const vault = new Vault({ api: createApi({ baseUrl: server.url, token }), cache: new InMemoryCache() });
  await vault.resume();
  await vault.unlock(PASSWORD);
  return vault;
}

/** Entries under the newest checkpoint. */
async function logSize(server: RunningVault): Promise<number> {
  const { http } = createApi({ baseUrl: server.url, token });
  const { note } = (await http.json({ method: 'GET', path: '/v1/audit/checkpoint', repeatable: true })) as {
    note: string | null;
  };
  return Number(note?.split('\n')[1] ?? 0);
}

interface Run {
  readonly start: number;
  readonly end: number;
}

/** Runs of the sequencer, from a server's log. */
function runsOf(server: RunningVault): Run[] {
  const lines = server.log
    .split('\n')
    .filter((line) => line.includes('"job finished"') && line.includes('"audit-log.sequence"'));
  return lines.map((line) => {
    const { time, milliseconds } = JSON.parse(line) as { time: string; milliseconds: number };
    const end = Date.parse(time);
    return { start: end - milliseconds, end };
  });
}

describe.skipIf(!postgresql.available)('two servers on one PostgreSQL', () => {
  beforeAll(async () => {
    const location = await postgresql.fresh();
    if (location.kind !== 'postgresql') throw new TypeError('unreachable');
    environment = { STRONGROOM_DATABASE_URL: location.url };
    const parameters = ['--log-level', 'debug'];
    const first = await startVault({
      parameters,
      environment: { ...environment, STRONGROOM_DATABASE_OWNER_URL: location.ownerUrl! },
    });
    const data = join(temporaryFolder(), 'data');

    const withoutKeys = await runServer(['--data', join(temporaryFolder(), 'data'), '--port', '0'], { environment });
    expect(withoutKeys.code).toBe(1);
    expect(withoutKeys.stderr).toMatch(/\[encryption\.root-missing\]\n$/);
    const sameFolder = await runServer(['--data', first.data, '--port', '0'], { environment });
    expect(sameFolder.code).toBe(3);
    expect(sameFolder.stderr).toMatch(/\[server\.data-in-use\]\n$/);

    // The serving role alone is enough where somebody else migrated.
    await ada.signUp(first);
    // As docs/guides/postgresql.md has it: one root slot for all of them.
    sharing = { ...environment, STRONGROOM_ROOT_SLOTS: `file:${join(first.data, 'keys', 'root')}` };
    servers = [first, await startVault({ data, parameters, environment: sharing })];
    expect(servers[1].setupLink).toBeUndefined();
    ({ token } = JSON.parse(readFileSync(join(ada.home, 'profile.json'), 'utf8')) as { token: string });
    [{ id: space }] = await ada.json<[{ id: string }]>('space', 'list');
  });

  it('show the same vault', async () => {
    await ada.lines('remember', 'Written at the first server');
    const other = new Device();
    await other.lines('login', '--server', servers[1].url);
    expect(await other.lines('recall', 'written first server')).toContain('Written at the first server');
    await other.lines('remember', 'Written at the second server');
    expect(await ada.lines('recall', 'second server')).toContain('Written at the second server');
  });

  it('replace the root from any of them, a third one included, and go on', async () => {
    const third = await startVault({ environment: sharing });
    const operator = new Device();
    for (const [version, { data }] of [third, ...servers].entries()) {
      const rotated = await operator.json('keys', 'rotate', 'root', '--data', data, '--no-backup');
      expect(rotated).toMatchObject({ state: 'complete', keyVersion: version + 2, retired: [version + 1] });
      for (const server of [third, ...servers]) {
        const reader = await vaultAt(server);
        await reader.sync(space as Parameters<Vault['sync']>[0]);
        expect(await reader.list(space as Parameters<Vault['list']>[0])).toHaveLength(2);
        expect(await operator.json('keys', 'status', '--data', server.data)).toMatchObject({
          keyVersion: version + 2,
          tree: { complete: true },
          slots: [{ acknowledged: true }],
        });
      }
    }
    // What is about nobody is sealed and opened beneath the newest keys everywhere: the log goes on, signed with the same keys.
    expect(await ada.json('audit', 'verify')).toMatchObject({ ok: true });
    for (const { data } of [third, ...servers])
      expect(existsSync(join(data, 'keys', 'root'))).toBe(data === servers[0].data);
    expect(await third.stop()).toBe(0);
    figure(
      'three servers on one PostgreSQL with one root slot: the root replaced from each of them, all of them went on',
    );
  });

  it('take imports at the same time, also of the same items', async () => {
    const vaults = await Promise.all(servers.map(vaultAt));
    const place = space as Parameters<Vault['import']>[0];
    const [left, right, again] = await Promise.all([
      vaults[0]!.import(place, [...itemsOf('left'), ...itemsOf('both')]),
      vaults[1]!.import(place, [...itemsOf('right'), ...itemsOf('both')]),
      (await vaultAt(servers[1])).import(place, itemsOf('left')),
    ]);
    expect([left, right, again].flatMap(({ failed }) => failed)).toEqual([]);
    expect(left.created + right.created + again.created).toBe(3 * ITEMS);
    for (const server of servers) {
      const fresh = await vaultAt(server);
      await fresh.sync(place);
      expect(await fresh.list(place)).toHaveLength(3 * ITEMS + 2);
    }
  });

  it('share the limit on guessing a password', async () => {
    const guess = (server: RunningVault) =>
      fetch(`${server.url}/v1/sessions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          email: 'ada@elsewhere.example',
          authenticationSecret: randomBytes(32).toString('base64url'),
          transport: 'bearer',
        }),
      });
    const answers: number[] = [];
    for (let number = 0; number < SIGN_INS; number += 1) answers.push((await guess(servers[number % 2]!)).status);
    expect(answers).toEqual(Array.from({ length: SIGN_INS }, () => 401));
    expect((await guess(servers[0])).status).toBe(429);
    expect((await guess(servers[1])).status).toBe(429);
  });

  it('run a job in one of them at a time', () => {
    const runs = servers.flatMap((server, number) => runsOf(server).map((run) => ({ ...run, number })));
    runs.sort((left, right) => left.start - right.start);
    // Times are whole milliseconds, and the log line is written a moment after the end.
    const overlaps = runs.filter(
      (run, index) => index > 0 && runs[index - 1]!.number !== run.number && runs[index - 1]!.end - run.start > 2,
    );
    expect(overlaps).toEqual([]);
    const counts = servers.map((_, number) => runs.filter((run) => run.number === number).length);
    expect(Math.min(...counts)).toBeGreaterThan(0);
    figure(`the sequencer ran ${counts.join(' and ')} times on two servers, never on both at once`);
  });

  it('go on alone when the other is killed', async () => {
    const waits: number[] = [];
    for (let kills = 0; kills < KILLS; kills += 1) {
      const killed = kills % 2;
      const survivor = servers[1 - killed]!;
      // Keeps the sequencer busy on the one that will be killed.
      const vault = await vaultAt(servers[killed]!);
      let enough = false;
      const busy = (async () => {
        while (!enough) await vault.remember(space as Parameters<Vault['remember']>[0], { text: 'until the end' });
      })().catch(() => undefined);
      await until('a busy sequencer', () => runsOf(servers[killed]!).length > 3);
      enough = true;
      await servers[killed]!.kill();
      const size = await logSize(survivor);
      const writer = await vaultAt(survivor);
      await writer.remember(space as Parameters<Vault['remember']>[0], { text: 'after the kill' });
      waits.push(await until('the log to go on', async () => (await logSize(survivor)) > size + 1));
      servers[killed] = await servers[killed]!.start();
      await busy;
    }
    figure(
      `after kill -9 of one of two servers the other continued the audit log within ${Math.round(Math.max(...waits))} ms (longest of ${KILLS})`,
    );
  });

  it('keep one audit log, intact', async () => {
    const size = await logSize(servers[0]);
    expect(await ada.json('audit', 'verify')).toMatchObject({ ok: true });
    for (const { data } of servers) {
      const verdict = await ada.json<{ size: number }>('audit', 'verify', '--data', data);
      expect(verdict).toMatchObject({ ok: true, withheldEntries: 0 });
      expect(verdict.size).toBeGreaterThanOrEqual(size);
    }
    expect(await servers[0].stop()).toBe(0);
    expect(await servers[1].stop()).toBe(0);
    const offline = await ada.run(['audit', 'verify', '--data', servers[0].data, '--json'], { environment });
    expect(offline.code).toBe(0);
    figure(`one audit log of ${(JSON.parse(offline.stdout) as { size: number }).size} events, intact`);
  });
});
