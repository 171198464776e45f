import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from '@strongroom/storage';
import { temporaryFolder } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { beforeAll, describe, expect, it } from 'vitest';
import { back, person } from './back.test-support.ts';
import { createBackup } from './create-backup.ts';
import { content, fill, houses } from './house.test-support.ts';
import { generateIdentity, type GeneratedIdentity } from './identities.ts';
import { verifyBackup } from './verify-backup.ts';

let stranger: GeneratedIdentity;
beforeAll(async () => {
  stranger = await generateIdentity('x25519');
});

const engines = databases();
describe('a backup file', () => {
  let database: Database;
  beforeAll(async () => {
    database = await engines[0]!.open([houses]);
    await fill(database);
  });

  it('is readable by its owner only, and never replaces another', async () => {
    const { path } = await back(database);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const before = readFileSync(path);
    await expect(back(database, { path })).rejects.toMatchObject({ code: 'backup.file-exists' });
    expect(readFileSync(path)).toEqual(before);
    expect(readdirSync(join(path, '..'))).toEqual(['backup.age']);
    await expect(back(database, { path: join(path, 'in', 'a', 'file') })).rejects.toMatchObject({
      code: 'backup.file-unwritable',
    });
  });

  it('is not published when that is refused or stopped', async () => {
    const path = join(temporaryFolder(), 'backup.age');
    const options = { database, path, recipients: [person.recipient], program: '1' };
    const refuse = () => Promise.reject(new Error('no event, no backup'));
    await expect(createBackup({ ...options, beforePublishing: refuse })).rejects.toThrow('no event');
    const signal = AbortSignal.abort(new Error('stopped'));
    await expect(createBackup({ ...options, signal })).rejects.toThrow('stopped');
    expect(readdirSync(join(path, '..'))).toEqual([]);
    // The database goes on.
    expect(await content(database, 'streets')).toHaveLength(3);
  });

  it('opens for each recipient and nobody else', async () => {
    const { path } = await back(database, { recipients: [stranger.recipient, person.recipient] });
    for (const { identity } of [person, stranger])
      expect((await verifyBackup({ path, identities: [identity] })).rows).toBe(64);
    const own = await back(database);
    await expect(verifyBackup({ path: own.path, identities: [stranger.identity] })).rejects.toMatchObject({
      code: 'backup.wrong-identity',
    });
    await verifyBackup({ path: own.path, identities: [`# keys\n\n${stranger.identity}\n${person.identity}\n`] });
  });

  it('can be made for post-quantum recipients', async () => {
    const hybrid = await generateIdentity('hybrid');
    expect(hybrid.recipient).toMatch(/^age1pq1/);
    const { path, summary } = await back(database, { recipients: [hybrid.recipient] });
    expect(await verifyBackup({ path, identities: [hybrid.identity] })).toEqual(summary);
    await expect(verifyBackup({ path, identities: [person.identity] })).rejects.toMatchObject({
      code: 'backup.wrong-identity',
    });
    await expect(back(database, { recipients: [hybrid.recipient, person.recipient] })).rejects.toMatchObject({
      code: 'backup.mixed-recipients',
    });
  });

  it('that is foreign, empty or missing is named as what it is', async () => {
    const folder = temporaryFolder();
    const verify = (path: string) => verifyBackup({ path, identities: [person.identity] });
    const file = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    await expect(verify(join(folder, 'missing'))).rejects.toMatchObject({ code: 'backup.file-unreadable' });
    await expect(verify(folder)).rejects.toMatchObject({ code: 'backup.file-unreadable' });
    for (const text of ['', 'age', 'PGDMP something', '-----BEGIN AGE ENCRYPTED FILE-----\n']) {
      await expect(verify(file('foreign', text))).rejects.toMatchObject({ code: 'backup.not-a-backup' });
    }
    await expect(verify(file('header', 'age-encryption.org/v1\nnonsense'))).rejects.toMatchObject({
      code: 'backup.damaged',
    });
    const { path } = await back(database);
    truncateSync(path, 150);
    await expect(verify(path)).rejects.toMatchObject({ code: 'backup.damaged' });
  });

  it.each([[''], ['# nothing'], ['AGE-SECRET-KEY-1CANARY'], ['ssh-ed25519 AAAA']])(
    'needs an identity: %j',
    async (text) => {
      const { path } = await back(database);
      const error: unknown = await verifyBackup({ path, identities: [text] }).catch((failure: unknown) => failure);
      expect(error).toMatchObject({ code: 'backup.invalid-identity' });
      expect(String(error) + JSON.stringify(error)).not.toContain('CANARY');
    },
  );

  it.each([[['']], [['age1canary']], [['age1tag1qt8lw0ual6avlwmwatk888yqnmdamm7xfd0wak53ut6elz5c4swx2yqdj4e']], [[]]])(
    'needs recipients: %j',
    async (recipients) => {
      await expect(back(database, { recipients })).rejects.toMatchObject({
        code: expect.stringMatching(/^backup\.(invalid|no)-recipient$/) as string,
      });
    },
  );

  it('never names an identity given as a recipient', async () => {
    const error: unknown = await back(database, { recipients: [person.identity] }).catch((failure: unknown) => failure);
    expect(error).toMatchObject({ code: 'backup.invalid-recipient' });
    expect(String(error)).not.toContain(person.identity.slice(12));
  });
});
