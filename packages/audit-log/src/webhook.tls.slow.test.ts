/** A webhook whose certificate comes from an authority of one's own: refused, until the process was told of that authority. */
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { temporaryFolder } from '@strongroom/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newSecret } from './internal/webhook.ts';
import { isAuthentic, type Received } from './receiver.test-support.ts';

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);
const openssl = (...parameters: readonly string[]): void =>
  void execFileSync('openssl', parameters, { stdio: 'ignore' });
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];

function makeAuthority(name: string, ...more: readonly string[]): void {
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-subj',
    `/CN=${name}`,
    '-keyout',
    at(`${name}.key`),
    '-out',
    at(`${name}.pem`),
    ...more,
  );
}

/** For this name or address, as in a subjectAltName. */
function makeCertificate(authority: string, name: string, subject: string): void {
  writeFileSync(at(`${name}.ext`), `subjectAltName=${subject}\n`);
  openssl(
    'req',
    ...newKey.slice(0, -2),
    '-subj',
    '/CN=receiver',
    '-keyout',
    at(`${name}.key`),
    '-out',
    at(`${name}.csr`),
  );
  const authorised = ['-CA', at(`${authority}.pem`), '-CAkey', at(`${authority}.key`), '-CAcreateserial'];
  const files = ['-in', at(`${name}.csr`), '-extfile', at(`${name}.ext`), '-out', at(`${name}.pem`)];
  openssl('x509', '-req', '-days', '2', ...authorised, ...files);
}

const received: Received[] = [];
const secret = newSecret();
const servers: Server[] = [];

async function serve(certificate: string): Promise<string> {
  const server = createServer(
    { cert: readFileSync(at(`${certificate}.pem`)), key: readFileSync(at(`${certificate}.key`)) },
    (request, response) => {
      void (async () => {
        let body = '';
        for await (const chunk of request.setEncoding('utf8')) body += String(chunk);
        const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = request.headers;
        received.push({
          id: String(id),
          timestamp: String(timestamp),
          signature: String(signature),
          body,
          indexes: [],
        });
        response.end();
      })();
    },
  );
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  servers.push(server);
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}/events`;
}

/** In a process of its own, since Node reads the authorities at its start. Resolves with what was wrong, or null. */
async function deliver(url: string, environment: Readonly<Record<string, string>> = {}): Promise<string | null> {
  const delivery = JSON.stringify({ url, secret, id: 'msg_1', body: '{}\n', now: Date.now() });
  const program = `
    import { sendToWebhook } from ${JSON.stringify(new URL('internal/webhook.ts', import.meta.url).href)};
    process.stdout.write(JSON.stringify(await sendToWebhook(${delivery}, undefined)));`;
  const parameters = ['--conditions=source', '--input-type=module', '--eval', program];
  const { stdout } = await promisify(execFile)(process.execPath, parameters, {
    env: { PATH: process.env['PATH'], ...environment },
  });
  return JSON.parse(stdout) as string | null;
}

describe('a webhook over https', () => {
  let url: string;
  let elsewhere: string;
  let selfSigned: string;
  beforeAll(async () => {
    makeAuthority('house');
    makeAuthority('other');
    makeAuthority('self', '-addext', 'subjectAltName=IP:127.0.0.1');
    makeCertificate('house', 'receiver', 'IP:127.0.0.1');
    makeCertificate('house', 'elsewhere', 'DNS:siem.example.org');
    [url, elsewhere, selfSigned] = [await serve('receiver'), await serve('elsewhere'), await serve('self')];
  });
  afterAll(() => servers.forEach((server) => server.close()));

  it('is not sent to under a certificate that nobody vouches for', async () => {
    expect(await deliver(url)).toBe('not reached: UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    expect(await deliver(selfSigned)).toBe('not reached: DEPTH_ZERO_SELF_SIGNED_CERT');
    expect(await deliver(url, { NODE_EXTRA_CA_CERTS: at('other.pem') })).toBe(
      'not reached: UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    );
    expect(received).toEqual([]);
  });

  it('is sent to, signed, once NODE_EXTRA_CA_CERTS names the authority, and then under the right name only', async () => {
    expect(await deliver(url, { NODE_EXTRA_CA_CERTS: at('house.pem') })).toBeNull();
    expect(received).toMatchObject([{ id: 'msg_1', body: '{}\n' }]);
    expect(isAuthentic(received[0]!, secret)).toBe(true);
    expect(await deliver(elsewhere, { NODE_EXTRA_CA_CERTS: at('house.pem') })).toBe(
      'not reached: ERR_TLS_CERT_ALTNAME_INVALID',
    );
    expect(await deliver(selfSigned, { NODE_EXTRA_CA_CERTS: at('house.pem') })).toBe(
      'not reached: DEPTH_ZERO_SELF_SIGNED_CERT',
    );
    expect(await deliver(selfSigned, { NODE_EXTRA_CA_CERTS: at('self.pem') })).toBeNull();
    expect(received).toHaveLength(2);
  });
});
