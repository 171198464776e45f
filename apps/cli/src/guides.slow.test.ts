/** The guides of backups, keys and fields, done as they stand there: their shell blocks in order, their code as one program. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createApi, InMemoryCache, Vault } from '@strongroom/client';
import { figure, temporaryFolder } from '@strongroom/testing';
import type { KeysOverview } from 'strongroom';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  Device,
  PASSWORD,
  repository,
  runProcess,
  type RunningVault,
  startVault,
  until,
} from './running-vault.fixture.ts';

const page = (name: string): string => readFileSync(join(repository, 'docs/guides', `${name}.md`), 'utf8');
const blocksOf = (text: string, language: string): string[] =>
  [...text.matchAll(new RegExp(`^ *\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\`$`, 'gm'))].map(([, block]) => block!);

/** The folder in which somebody follows the guides, with what stands for other disks beneath it. */
const folder = temporaryFolder();
const disks = join(folder, 'mnt');
const programs = join(folder, 'bin');
const operator = new Device();
const ada = new Device();
const grace = new Device({ STRONGROOM_EMAIL: 'grace@example.org', STRONGROOM_NAME: 'Grace Hopper' });
let vault: RunningVault;
let environment: Record<string, string>;
let recipient = 'age1…';
let [tenant, erased] = ['', ''];

/** Ids and recipients are elided in the guides, and other disks are folders here. */
const filled = (text: string): string =>
  text
    .replaceAll('/mnt/', `${disks}/`)
    .replaceAll('age1…', recipient)
    .replaceAll('tenant 0198f9c2-…', `tenant ${tenant}`);

async function shell(block: string, subject = ''): Promise<string> {
  // Somebody who types is asked once more; a script says --yes.
  const script = filled(block)
    .replaceAll('0198f9c2-…', subject)
    .replaceAll(/(keys shred .*)$/gm, '$1 --yes');
  const ended = await runProcess('bash', ['-euo', 'pipefail', '-c', script], {
    cwd: folder,
    environment: { ...operator.environment, ...environment, PATH: `${programs}:${process.env['PATH']}` },
  });
  expect(ended.code, `${block}${ended.stderr}`).toBe(0);
  return ended.stdout;
}

async function invite(): Promise<string> {
  const { token } = JSON.parse(readFileSync(join(ada.home, 'profile.json'), 'utf8')) as { token: string };
  const client = new Vault({ api: createApi({ baseUrl: vault.url, token }), cache: new InMemoryCache() });
  const raised = await client.reauthenticate(PASSWORD);
  const { token: invitation } = await createApi({ baseUrl: vault.url, token: raised.token! }).invite({
    role: 'member',
  });
  const link = `${vault.url}/set-up#${invitation}`;
  const { account } = await grace.json<{ account: string }>('signup', '--invitation', link);
  await ada.json('login', '--server', vault.url);
  return account;
}

beforeAll(async () => {
  mkdirSync(programs);
  const program = join(programs, 'strongroom');
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${repository}/apps/cli/bin/strongroom.mjs' "$@"\n`);
  chmodSync(program, 0o700);
  for (const disk of ['escrow', 'backup/keys', 'elsewhere/keys']) mkdirSync(join(disks, disk), { recursive: true });
});

describe('the guide of backups', () => {
  const text = page('backup');
  const [make, restore, again, byHand, ...more] = blocksOf(text, 'sh');

  it('has the blocks that are run here', () => {
    expect(more).toEqual([]);
    expect(again).toContain('--keys /mnt/backup/keys');
    expect(byHand).toContain('--keys-only');
  });

  it('makes a backup, and restores it before and after somebody was erased', { timeout: 300_000 }, async () => {
    // The recipient is printed by the first command, and the server's own settings name it.
    const [keygen, ...rest] = make!.trimEnd().split('\n');
    recipient = (await shell(keygen!)).trim();
    const [settings] = blocksOf(text, 'console');
    const exported = [...filled(settings!).matchAll(/^\$ export (\w+)='(.*)'$/gm)];
    environment = Object.fromEntries(exported.map(([, name, value]) => [name!, value!]));
    expect(Object.keys(environment)).toEqual([
      'STRONGROOM_ROOT_SLOTS',
      'STRONGROOM_KEY_COPIES',
      'STRONGROOM_KEY_COPY_RECIPIENTS',
    ]);
    vault = await startVault({ data: join(folder, '.strongroom'), environment });
    await ada.signUp(vault);
    await ada.lines('remember', 'The spare key is with Ines', '--title', 'Spare key');
    await invite();
    expect(await shell(rest.join('\n'))).toContain('complete and unchanged');
    expect(await shell(restore!)).toContain('restored');

    await grace.json('account', 'delete', '--confirm', 'grace@example.org');
    const status = async () =>
      JSON.parse(await shell('strongroom keys status --data .strongroom --json')) as KeysOverview;
    await until('the erasure', async () => (await status()).tree.shredded === 1, 60_000);
    await until('the copies', async () => (await status()).copies.every(({ state }) => state === 'present'));
    expect(readdirSync(join(disks, 'backup/keys'))).toEqual(['keys-2.age']);
    expect(readdirSync(join(disks, 'elsewhere/keys'))).toEqual(['keys-2.age']);
    expect(await shell(again!)).toContain('restored');
    // The slots that the guide sets are for commands on a stopped server, too: this server has one of its own.
    const restored = await startVault({ data: join(folder, 'again') });
    const device = new Device();
    await device.json('login', '--server', restored.url);
    expect(await device.json('recall', 'spare', 'key')).toMatchObject([{ title: 'Spare key' }]);
    expect((await grace.run(['login', '--server', restored.url])).code).toBe(4);
    await restored.stop();
    await shell(byHand!);
    expect(existsSync(join(folder, 'keys.age'))).toBe(true);
  });

  it('names every error that a restore may end with', () => {
    const errors = readFileSync(join(repository, 'packages/backup/src/errors.ts'), 'utf8');
    for (const [, code] of text.matchAll(/^\| `(backup\.[a-z-]+)`/gm)) expect(errors).toContain(`'${code}'`);
  });
});

describe('the guide of keys', () => {
  it('is done from its first block to its last', { timeout: 300_000 }, async () => {
    const client = createApi({
      baseUrl: vault.url,
      token: (JSON.parse(readFileSync(join(ada.home, 'profile.json'), 'utf8')) as { token: string }).token,
    });
    ({ tenant } = (await client.http.json({ method: 'GET', path: '/v1/account', repeatable: true })) as {
      tenant: string;
    });
    erased = await invite();
    await shell('rm -f keys.age');
    const blocks = blocksOf(page('keys'), 'sh');
    for (const block of blocks) await shell(block, erased);
    expect(await ada.json('recall', 'spare', 'key')).toMatchObject([{ title: 'Spare key' }]);
    expect((await grace.run(['login', '--server', vault.url])).code).not.toBe(0);
    expect(existsSync(join(folder, 'keys.age'))).toBe(true);
    expect(await ada.lines('audit', 'verify')).toContain('INTACT');
    await vault.stop();
    figure(`${blocks.length} shell blocks of docs/guides/keys.md and 4 of backup.md run as they stand there`);
  });
});

describe('the guide of one field', () => {
  it('is a program', async () => {
    const blocks = blocksOf(page('encrypt-a-field'), 'ts');
    const place = temporaryFolder();
    mkdirSync(join(place, 'keys'));
    const program = `
import { PGlite } from '@electric-sql/pglite';
import { newUuid } from '@strongroom/kernel';
process.chdir(${JSON.stringify(place)});
const app = new PGlite();
await app.query('create table users (id uuid primary key, email bytea)');
const ada = newUuid();
await app.query('insert into users (id) values ($1)', [ada]);
${blocks.join('\n')}
const left = await database.transaction(inInstallation, (transaction) => encryption.subjects(transaction, [ada]));
console.log(left.has(ada), Buffer.from(rows[0].email).includes('ada@'));
await database.close();
`;
    const parameters = ['--conditions=source', '--input-type=module-typescript', '-e', program];
    const { code, stdout, stderr } = await runProcess(process.execPath, parameters);
    expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: 'ada@example.org\ntrue\nfalse false\n' });
    // Ten lines to set it up, write and read, as its title says.
    const lines = blocks.slice(0, 2).join('\n').split('\n');
    expect(lines.filter((line) => /^\S/.test(line) && !line.startsWith('import')).length).toBeLessThanOrEqual(10);
  });
});
