/** TLS as clients see it, with certificates that are replaced while the server runs. */
import { execFileSync } from 'node:child_process';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import process from 'node:process';
import { Writable } from 'node:stream';
import { connect } from 'node:tls';
import { temporaryFolder } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseOptions, type ServerOptions } from './options.ts';
import { type RunningServer, serve } from './serve.ts';
import { loadTls, reloadTls } from './tls.ts';

const folder = temporaryFolder();
const files = { certificate: join(folder, 'chain.pem'), key: join(folder, 'key.pem') };

interface Pair {
  readonly certificate: string;
  readonly key: string;
}

/** A self-signed certificate of its own. */
function makePair(name: string): Pair {
  const out = temporaryFolder();
  const [certificate, key] = [join(out, 'c.pem'), join(out, 'k.pem')];
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
  const ownKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key];
  execFileSync('openssl', ['req', '-x509', '-days', '2', ...ownKey, ...subject, '-out', certificate], {
    stdio: 'ignore',
  });
  return { certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') };
}

/** As renewal tools do it: beside, then by renaming. */
function put(path: string, content: string): void {
  writeFileSync(`${path}.new`, content, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

function install({ certificate, key }: Pair): void {
  put(files.certificate, certificate);
  put(files.key, key);
}

const first = makePair('first');
const second = makePair('second');
const third = makePair('third');

/** Options that say where data are: on the quicker engine, which has no part in this. */
async function installed(): Promise<string[]> {
  const data = temporaryFolder();
  const location = await databases()[0]!.fresh();
  if (location.kind === 'folder') renameSync(location.path, join(data, 'database'));
  const { url, ownerUrl } = { url: '', ownerUrl: '', ...location };
  const server = ['--database-url', url, '--database-owner-url', ownerUrl];
  return ['--data', data, ...(location.kind === 'postgresql' ? server : [])];
}

let server: RunningServer;
let port: number;
const logged: { message: string; validTo?: string }[] = [];

beforeAll(async () => {
  install(first);
  const argv = [...(await installed()), '--port', '0', '--metrics-port', 'off', '--durability', 'relaxed'];
  const options = parseOptions(
    [...argv, '--tls-certificate', files.certificate, '--tls-key', files.key],
    {},
    false,
  ) as ServerOptions;
  const sink = new Writable({
    write(chunk, _encoding, done) {
      logged.push(JSON.parse(String(chunk)) as { message: string });
      done();
    },
  });
  server = await serve(options, pino({ messageKey: 'message', base: null }, sink));
  port = Number(new URL(server.url).port);
});
afterAll(() => server.stop());

/** The subject's name that a new connection is shown; rejects when there is none to be had. */
function nameShown(options: object = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

const get = (agent: Agent, path: string) =>
  new Promise<{ status: number | undefined; headers: Record<string, unknown>; reused: boolean }>((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port, path, agent, ca: first.certificate }, (response) => {
      response.resume().on('end', () => {
        resolve({ status: response.statusCode, headers: response.headers, reused: call.reusedSocket });
      });
    });
    call.on('error', reject).end();
  });

describe('a server with a certificate', () => {
  it('tells browsers to come back over TLS only, whatever it answers', async () => {
    expect(server.url).toMatch(/^https:/);
    const agent = new Agent();
    for (const path of ['/healthz', '/v1/account', '/no/such/thing']) {
      expect((await get(agent, path)).headers).toMatchObject({ 'strict-transport-security': 'max-age=63072000' });
    }
    agent.destroy();
  });

  it('speaks TLS 1.3, and 1.2 with sound suites only', async () => {
    expect(await nameShown({ minVersion: 'TLSv1.3' })).toBe('first');
    expect(await nameShown({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' })).toBe('first');
    await expect(nameShown({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' })).rejects.toThrow();
    await expect(
      nameShown({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' }),
    ).rejects.toThrow();
  });

  it('takes over a renewed certificate on SIGHUP without closing connections', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    expect(await get(agent, '/healthz')).toMatchObject({ status: 200, reused: false });
    install(second);
    process.emit('SIGHUP');
    await expect.poll(() => nameShown()).toBe('second');
    expect(await get(agent, '/healthz')).toMatchObject({ status: 200, reused: true });
    agent.destroy();
    const message = 'TLS certificate taken over';
    expect(logged).toContainEqual(expect.objectContaining({ message, validTo: expect.any(String) as string }));
  });

  it('keeps the former one while what is there does not fit, and says so', async () => {
    const before = logged.length;
    put(files.certificate, third.certificate);
    process.emit('SIGHUP');
    await expect.poll(() => logged.length).toBeGreaterThan(before);
    expect(logged.at(-1)).toMatchObject({ message: expect.stringContaining('not taken over') as string });
    expect(JSON.stringify(logged)).not.toContain('PRIVATE');
    expect(await nameShown()).toBe('second');
    put(files.key, third.key);
    process.emit('SIGHUP');
    await expect.poll(() => nameShown()).toBe('third');
  });
});

describe('reloadTls', () => {
  it('looks by itself, reports a failure once, and stops when told', async () => {
    install(first);
    const taken: unknown[] = [];
    const [reloads, failures]: [string[], unknown[]] = [[], []];
    const reload = reloadTls({
      server: { setSecureContext: (options) => void taken.push(options.cert?.toString()) },
      files,
      current: await loadTls(files),
      onReload: (validTo) => void reloads.push(validTo),
      onFailure: (error) => void failures.push(error),
      lookEvery: 10,
    });
    await reload.look();
    expect(taken).toEqual([]);
    install(second);
    await expect.poll(() => taken).toEqual([second.certificate]);
    expect(reloads).toHaveLength(1);
    put(files.key, 'no key');
    await expect.poll(() => failures.length).toBe(1);
    await reload.look();
    await reload.look();
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatchObject({ code: 'server.tls-unreadable' });
    reload.stop();
    install(third);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(taken).toEqual([second.certificate]);
  });
});
