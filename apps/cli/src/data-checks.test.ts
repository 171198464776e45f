import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileSlot } from '@strongroom/encryption';
import { temporaryFolder } from '@strongroom/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Check } from './checks.ts';
import { checkData, checkTls, judgeSpace } from './data-checks.ts';

const HOUR = 60 * 60 * 1000;
const DAY = 24 * HOUR;

/** As a server that was stopped leaves it, as far as it is looked at. */
async function stoppedVault(): Promise<string> {
  const data = join(temporaryFolder(), 'data');
  for (const folder of [data, join(data, 'keys'), join(data, 'database')]) mkdirSync(folder, { mode: 0o700 });
  await fileSlot(join(data, 'keys', 'root')).store(new Uint8Array(64), 0);
  writeFileSync(join(data, 'database', 'lock'), '');
  return data;
}

const holder = (data: string, pid: number): void =>
  writeFileSync(join(data, 'database', 'lock-holder.json'), JSON.stringify({ pid, since: '2026-11-22T10:00:00.000Z' }));

const check = (data: string, environment: Readonly<Record<string, string>> = {}): Promise<readonly Check[]> =>
  checkData(data, environment, Date.now());
const failures = (checks: readonly Check[]): string[] =>
  checks.filter(({ ok }) => !ok).map(({ name, says }) => `${name}: ${says}`);

describe('a data folder', () => {
  it('that is well passes every check, and nothing in it changes', async () => {
    const data = await stoppedVault();
    const before = readdirSync(data, { recursive: true }).map((name) => statSync(join(data, String(name))).mtimeMs);
    const checks = await check(data);
    expect(failures(checks)).toEqual([]);
    expect(checks.map(({ name }) => name)).toEqual(['Data folder', 'Disk', 'Clock', 'Root key', 'Key copies']);
    expect(checks[0]!.says).toBe(`No server is running on ${data}.`);
    expect(checks[4]!.says).toContain('None are configured; set STRONGROOM_KEY_COPIES');
    const after = readdirSync(data, { recursive: true }).map((name) => statSync(join(data, String(name))).mtimeMs);
    expect(after).toEqual(before);
  });

  it.each([
    [
      'is missing',
      (data: string) => rmSync(data, { recursive: true }),
      /^Data folder: There is no folder .* `strongroom serve/,
    ],
    [
      'is a file',
      (data: string) => (rmSync(data, { recursive: true }), writeFileSync(data, '')),
      /^Data folder: .* is no folder\./,
    ],
    [
      'is open to others',
      (data: string) => chmodSync(data, 0o755),
      /^Data folder: Others can look into it; run: chmod 700 '/,
    ],
    [
      'has a key for all to read',
      (data: string) => chmodSync(join(data, 'keys', 'root'), 0o644),
      /^Root key: .* Run: chmod 600 '/,
    ],
    [
      'has no key',
      (data: string) => rmSync(join(data, 'keys', 'root')),
      /^Root key: There is none in file .* put your copy of it back/,
    ],
    [
      'has a damaged key',
      (data: string) => writeFileSync(join(data, 'keys', 'root'), 'x'),
      /^Root key: .* is damaged\. Put the key file back/,
    ],
    [
      'is from the future',
      (data: string) => utimesSync(join(data, 'database', 'lock'), new Date(), new Date(Date.now() + HOUR)),
      /^Clock: It says 20.* Set the clock/,
    ],
  ] as const)('that %s', async (_case, spoil, says) => {
    const data = await stoppedVault();
    spoil(data);
    const found = failures(await check(data));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(says);
  });

  it('whose server was killed says that the next start takes care of it', async () => {
    const data = await stoppedVault();
    holder(data, 4711);
    const checks = await check(data);
    expect(failures(checks)).toEqual([]);
    expect(checks[0]!.says).toMatch(/ended without closing it; the next start takes care of that\.$/);
  });

  it('that a process other than a server has open fails, with its id', async () => {
    const data = await stoppedVault();
    const lock = new DatabaseSync(join(data, 'database', 'lock'));
    lock.exec('begin exclusive');
    holder(data, 4711);
    expect(failures(await check(data))).toEqual([
      expect.stringMatching(/^Data folder: No server answers, but process 4711 has .* open\. Wait if it is a command/),
    ]);
    lock.close();
  });

  it('whose socket answers something else fails', async () => {
    const data = await stoppedVault();
    const stranger = createServer((socket) => socket.resume().end('nonsense\r\n\r\n'));
    await new Promise<void>((resolve) => stranger.listen(join(data, 'administrator.sock'), resolve));
    expect(failures(await check(data))).toEqual([
      expect.stringMatching(/^Data folder: The server cannot be reached.*a server that hangs has to be stopped\.$/),
    ]);
    await new Promise((resolve) => stranger.close(resolve));
  });

  it('has places for copies of the keys that are there, or says which is not', async () => {
    const data = await stoppedVault();
    const [there, gone] = [temporaryFolder(), join(temporaryFolder(), 'not-mounted')];
    const recipients = {
      STRONGROOM_KEY_COPY_RECIPIENTS: 'age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj',
    };
    const checks = await check(data, { ...recipients, STRONGROOM_KEY_COPIES: `${there} ${gone}` });
    expect(checks.at(-2)).toEqual({ name: 'Key copies', ok: true, says: `${there} can be written to.` });
    expect(failures(checks)).toEqual([
      expect.stringMatching(/not-mounted cannot be used \(ENOENT\)\. Mount it or create it/),
    ]);
    expect(failures(await check(data, { STRONGROOM_KEY_COPIES: there }))).toEqual([
      expect.stringMatching(/STRONGROOM_KEY_COPIES cannot be understood\. Set STRONGROOM_KEY_COPY_RECIPIENTS\./),
    ]);
  });
});

describe('free space', () => {
  const disk = { bavail: 1000, bsize: 1024 * 1024, files: 1000, ffree: 10 };

  it.each([
    [disk, 'ok'],
    [{ ...disk, bavail: 128 }, 'ok'],
    // A file system without inodes of a fixed number.
    [{ ...disk, files: 0, ffree: 0 }, 'ok'],
    [{ ...disk, bavail: 127 }, /^Only 127 MiB are free where data lies/],
    [{ ...disk, bavail: 0 }, /^Only 0 MiB/],
    [{ ...disk, ffree: 0 }, /takes no more files \(inodes\)/],
  ] as const)('%j', (statistics, expected) => {
    const { ok, says } = judgeSpace('data', statistics);
    expect(ok).toBe(expected === 'ok');
    if (expected !== 'ok') expect(says).toMatch(expected);
  });
});

describe('TLS files', () => {
  const folder = temporaryFolder();
  const files = { certificate: join(folder, 'chain.pem'), key: join(folder, 'key.pem') };

  beforeAll(() => {
    const subject = ['-subj', '/CN=vault', '-days', '60', '-out', files.certificate];
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', files.key];
    execFileSync('openssl', ['req', '-x509', ...key, ...subject], { stdio: 'ignore' });
    chmodSync(files.key, 0o600);
  });

  it.each([
    [10, true, /^The certificate fits its key and is good for (?:49|50) days\.$/],
    [50, false, /^The certificate ends in (?:9|10) days, .*; renew it\.$/],
    [61, false, /^The certificate ended on .*; renew it\.$/],
  ])('after %i days', async (days, ok, says) => {
    expect(await checkTls(files, Date.now() + days * DAY)).toEqual({
      name: 'TLS',
      ok,
      says: expect.stringMatching(says) as string,
    });
  });

  it('that are missing, do not fit or are for all to read fail', async () => {
    const missing = await checkTls({ ...files, certificate: join(folder, 'none.pem') }, Date.now());
    expect(missing.says).toMatch(/The certificate file cannot be read\. They are .*none\.pem and .*key\.pem\.$/);
    const swapped = await checkTls({ certificate: files.certificate, key: files.certificate }, Date.now());
    expect(swapped.says).toMatch(/Both files must be PEM/);
    chmodSync(files.key, 0o644);
    const exposed = await checkTls(files, Date.now());
    expect(exposed.says).toMatch(/^Others can read the private key; run: chmod 600 '/);
    expect([missing.ok, swapped.ok, exposed.ok]).toEqual([false, false, false]);
  });
});
