/**
 * What people, programs and machines get wrong: each gets one clear line and the documented exit code, or a problem document, and what was
 * stored before is there afterwards. Damage inside the database folder and edited migrations are in packages/storage.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, cpSync, existsSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createEncryption, fileSlot } from '@strongroom/encryption';
import { newUuid } from '@strongroom/kernel';
import { figure, needs, temporaryFolder } from '@strongroom/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  Device,
  PASSWORD,
  type RunningVault,
  launchServer,
  runServer,
  startVault,
  until,
} from './running-vault.fixture.ts';

const TEXT = 'Here before all of this';

let vault: RunningVault;
let token: string;
let space: string;
let setupLink: string;
const ada = new Device();
let cases = 0;

beforeAll(async () => {
  vault = await startVault({ parameters: ['--durability', 'relaxed'] });
  setupLink = vault.setupLink!;
  await ada.signUp(vault);
  await ada.lines('remember', TEXT);
  ({ token } = JSON.parse(readFileSync(join(ada.home, 'profile.json'), 'utf8')) as { token: string });
  [{ id: space }] = await ada.json<[{ id: string }]>('space', 'list');
});
afterAll(() => figure(`${cases} kinds of bad input, each with its own code and nothing lost`));

interface Sent {
  readonly method: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What was there is there, and the log tells of it. */
async function nothingLost(): Promise<void> {
  expect((await ada.json<{ text: string }[]>('list')).map(({ text }) => text)).toContain(TEXT);
  expect(await ada.json('audit', 'verify')).toMatchObject({ ok: true });
}

describe('a request', () => {
  const json = { 'content-type': 'application/json' };
  const memories = () => `/v1/spaces/${space}/memories`;
  const wholeToken = (blocks: number) =>
    Buffer.concat([Buffer.from([0x80]), randomBytes(56 + 16 * blocks)]).toString('base64url');
  const post = (body: unknown, headers: Record<string, string> = json): Sent => ({
    method: 'POST',
    headers,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const memory = (changes: object = {}) => ({ id: newUuid(), epoch: 1, token: wholeToken(4), ...changes });

  it.each<[string, number, string, () => string, (() => Sent)?]>([
    ['malformed JSON', 400, 'pipeline.invalid-json', memories, () => post('{"id":')],
    ['JSON with one name twice', 400, 'pipeline.invalid-json', memories, () => post('{"id":"a","id":"b"}')],
    [
      'another content type',
      415,
      'pipeline.unsupported-media-type',
      memories,
      () => post('id=1', { 'content-type': 'text/plain' }),
    ],
    [
      'a body that is too large',
      413,
      'pipeline.body-too-large',
      memories,
      () => post(memory({ token: wholeToken(30_000) })),
    ],
    ['an unknown field', 400, 'pipeline.invalid-input', memories, () => post(memory({ admin: true }))],
    ['a missing field', 400, 'pipeline.invalid-input', memories, () => post({ id: newUuid() })],
    ['a bad cursor', 400, 'memories.bad-cursor', () => `${memories()}?cursor=abc`],
    ['a bad limit', 400, 'pipeline.invalid-input', () => `${memories()}?limit=-1`],
    ['an unknown query parameter', 400, 'pipeline.invalid-input', () => `${memories()}?sort=date`],
    [
      'a truncated token',
      400,
      'pipeline.invalid-input',
      memories,
      () => post(memory({ token: wholeToken(4).slice(0, -3) })),
    ],
    [
      'no token at all',
      400,
      'pipeline.invalid-input',
      memories,
      () => post(memory({ token: Buffer.from('plain text').toString('base64url') })),
    ],
    ['an id that is none', 400, 'pipeline.invalid-input', () => '/v1/spaces/1/memories'],
    ['a space of nobody', 404, 'pipeline.not-found', () => `/v1/spaces/${newUuid()}/memories`],
    ['an unknown address', 404, 'pipeline.not-found', () => '/v1/nothing'],
    ['another method', 405, 'pipeline.method-not-allowed', memories, () => ({ method: 'PATCH' })],
    ['a route of the administrator', 404, 'pipeline.not-found', () => '/operator/status'],
  ])('with %s gets a problem document: %i %s', async (_, status, code, path, init = () => ({ method: 'GET' })) => {
    const { headers, ...rest } = init();
    const response = await fetch(`${vault.url}${path()}`, {
      ...rest,
      headers: { ...headers, authorization: `Bearer ${token}` },
    });
    const text = await response.text();
    expect({ status: response.status, type: response.headers.get('content-type') }).toEqual({
      status,
      type: 'application/problem+json',
    });
    expect(JSON.parse(text)).toMatchObject({ status, code, title: expect.any(String) as string });
    expect(text).not.toMatch(/\bat .*\.ts:|node_modules/);
    cases += 1;
  });

  it('without a session, or with another one, is told to sign in', async () => {
    for (const authorization of [
      undefined,
      'Bearer x',
      `Bearer ${randomBytes(32).toString('base64url')}`,
      `Basic ${token}`,
    ]) {
      const response = await fetch(
        `${vault.url}/v1/account`,
        authorization === undefined ? {} : { headers: { authorization } },
      );
      expect(response.status).toBe(401);
      expect(response.headers.get('content-type')).toBe('application/problem+json');
    }
    cases += 1;
  });

  it('with a memory in the place of another is stored, and refused by whoever opens it', async () => {
    const headers = { ...json, authorization: `Bearer ${token}` };
    const page = (await (await fetch(`${vault.url}${memories()}`, { headers })).json()) as {
      items: { id: string; token: string }[];
    };
    const [original] = page.items;
    const moved = memory({ token: original!.token });
    expect((await fetch(`${vault.url}${memories()}`, { ...post(moved), headers })).status).toBe(201);
    const cut = memory({ token: Buffer.from(original!.token, 'base64url').subarray(0, 89).toString('base64url') });
    expect((await fetch(`${vault.url}${memories()}`, { ...post(cut), headers })).status).toBe(201);
    // Sent again as it is: nothing happens. An old version in the place of the next one: somebody else was first.
    expect((await fetch(`${vault.url}${memories()}`, { ...post(moved), headers })).status).toBe(200);
    const replayed = { expectedVersion: 3, epoch: 1, token: original!.token };
    const conflict = await fetch(`${vault.url}${memories()}/${original!.id}`, {
      ...post(replayed),
      method: 'PUT',
      headers,
    });
    expect({ status: conflict.status, body: await conflict.json() }).toMatchObject({
      status: 409,
      body: { code: 'memories.conflict' },
    });

    const listed = await ada.run(['list']);
    expect(listed.code).toBe(0);
    for (const { id } of [moved, cut]) {
      expect(listed.stderr).toContain(`A memory does not open: ${id} (client.cannot-open)`);
      expect(listed.stdout).not.toContain(id);
    }
    expect(listed.stdout).toContain(TEXT);
    const exported = await ada.run(['export', '-']);
    expect(exported).toMatchObject({ code: 1 });
    expect(exported.stdout).toContain(TEXT);
    cases += 3;
  });

  it('leaves what is stored as it was', nothingLost);
});

describe('a person', () => {
  it.each<[string, number, string, readonly string[], Readonly<Record<string, string>>?]>([
    ['with a wrong password', 4, 'client.wrong-password', ['list'], { STRONGROOM_PASSWORD: `${PASSWORD} ` }],
    ['without a password', 4, 'cli.password-needed', ['list'], { STRONGROOM_PASSWORD: '' }],
    ['who is not signed in', 4, 'cli.not-signed-in', ['list'], { STRONGROOM_HOME: '/nonexistent/home' }],
    ['who names no space', 1, 'cli.no-space', ['list', '--space', 'No such space']],
    [
      'who imports what is no export',
      1,
      'client.invalid-import',
      ['import', join(import.meta.dirname, '../package.json')],
    ],
    ['who imports another kind of file', 2, 'cli.usage', ['import', import.meta.filename]],
    ['who imports nothing that is there', 1, 'cli.unreadable-file', ['import', '/nonexistent']],
    ['who says an empty memory', 2, 'cli.usage', ['remember', ' ']],
    ['who asks a server that is not there', 1, 'client.unreachable', ['login', '--server', 'http://127.0.0.1:9']],
    [
      'who would send a password in clear',
      1,
      'client.insecure-address',
      ['login', '--server', 'http://vault.example.org'],
    ],
  ])('%s gets exit code %i and one line: %s', async (_, code, errorCode, argv, environment = {}) => {
    const { stdout, stderr, ...ended } = await ada.run(argv, { environment });
    expect({ ...ended, stdout }).toEqual({ code, stdout: '' });
    expect(stderr).toMatch(new RegExp(`^strongroom: [^\\n]+ \\[${errorCode.replace('.', '\\.')}\\]\\n$`));
    cases += 1;
  });

  it('with a set-up link that was used, or is made up, is refused', async () => {
    for (const link of [setupLink, `${vault.url}/set-up#${randomBytes(32).toString('base64url')}`]) {
      const late = new Device({ STRONGROOM_EMAIL: 'eve@example.org' });
      const { code, stderr } = await late.run(['signup', '--invitation', link]);
      expect(code).toBe(1);
      expect(stderr).toMatch(/^strongroom: [^\n]+ \[authentication\.invalid-invitation\]\n$/);
      expect(existsSync(join(late.home, 'profile.json'))).toBe(false);
      cases += 1;
    }
  });
});

describe('a server', () => {
  /** One that must not start: exit code, one line that names the code, and nothing but that on its output. */
  async function refused(parameters: readonly string[], code: number, errorCode: string): Promise<void> {
    const { stdout, stderr, ...ended } = await runServer(parameters);
    expect({ ...ended, stdout }, stderr).toEqual({ code, stdout: '' });
    const lines = stderr
      .trimEnd()
      .split('\n')
      .filter((line) => !line.startsWith('{'));
    expect(lines).toEqual([
      expect.stringMatching(new RegExp(`^strongroom: .+ \\[${errorCode.replace('.', '\\.')}\\]$`)) as string,
    ]);
    cases += 1;
  }

  it.each([
    [['--port', 'http'], 2, 'server.bad-option'],
    [['--host', '0.0.0.0'], 2, 'server.insecure-address'],
    [
      ['--tls-certificate', 'chain.pem', '--tls-key', 'key.pem', '--data', '/nonexistent/data'],
      1,
      'server.tls-unreadable',
    ],
    [['--data', '/dev/null/data'], 1, 'strongroom.data-folder'],
    [['--data', join(import.meta.dirname, '../package.json')], 1, 'strongroom.data-folder'],
  ] as const)('with %j ends with %i: %s', refused);

  it('with --json tells programs where it is, and what is wrong', async () => {
    const wrong = await runServer(['--json', '--data', vault.data, '--port', '0']);
    expect(wrong).toMatchObject({ code: 3, stdout: '' });
    expect(JSON.parse(wrong.stderr.trimEnd().split('\n').at(-1)!)).toEqual({
      error: { code: 'storage.folder-in-use', message: expect.any(String) as string },
    });
    const parameters = ['--json', '--metrics-port', 'off', '--durability', 'relaxed'];
    const { child, logs } = launchServer({ data: join(temporaryFolder(), 'data'), parameters });
    const said = (): string => readFileSync(logs.output, 'utf8');
    await until('the address', () => said().endsWith('\n'), 60_000);
    child.kill('SIGTERM');
    await once(child, 'exit');
    const { url, setupLink: link, ...rest } = JSON.parse(said()) as { url: string; setupLink: string };
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(link).toContain(`${url}/set-up#`);
    expect(rest).toEqual({ metricsUrl: null, warnings: expect.any(Array) as unknown[] });
    cases += 1;
  });

  it('on a folder or a port that is in use leaves both to the first one', async () => {
    await refused(['--data', vault.data, '--port', '0'], 3, 'storage.folder-in-use');
    await nothingLost();
    await vault.stop();
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as { port: number };
    await refused(['--data', vault.data, '--port', String(port)], 1, 'server.port-in-use');
    await refused(['--data', vault.data, '--port', '0', '--metrics-port', String(port)], 1, 'server.port-in-use');
    taken.close();
    vault = await vault.start();
    await nothingLost();
  });

  it('without its root key, with a damaged, an exposed or another one, does not start, and does once it is back', async () => {
    await vault.stop();
    const keys = join(vault.data, 'keys');
    const kept = join(temporaryFolder(), 'keys');
    cpSync(keys, kept, { recursive: true });
    const root = join(keys, 'root');
    const start = ['--data', vault.data, '--port', '0'];

    rmSync(root);
    await refused(start, 1, 'encryption.root-missing');
    expect(existsSync(root)).toBe(false);
    writeFileSync(root, randomBytes(64), { mode: 0o600 });
    await refused(start, 1, 'encryption.root-damaged');
    rmSync(root);
    await createEncryption({ slot: fileSlot(root) });
    await refused(start, 1, 'strongroom.wrong-root-key');
    rmSync(keys, { recursive: true });
    cpSync(kept, keys, { recursive: true });
    chmodSync(root, 0o644);
    await refused(start, 1, 'encryption.root-exposed');
    chmodSync(root, 0o600);

    vault = await vault.start();
    await nothingLost();
  });

  it('on a damaged folder says so and changes nothing', async () => {
    await vault.stop();
    const layout = join(vault.data, 'database/layout.json');
    renameSync(layout, `${layout}.away`);
    await refused(['--data', vault.data, '--port', '0'], 1, 'storage.damaged');
    const verified = await ada.run(['audit', 'verify', '--data', vault.data]);
    expect(verified).toMatchObject({ code: 1, stdout: '' });
    expect(verified.stderr).toMatch(/\[storage\.damaged\]\n$/);
    renameSync(`${layout}.away`, layout);
    vault = await vault.start();
    await nothingLost();
  });

  it('takes over from one that was killed, left-over socket and lock file included', async () => {
    await vault.kill();
    expect(existsSync(join(vault.data, 'administrator.sock'))).toBe(true);
    vault = await vault.start();
    await nothingLost();
    cases += 1;
  });

  it('follows a data folder that is a symbolic link, if its path is short enough for the socket', async () => {
    await vault.stop();
    const long = join(temporaryFolder(), 'x'.repeat(100));
    symlinkSync(vault.data, long);
    await refused(['--data', long, '--port', '0'], 1, 'server.socket-unavailable');
    const link = join(temporaryFolder(), 'link');
    symlinkSync(vault.data, link);
    const linked = await startVault({ data: link, port: vault.port });
    await nothingLost();
    await linked.stop();
    vault = await vault.start();
  });
});

/** A mount namespace of one's own with a small file system, which vanishes with the process. */
const onSmallDisk = (folder: string): string[] => [
  'unshare',
  '-rm',
  'sh',
  '-c',
  `mount -t tmpfs -o size=160m tmpfs '${folder}' && exec "$@"`,
  'sh',
];

describe.skipIf(!needs('mount'))('a full disk', () => {
  it('refuses what cannot be kept, keeps what is there, and goes on once there is space', async () => {
    const folder = temporaryFolder();
    const small = await startVault({ data: join(folder, 'data'), wrapper: onSmallDisk(folder) });
    const filler = join(`/proc/${small.pid}/root`, folder, 'filler');
    const person = new Device();
    await person.signUp(small);
    await person.lines('remember', TEXT);
    const fill = (): void => {
      try {
        writeFileSync(filler, Buffer.alloc(256 * 1024 * 1024));
      } catch (error) {
        expect(error).toMatchObject({ code: 'ENOSPC' });
      }
    };
    fill();
    const long = 'A long memory. '.repeat(10_000);
    const answers: string[] = [];
    // Space that the database had reserved before is used up first.
    for (let number = 0; number < 120 && !answers.at(-1)?.includes('disk-full'); number += 1) {
      const { code, stderr } = await person.run(['remember'], { input: long });
      if (code !== 0)
        expect({ code, stderr }).toEqual({
          code: 1,
          stderr: expect.stringMatching(/^strongroom: .+ \[\S+\]\n$/) as string,
        });
      answers.push(stderr);
    }
    expect(answers.at(-1)).toMatch(/\[storage\.disk-full\]\n$/);
    rmSync(filler);
    const memory = await person.json<{ id: string }>('remember', 'After the disk was full');
    const listed = await person.json<{ id: string; text: string }[]>('list');
    expect(listed.map(({ text }) => text)).toContain(TEXT);
    expect(listed.map(({ id }) => id)).toContain(memory.id);
    expect(listed.filter(({ text }) => text === long.trimEnd())).toHaveLength(
      answers.filter((answer) => answer === '').length,
    );
    expect(await person.json('audit', 'verify')).toMatchObject({ ok: true });
    await small.stop();
    cases += 1;
  });
});
