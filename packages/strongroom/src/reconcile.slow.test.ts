/**
 * The whole vault against its log: everything people, jobs and the operator do is accounted for, and nothing that somebody writes into the
 * database is. On both engines, and after a backup of the one was restored into the other.
 */
import { copyFileSync, mkdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { acceptChanges, reconcile, type Reconciliation } from '@strongroom/audit-log';
import { generateIdentity } from '@strongroom/backup';
import { createApi, InMemoryCache, InMemoryTrustStore, Vault } from '@strongroom/client';
import { createServer } from '@strongroom/fastify';
import { newUuid, type Uuid } from '@strongroom/kernel';
import { asSystem, type Location } from '@strongroom/storage';
import { figure, temporaryFolder } from '@strongroom/testing';
import { databases, type Owner, ownerOf, prepareDataFolder } from '@strongroom/testing/databases';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { coveredTables } from './covered-tables.ts';
import { createStrongroom, type Strongroom } from './create-strongroom.ts';
import { restoreVault } from './restore-vault.ts';
import { rooms } from './rooms.ts';

const DAY = 86_400_000;
const PASSWORD = 'a long enough pass phrase';
const SECOND = 'the second pass phrase of ada';
const bearer = { transport: 'bearer' } as const;
const quiet = { request: () => {}, failure: () => {}, jobFinished: () => {} };

interface Credentials {
  readonly id: string;
  readonly verifier: string;
  readonly key: string;
}

let ahead = 0;
const clock = { now: () => Date.now() + ahead };

const open = (data: string, location: Location): Promise<Strongroom> =>
  createStrongroom({
    data,
    durability: 'relaxed',
    log: quiet,
    clock,
    ...(location.kind === 'postgresql' ? { database: location } : {}),
  });

const engines = databases('both');

for (const [index, engine] of engines.entries()) {
  const other = engines[1 - index]!;
  describe.skipIf(!engine.available || !other.available)(`a vault on ${engine.name} and its log`, () => {
    const data = path.join(temporaryFolder(), 'data');
    let strongroom: Strongroom;
    let owner: Owner;
    let stop: () => Promise<void>;
    let baseUrl: string;
    let ada: Vault;
    let space: Uuid;
    let memory: Uuid;
    let former: Credentials;

    const device = (): Vault =>
      new Vault({
        api: createApi({ baseUrl, fetch }),
        cache: new InMemoryCache(),
        trust: new InMemoryTrustStore(),
      });
    const found = (of: Strongroom = strongroom): Promise<Reconciliation> =>
      of.services.database.transaction(asSystem, reconcile);
    const clean = { ok: true, count: 0, changes: [] };
    /** As somebody with SQL access: the triggers see it, the log does not. */
    const secretly = async <Row>(statement: string): Promise<readonly Row[]> => {
      const { database } = strongroom.services;
      const { rows } = await database.transaction(asSystem, (transaction) =>
        sql.raw<Row>(statement).execute(transaction),
      );
      return rows;
    };
    /** As whoever owns the table: no trigger sees it. */
    const behindTriggers = (table: string, statement: string): Promise<unknown> =>
      owner.run(
        `alter table ${table} disable trigger user, disable row level security`,
        statement,
        `alter table ${table} enable trigger user${table === 'accounts' ? '' : ', enable row level security'}`,
      );
    const accept = (): Promise<number> => strongroom.services.database.transaction(asSystem, acceptChanges);
    const newcomer = async (name: string): Promise<Vault> => {
      await ada.reauthenticate(SECOND);
      const { code } = await ada.invite('member');
      const vault = device();
      const email = `${name}@example.org`;
      await vault.signUp({ invitation: code, email, displayName: name, password: PASSWORD, ...bearer });
      return vault;
    };
    const rowsOf = async (table: string): Promise<number> => {
      const [row] = await secretly<{ count: number }>(`select count(*)::integer as count from ${table}`);
      return row!.count;
    };

    const credentials = async (): Promise<Credentials> => {
      const [row] = await secretly<Credentials>(
        `select id, encode(verifier, 'hex') as verifier, encode(account_key_by_password, 'hex') as key from accounts`,
      );
      return row!;
    };
    const putBack = ({ id, verifier, key }: Credentials): string =>
      `update accounts set verifier = '\\x${verifier}', account_key_by_password = '\\x${key}' where id = '${id}'`;

    beforeAll(async () => {
      mkdirSync(data, { mode: 0o700 });
      const location = await engine.migrated(rooms);
      if (location.kind !== 'postgresql') await prepareDataFolder(path.join(data, 'database'));
      strongroom = await open(data, location);
      owner = await ownerOf(location, strongroom.services.database, []);
      const server = createServer({ pipeline: strongroom.pipeline });
      await server.listen({ port: 0, host: '127.0.0.1' });
      baseUrl = `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
      stop = async () => {
        await server.close();
        await owner.close();
        await strongroom.close();
      };
      ada = device();
      const invitation = (await strongroom.setupToken())!;
      await ada.signUp({ invitation, email: 'ada@example.org', displayName: 'Ada', password: PASSWORD, ...bearer });
    });
    afterAll(() => stop());

    it('agree after everything that people and the operator do', { timeout: 240_000 }, async () => {
      space = (await ada.createSpace('Family')).id;
      memory = (await ada.remember(space, { text: 'the key is with Ines' })).id;
      await ada.update(space, memory, 1, { text: 'the key is with Ben' });
      const gone = await ada.remember(space, { text: 'not for long' });
      await ada.forget(space, gone.id, 1);
      const items = Array.from({ length: 120 }, (_, number) => ({
        source: 'markdown' as const,
        key: `${number}.md`,
        kind: 'note' as const,
        text: `imported ${number}`,
        tags: [],
        createdAt: null,
        details: {},
      }));
      await ada.import(space, items);
      await ada.import(
        space,
        items.map((item, number) => (number < 5 ? { ...item, text: 'changed since' } : item)),
      );
      expect(await found()).toMatchObject(clean);

      former = await credentials();
      await ada.changePassword(PASSWORD, SECOND);
      await ada.changeEmail('ada@example.net', SECOND);
      await device().signIn({ email: 'ada@example.net', password: SECOND, ...bearer });
      await ada.endOtherSessions();
      const wrong = device().signIn({ email: 'ada@example.net', password: 'not the pass phrase', ...bearer });
      await expect(wrong).rejects.toMatchObject({ code: 'authentication.sign-in-failed' });

      const ben = await newcomer('ben');
      const benId = ben.account!.id;
      await ada.trust(benId, await ben.fingerprint());
      await ada.shareSpace(space, benId, 'member');
      await ben.listSpaces();
      await ben.sync(space);
      await ben.remember(space, { text: 'from Ben' });
      await ada.unshareSpace(space, [benId]);
      await ada.shareSpace(space, benId, 'viewer');
      await ada.reauthenticate(SECOND);
      await ada.removeMember(benId);
      await ada.rotateSpace(space);
      const carol = await newcomer('carol');
      await carol.remember((await carol.createSpace('Alone')).id, { text: 'only mine' });
      await carol.deleteAccount({ password: PASSWORD, confirmation: 'carol@example.org' });
      await ada.reauthenticate(SECOND);
      await ada.invite('viewer');
      expect(await found()).toMatchObject(clean);

      const { keys, rotations, auditLog } = strongroom.services;
      await keys.rotate({ scope: { kind: 'root' }, copy: 'none' });
      await rotations.work();
      const [rotation] = await rotations.list();
      expect(rotation).toMatchObject({ state: 'complete' });
      expect(rotation!.rewritten).toBeGreaterThan(100);
      expect(await found()).toMatchObject(clean);
      await auditLog.sequence();
      expect(await found()).toMatchObject(clean);

      // What ends by itself: sessions, invitations, and the keys of whoever deleted their account.
      ahead += 60 * DAY;
      strongroom.startJobs();
      await expect
        .poll(
          async () => Math.max(await rowsOf('sessions'), await rowsOf('invitations'), await rowsOf('deleted_accounts')),
          { timeout: 60_000 },
        )
        .toBe(0);
      await expect.poll(() => rowsOf('audit_inbox'), { timeout: 60_000 }).toBe(0);
      const { tables, ...outcome } = await found();
      expect(outcome).toEqual(clean);
      const names = [...Object.keys(coveredTables), 'audit_sinks', 'audit_witness_policies'].toSorted();
      expect(tables.map(({ name, isWatched }) => [name, isWatched])).toEqual(names.map((name) => [name, true]));
      const recorded = await secretly<{ actor_via: string; details: string }>(
        `select actor_via, details from audit_events where type = 'audit.background-change' order by event_id`,
      );
      const jobs = new Set(recorded.map(({ actor_via: job }) => job));
      expect([...jobs].toSorted()).toEqual([
        'authentication.erase-deleted',
        'authentication.purge-sessions',
        'encryption.rotate-keys',
      ]);
      const rotated = recorded.filter(({ details }) => details.includes('memory_versions'));
      figure(
        `${engine.name}: ${tables.reduce((sum, { rows }) => sum + rows, 0)} rows of ${tables.length} tables agree with ${await rowsOf('audit_events')} events; a rotation of ${rotation!.rewritten} values took ${rotated.length} events`,
      );
    });

    it('disagree about each thing that somebody writes into the database', { timeout: 120_000 }, async () => {
      const { tenant_id: tenant } = (await secretly<{ tenant_id: Uuid }>('select tenant_id from spaces limit 1'))[0]!;
      const assignment = newUuid();
      const stranger = newUuid();
      const present = await credentials();
      const [victim] = await secretly<{ key: string }>(
        `select id || '/1/' || space_id || '/' || tenant_id as key from memories where version = 1 and deleted_at is null limit 1`,
      );
      const [id] = victim!.key.split('/');
      const version = `${memory}/2/${space}/${tenant}`;
      const attacks = [
        {
          // The former password opens the account again.
          does: putBack(former),
          finds: { table: 'accounts', row: former.id, kind: 'changed' },
        },
        {
          does: `update memory_versions set token = token || '\\x00' where memory_id = '${memory}' and version = 2`,
          finds: { table: 'memory_versions', row: version, kind: 'changed' },
        },
        {
          does: `insert into role_assignments values ('${assignment}', '${tenant}', null, '${stranger}', 'owner')`,
          finds: { table: 'role_assignments', row: assignment, kind: 'inserted' },
        },
        {
          does: `delete from memories where id = '${id}'`,
          finds: { table: 'memory_versions', row: victim!.key, kind: 'deleted' },
        },
        {
          // The first version is the present one again.
          does: `update memories set version = 1 where id = '${memory}'`,
          finds: { table: 'memories', row: `${memory}/${space}/${tenant}`, kind: 'deleted' },
        },
        {
          does: `insert into deleted_accounts values ('${former.id}', now() + interval '100 years')`,
          finds: { table: 'deleted_accounts', row: former.id, kind: 'inserted' },
        },
      ] as const;
      for (const { does, finds } of attacks) {
        await secretly(does);
        expect((await found()).changes).toEqual([{ ...finds, reason: 'no-event' }]);
        expect(await accept()).toBe(1);
      }
      expect(await found()).toMatchObject(clean);
      await behindTriggers('role_assignments', `update role_assignments set role = 'guest' where id = '${assignment}'`);
      await behindTriggers(
        'memory_versions',
        `update memory_versions set size = 1 where memory_id = '${memory}' and version = 2`,
      );
      const { changes } = await found();
      expect(changes).toEqual([
        { table: 'memory_versions', row: version, kind: 'changed', reason: 'behind-triggers' },
        { table: 'role_assignments', row: assignment, kind: 'changed', reason: 'behind-triggers' },
      ]);
      await secretly(`delete from deleted_accounts`);
      await secretly(putBack(present));
      await accept();
      expect(await found()).toMatchObject(clean);
    });

    it('go on as they were on the other engine', { timeout: 240_000 }, async () => {
      const restored = async (): Promise<readonly [Strongroom, Owner]> => {
        const { identity, recipient } = await generateIdentity('x25519');
        const file = path.join(temporaryFolder(), 'backup.age');
        await strongroom.services.backups.create({ path: file, recipients: [recipient] }, 'administrator-socket');
        const folder = path.join(temporaryFolder(), 'data');
        mkdirSync(path.join(folder, 'keys'), { recursive: true, mode: 0o700 });
        copyFileSync(path.join(data, 'keys', 'root'), path.join(folder, 'keys', 'root'));
        const location = await other.fresh();
        const database = location.kind === 'postgresql' ? { database: location } : {};
        await restoreVault({ data: folder, path: file, identities: [identity], clock, ...database });
        const again = await open(folder, location);
        return [again, await ownerOf(location, again.services.database, [])];
      };
      const [calm, calmOwner] = await restored();
      expect(await found(calm)).toMatchObject(clean);
      await calm.services.auditLog.sequence();
      expect(await found(calm)).toMatchObject(clean);
      await calmOwner.close();
      await calm.close();

      await secretly(`update spaces set sealed_name = '\\x00' where id = '${space}'`);
      await secretly(`update spaces set change_sequence = change_sequence + 1 where id = '${space}'`);
      const before = (await found()).changes;
      expect(before).toMatchObject([{ table: 'spaces', kind: 'changed', reason: 'no-event' }]);
      const [moved, movedOwner] = await restored();
      expect((await found(moved)).changes).toEqual(before);
      await moved.services.auditLog.sequence();
      expect((await found(moved)).changes).toEqual(before);
      await movedOwner.close();
      await moved.close();
    });
  });
}
