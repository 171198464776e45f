/** Against SoftHSM2: needs Debian's softhsm2, and `npm ci` in tools/optional/pkcs11 or STRONGROOM_PKCS11 with the folder of another installation. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { newUuid, type Uuid } from '@strongroom/kernel';
import { inInstallation, type Database } from '@strongroom/storage';
import { figure, needs, pkcs11Library, softHsmModule, temporaryFolder } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { beforeAll, describe, expect, it } from 'vitest';
import { createEncryption, type Encryption } from './encryption.ts';
import { TokenSession } from './internal/pkcs11.ts';
import { manifest } from './manifest.ts';
import { pkcs11Slot } from './pkcs11-slot.ts';
import type { RootSlot } from './root-slot.ts';

// Both are asked, so that the end of the run names whichever is missing.
const parts = [needs('softhsm'), needs('pkcs11js')];

const PIN = '493817';
const placeOf = (subject: Uuid) => ({ tenant: null, table: 'accounts', column: 'email', row: subject, subject });

describe.skipIf(parts.includes(false))('the PKCS#11 slot on SoftHSM2', () => {
  const [engine] = databases();
  const folder = temporaryFolder();
  const tokens = join(folder, 'tokens');
  let database: Database;
  const calls = { generate: 0, encrypt: 0, decrypt: 0, destroyOthers: 0, destroy: 0 };

  const slotAt = (path: string, pin = PIN): RootSlot =>
    pkcs11Slot({
      module: softHsmModule!,
      token: 'strongroom-test',
      pin,
      path,
      library: pathToFileURL(pkcs11Library).href,
    });

  const keysInToken = (): string[] =>
    readdirSync(tokens, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.object') && !name.endsWith('token.object'))
      .toSorted();

  const sealFor = (encryption: Encryption, subjects: readonly Uuid[]) =>
    database.transaction(inInstallation, async (transaction) => {
      const keys = await encryption.subjects(transaction, subjects, { create: true });
      return subjects.map((subject) => keys.seal(placeOf(subject), subject));
    });

  const readable = (encryption: Encryption, subjects: readonly Uuid[]) =>
    database.transaction(inInstallation, async (transaction) => {
      const keys = await encryption.subjects(transaction, subjects);
      return subjects.map((subject) => keys.has(subject));
    });

  beforeAll(async () => {
    mkdirSync(tokens);
    const configuration = join(folder, 'softhsm2.conf');
    writeFileSync(configuration, `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`);
    process.env['SOFTHSM2_CONF'] = configuration;
    const parameters = ['--init-token', '--free', '--label', 'strongroom-test', '--so-pin', '8273645', '--pin', PIN];
    const run = spawnSync('softhsm2-util', parameters, { encoding: 'utf8' });
    expect(run.stderr).toBe('');
    database = await engine!.open([manifest]);
    for (const name of Object.keys(calls) as (keyof typeof calls)[]) {
      const real: (...parameters: never[]) => unknown = TokenSession.prototype[name];
      TokenSession.prototype[name] = function counted(this: TokenSession, ...given: never[]) {
        calls[name] += 1;
        return real.apply(this, given);
      } as never;
    }
  });

  const countOf = async (work: () => Promise<unknown>) => {
    Object.assign(calls, { generate: 0, encrypt: 0, decrypt: 0, destroyOthers: 0, destroy: 0 });
    await work();
    return { ...calls };
  };

  it('unwraps once per cold start, and replaces and destroys its key with every erasure', async () => {
    const path = join(folder, 'root');
    let encryption = await createEncryption({ slot: slotAt(path) });
    const subjects = Array.from({ length: 300 }, () => newUuid());
    await sealFor(encryption, subjects);
    expect(keysInToken()).toHaveLength(1);
    const former = keysInToken();

    const start = await countOf(async () => {
      encryption = await createEncryption({ slot: slotAt(path) });
      expect(await readable(encryption, subjects)).toEqual(subjects.map(() => true));
    });
    expect(start).toEqual({ generate: 0, encrypt: 0, decrypt: 1, destroyOthers: 0, destroy: 0 });

    const copy = join(folder, 'copy');
    copyFileSync(path, copy);
    const shred = (count: number) =>
      countOf(async () => {
        const report = await encryption.keyTree.shred(database, subjects.splice(0, count));
        expect(report).toMatchObject({ complete: true, erased: true, slots: [{ erasure: 'key-destroyed' }] });
      });
    const [one, many] = [await shred(1), await shred(100)];
    expect(many).toEqual(one);
    expect(one).toMatchObject({ generate: 1, encrypt: 1, destroyOthers: 1 });
    expect(keysInToken()).toHaveLength(1);
    expect(keysInToken()).not.toEqual(former);
    // A copy of the former file, with the HSM at hand, opens nothing any more.
    await expect(createEncryption({ slot: slotAt(copy) })).rejects.toMatchObject({
      code: 'encryption.root-unavailable',
    });
    expect(await readable(await createEncryption({ slot: slotAt(path) }), subjects)).toEqual(subjects.map(() => true));
    figure(`SoftHSM2: 1 unwrap per cold start; per erasure of 1 or 100 people ${JSON.stringify(one)}`);
    await encryption.keyTree.shred(database, subjects);
  });

  it('says what is wrong without the PIN, and leaves everything as it was when the HSM is gone', async () => {
    const path = join(folder, 'second');
    const other = await engine!.open([manifest]);
    const encryption = await createEncryption({ slot: slotAt(path) });
    const held = database;
    database = other;
    const subjects = [newUuid(), newUuid()];
    await sealFor(encryption, subjects);
    const keys = keysInToken();
    renameSync(tokens, `${tokens}.gone`);
    try {
      const attempt = encryption.keyTree.shred(other, [subjects[0]!]);
      await expect(attempt).rejects.toMatchObject({ code: 'encryption.root-unavailable' });
      await expect(attempt).rejects.not.toThrow(PIN);
    } finally {
      renameSync(`${tokens}.gone`, tokens);
    }
    expect(await readable(encryption, subjects)).toEqual([true, true]);
    expect(keysInToken()).toEqual(keys);
    expect(await encryption.keyTree.shred(other, [subjects[0]!])).toMatchObject({ complete: true });
    expect(await readable(await createEncryption({ slot: slotAt(path) }), subjects)).toEqual([false, true]);
    database = held;
  });

  it('names what is missing', async () => {
    const options = { module: softHsmModule!, token: 'strongroom-test', pin: PIN, path: join(folder, 'third') };
    const missing = pkcs11Slot({ ...options, module: '/nowhere.so', library: 'not-installed-here' });
    await expect(createEncryption({ slot: missing })).rejects.toMatchObject({
      code: 'encryption.root-unavailable',
      message: expect.stringContaining('npm install pkcs11js'),
    });
    const noToken = pkcs11Slot({ ...options, token: 'another', library: pathToFileURL(pkcs11Library).href });
    await expect(createEncryption({ slot: noToken })).rejects.toMatchObject({
      message: expect.stringContaining('no such token'),
    });
  });

  it('leaves no copy of the root in memory that Node gives to others', async () => {
    const slot = slotAt(join(temporaryFolder(), 'root'));
    const marker = 'the root, 32 bytes and no secret';
    await slot.store(Buffer.alloc(200, marker), 0);
    // What small buffers are cut from.
    const pool = Buffer.from(Buffer.allocUnsafe(1).buffer);
    expect(pool.length).toBeGreaterThan(1024);
    expect(pool.includes(marker)).toBe(false);
    expect(Buffer.from((await slot.load())!.material).includes(marker)).toBe(true);
  });
});
