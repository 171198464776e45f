/** Backups with processes only: made while the server runs, moved between engines, opened by stock age, refused where they must be. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InMemoryCache, Vault, createApi } from '@strongroom/client';
import type { Uuid } from '@strongroom/kernel';
import { createStrongroom } from 'strongroom';
import { figure, needs, temporaryFolder } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { beforeAll, describe, expect, it } from 'vitest';
import { Device, PASSWORD, type RunningVault, runProcess, startVault } from './running-vault.fixture.ts';

interface Summary {
  readonly rows: number;
  readonly whole: boolean;
  readonly tables: readonly { readonly name: string; readonly rows: number }[];
  readonly leftOut: readonly string[];
}

const postgresql = databases().find(({ name }) => name === 'PostgreSQL')!;

/** Somebody who operates: no account, no state. */
const operator = new Device();
const folder = temporaryFolder();
const identity = join(folder, 'identity.txt');
const stranger = join(folder, 'stranger.txt');
let recipient: string;
let vault: RunningVault;
const ada = new Device();

/** A data folder with nothing but the root key in it. */
function emptyData(from: string): string {
  const data = join(temporaryFolder(), 'data');
  mkdirSync(join(data, 'keys'), { recursive: true, mode: 0o700 });
  copyFileSync(join(from, 'keys', 'root'), join(data, 'keys', 'root'));
  return data;
}

const newFile = (): string => join(temporaryFolder(), 'vault.age');

async function backUp(data: string, ...more: readonly string[]): Promise<{ file: string; summary: Summary }> {
  const file = newFile();
  return {
    file,
    summary: await operator.json<Summary>('backup', 'create', file, '--data', data, '--recipient', recipient, ...more),
  };
}

const restore = (file: string, data: string, ...more: readonly string[]) =>
  operator.run(['backup', 'restore', file, '--identity', identity, '--data', data, '--json', ...more]);

const codeOf = (stderr: string): unknown => (JSON.parse(stderr) as { error: { code: string } }).error.code;

beforeAll(async () => {
  ({ recipient } = await operator.json<{ recipient: string }>('backup', 'keygen', identity));
  await operator.json('backup', 'keygen', stranger);
  vault = await startVault();
  await ada.signUp(vault);
  await ada.lines('remember', 'The spare key is with Ines', '--title', 'Spare key');
});

/** Signs in anew on a computer that knows nothing, and finds what was remembered; the log is whole. */
async function expectWorking(server: RunningVault, data: string): Promise<void> {
  const device = new Device();
  await device.json('login', '--server', server.url);
  expect(await device.json<{ title: string }[]>('recall', 'spare', 'key')).toMatchObject([{ title: 'Spare key' }]);
  await device.lines('remember', 'Written after the restore');
  expect(await device.lines('audit', 'verify')).toContain('INTACT');
  expect(await new Device().lines('audit', 'verify', '--data', data)).toContain('INTACT');
}

describe('backups of a running vault', () => {
  it('are written by the server, for their owner only, and checked', async () => {
    expect(statSync(identity).mode & 0o077).toBe(0);
    const { file, summary } = await backUp(vault.data);
    expect(statSync(file).mode & 0o077).toBe(0);
    expect(readdirSync(join(file, '..'))).toEqual(['vault.age']);
    expect(summary).toMatchObject({ whole: true, leftOut: ['jobs', 'single_use_secrets', 'sessions'] });
    expect(summary.tables.find(({ name }) => name === 'accounts')).toEqual({ name: 'accounts', rows: 1 });
    expect(await operator.json('backup', 'verify', file, '--identity', identity)).toMatchObject(summary);
    expect(await operator.lines('backup', 'verify', file, '--identity', identity)).toContain('complete and unchanged');
    const closed = await operator.run(['backup', 'verify', file, '--identity', stranger, '--json']);
    expect([closed.code, codeOf(closed.stderr)]).toEqual([1, 'backup.wrong-identity']);
    const again = await operator.run([
      'backup',
      'create',
      file,
      '--data',
      vault.data,
      '--recipient',
      recipient,
      '--json',
    ]);
    expect([again.code, codeOf(again.stderr)]).toEqual([1, 'backup.file-exists']);
  });

  it.skipIf(!needs('age'))('open with stock age, and stock age makes files that verify', async () => {
    const debian = join(temporaryFolder(), 'debian.txt');
    const made = await runProcess('age-keygen', ['-o', debian]);
    expect(made.code).toBe(0);
    const theirs = /age1\w+/.exec(readFileSync(debian, 'utf8'))![0];
    const { file, summary } = await backUp(vault.data, '--recipient', theirs);
    for (const key of [debian, identity]) {
      const opened = await runProcess('age', ['-d', '-i', key, file]);
      expect(opened.code).toBe(0);
      const lines = opened.stdout.trimEnd().split('\n');
      expect(JSON.parse(lines[0]!)).toMatchObject({ strongroom: 'backup', format: 1 });
      expect(JSON.parse(lines.at(-1)!)).toMatchObject({ end: true });
      expect(lines).toHaveLength(summary.rows + summary.tables.length + 2);
      // What the server cannot read is not there to be read either.
      expect(opened.stdout).not.toContain('spare');
      expect(opened.stdout).not.toContain('ada@example.org');
    }
    const plain = join(temporaryFolder(), 'plain');
    const remade = join(temporaryFolder(), 'remade.age');
    expect((await runProcess('age', ['-d', '-i', debian, '-o', plain, file])).code).toBe(0);
    expect((await runProcess('age', ['-r', recipient, '-o', remade, plain])).code).toBe(0);
    expect(await operator.json('backup', 'verify', remade, '--identity', identity)).toMatchObject({
      rows: summary.rows,
    });
    // Not a row less: stock age authenticates whatever it is given.
    const text = readFileSync(plain, 'utf8').split('\n');
    writeFileSync(plain, text.toSpliced(Math.floor(text.length / 2), 1).join('\n'));
    const short = join(temporaryFolder(), 'short.age');
    await runProcess('age', ['-r', recipient, '-o', short, plain]);
    const refused = await operator.run(['backup', 'verify', short, '--identity', identity, '--json']);
    expect([refused.code, codeOf(refused.stderr)]).toEqual([1, 'backup.damaged']);
  });

  it.skipIf(!postgresql.available)('move a vault to PostgreSQL and back', async () => {
    const location = await postgresql.fresh();
    if (location.kind !== 'postgresql') throw new Error('not PostgreSQL');
    const environment = { STRONGROOM_DATABASE_URL: location.url, STRONGROOM_DATABASE_OWNER_URL: location.ownerUrl! };
    const { file, summary } = await backUp(vault.data);
    const data = emptyData(vault.data);
    const moved = await operator.run(['backup', 'restore', file, '--identity', identity, '--data', data, '--json'], {
      environment,
    });
    expect(moved).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(moved.stdout)).toMatchObject({ rows: summary.rows });
    const again = await operator.run(['backup', 'restore', file, '--identity', identity, '--data', data, '--json'], {
      environment,
    });
    expect([again.code, codeOf(again.stderr)]).toEqual([1, 'backup.target-not-empty']);

    const onPostgresql = await startVault({ data, environment });
    await expectWorking(onPostgresql, data);
    // While it runs, without its URL: the server knows it.
    const back = await backUp(data);
    await onPostgresql.stop();
    const stopped = newFile();
    const parameters = ['backup', 'create', stopped, '--data', data, '--recipient', recipient, '--json'];
    const made = await operator.run(parameters, { environment });
    expect(made).toMatchObject({ code: 0, stderr: '' });

    const home = emptyData(data);
    expect(await restore(back.file, home)).toMatchObject({ code: 0, stderr: '' });
    const onPglite = await startVault({ data: home });
    await expectWorking(onPglite, home);
    await onPglite.stop();
    const entries = await new Device().json<{ verifiedEntries: number }>('audit', 'verify', '--data', home);
    figure(`a vault moved PGlite → PostgreSQL → PGlite, ${entries.verifiedEntries} audit events verified at its end`);
  });

  it('are refused without the root key, with another one, and while a server runs', async () => {
    const { file } = await backUp(vault.data);
    const nothing = join(temporaryFolder(), 'data');
    const missing = await restore(file, nothing);
    expect([missing.code, codeOf(missing.stderr)]).toEqual([1, 'encryption.root-missing']);
    expect(existsSync(nothing)).toBe(false);
    const other = await startVault();
    await other.stop();
    const wrong = emptyData(other.data);
    const refused = await restore(file, wrong);
    expect([refused.code, codeOf(refused.stderr)]).toEqual([1, 'strongroom.wrong-root-key']);
    copyFileSync(join(vault.data, 'keys', 'root'), join(wrong, 'keys', 'root'));
    expect(await restore(file, wrong)).toMatchObject({ code: 0, stderr: '' });
    const running = await restore(file, vault.data);
    expect([running.code, codeOf(running.stderr)]).toEqual([2, 'cli.usage']);
  });

  it('are loaded after a restore that met a backup cut short', async () => {
    const { file } = await backUp(vault.data);
    const data = emptyData(vault.data);
    const cut = newFile();
    const whole = readFileSync(file);
    writeFileSync(cut, whole.subarray(0, whole.length - 10));
    const refused = await restore(cut, data);
    expect([refused.code, codeOf(refused.stderr)]).toEqual([1, 'backup.damaged']);

    expect(await restore(file, data)).toMatchObject({ code: 0, stderr: '' });
    const restored = await startVault({ data });
    await expectWorking(restored, data);
    await restored.stop();
  });
});

describe('people erased after a backup', () => {
  it('stay erased when it is restored, and everybody else is there', async () => {
    const own = await startVault();
    const grace = new Device({ STRONGROOM_EMAIL: 'grace@example.org', STRONGROOM_NAME: 'Grace Hopper' });
    const owner = new Device();
    await owner.signUp(own);
    const { token } = JSON.parse(readFileSync(join(owner.home, 'profile.json'), 'utf8')) as { token: string };
    const api = createApi({ baseUrl: own.url, token });
    const raised = await new Vault({ api, cache: new InMemoryCache() }).reauthenticate(PASSWORD);
    const invitation = await createApi({ baseUrl: own.url, token: raised.token! }).invite({ role: 'member' });
    const { account: erased } = await grace.json<{ account: Uuid }>(
      'signup',
      '--invitation',
      `${own.url}/set-up#${invitation.token}`,
    );
    const before = await backUp(own.data);
    expect(before.summary.tables).toContainEqual({ name: 'accounts', rows: 2 });
    await own.stop();

    const strongroom = await createStrongroom({
      data: own.data,
      log: { request: () => {}, failure: () => {}, jobFinished: () => {} },
    });
    const { database, encryption } = strongroom.services;
    const oldRoot = readFileSync(join(own.data, 'keys', 'root'));
    expect(await encryption.keyTree.shred(database, [erased])).toMatchObject({ complete: true });
    expect(readFileSync(join(own.data, 'keys', 'root')).equals(oldRoot)).toBe(false);
    await strongroom.close();

    const data = emptyData(own.data);
    const stale = await restore(before.file, data);
    expect([stale.code, codeOf(stale.stderr)]).toEqual([1, 'strongroom.keys-outdated']);
    const keys = await backUp(own.data, '--keys-only');
    expect(keys.summary).toMatchObject({ whole: false });
    const alone = await restore(keys.file, data);
    expect([alone.code, codeOf(alone.stderr)]).toEqual([1, 'backup.partial']);
    expect(await restore(before.file, data, '--keys', keys.file)).toMatchObject({ code: 0, stderr: '' });

    const restored = await startVault({ data });
    await new Device().json('login', '--server', restored.url);
    const gone = await new Device({ STRONGROOM_EMAIL: 'grace@example.org' }).run(['login', '--server', restored.url]);
    expect(gone.code).toBe(4);
    const rest = await backUp(data);
    expect(rest.summary.tables).toContainEqual({ name: 'accounts', rows: 1 });
    expect(rest.summary.tables).toContainEqual({ name: 'shredded_subjects', rows: 1 });
    expect(await new Device().lines('audit', 'verify', '--data', data)).toContain('INTACT');
    await restored.stop();
  });
});
