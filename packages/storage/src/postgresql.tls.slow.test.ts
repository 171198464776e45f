/** A real PostgreSQL with ssl = on and a certificate authority that only those know who are told. */
import { execFileSync } from 'node:child_process';
import { chownSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, connect, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { needs, ownAddress, startPostgres, temporaryFolder, type PostgresCluster } from '@strongroom/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inInstallation } from './database.ts';
import { openDatabase } from './open-database.ts';

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);
const openssl = (...parameters: readonly string[]): void =>
  void execFileSync('openssl', parameters, { stdio: 'ignore' });
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

function makeAuthority(name: string): void {
  openssl(
    'req',
    '-x509',
    ...newKey,
    '-days',
    '2',
    '-subj',
    `/CN=${name}`,
    '-keyout',
    at(`${name}.key`),
    '-out',
    at(`${name}.pem`),
  );
}

/** `names`: as in a subjectAltName, for example `IP:127.0.0.1`. */
function makeCertificate(authority: string, name: string, names: string): void {
  writeFileSync(at(`${name}.ext`), `subjectAltName=${names}\n`);
  openssl('req', ...newKey, '-subj', '/CN=server', '-keyout', at(`${name}.key`), '-out', at(`${name}.csr`));
  const authorised = ['-CA', at(`${authority}.pem`), '-CAkey', at(`${authority}.key`), '-CAcreateserial'];
  const files = ['-in', at(`${name}.csr`), '-extfile', at(`${name}.ext`), '-out', at(`${name}.pem`)];
  openssl('x509', '-req', '-days', '2', ...authorised, ...files);
}

const outside = ownAddress();

describe.skipIf(!needs('postgresql'))('a connection to PostgreSQL over TLS', () => {
  let cluster: PostgresCluster;
  let url: string;

  async function use(name: string): Promise<void> {
    const data = await cluster.superuser('show data_directory');
    const { uid, gid } = statSync(data);
    for (const [source, target] of [
      [`${name}.pem`, 'server.crt'],
      [`${name}.key`, 'server.key'],
    ] as const) {
      writeFileSync(join(data, target), readFileSync(at(source)), { mode: 0o600 });
      chownSync(join(data, target), uid, gid);
    }
    await switchTls('on');
  }

  async function switchTls(wish: 'on' | 'off'): Promise<void> {
    await cluster.superuser(`alter system set ssl = ${wish}`);
    await cluster.superuser('select pg_reload_conf()');
    while ((await cluster.superuser('show ssl')) !== wish) await pause(20);
  }

  beforeAll(async () => {
    cluster = await startPostgres();
    url = await cluster.freshDatabase();
    makeAuthority('known');
    makeAuthority('unknown');
    makeCertificate('known', 'good', `IP:127.0.0.1${outside === undefined ? '' : `,IP:${outside}`}`);
    makeCertificate('known', 'elsewhere', 'DNS:db.example');
    await use('good');
  });
  afterAll(() => cluster.stop());

  /** What the server says about the connection that a transaction has: encrypted or not, and how. */
  async function isEncrypted(address: string): Promise<string> {
    const database = await openDatabase({ kind: 'postgresql', url: address }, []);
    try {
      return await database.transaction(inInstallation, async (transaction) => {
        const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(transaction);
        return cluster.superuser(`select ssl, version from pg_stat_ssl where pid = ${rows[0]!.pid}`);
      });
    } finally {
      await database.close();
    }
  }
  const untrusted = { code: 'storage.unavailable', detail: "The server's certificate is not trusted." };

  it('is made when the certificate belongs to the authority named', async () => {
    const tls = 't|TLSv1.3';
    for (const mode of ['require', 'verify-full']) {
      expect(await isEncrypted(`${url}?sslmode=${mode}&sslrootcert=${at('known.pem')}`)).toEqual(tls);
    }
    expect(await isEncrypted(`${url}?sslmode=no-verify`)).toEqual(tls);
    expect(await isEncrypted(url)).toBe('f|');
  });

  it('is refused for a certificate of somebody else, even where libpq would look away', async () => {
    for (const mode of ['require', 'prefer', 'verify-ca', 'verify-full']) {
      await expect(isEncrypted(`${url}?sslmode=${mode}`)).rejects.toMatchObject(untrusted);
      await expect(isEncrypted(`${url}?sslmode=${mode}&sslrootcert=${at('unknown.pem')}`)).rejects.toMatchObject(
        untrusted,
      );
    }
  });

  it.skipIf(!needs('network'))('beyond this machine is verified without being asked to', async () => {
    const { port, hostname } = new URL(url);
    const forwarder = createServer((socket) => {
      const onward = connect(Number(port), hostname);
      for (const end of [socket, onward]) end.on('error', () => undefined);
      socket.pipe(onward).pipe(socket);
    });
    await new Promise<void>((resolve) => forwarder.listen(0, outside, resolve));
    try {
      const far = new URL(url);
      far.hostname = outside!;
      far.port = String((forwarder.address() as AddressInfo).port);
      await expect(isEncrypted(far.href)).rejects.toMatchObject(untrusted);
      expect(await isEncrypted(`${far.href}?sslrootcert=${at('known.pem')}`)).toBe('t|TLSv1.3');
      // A server, or somebody in between, that offers no encryption is not talked to either.
      await switchTls('off');
      await expect(isEncrypted(`${far.href}?sslrootcert=${at('known.pem')}`)).rejects.toMatchObject({
        code: 'storage.unavailable',
      });
    } finally {
      forwarder.close();
      await use('good');
    }
  });

  it('is refused when the certificate is for another host', async () => {
    await use('elsewhere');
    await expect
      .poll(() =>
        isEncrypted(`${url}?sslmode=verify-full&sslrootcert=${at('known.pem')}`).catch((error: unknown) => error),
      )
      .toMatchObject({ code: 'storage.unavailable', detail: "The server's certificate is for another host." });
  });
});
