/** A webhook whose certificate comes from an authority of one's own: refused, until the sink or the process was told of that authority. */
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { figure, temporaryFolder } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newSecret } from './internal/webhook.ts';
import { auditEvent, type House, openHouse } from './log.test-support.ts';
import { isAuthentic, type Received } from './receiver.test-support.ts';
import { sinkJson } from './sink-routes.ts';

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
async function deliver(
  url: string,
  environment: Readonly<Record<string, string>> = {},
  authorities: string | null = null,
): Promise<string | null> {
  const delivery = JSON.stringify({ url, authorities, secret, id: 'msg_1', body: '{}\n', now: Date.now() });
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

  it('is sent to under the authorities of the sink, and under those alone', async () => {
    received.length = 0;
    const pem = (name: string) => readFileSync(at(`${name}.pem`), 'utf8');
    expect(await deliver(url, {}, pem('house'))).toBeNull();
    expect(await deliver(url, {}, pem('other') + pem('house'))).toBeNull();
    expect(await deliver(selfSigned, {}, pem('self'))).toBeNull();
    expect(received).toHaveLength(3);
    expect(await deliver(url, {}, pem('other'))).toBe('not reached: UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    expect(await deliver(elsewhere, {}, pem('house'))).toBe('not reached: ERR_TLS_CERT_ALTNAME_INVALID');
    // Whoever names authorities believes no others, and nothing in the environment has a sink believe anybody.
    const lenient = { NODE_EXTRA_CA_CERTS: at('house.pem'), NODE_TLS_REJECT_UNAUTHORIZED: '0' };
    expect(await deliver(url, lenient, pem('other'))).toBe('not reached: UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    expect(await deliver(selfSigned, lenient)).toBe('not reached: DEPTH_ZERO_SELF_SIGNED_CERT');
    expect(received).toHaveLength(3);
  });

  for (const engine of databases()) {
    describe.skipIf(!engine.available)(`as a sink on ${engine.name}`, () => {
      let house: House;
      beforeAll(async () => {
        house = await openHouse(engine);
        house.clock.time = Date.now();
      });
      afterAll(() => house.close());

      const add = (name: string, authorities: string | null, target = url): Promise<unknown> =>
        house.sinks.add(
          {
            name,
            format: 'jsonl',
            target: { kind: 'webhook', url: target, authorities },
            withAddresses: false,
            from: null,
          },
          'command-line',
        );
      const pem = (name: string) => readFileSync(at(`${name}.pem`), 'utf8');

      it('keeps the certificates of a file, delivers with them and says whose they are', async () => {
        await add('trusting', `Bag Attributes: whatever\n${pem('house')}`);
        await add('doubting', null);
        await house.append(auditEvent());
        await house.auditLog.sequence();
        await house.sinks.deliver();
        const listed = (await house.sinks.list()).map(sinkJson);
        expect(listed).toMatchObject([
          { name: 'doubting', authorities: [], problem: 'not reached: UNABLE_TO_VERIFY_LEAF_SIGNATURE' },
          { name: 'trusting', authorities: [{ subject: 'CN=house' }], problem: null, eventsBehind: 0 },
        ]);
        const [stored] = await house.peek("select authorities from audit_sinks where name = 'trusting'");
        expect(stored).toEqual({ authorities: pem('house') });
        await house.sinks.test('trusting');
        await expect(house.sinks.test('doubting')).rejects.toThrow('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
        figure('a webhook under an authority of its own is delivered to');
      });

      it('refuses what is no list of certificates, is over, or holds a key', async () => {
        const refused: readonly (readonly [string, string, string?])[] = [
          ['', 'no certificate'],
          ['house', 'no certificate'],
          ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', 'cannot be read'],
          [pem('house').replace('MII', 'MIX'), 'cannot be read'],
          [pem('house') + readFileSync(at('house.key'), 'utf8'), 'private key'],
          [pem('house').repeat(200), 'too many'],
          [pem('house'), 'https', 'http://127.0.0.1:1/'],
        ];
        for (const [text, why, target] of refused) {
          await expect(add('refused', text, target)).rejects.toMatchObject({
            code: 'audit-log.invalid-sink',
            message: expect.stringContaining(why),
          });
        }
        house.clock.time += 3 * 24 * 3_600_000;
        await expect(add('refused', pem('house'))).rejects.toThrow('expired');
      });
    });
  }
});
