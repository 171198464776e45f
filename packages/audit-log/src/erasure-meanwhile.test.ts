/** A person is forgotten while the log is verified: between two statements, or before the entry that says so has its place. Neither is damage. */
import { inTenant } from '@strongroom/storage';
import { figure } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { databaseLogSource } from './database-source.ts';
import { OpeningKeys } from './internal/opening-keys.ts';
import type { LogSource } from './log-source.ts';
import { accountActor, alice, auditEvent, bob, type House, inJson, openHouse, tenant } from './log.test-support.ts';
import { verifyLog } from './verify-log.ts';

/** Somebody else is faster than whoever has read a page and goes on to its keys. */
class SlowKeys extends OpeningKeys {
  #meanwhile: (() => Promise<void>) | undefined;

  constructor(encryption: House['encryption'], meanwhile: () => Promise<void>) {
    super(encryption);
    this.#meanwhile = meanwhile;
  }

  override async forReading(...parameters: Parameters<OpeningKeys['forReading']>) {
    const meanwhile = this.#meanwhile;
    this.#meanwhile = undefined;
    await meanwhile?.();
    return super.forReading(...parameters);
  }
}

/** Both ways in which a verification reads entries. */
const ways: readonly (readonly [string, (source: LogSource) => LogSource])[] = [
  ['as rows', (source) => source],
  ['as JSON', inJson],
];

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`verifying while somebody is forgotten, on ${engine.name}`, () => {
    let house: House;
    let keys: readonly string[];
    beforeEach(async () => {
      house = await openHouse(engine);
      await house.append(auditEvent({}, accountActor(alice)), auditEvent({}, accountActor(bob)));
      await house.auditLog.sequence();
      keys = await house.auditLog.verifierKeys();
    });
    afterEach(() => house.close());

    const forget = async (): Promise<void> => {
      await house.database.transaction(inTenant(tenant), (transaction) =>
        house.auditLog.redactSubject(transaction, alice),
      );
    };

    it.each(ways)('waits for the entry that says so, read %s', async (_, as) => {
      await forget();
      expect(await verifyLog(as(house.auditLog.source()), { keys })).toMatchObject({
        findings: [],
        size: 3,
        redactedEntries: 1,
      });
      await house.attack('delete from audit_openings');
      expect((await verifyLog(as(house.auditLog.source()), { keys })).findings).toEqual([
        { where: 'event 1, column address_prefix', what: 'the logged value is missing' },
      ]);
    });

    // PGlite has one session: nothing gets between two statements of a transaction.
    it.skipIf(engine.name === 'PGlite').each(ways)('between a page and its keys, read %s', async (name, as) => {
      // In a session of its own: one inside of a transaction is refused.
      const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
      const forgotten = asked.then(forget);
      const openings = new SlowKeys(house.encryption, async () => {
        ask();
        await forgotten;
      });
      const source = databaseLogSource(house.database, house.clock, openings, () => house.auditLog.sequence());
      expect(await verifyLog(as(source), { keys })).toMatchObject({ findings: [], redactedEntries: 1 });
      await house.attack("update audit_opening_keys set sealed_key = '\\x00'");
      expect((await verifyLog(as(house.auditLog.source()), { keys })).findings).toContainEqual({
        where: 'event 1, column address_prefix',
        what: 'salt or value are not those that were logged',
      });
      figure(`an erasure between a page and its keys, read ${name}: no false finding`);
    });
  });
}
