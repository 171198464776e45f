/** `strongroom keys` with processes only: state, rotation, erasure with a copy of the keys, and servers that share a root slot or do not. */
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { createApi, InMemoryCache, Vault } from '@strongroom/client';
import { figure, temporaryFolder } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import type { KeysOverview } from 'strongroom';
import { beforeAll, describe, expect, it } from 'vitest';
import { Device, PASSWORD, type RunningVault, runServer, startVault, until } from './running-vault.fixture.ts';

interface Report {
  readonly id: string;
  readonly state: string;
  readonly rewritten: number;
  readonly authenticated: number;
  readonly retired: readonly number[];
}

const postgresql = databases().find(({ name }) => name === 'PostgreSQL')!;
/** Somebody who operates: no account, no state. */
const operator = new Device();
const folder = temporaryFolder();
const identity = join(folder, 'identity.txt');
let recipient: string;

const codeOf = (stderr: string): string => (JSON.parse(stderr) as { error: { code: string } }).error.code;
const newFile = (): string => join(temporaryFolder(), 'keys.age');
const copyTo = (file: string): readonly string[] => ['--backup', file, '--recipient', recipient];

beforeAll(async () => {
  ({ recipient } = await operator.json<{ recipient: string }>('backup', 'keygen', identity));
});

/** A second person in a vault; answers the account. */
async function invite(owner: Device, vault: RunningVault, guest: Device): Promise<string> {
  const { token } = JSON.parse(readFileSync(join(owner.home, 'profile.json'), 'utf8')) as { token: string };
  const api = createApi({ baseUrl: vault.url, token });
  const raised = await new Vault({ api, cache: new InMemoryCache() }).reauthenticate(PASSWORD);
  const invitation = await createApi({ baseUrl: vault.url, token: raised.token! }).invite({ role: 'member' });
  const link = `${vault.url}/set-up#${invitation.token}`;
  return (await guest.json<{ account: string }>('signup', '--invitation', link)).account;
}

/** A data folder with nothing but the root key in it. */
function emptyData(from: string): string {
  const data = join(temporaryFolder(), 'data');
  mkdirSync(join(data, 'keys'), { recursive: true, mode: 0o700 });
  copyFileSync(join(from, 'keys', 'root'), join(data, 'keys', 'root'));
  return data;
}

describe('keys of a vault', () => {
  it('are shown, rotated while the server runs and while it does not, and erased', { timeout: 240_000 }, async () => {
    const vault = await startVault();
    const { data } = vault;
    const [ada, grace] = [
      new Device(),
      new Device({ STRONGROOM_EMAIL: 'grace@example.org', STRONGROOM_NAME: 'Grace' }),
    ];
    await ada.signUp(vault);
    await ada.lines('remember', 'The spare key is with Ines', '--title', 'Spare key');
    const erased = await invite(ada, vault, grace);
    // The invitation gave her session a new token.
    await ada.json('login', '--server', vault.url);
    const whole = join(temporaryFolder(), 'whole.age');
    await operator.json('backup', 'create', whole, '--data', data, '--recipient', recipient);
    const oldRoot = readFileSync(join(data, 'keys', 'root'));

    expect(await operator.json<KeysOverview>('keys', 'status', '--data', data)).toMatchObject({
      keyVersion: 1,
      versionsInUse: [1],
      tree: { complete: true, subjects: 2, shredded: 0, shredding: 0 },
      slots: [{ acknowledged: true, erasure: 'overwritten' }],
      rotations: [],
      copies: [],
      waiting: 0,
    });
    expect(await operator.lines('keys', 'status', '--data', data)).toContain('copies of the keys: NONE configured');
    expect(readFileSync(vault.logs.output, 'utf8')).toContain('Note: No place for copies of the keys is configured.');
    const unwilling = await operator.run(['keys', 'rotate', 'root', '--data', data, '--json']);
    expect([unwilling.code, codeOf(unwilling.stderr)]).toEqual([2, 'strongroom.key-copy-wanted']);
    const copy = newFile();
    const rotated = await operator.json<Report>('keys', 'rotate', 'root', '--data', data, ...copyTo(copy));
    expect(rotated).toMatchObject({ state: 'complete', retired: [1] });
    expect(rotated.authenticated).toBe(rotated.rewritten);
    expect(readdirSync(join(copy, '..'))).toEqual(['keys.age']);
    expect(await ada.json<{ title: string }[]>('recall', 'spare', 'key')).toMatchObject([{ title: 'Spare key' }]);
    expect(await operator.lines('keys', 'status', '--data', data)).toMatch(
      /version 1, .*: retired, kept for look-ups\n.*version 2, .*: values are under it/,
    );

    // A backup from before needs the root key of its time.
    // No newer copy of the keys brings a retired version back, so the answer is the same without one.
    for (const keys of [[], ['--keys', copy]]) {
      const emptied = emptyData(data);
      const restore = ['backup', 'restore', whole, '--identity', identity, '--data', emptied, ...keys, '--json'];
      const refused = await operator.run(restore);
      expect([refused.code, codeOf(refused.stderr)]).toEqual([1, 'strongroom.keys-retired']);
    }

    expect(await vault.stop()).toBe(0);
    const column = ['keys', 'rotate', 'column', 'accounts.email', '--data', data, '--no-backup', '--keep-former'];
    expect(await operator.json<Report>(...column)).toMatchObject({ state: 'complete', rewritten: 2, retired: [] });
    const begun = ['audit', 'search', '--action', 'keys.rotation-begun', '--data', data];
    expect(await operator.json<{ items: unknown[] }>(...begun)).toMatchObject({
      items: [{ actorVia: 'command-line' }, { actorVia: 'administrator-socket' }],
    });
    const cancelled = await operator.run(['keys', 'cancel', rotated.id, '--data', data, '--json']);
    expect([cancelled.code, codeOf(cancelled.stderr)]).toEqual([1, 'encryption.no-such-rotation']);
    const again = await vault.start();
    const rest = ['keys', 'rotate', 'root', '--data', data, '--present'];
    expect(await operator.json<Report>(...rest)).toMatchObject({ state: 'complete', keyVersion: 3, retired: [2] });
    // Signing keys, sessions and accounts open; the log can be continued.
    await ada.lines('remember', 'Written after the rotation');
    expect(await ada.lines('audit', 'verify')).toContain('INTACT');
    expect(await ada.lines('audit', 'verify', '--data', data)).toContain('INTACT');

    const newer = join(temporaryFolder(), 'newer.age');
    await operator.json('backup', 'create', newer, '--data', data, '--recipient', recipient);
    const shred = ['keys', 'shred', erased, '--data', data, '--json'];
    const unsure = await operator.run([...shred, ...copyTo(newFile())]);
    expect([unsure.code, codeOf(unsure.stderr)]).toEqual([2, 'cli.usage']);
    const careless = await operator.run([...shred, '--yes']);
    expect([careless.code, codeOf(careless.stderr)]).toEqual([2, 'strongroom.key-copy-wanted']);
    const nowhere = await operator.run([...shred, '--yes', ...copyTo(join(folder, 'no', 'such', 'folder'))]);
    expect([nowhere.code, codeOf(nowhere.stderr)]).toEqual([1, 'backup.file-unwritable']);
    expect(await grace.run(['account', 'sessions'])).toMatchObject({ code: 0 });
    const after = newFile();
    expect(JSON.parse((await operator.run([...shred, '--yes', ...copyTo(after)])).stdout)).toMatchObject({
      shredded: 1,
      already: 0,
      complete: true,
      erased: true,
    });
    expect(readdirSync(join(after, '..'))).toEqual(['keys.age']);
    expect((await grace.run(['login', '--server', again.url])).code).not.toBe(0);
    expect(JSON.parse((await operator.run([...shred, '--yes', '--no-backup'])).stdout)).toMatchObject({
      shredded: 0,
      already: 1,
    });
    expect(readFileSync(join(data, 'keys', 'root')).equals(oldRoot)).toBe(false);

    const plan = await operator.json('keys', 'plan-index', 'accounts.display_name', '--data', data, '--bits', '4');
    expect(plan).toMatchObject({ rows: 1, unreadable: 1, distinct: 1, widths: [{ bits: 4 }, { bits: 256 }] });
    const none = await operator.run(['keys', 'plan-index', 'accounts.salt', '--data', data, '--json']);
    expect([none.code, codeOf(none.stderr)]).toEqual([1, 'encryption.column-not-encrypted']);
    expect(await again.stop()).toBe(0);

    // The machine burns down: the last whole backup and the copy that the erasure made bring everybody else back.
    const data2 = emptyData(data);
    const restore = ['backup', 'restore', newer, '--identity', identity, '--data', data2];
    expect((await operator.run(restore)).code).toBe(1);
    await operator.lines(...restore, '--keys', after);
    const restored = await startVault({ data: data2 });
    const device = new Device();
    await device.json('login', '--server', restored.url);
    expect(await device.json<{ title: string }[]>('recall', 'spare', 'key')).toMatchObject([{ title: 'Spare key' }]);
    expect(await device.lines('audit', 'verify', '--data', data2)).toContain('INTACT');
    await restored.stop();
    figure(
      `keys of a vault: ${rotated.rewritten} values rotated on a running server, one person erased with a copy of the keys, the rest restored`,
    );
  });
});

describe('an account that is deleted on the running server', () => {
  it(
    'has its keys erased with a copy of the others’, or waits for a place that takes one',
    { timeout: 240_000 },
    async () => {
      const places = temporaryFolder();
      const [near, far] = [join(places, 'near'), join(places, 'far')];
      mkdirSync(near);
      mkdirSync(far);
      const environment = {
        STRONGROOM_KEY_COPIES: `${near} ${far}`,
        STRONGROOM_KEY_COPY_RECIPIENTS: recipient,
      };
      const vault = await startVault({ environment });
      const { data } = vault;
      const ada = new Device();
      await ada.signUp(vault);
      await ada.lines('remember', 'The spare key is with Ines', '--title', 'Spare key');
      const leaving: { readonly email: string; readonly device: Device }[] = [];
      for (const name of ['grace', 'edsger']) {
        const email = `${name}@example.org`;
        const device = new Device({ STRONGROOM_EMAIL: email, STRONGROOM_NAME: name });
        await invite(ada, vault, device);
        // The invitation gave her session a new token.
        await ada.json('login', '--server', vault.url);
        leaving.push({ email, device });
      }
      const whole = join(temporaryFolder(), 'whole.age');
      await operator.json('backup', 'create', whole, '--data', data, '--recipient', recipient);
      const status = () => operator.json<KeysOverview>('keys', 'status', '--data', data);
      const formerRoot = readFileSync(join(data, 'keys', 'root'));

      const remove = ({ device, email }: (typeof leaving)[number]) =>
        device.json('account', 'delete', '--confirm', email);
      await remove(leaving[0]!);
      await until('the erasure', async () => (await status()).tree.shredded === 1, 60_000);
      await until('the copies', async () => (await status()).copies.every(({ state }) => state === 'present'));
      expect([readdirSync(near), readdirSync(far)]).toEqual([['keys-2.age'], ['keys-2.age']]);
      expect(readFileSync(join(data, 'keys', 'root')).equals(formerRoot)).toBe(false);

      // No place is there: the account is gone, its keys wait, and the operator is told.
      renameSync(places, `${places}.away`);
      await remove(leaving[1]!);
      await until('the first attempt', () => vault.log.includes('strongroom.no-key-copy'), 60_000);
      expect(await status()).toMatchObject({
        tree: { shredded: 1 },
        waiting: 1,
        copies: [
          { folder: near, state: 'unavailable', failure: 'ENOENT' },
          { folder: far, state: 'unavailable' },
        ],
      });
      expect(await operator.lines('keys', 'status', '--data', data)).toMatch(
        /1 deleted accounts waiting[^]*copy of the keys in .*near: UNAVAILABLE \(ENOENT\)/,
      );
      renameSync(`${places}.away`, places);
      const again = await vault.stop().then(() => vault.start());
      await until('the second erasure', async () => (await status()).tree.shredded === 2, 120_000);
      await until('the copies', async () => (await status()).copies.every(({ state }) => state === 'present'));
      expect(await status()).toMatchObject({ waiting: 0 });
      await again.kill();

      // The machine burns down. What is left: the backup of before, the root in its slot, and a folder of copies.
      const data2 = emptyData(data);
      const restore = ['backup', 'restore', whole, '--identity', identity, '--data', data2];
      expect((await operator.run(restore)).code).toBe(1);
      await operator.lines(...restore, '--keys', far);
      const restored = await startVault({ data: data2 });
      const device = new Device();
      await device.json('login', '--server', restored.url);
      expect(await device.json<{ title: string }[]>('recall', 'spare', 'key')).toMatchObject([{ title: 'Spare key' }]);
      for (const { email } of leaving) {
        const gone = await new Device({ STRONGROOM_EMAIL: email }).run(['login', '--server', restored.url]);
        expect(gone.code).toBe(4);
      }
      await restored.stop();
      figure(
        '2 accounts deleted on the running server, copies of the keys made by it, everybody else restored from an older backup',
      );
    },
  );
});

describe.skipIf(!postgresql.available)('two servers on one PostgreSQL', () => {
  it(
    'go on after the root was replaced when they share a slot, and one with a copy refuses',
    { timeout: 240_000 },
    async () => {
      const location = await postgresql.fresh();
      if (location.kind !== 'postgresql') throw new TypeError('unreachable');
      const environment = { STRONGROOM_DATABASE_URL: location.url };
      const first = await startVault({
        environment: { ...environment, STRONGROOM_DATABASE_OWNER_URL: location.ownerUrl! },
      });
      const ada = new Device();
      await ada.signUp(first);
      const sharing = await startVault({
        environment: { ...environment, STRONGROOM_ROOT_SLOTS: `file:${join(first.data, 'keys', 'root')}` },
      });
      const copied = join(temporaryFolder(), 'data');
      cpSync(join(first.data, 'keys'), join(copied, 'keys'), { recursive: true });
      const copying = await startVault({ data: copied, environment });
      const others = [new Device(), new Device()];
      for (const [index, server] of [sharing, copying].entries()) {
        await others[index]!.json('login', '--server', server.url);
        expect(await others[index]!.run(['account', 'sessions'])).toMatchObject({ code: 0 });
      }
      expect(await operator.json<Report>('keys', 'rotate', 'root', '--data', first.data, '--no-backup')).toMatchObject({
        state: 'complete',
        retired: [1],
      });
      expect(await others[0]!.run(['account', 'sessions'])).toMatchObject({ code: 0 });
      const refused = await others[1]!.run(['account', 'sessions', '--json']);
      expect([refused.code, codeOf(refused.stderr)]).toEqual([1, 'encryption.root-outdated']);
      const rotating = await operator.run(['keys', 'rotate', 'root', '--data', copied, '--no-backup', '--json']);
      expect([rotating.code, codeOf(rotating.stderr)]).toEqual([1, 'encryption.root-outdated']);
      expect(await ada.run(['account', 'sessions'])).toMatchObject({ code: 0 });
      await copying.stop();
      const restart = await runServer(['--data', copied, '--port', '0'], { environment });
      expect(restart.code).toBe(1);
      expect(restart.stderr).toMatch(/\[encryption\.root-outdated\]\n$/);
      expect(existsSync(join(sharing.data, 'keys', 'root'))).toBe(false);
      await sharing.stop();
      await first.stop();
    },
  );
});
