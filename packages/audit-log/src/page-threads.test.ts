/** Pages checked in another thread: the same findings as here, and nothing lost when the thread ends. */
import { newUuid, type Uuid } from '@strongroom/kernel';
import { inInstallation } from '@strongroom/storage';
import { databases } from '@strongroom/testing/databases';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseLogSource } from './database-source.ts';
import { PageThreads } from './internal/page-threads.ts';
import { accountActor, alice, auditEvent, bob, type House, inThread, openHouse, tenant } from './log.test-support.ts';
import { verifyLog } from './verify-log.ts';

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`pages in a thread on ${engine.name}`, () => {
    const threads = new PageThreads(Infinity);
    let house: House;
    let keys: readonly string[];
    beforeAll(async () => {
      house = await openHouse(engine);
      const changed = { digests: { before: new Uint8Array(32).fill(1) } };
      await house.append(
        ...Array.from({ length: 20 }, () => auditEvent()),
        auditEvent({ subjects: [bob] }, accountActor(newUuid())),
        auditEvent({ ...changed, subjects: [bob] }),
        auditEvent({ context: { ...auditEvent().context, addressPrefix: null } }),
        auditEvent({ subjects: [] }, { kind: 'anonymous' }),
      );
      await house.auditLog.sequence();
      keys = await house.auditLog.verifierKeys();
    });
    afterAll(async () => {
      await threads.stop();
      await house.close();
    });

    const entries = async () => {
      const [here, there] = [house.auditLog.source(), await inThread(house, threads)];
      expect(threads.ready).toBeGreaterThan(0);
      const checked = await there.checkedEntries!(0, 100);
      // A copy has no Buffer: bytes are compared, whatever holds them.
      expect(structuredClone(checked)).toEqual(structuredClone(await here.checkedEntries!(0, 100)));
      return checked;
    };

    it('are what they are here, whatever is wrong with an entry', async () => {
      expect((await entries()).filter(({ remark }) => remark !== null)).toEqual([]);
      await house.database.transaction(inInstallation, (transaction) => house.auditLog.redactSubject(transaction, bob));
      await house.attack(
        'alter table audit_openings disable trigger all',
        'alter table audit_events disable trigger all',
        `update audit_openings set opening = set_byte(opening, 60, get_byte(opening, 60) # 1)
          where event_id = (select event_id from audit_leaves where index = 3)`,
        // The counter says which salt of the seed it is.
        `update audit_openings set opening = set_byte(opening, 1, get_byte(opening, 1) # 1)
          where event_id = (select event_id from audit_leaves where index = 4)`,
        `update audit_events set type = 'cache.emptied' where event_id = (select event_id from audit_leaves where index = 7)`,
        `delete from audit_events where event_id = (select event_id from audit_leaves where index = 9)`,
      );
      const found = await entries();
      const wrong = 'salt or value are not those that were logged';
      expect(found.flatMap(({ index, remark }) => (remark?.findings ?? []).map(({ what }) => [index, what]))).toEqual([
        [3, wrong],
        [4, wrong],
      ]);
      expect(found.filter(({ computed, leafHash }) => computed !== null && computed !== leafHash)).not.toEqual([]);
      expect(found[9]).toMatchObject({ state: 'missing', computed: null });
      expect(found[21]!.remark).toMatchObject({ lacks: 'opening' });
    });

    it('are read again when the thread ends over them', async () => {
      const source = await inThread(house, threads);
      const verdict = await verifyLog(house.auditLog.source(), { keys });
      const [interrupted] = await Promise.all([verifyLog(source, { keys }), threads.stop()]);
      expect(interrupted).toEqual(verdict);
      expect(threads.ready).toBe(0);
      expect(await verifyLog(source, { keys })).toEqual(verdict);
    });

    it('that no thread can check are checked here, and asked for once', async () => {
      let asked = 0;
      const source = databaseLogSource(
        house.database,
        house.clock,
        house.auditLog.openings,
        () => house.auditLog.sequence(),
        () => {
          asked += 1;
          return Promise.resolve(undefined);
        },
      );
      expect(await source.checkedEntries!(0, 100)).toEqual(await house.auditLog.source().checkedEntries!(0, 100));
      expect(asked).toBe(1);
    });

    it('of events that are not kept equally long share no seed', async () => {
      const from = (type: string, home: Uuid, prefix: string) =>
        auditEvent(
          { type, tenant: home, context: { ...auditEvent().context, addressPrefix: prefix } },
          accountActor(alice),
        );
      const elsewhere = newUuid();
      const before = new Set((await house.peek(`select event_id from audit_openings`)).map((row) => row['event_id']));
      for (const type of ['memory.created', 'cache.emptied', 'memory.created', 'key.rotated']) {
        for (const home of [tenant, elsewhere]) {
          await house.append(
            from(type, home, '192.0.2.0/24'),
            from(type, home, '192.0.2.0/24'),
            from(type, home, '198.51.100.0/24'),
          );
        }
      }
      await house.auditLog.sequence();
      const rows = await house.peek<{ event_id: string; type: string; tenant_id: string; opening: string }>(
        `select e.event_id, e.type, e.tenant_id, encode(o.opening, 'hex') as opening from audit_openings as o join audit_events as e using (event_id)
         where e.type in ('memory.created', 'cache.emptied', 'key.rotated')`,
      );
      const fates = new Map<string, Set<string>>();
      let fresh = 0;
      for (const { event_id: id, type, tenant_id: home, opening } of rows) {
        if (before.has(id) || !opening.startsWith('03')) continue;
        fresh += 1;
        const seed = opening.slice(4);
        fates.set(seed, (fates.get(seed) ?? new Set()).add(`${type} ${home}`));
      }
      expect(fresh).toBeGreaterThanOrEqual(24);
      expect([...fates.values()].map(({ size }) => size)).toEqual(Array(fates.size).fill(1));
      // Three periods, two tenants, two addresses; and seeds serve several events.
      expect(fates.size).toBeGreaterThanOrEqual(12);
      expect(fates.size).toBeLessThan(fresh);
    });
  });
}
