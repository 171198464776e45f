import { newUuid } from '@strongroom/kernel';
import { asSystem, inInstallation, inTenant, type Transaction } from '@strongroom/storage';
import { databases } from '@strongroom/testing/databases';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { catalogue } from './catalogue.ts';
import {
  accountActor,
  alice,
  auditEvent,
  bob,
  type House,
  openHouse,
  otherTenant,
  START,
  tenant,
} from './log.test-support.ts';
import { verifyLog } from './verify-log.ts';

const refusedWith = (code: string) => expect.objectContaining({ code });

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`audit log on ${engine.name}`, () => {
    let house: House;
    const nudge = vi.fn<() => void>();
    beforeAll(async () => {
      house = await openHouse(engine, nudge);
    });
    afterAll(() => house.close());

    const count = async (table: string): Promise<number> =>
      Number((await house.peek(`select count(*) as count from ${table}`))[0]!['count']);
    const counts = async (): Promise<number[]> => {
      const found: number[] = [];
      for (const table of ['audit_events', 'audit_inbox', 'audit_leaves', 'audit_openings'])
        found.push(await count(table));
      return found;
    };

    it('has no checkpoint, no keys and nothing to find fault with before the first event', async () => {
      expect(await house.auditLog.sequence()).toBe(0);
      expect(await house.auditLog.verifierKeys()).toEqual([]);
      expect(await house.auditLog.source().newestCheckpoint()).toBeNull();
    });

    it('writes an event with the change, and neither without the other', async () => {
      const before = await counts();
      const change = (fail: boolean) =>
        house.database.transaction(inInstallation, async (transaction) => {
          await house.auditLog.append(transaction, auditEvent());
          if (fail) throw new Error('the change failed');
        });
      await expect(change(true)).rejects.toThrow('the change failed');
      expect(await counts()).toEqual(before);
      await change(false);
      expect(await counts()).toEqual([before[0], before[1]! + 1, before[2], before[3]]);
    });

    it('refuses events that no manifest declares, people in open fields, and what does not fit an entry', async () => {
      const before = await counts();
      await expect(house.append(auditEvent({ type: 'memory.invented' }))).rejects.toThrow(
        refusedWith('audit-log.undeclared-event'),
      );
      await expect(house.append(auditEvent({ details: { owner: bob } }))).rejects.toThrow(
        refusedWith('audit-log.person-in-details'),
      );
      await expect(house.append(auditEvent({ details: { [alice]: 1 } }))).rejects.toThrow(
        refusedWith('audit-log.person-in-details'),
      );
      await expect(house.append(auditEvent({ details: { text: 'x'.repeat(70_000) } }))).rejects.toThrow(
        refusedWith('audit-log.event-too-large'),
      );
      expect(await counts()).toEqual(before);
    });

    it('knows people by pseudonym only, the same one everywhere', async () => {
      await house.append(
        auditEvent({ object: { type: 'account', id: alice }, subjects: [bob, alice, bob] }),
        auditEvent({ object: { type: 'membership', id: bob } }, accountActor(bob)),
      );
      const pseudonyms = await house.peek('select account_id, pseudonym from audit_pseudonyms');
      const of = (account: string) => pseudonyms.find((row) => row['account_id'] === account)!['pseudonym'] as string;
      const rows = await house.peek(
        "select event::jsonb->>6 as actor, event::jsonb->>13 as object_id, translate(event::jsonb->>14, '[]\",', '') as subjects from audit_inbox order by event::jsonb->>0 desc limit 2",
      );
      expect(rows).toEqual([
        { actor: of(bob), object_id: of(bob), subjects: of(bob) },
        { actor: of(alice), object_id: of(alice), subjects: `${of(bob)} ${of(alice)}` },
      ]);
      const everything = JSON.stringify(await house.peek('select e::text as event from audit_inbox e'));
      expect(everything).toContain(of(alice));
      expect(everything).not.toContain(alice);
      expect(everything).not.toContain(bob);
    });

    it('remembers no pseudonym of a transaction that was rolled back', async () => {
      const carol = newUuid();
      const attempt = house.database.transaction(inInstallation, async (transaction) => {
        for (let twice = 0; twice < 2; twice += 1) {
          await house.auditLog.append(transaction, auditEvent({}, accountActor(carol)));
        }
        throw new Error('the change failed');
      });
      await expect(attempt).rejects.toThrow('the change failed');
      await house.append(auditEvent({}, accountActor(carol)));
      const found = await house.peek(
        `select account_id from audit_pseudonyms join audit_inbox on subject = pseudonym where account_id = '${carol}'`,
      );
      expect(found).toEqual([{ account_id: carol }]);
    });

    it('keeps the address prefix beside the event, which holds only a commitment', async () => {
      const [row] = await house.peek('select event, octet_length(opening) as length from audit_inbox limit 1');
      // Form, counter, vector, seed and value, tag: nothing of it can be read here.
      expect(Number(row!['length'])).toBe(2 + 12 + 32 + '203.0.113.0/24'.length + 16);
      expect(row!['event']).not.toContain('203.0.113');
    });

    it('records actors without an account, and events without tenant, object or address', async () => {
      const context = { requestId: newUuid(), addressPrefix: null, receivedAt: START };
      const openings = async () =>
        Number((await house.peek('select count(opening) as count from audit_inbox'))[0]!['count']);
      const before = await openings();
      await house.append(
        auditEvent({
          tenant: null,
          object: null,
          subjects: [],
          details: {},
          context: { ...context, actor: { kind: 'anonymous' } },
        }),
        auditEvent({ context: { ...context, actor: { kind: 'system', job: 'memories.purge' } } }),
        auditEvent({
          context: { ...context, actor: { kind: 'operator', via: 'command-line' } },
          outcome: 'failure',
          reason: 'x.y',
        }),
      );
      const rows = await house.peek(
        `select event::jsonb->>5 as actor_kind, event::jsonb->>6 as actor, event::jsonb->>7 as actor_via, event::jsonb->>8 as session_id,
           event::jsonb->>3 as outcome, event::jsonb->>4 as reason, event::jsonb->>11 as address_commitment
         from audit_inbox order by event::jsonb->>0 desc limit 3`,
      );
      const none = { actor: null, session_id: null, address_commitment: null };
      expect(rows).toEqual([
        { ...none, actor_kind: 'operator', actor_via: 'command-line', outcome: 'failure', reason: 'x.y' },
        { ...none, actor_kind: 'system', actor_via: 'memories.purge', outcome: 'success', reason: null },
        { ...none, actor_kind: 'anonymous', actor_via: null, outcome: 'success', reason: null },
      ]);
      expect(await openings()).toBe(before);
    });

    it('sequences what waits, once, in contiguous places, and signs', async () => {
      const [, events] = await counts();
      expect(await house.auditLog.sequence()).toBe(events);
      expect(await house.auditLog.sequence()).toBe(0);
      const [row] = await house.peek(
        'select min(index) as first, max(index) as last, count(*) as count from audit_leaves',
      );
      expect([Number(row!['first']), Number(row!['last']), Number(row!['count'])]).toEqual([0, events! - 1, events]);
      expect(await counts()).toEqual([events, 0, events, events! - 3]);

      const keys = await house.auditLog.verifierKeys();
      expect(keys.map((key) => key.split('+')[0])).toEqual([
        expect.stringMatching(/^strongroom\/[0-9a-f-]{36}$/),
        keys[1]!.split('+')[0],
      ]);
      const verdict = await verifyLog(house.auditLog.source(), { keys });
      expect(verdict).toMatchObject({
        ok: true,
        findings: [],
        size: events,
        verifiedEntries: events,
        withheldEntries: 0,
      });
      expect(verdict.signedAt).toBe(START / 1000);
    });

    it('goes on from the tree in the database, batch after batch and in another process', async () => {
      const keys = await house.auditLog.verifierKeys();
      const remembered = [await verifyLog(house.auditLog.source(), { keys })];
      let current = house.auditLog;
      for (const batch of [1, 2, 250, 300, 7]) {
        await house.append(...Array.from({ length: batch }, () => auditEvent()));
        expect(await current.sequence()).toBe(batch);
        for (const { size, root } of remembered) {
          const verdict = await verifyLog(current.source(), { keys, remembered: { size, root } });
          expect(verdict).toMatchObject({ ok: true, findings: [] });
        }
        remembered.push(await verifyLog(current.source(), { keys }));
        current = await house.replica(house.database);
      }
      expect(await current.verifierKeys()).toEqual(keys);
    });

    it('keeps the last checkpoint of every hour and the newest', async () => {
      const keys = await house.auditLog.verifierKeys();
      const current = await house.replica(house.database);
      for (const minutes of [5, 30, 61, 62, 190]) {
        house.clock.time = START + minutes * 60_000;
        await house.append(auditEvent());
        await current.sequence();
      }
      const rows = await house.peek(
        "select to_char(signed_at at time zone 'UTC', 'HH24:MI') as at from audit_checkpoints order by size",
      );
      expect(rows.map((row) => row['at'])).toEqual(['08:30', '09:02', '11:10']);
      expect(await verifyLog(current.source(), { keys })).toMatchObject({ ok: true });
    });

    it('leaves no trace of a batch that did not commit', async () => {
      const current = await house.replica(house.database);
      const keys = await current.verifierKeys();
      await house.append(auditEvent());
      await house.attack('alter table audit_checkpoints add constraint full_disk check (size < 0) not valid');
      const before = await counts();
      await expect(current.sequence()).rejects.toThrow();
      expect(await counts()).toEqual(before);
      await house.attack('alter table audit_checkpoints drop constraint full_disk');
      expect(await current.sequence()).toBe(1);
      expect(await verifyLog(current.source(), { keys })).toMatchObject({ ok: true });
    });

    it('reports events that wait too long, and only those', async () => {
      const current = await house.replica(house.database);
      const keys = await current.verifierKeys();
      await house.append(auditEvent());
      expect(await verifyLog(current.source(), { keys })).toMatchObject({ ok: true });
      house.clock.time += 61_000;
      const verdict = await verifyLog(current.source(), { keys });
      expect(verdict.findings).toEqual([
        { where: expect.stringMatching(/^event [0-9a-f-]{36}$/), what: expect.stringContaining('waits') },
      ]);
      await current.sequence();
      expect(await verifyLog(current.source(), { keys })).toMatchObject({ ok: true });
    });

    it('asks for the sequencer once for commits close to each other', async () => {
      vi.useFakeTimers();
      try {
        nudge.mockClear();
        house.auditLog.committed();
        house.auditLog.committed();
        expect(nudge).not.toHaveBeenCalled();
        vi.advanceTimersByTime(1000);
        expect(nudge).toHaveBeenCalledTimes(1);
        house.auditLog.committed();
        vi.advanceTimersByTime(1000);
        expect(nudge).toHaveBeenCalledTimes(2);
      } finally {
        vi.useRealTimers();
      }
    });

    it('gives every event the place of its commit even when two sequencers of one process are asked at once', async () => {
      await house.append(...Array.from({ length: 20 }, () => auditEvent()));
      const current = await house.replica(house.database);
      const results = await Promise.all([current.sequence(), current.sequence(), current.sequence()]);
      expect(results).toEqual([20, 0, 0]);
    });

    it('stops when asked to, and goes on later', async () => {
      await house.append(auditEvent());
      const current = await house.replica(house.database);
      await expect(current.sequence(AbortSignal.abort(new Error('stopping')))).rejects.toThrow('stopping');
      expect(await current.sequence()).toBe(1);
    });

    it('has triggers that refuse every change of what is written, even to the owner of a session without roles', async () => {
      await house.append(auditEvent());
      const refused = [
        'update audit_events set reason = reason',
        'delete from audit_events',
        'truncate audit_events',
        'update audit_leaves set hash = hash',
        'delete from audit_leaves where index = -1',
        'truncate audit_leaves',
        'update audit_tiles set root = root',
        'delete from audit_tiles',
        'update audit_checkpoints set note = note',
        'truncate audit_checkpoints',
        'update audit_openings set subject = subject',
        'update audit_opening_keys set account_id = account_id',
        'truncate audit_opening_keys',
        'update audit_key_handovers set proof = proof',
        'delete from audit_key_handovers',
        'update audit_pseudonyms set pseudonym = pseudonym',
        'update audit_inbox set event = event',
        'truncate audit_inbox',
        'delete from audit_inbox',
        'update audit_signing_keys set verifier_key = verifier_key',
        'delete from audit_signing_keys',
      ];
      if (engine.name === 'PostgreSQL') {
        const names = [...new Set(refused.map((statement) => /audit_\w+/.exec(statement)![0]))];
        await house.attack(...names.map((name) => `alter table ${name} enable trigger user`));
      }
      for (const statement of refused) {
        const attempt =
          engine.name === 'PostgreSQL'
            ? house.attack(statement)
            : house.database.transaction(asSystem, async (transaction) => {
                await sql`reset role`.execute(transaction);
                await sql.raw(statement).execute(transaction);
              });
        await expect(attempt, statement).rejects.toThrow(/.+/);
      }
    });

    it('lets the serving role add events and nothing else', async () => {
      const run = (statement: string, scope = inTenant(tenant)) =>
        house.database.transaction(scope, (transaction: Transaction) => sql.raw(statement).execute(transaction));
      const refused = [
        'update audit_events set reason = reason',
        'delete from audit_events',
        'truncate audit_events',
        'delete from audit_inbox',
        'select * from audit_inbox',
        'update audit_inbox set opening = null',
        'insert into audit_events select * from audit_events',
        "insert into audit_leaves values (99999, gen_random_uuid(), sha256(''))",
        'insert into audit_checkpoints select size + 1, root, signed_at, note from audit_checkpoints',
        'delete from audit_checkpoints',
        'delete from audit_openings',
        'delete from audit_pseudonyms',
        'select private_key from audit_signing_keys',
        'select * from audit_signing_keys',
      ];
      for (const statement of refused) await expect(run(statement), statement).rejects.toThrow(/.+/);
      for (const statement of [
        'update audit_events set reason = reason',
        'delete from audit_events',
        'truncate audit_events',
        'update audit_inbox set opening = null',
        'delete from audit_inbox',
      ]) {
        await expect(run(statement, asSystem), `system: ${statement}`).rejects.toThrow(/.+/);
      }
      await run('select verifier_key from audit_signing_keys');
    });

    it('shows a tenant its own events only', async () => {
      if (engine.name === 'PostgreSQL') {
        await house.attack(
          ...['audit_events', 'audit_openings'].map((name) => `alter table ${name} enable row level security`),
        );
      }
      await house.append(auditEvent({ tenant: otherTenant }), auditEvent({ tenant: null }));
      const seen = (scope: Parameters<typeof house.database.transaction>[0]) =>
        house.database.transaction(scope, async (transaction) => {
          const { rows } = await sql<{ tenants: string }>`
            select string_agg(distinct coalesce(tenant_id::text, 'none'), ' ') as tenants from audit_events`.execute(
            transaction,
          );
          return rows[0]!.tenants;
        });
      await (await house.replica(house.database)).sequence();
      expect(await seen(inTenant(otherTenant))).toBe(otherTenant);
      expect(await seen(inTenant(tenant))).toBe(tenant);
      expect(await seen(inInstallation)).toBeNull();
      expect((await seen(asSystem)).split(' ').toSorted()).toEqual([tenant, otherTenant, 'none'].toSorted());
    });
  });
}

describe('catalogue', () => {
  it('gathers the events of all rooms', () => {
    const declared = { title: 'A', class: 'policy', retention: 'security', ocsf: 'entity-management/update' } as const;
    const events = catalogue([{ name: 'a', auditEvents: { 'a.b': declared } }, { name: 'b' }]);
    expect([...events]).toEqual([['a.b', { ...declared, room: 'a' }]]);
  });

  it('refuses a type that two rooms declare', () => {
    const auditEvents = {
      'a.b': { title: 'A', class: 'policy', retention: 'security', ocsf: 'entity-management/update' },
    } as const;
    expect(() =>
      catalogue([
        { name: 'a', auditEvents },
        { name: 'b', auditEvents },
      ]),
    ).toThrow(expect.objectContaining({ code: 'kernel.not-declared' }));
  });
});
