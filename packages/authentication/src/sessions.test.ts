import { newUuid, toBase64Url, toHex, fromBase64Url, utf8 } from '@strongroom/kernel';
import { asSystem, type Database } from '@strongroom/storage';
import { figure } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { randomText } from '@strongroom/testing/sign-up';
import { sql } from 'kysely';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LAST_SEEN_RESOLUTION_SECONDS, REAUTHENTICATION_SECONDS, sessionLifetimes } from './lifetimes.ts';
import { manifest } from './manifest.ts';
import { bearer, manifests, type Person, Vault } from './vault.test-support.ts';
import type { Account, Reauthenticated, SessionList, SessionStarted } from './wire.ts';

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`sessions on ${engine.name}`, () => {
    let database: Database;
    let vault: Vault;
    let anna: Person;
    beforeAll(async () => {
      database = await engine.open(manifests);
    });
    beforeEach(async () => {
      vault = await Vault.open(database);
      anna = await vault.founder('anna@example.org');
    });

    const status = async (headers: Record<string, string>) => (await vault.send('GET /v1/account', { headers })).status;

    async function signIn(person: Person, transport: 'cookie' | 'bearer' = 'bearer', deviceName = 'Phone') {
      const body = { email: person.email, authenticationSecret: person.secret, transport, deviceName };
      const answer = await vault.send('POST /v1/sessions', { body });
      const { session, token } = answer.body as SessionStarted;
      const cookie = (answer.headers['set-cookie'] as string | undefined)?.split(';')[0] ?? '';
      return { id: session.id, token: token ?? cookie.slice(cookie.indexOf('=') + 1), cookie };
    }
    const list = async (token: string) =>
      (await vault.send('GET /v1/sessions', { headers: bearer(token) })).body as SessionList;

    describe('recognising the caller', () => {
      it('refuses everything that is no live token with one and the same answer', async () => {
        const cookie = await signIn(anna, 'cookie');
        const presented: Record<string, string>[] = [
          bearer(randomText(32)),
          bearer(randomText(48)),
          bearer('short'),
          bearer(`${anna.token}A`),
          { authorization: `Basic ${anna.token}` },
          { authorization: 'Bearer' },
          { cookie: `__Host-strongroom=${randomText(32)}` },
          { cookie: '__Host-strongroom=' },
          // The other kind of session.
          bearer(cookie.token),
          { cookie: `__Host-strongroom=${anna.token}` },
          // More than one credential, each of them good.
          { cookie: cookie.cookie, ...bearer(anna.token) },
          { cookie: `${cookie.cookie}; ${cookie.cookie}` },
        ];
        const answers = await Promise.all(presented.map((headers) => vault.send('GET /v1/account', { headers })));
        for (const answer of answers) {
          expect({ ...answer.body, requestId: '' }).toEqual({ ...answers[0]!.body, requestId: '' });
          expect(answer).toMatchObject({ status: 401, body: { code: 'authentication.invalid-session' } });
        }
        expect(await status({ cookie: cookie.cookie })).toBe(200);
        expect(await status(bearer(anna.token))).toBe(200);
      });

      it('asks the database nothing about a made-up token, so that a flood of them is no flood of queries', async () => {
        const cost = (headers: Record<string, string>) =>
          vault.countStatements(async () => expect(await status(headers)).toBe(401));
        const bytes = fromBase64Url(anna.token);
        bytes[0]! ^= 1;
        for (const token of [randomText(32), randomText(48), toBase64Url(bytes)]) {
          expect(await cost(bearer(token))).toBe(0);
          expect(await cost({ cookie: `__Host-strongroom=${token}` })).toBe(0);
        }
        const { token } = await signIn(anna);
        await vault.send('DELETE /v1/sessions/current', { headers: bearer(token) });
        const ended = await cost(bearer(token));
        expect(ended).toBeGreaterThan(0);
        figure(`a made-up session token on ${engine.name}: 0 statements; one of an ended session: ${ended}`);
      });

      it('refuses a cross-site request that a cookie makes, and lets the own page and bearer tokens in', async () => {
        const { cookie } = await signIn(anna, 'cookie');
        const before = (await list(anna.token)).items.length;
        const attempt = (headers: Record<string, string>) => vault.send('DELETE /v1/sessions/current', { headers });
        for (const site of ['cross-site', 'same-site']) {
          expect(await attempt({ cookie, 'sec-fetch-site': site })).toMatchObject({
            status: 403,
            body: { code: 'pipeline.cross-site' },
          });
        }
        expect(await attempt({ cookie, origin: 'https://evil.example' })).toMatchObject({ status: 403 });
        expect((await list(anna.token)).items).toHaveLength(before);
        expect(await attempt({ cookie, 'sec-fetch-site': 'same-origin' })).toMatchObject({ status: 204 });
        const other = await signIn(anna);
        expect(await attempt({ ...bearer(other.token), 'sec-fetch-site': 'cross-site' })).toMatchObject({
          status: 204,
        });
      });
    });

    describe('lifetimes', () => {
      it.each(['cookie', 'bearer'] as const)('ends an unused %s session after its idle time', async (transport) => {
        const { token, cookie } = await signIn(anna, transport);
        const headers: Record<string, string> = transport === 'cookie' ? { cookie } : bearer(token);
        vault.time += sessionLifetimes[transport].idleSeconds * 1000 - 1;
        expect(await status(headers)).toBe(200);
        vault.time += sessionLifetimes[transport].idleSeconds * 1000;
        expect(await status(headers)).toBe(401);
      });

      it.each(['cookie', 'bearer'] as const)(
        'ends a %s session at its absolute end, however much used',
        async (transport) => {
          const { token, cookie } = await signIn(anna, transport);
          const headers: Record<string, string> = transport === 'cookie' ? { cookie } : bearer(token);
          const { idleSeconds, absoluteSeconds } = sessionLifetimes[transport];
          const end = vault.time + absoluteSeconds * 1000;
          while (vault.time + (idleSeconds * 1000) / 2 < end) {
            vault.time += (idleSeconds * 1000) / 2;
            expect(await status(headers)).toBe(200);
          }
          vault.time = end - 1;
          expect(await status(headers)).toBe(200);
          vault.time = end;
          expect(await status(headers)).toBe(401);
        },
      );

      it('writes the use of a session down once a minute, not at every request', async () => {
        const within = await vault.countStatements(() => status(bearer(anna.token)));
        vault.time += LAST_SEEN_RESOLUTION_SECONDS * 1000 - 1;
        expect(await vault.countStatements(() => status(bearer(anna.token)))).toBe(within);
        vault.time += 1;
        expect(await vault.countStatements(() => status(bearer(anna.token)))).toBe(within + 1);
        const [session] = (await list(anna.token)).items;
        expect(Date.parse(session!.lastSeenAt)).toBe(vault.time);
      });

      it('purges the rows of ended sessions and keeps the others', async () => {
        await signIn(anna, 'cookie');
        vault.time += sessionLifetimes.cookie.idleSeconds * 1000;
        const [job] = manifest.jobs;
        await job.run(vault.services);
        const rows = await vault.database.transaction(asSystem, (transaction) =>
          sql<{ transport: string }>`select transport from sessions`.execute(transaction),
        );
        expect(rows.rows).toEqual([{ transport: 'bearer' }]);
      });
    });

    describe('listing and ending', () => {
      it('lists the own sessions only, newest first, without tokens', async () => {
        const ben = await vault.member(anna, 'member', 'ben@example.org');
        const current = await signIn(ben, 'bearer', 'Notebook');
        const { items, next } = await list(current.token);
        expect(next).toBeNull();
        expect(items.map(({ id, deviceName, current: isCurrent }) => ({ id, deviceName, isCurrent }))).toEqual([
          { id: current.id, deviceName: 'Notebook', isCurrent: true },
          { id: ben.session, deviceName: 'Test laptop of a person', isCurrent: false },
        ]);
        expect(JSON.stringify(items)).not.toContain(current.token);
      });

      it('pages through many sessions', async () => {
        await vault.database.transaction(asSystem, async (transaction) => {
          for (let index = 0; index < 150; index += 1) {
            await sql`insert into sessions (id, account_id, tenant_id, token_hash, transport, created_at, last_seen_at, idle_expires_at, expires_at)
              select ${newUuid()}::uuid, account_id, tenant_id, ${crypto.getRandomValues(new Uint8Array(32))}::bytea, transport,
                created_at, last_seen_at, idle_expires_at, expires_at from sessions where id = ${anna.session}`.execute(
              transaction,
            );
          }
        });
        const first = await list(anna.token);
        expect(first.items).toHaveLength(100);
        const second = (
          await vault.send('GET /v1/sessions', { headers: bearer(anna.token), query: { cursor: first.next! } })
        ).body as SessionList;
        expect(second.items).toHaveLength(51);
        expect(second.next).toBeNull();
        expect(new Set([...first.items, ...second.items].map(({ id }) => id)).size).toBe(151);
        const bad = await vault.send('GET /v1/sessions', { headers: bearer(anna.token), query: { cursor: 'x' } });
        expect(bad.status).toBe(400);
      });

      it('ends another session of one’s own, which is refused from then on', async () => {
        const lost = await signIn(anna);
        expect(await status(bearer(lost.token))).toBe(200);
        const answer = await vault.send('DELETE /v1/sessions/{session}', {
          path: { session: lost.id },
          headers: bearer(anna.token),
        });
        expect(answer.status).toBe(204);
        expect(answer.headers['set-cookie']).toBeUndefined();
        expect(await status(bearer(lost.token))).toBe(401);
        expect(await status(bearer(anna.token))).toBe(200);
      });

      it('does not find the session of another account, as if there were none', async () => {
        const ben = await vault.member(anna, 'admin', 'ben@example.org');
        const end = (session: string) =>
          vault.send('DELETE /v1/sessions/{session}', { path: { session }, headers: bearer(ben.token) });
        const [foreign, none] = [await end(anna.session), await end(newUuid())];
        expect(foreign).toMatchObject({ status: 404, body: { code: 'authentication.session-not-found' } });
        expect({ ...foreign.body, requestId: '' }).toEqual({ ...none.body, requestId: '' });
        expect((await end('not-an-id')).status).toBe(400);
      });

      it('signs out: the session ends and the cookie is cleared', async () => {
        const { cookie } = await signIn(anna, 'cookie');
        const headers = { cookie, 'sec-fetch-site': 'same-origin' };
        const answer = await vault.send('DELETE /v1/sessions/current', { headers });
        expect(answer).toMatchObject({
          status: 204,
          headers: {
            'set-cookie': '__Host-strongroom=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0',
          },
        });
        expect(await status({ cookie })).toBe(401);
      });
    });

    describe('re-authentication', () => {
      const prove = (token: string, authenticationSecret: string) =>
        vault.send('POST /v1/reauthentication', { body: { authenticationSecret }, headers: bearer(token) });
      const invite = (token: string) =>
        vault.send('POST /v1/invitations', { body: { role: 'member' }, headers: bearer(token) });

      it('opens for five minutes what asks for it, with a new token', async () => {
        expect(await invite(anna.token)).toMatchObject({
          status: 401,
          body: { code: 'pipeline.reauthentication-required' },
        });
        const answer = await prove(anna.token, anna.secret);
        const { token, reauthenticatedUntil } = answer.body as Reauthenticated;
        expect(Date.parse(reauthenticatedUntil) - vault.time).toBe(REAUTHENTICATION_SECONDS * 1000);
        expect(await status(bearer(anna.token))).toBe(401);
        expect(await invite(token!)).toMatchObject({ status: 201 });
        vault.time += REAUTHENTICATION_SECONDS * 1000 - 1;
        expect(await invite(token!)).toMatchObject({ status: 201 });
        vault.time += 1;
        expect(await invite(token!)).toMatchObject({ status: 401 });
        expect(await status(bearer(token!))).toBe(200);
      });

      it('raises the session that asked and no other', async () => {
        const other = await signIn(anna);
        await vault.proved(anna);
        expect(await invite(other.token)).toMatchObject({ status: 401 });
        const fresh = await signIn(anna);
        expect(await invite(fresh.token)).toMatchObject({ status: 401 });
      });

      it('puts the new token into the cookie of a cookie session', async () => {
        const { cookie } = await signIn(anna, 'cookie');
        vault.time += 1000;
        const answer = await vault.send('POST /v1/reauthentication', {
          body: { authenticationSecret: anna.secret },
          headers: { cookie, 'sec-fetch-site': 'same-origin' },
        });
        expect(answer.body['token']).toBeNull();
        const renewed = answer.headers['set-cookie'] as string;
        // The cookie ends with the session, which did not get longer.
        expect(renewed).toMatch(/Max-Age=86399$/);
        expect(await status({ cookie })).toBe(401);
        expect(await status({ cookie: renewed.split(';')[0]! })).toBe(200);
      });

      it('refuses a wrong secret, leaves the session as it was, and bounds the guesses', async () => {
        for (let attempt = 0; attempt < 10; attempt += 1) {
          expect(await prove(anna.token, randomText(32))).toMatchObject({
            status: 403,
            body: { code: 'authentication.wrong-secret' },
          });
        }
        expect(await prove(anna.token, anna.secret)).toMatchObject({ status: 429 });
        expect(await status(bearer(anna.token))).toBe(200);
        expect(await invite(anna.token)).toMatchObject({ status: 401 });
        expect(vault.events.at(-1)).toMatchObject({ type: 'invitation.created', outcome: 'denied' });
        expect(vault.events.at(-2)).toMatchObject({
          type: 'session.reauthenticated',
          outcome: 'denied',
          reason: 'authentication.wrong-secret',
          object: { type: 'session', id: anna.session },
        });
      });
    });

    describe('what is stored', () => {
      it('holds no token, secret, wrapped key, address or name in clear in any row or event', async () => {
        const { cookie } = await signIn(anna, 'cookie', 'Kitchen tablet');
        const invited = await vault.invitation(await vault.proved(anna), 'member');
        await signIn(anna);
        const text = await dump(vault);
        const secrets = [anna.token, anna.secret, cookie.slice(cookie.indexOf('=') + 1), invited];
        const names = ['anna@example.org', 'anna', 'Display anna', 'Kitchen tablet', 'Test laptop'];
        const { record } = (await vault.send('GET /v1/account', { headers: { cookie } })).body as Account;
        const wraps = [record.privateKey, record.accountKeyByPassword, record.accountKeyByRecovery];
        const events = JSON.stringify(vault.events);
        for (const needle of [
          ...[...secrets, ...wraps].flatMap((secret) => {
            const bytes = fromBase64Url(secret);
            // A session's token is its first 32 bytes; the rest tells where it was made.
            return [secret, toHex(bytes), toHex(bytes.subarray(0, 32))];
          }),
          ...names.flatMap((name) => [name, toHex(utf8(name))]),
        ]) {
          expect(text, needle).not.toContain(needle);
          expect(events, needle).not.toContain(needle);
        }
        // The same look finds what is there.
        expect(text).toContain(toHex(fromBase64Url(record.salt)));
        expect(text).toContain(toHex(fromBase64Url(record.publicKey)));
        expect(text).toContain(anna.account);
        expect(events).toContain(anna.account);
      });
    });
  });
}

/** Every row of every table as text; PostgreSQL writes bytea as hexadecimal. */
async function dump(vault: Vault): Promise<string> {
  return vault.database.transaction(asSystem, async (transaction) => {
    const { rows } = await sql<{ name: string }>`
      select table_name as name from information_schema.tables where table_schema = current_schema()
    `.execute(transaction);
    expect(rows.length).toBeGreaterThan(5);
    const texts: string[] = [];
    for (const { name } of rows) {
      const content = await sql<{ row: string }>`select t::text as row from ${sql.table(name)} t`.execute(transaction);
      texts.push(...content.rows.map(({ row }) => row));
    }
    return texts.join('\n');
  });
}
