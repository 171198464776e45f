/** Retention on both engines with every wall in place: many batches, cut short and resumed, while others write and verify; and builds of the verifier that would miss a deletion. */
import { newUuid } from '@strongroom/kernel';
import { asSystem } from '@strongroom/storage';
import { figure } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RETENTION_BATCH } from './internal/remove-expired.ts';
import { accountActor, alice, auditEvent, type House, openHouse, START, tenant } from './log.test-support.ts';
import { manifest } from './manifest.ts';
import { DAY, RETENTION_RUN } from './retention.ts';
import { verifyLog } from './verify-log.ts';
import { buildWithout, type Removal } from './weakened-build.test-support.ts';

const job = { kind: 'system', via: 'audit-log.retention' } as const;
const TYPES = ['memory.created', 'cache.emptied', 'key.rotated'];
const SIZE = 9000;

for (const engine of databases('both')) {
  describe.skipIf(!engine.available)(`retention on ${engine.name}`, () => {
    let house: House;
    let keys: readonly string[];
    const judge = () => verifyLog(house.auditLog.source(), { keys });
    const add = async (count: number) => {
      const actor = accountActor(alice);
      const events = Array.from({ length: count }, (_, index) =>
        auditEvent({ type: TYPES[index % 3]!, tenant, object: null, subjects: [], details: { index } }, actor),
      );
      for (let from = 0; from < count; from += 500) await house.append(...events.slice(from, from + 500));
      await house.auditLog.sequence();
    };
    const stored = () =>
      house.database.transaction(asSystem, async (transaction) => {
        const { rows } = await sql<{ events: number; openings: number; leaves: number; runs: number; longest: number }>`
          select (select count(*) from audit_events) as events, (select count(*) from audit_openings) as openings,
            (select count(*) from audit_leaves) as leaves, (select count(*) from audit_events where type = ${RETENTION_RUN}) as runs,
            (select coalesce(max(length(details)), 0)::int from audit_events where type = ${RETENTION_RUN}) as longest`.execute(
          transaction,
        );
        return rows[0]!;
      });

    beforeEach(async () => {
      house = await openHouse(engine);
    });
    afterEach(() => house.close());

    it('removes in batches, stops when told and goes on later, and every state in between verifies', async () => {
      await add(SIZE);
      keys = await house.auditLog.verifierKeys();
      const { size, root } = await judge();
      house.clock.time = START + 400 * DAY;
      // Each batch reads the clock: told to stop while the third begins.
      const stop = new AbortController();
      let reads = 0;
      const now = house.clock.now;
      house.clock.now = () => {
        reads += 1;
        if (reads === 3) stop.abort();
        return now();
      };
      await expect(house.auditLog.applyRetention(job, stop.signal)).rejects.toThrow();
      house.clock.now = now;
      const halfway = await stored();
      expect(halfway.runs).toBeGreaterThan(0);
      expect(halfway.events).toBe(SIZE - halfway.runs * RETENTION_BATCH + halfway.runs);
      expect(await judge()).toMatchObject({ ok: true, removedEntries: halfway.runs * RETENTION_BATCH });

      const started = process.cpuUsage();
      const [removed, verdicts] = await Promise.all([
        house.auditLog.applyRetention(job),
        (async () => {
          const all = [];
          for (let round = 0; round < 4; round += 1) all.push(await judge());
          return all;
        })(),
        (async () => {
          for (let round = 0; round < 4; round += 1) await house.append(auditEvent({ subjects: [] }));
        })(),
      ]);
      const { user, system } = process.cpuUsage(started);
      expect(removed + halfway.runs * RETENTION_BATCH).toBe((SIZE * 2) / 3);
      for (const verdict of verdicts) expect(verdict).toMatchObject({ ok: true, findings: [] });
      await house.auditLog.sequence();
      const { events, openings, leaves, runs, longest } = await stored();
      expect({ events, openings, leaves }).toEqual({
        events: SIZE / 3 + runs + 4,
        openings: SIZE / 3 + 4,
        leaves: SIZE + runs + 4,
      });
      expect(await judge()).toMatchObject({ ok: true, removedEntries: (SIZE * 2) / 3 });
      expect(await verifyLog(house.auditLog.source(), { keys, remembered: { size, root } })).toMatchObject({
        ok: true,
      });
      figure(
        `retention on ${engine.name}: ${(SIZE * 2) / 3} of ${SIZE} events removed in ${runs} batches, ${Math.round((user + system) / removed)} µs CPU for each with verifications beside it; the longest run's entry has ${longest} bytes`,
      );
    });

    it('leaves all or nothing of a batch that fails half way', async () => {
      await add(300);
      keys = await house.auditLog.verifierKeys();
      house.clock.time = START + 91 * DAY;
      await house.attack(
        `create function fail_now() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$`,
        'create trigger fail_now before delete on audit_openings for each statement execute function fail_now()',
      );
      await expect(house.auditLog.applyRetention(job)).rejects.toThrow();
      expect(await stored()).toMatchObject({ events: 300, leaves: 300, runs: 0 });
      await house.attack('drop trigger fail_now on audit_openings');
      expect(await house.auditLog.applyRetention(job)).toBe(100);
      expect(await judge()).toMatchObject({ ok: true, removedEntries: 100 });
    });
  });
}

describe('a verifier without one check', () => {
  const [engine] = databases();
  const weak: readonly (readonly [
    name: string,
    without: readonly Removal[],
    attack: (house: House) => Promise<void>,
  ])[] = [
    [
      'misses an event that was deleted without a run',
      [['verify-log.ts', 'this.#removals.note(index);', '']],
      async (house) => {
        const where = 'event_id = (select event_id from audit_leaves where index = 0)';
        await house.attack(`delete from audit_openings where ${where}`, `delete from audit_events where ${where}`);
      },
    ],
    [
      'misses a run that was kept from seeing a hold',
      [['internal/removals.ts', 'if (!respected.has(id))', 'if (false)']],
      async (house) => {
        const hold = { type: 'audit-hold', id: newUuid() };
        await house.append(
          auditEvent({
            type: 'audit.hold-added',
            tenant: null,
            object: hold,
            subjects: [],
            details: { reason: 'x', tenant },
          }),
        );
        await house.auditLog.sequence();
        await house.attack(
          `create table hidden as select * from audit_events where type = 'audit.hold-added'`,
          `delete from audit_events where type = 'audit.hold-added'`,
        );
        house.clock.time = START + 100 * DAY;
        await house.auditLog.applyRetention(job);
        await house.attack('insert into audit_events table hidden', 'drop table hidden');
      },
    ],
  ];

  it.each(weak)('%s', async (_, without, attack) => {
    const house = await openHouse(engine!);
    const actor = accountActor(alice);
    await house.append(...TYPES.map((type) => auditEvent({ type, object: null, subjects: [] }, actor)));
    await house.auditLog.sequence();
    const keys = await house.auditLog.verifierKeys();
    await attack(house);
    expect(await verifyLog(house.auditLog.source(), { keys })).toMatchObject({ ok: false, standing: 'INVALID' });
    const build = await buildWithout(without);
    expect(await build.verifyLog(house.auditLog.source(), { keys })).toMatchObject({ ok: true, findings: [] });
    await house.close();
  });

  it('covers what the room declares: the job and its events', () => {
    expect(manifest.jobs!.map(({ name }) => name)).toContain(job.via);
    expect(Object.keys(manifest.auditEvents!)).toContain(RETENTION_RUN);
  });
});
