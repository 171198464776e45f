/** A part of the attacks in attack.slow.test.ts, on one small log: enough to notice at once that verification looks away. */
import { inTenant } from '@strongroom/storage';
import { databases } from '@strongroom/testing/databases';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { auditEvent, type House, openHouse, tenant } from './log.test-support.ts';
import { verifyLog, type Verdict } from './verify-log.ts';

const SIZE = 20;
const TABLES = ['audit_events', 'audit_openings', 'audit_leaves', 'audit_checkpoints'];

const [engine] = databases();

describe('attacks on a small log', () => {
  let house: House;
  let keys: readonly string[];
  const judge = (): Promise<Verdict> => verifyLog(house.auditLog.source(), { keys });

  beforeAll(async () => {
    house = await openHouse(engine!);
    await house.append(...Array.from({ length: SIZE }, (_, index) => auditEvent({ details: { index } })));
    await house.auditLog.sequence();
    keys = await house.auditLog.verifierKeys();
    await house.attack(...TABLES.map((table) => `create table honest_${table} as table ${table}`));
  });
  afterEach(async () => {
    await house.attack(
      ...TABLES.flatMap((table) => [`truncate ${table}`, `insert into ${table} table honest_${table}`]),
    );
    expect(await judge()).toMatchObject({ ok: true, standing: 'UNANCHORED' });
  });
  afterAll(() => house.close());

  const row = (index: number) => `event_id = (select event_id from audit_leaves where index = ${index})`;

  const attacks: readonly (readonly [name: string, attack: string, where: string])[] = [
    ['a changed value', `update audit_events set outcome = 'failure' where ${row(3)}`, 'event 3'],
    ['another time', `update audit_events set occurred_at = occurred_at - interval '1 day' where ${row(3)}`, 'event 3'],
    ['a removed event', `delete from audit_events where ${row(4)}`, 'event 4'],
    ['a changed leaf', `update audit_leaves set hash = sha256('') where index = 5`, 'leaf 5'],
    ['a cut tail', `delete from audit_leaves where index = ${SIZE - 1}`, `leaf ${SIZE - 1}`],
    ['a value without its redaction', `delete from audit_openings where ${row(6)}`, 'event 6, column address_prefix'],
    ['a changed checkpoint', `update audit_checkpoints set root = sha256('')`, `checkpoint ${SIZE}`],
  ];

  it('the serving role may not even try', async () => {
    for (const [, attack] of attacks) {
      const attempt = house.database.transaction(inTenant(tenant), (transaction) =>
        sql.raw(attack).execute(transaction),
      );
      await expect(attempt).rejects.toThrow();
    }
  });

  it.each(attacks)('%s is found', async (_, attack, where) => {
    await house.attack(attack);
    const verdict = await judge();
    expect(verdict).toMatchObject({ ok: false, standing: 'INVALID' });
    expect(verdict.findings.map((finding) => finding.where)).toContain(where);
  });
});
