/** Content is removed when its time is over, and everything that was ever proved about it still is; a removal that no run accounts for is found. */
import { newUuid } from '@strongroom/kernel';
import type { AuditEvent } from '@strongroom/pipeline';
import { asSystem } from '@strongroom/storage';
import { figure } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { verifyBundle } from './bundle.ts';
import { openDoor } from './door.test-support.ts';
import {
  accountActor,
  alice,
  auditEvent,
  type House,
  openHouse,
  otherTenant,
  START,
  tenant,
  inJson,
} from './log.test-support.ts';
import type { LogSource } from './log-source.ts';
import { operatorLog } from './operator-source.ts';
import { DAY, formatRanges, parseRanges, rangesOf, RETENTION_RUN } from './retention.ts';
import { createTlogProof, parseTlogProof, verifyTlogProof } from './tlog-proof.ts';
import { verifyLog } from './verify-log.ts';
import { writeBundle } from './write-bundle.ts';

const job = { kind: 'system', via: 'audit-log.retention' } as const;
/** Access, operational and security, one after the other. */
const TYPES = ['memory.created', 'cache.emptied', 'key.rotated'];
const SIZE = 30;
const TABLES = [
  'audit_events',
  'audit_openings',
  'audit_leaves',
  'audit_checkpoints',
  'audit_removals',
  'audit_inbox',
  'audit_tiles',
];

async function* linesOf(bundle: string): AsyncIterable<string> {
  for (const line of bundle.split('\n').slice(0, -1)) yield line;
}

const [engine] = databases();

describe('retention', () => {
  let house: House;
  let keys: readonly string[];
  let door: ReturnType<typeof openDoor>;

  const judge = () => verifyLog(house.auditLog.source(), { keys });
  const run = () => house.auditLog.applyRetention(job);
  const after = (days: number) => {
    house.clock.time = START + days * DAY;
  };
  const bundle = async () => {
    let text = '';
    for await (const part of writeBundle(house.auditLog.source(), { keys })) text += part;
    return text;
  };
  const places = async (): Promise<number[]> =>
    (
      await house.peek(
        'select l.index::int as index from audit_leaves as l join audit_events using (event_id) order by 1',
      )
    ).map(({ index }) => Number(index));
  const runs = async () =>
    (await house.peek(`select details from audit_events where type = '${RETENTION_RUN}' order by event_id`)).map(
      ({ details }) => JSON.parse(details!) as Record<string, unknown>,
    );
  const where = (index: number) => `event_id = (select event_id from audit_leaves where index = ${index})`;
  const restore = async () => {
    after(0);
    await house.attack(
      'alter table audit_events disable trigger user',
      ...TABLES.flatMap((table) => [`truncate ${table}`, `insert into ${table} table honest_${table}`]),
    );
    // As a process that starts anew: it knows of no later tree.
    const replica = await house.replica(house.database);
    house = { ...house, auditLog: replica };
    door = openDoor(house, 'operator');
  };

  beforeAll(async () => {
    house = await openHouse(engine!);
    const events = Array.from({ length: SIZE }, (_, index): AuditEvent => {
      const of = index < SIZE / 2 ? tenant : otherTenant;
      return auditEvent(
        { type: TYPES[index % 3]!, tenant: of, object: null, subjects: [], details: { index } },
        accountActor(index % 2 === 0 ? alice : newUuid(), of),
      );
    });
    await house.append(...events);
    await house.auditLog.sequence();
    keys = await house.auditLog.verifierKeys();
    await house.attack(...TABLES.map((table) => `create table honest_${table} as table ${table}`));
    door = openDoor(house, 'operator');
  });
  afterEach(restore);
  afterAll(() => house.close());

  it('removes each class after its own period, and keeps every proof made before or after', async () => {
    const before = await bundle();
    const proofs = await Promise.all([0, 1, 29].map((index) => createTlogProof(house.auditLog.source(), index)));
    const { size, root } = await judge();
    expect(await run()).toBe(0);

    after(91);
    expect(await house.auditLog.previewRetention()).toEqual({
      due: { operational: 10, access: 0, security: 0 },
      held: 0,
    });
    expect(await run()).toBe(10);
    expect(await places()).toEqual([...Array(SIZE).keys()].filter((index) => index % 3 !== 1).concat(30));
    after(366);
    expect(await run()).toBe(10);
    expect(await judge()).toMatchObject({ ok: true, size: 32, verifiedEntries: 12, removedEntries: 20 });
    after(731);
    expect(await run()).toBe(10);
    // What vouches for the others is never removed, nor is there anything left of them.
    after(36_000);
    expect(await run()).toBe(0);
    expect(await places()).toEqual([30, 31, 32]);
    expect(await house.peek('select * from audit_openings')).toEqual([]);
    expect(await runs()).toMatchObject([
      {
        removed: '1,4,7,10,13,16,19,22,25,28',
        count: 10,
        securityDays: 730,
        accessDays: 365,
        operationalDays: 90,
        holds: '',
      },
      { removed: '0,3,6,9,12,15,18,21,24,27' },
      { removed: '2,5,8,11,14,17,20,23,26,29' },
    ]);

    expect(await judge()).toMatchObject({ ok: true, size: 33, verifiedEntries: 3, removedEntries: 30, findings: [] });
    expect(await verifyLog(house.auditLog.source(), { keys, remembered: { size, root } })).toMatchObject({ ok: true });
    expect(await verifyBundle(linesOf(before), { keys })).toMatchObject({ ok: true, verifiedEntries: SIZE });
    const bundled = { ok: true, verifiedEntries: 3, removedEntries: 30, withheldEntries: 0 };
    expect(await verifyBundle(linesOf(await bundle()), { keys, remembered: { size, root } })).toMatchObject(bundled);
    const { source } = await operatorLog(async (route) => (await door.ask('GET', route)).body);
    expect(await verifyLog(source, { keys })).toMatchObject({ ok: true, removedEntries: 30 });
    expect(await source.minimumIndex!()).toBe(SIZE);
    for (const proof of proofs) {
      expect(await verifyTlogProof(parseTlogProof(proof), { keys })).toMatchObject({ ok: true });
    }
    const proof = parseTlogProof(await createTlogProof(house.auditLog.source(), 1));
    expect(proof.extra).toBeNull();
    figure(
      '30 events removed by 3 runs, each after the period of its class: bundles, proofs and checkpoints from before verify, INTACT with 30 removed',
    );
  });

  it('an event that is deleted without a run is missing, whatever the tables say', async () => {
    after(91);
    await run();
    await house.attack(`delete from audit_openings where ${where(0)}`, `delete from audit_events where ${where(0)}`);
    const missing = { ok: false, standing: 'INVALID', removedEntries: 10, findings: [{ where: 'event 0' }] };
    expect(await judge()).toMatchObject(missing);
    // The list beside the log names it, but no entry does.
    await house.attack('insert into audit_removals select 0, 1, event_id from audit_removals limit 1');
    expect(await judge()).toMatchObject(missing);
  });

  it('a run cannot be made to have removed more', async () => {
    after(91);
    await run();
    await house.attack(
      `delete from audit_openings where ${where(0)}`,
      `delete from audit_events where ${where(0)}`,
      `update audit_events set details = replace(replace(details, '"1,4', '"0-1,4'), '"count":10', '"count":11') where type = '${RETENTION_RUN}'`,
    );
    const { ok, findings } = await judge();
    expect(ok).toBe(false);
    expect(findings.map((finding) => finding.where)).toContain('event 30');
  });

  it('a forged run is neither logged nor believed', async () => {
    after(91);
    await run();
    await house.attack(
      `delete from audit_openings where ${where(0)}`,
      `delete from audit_events where ${where(0)}`,
      `insert into audit_inbox (event) select json_build_array('${newUuid()}', 1e15::bigint, type, outcome, null, actor_kind, null, actor_via, null,
        null, request_id, null, null, null, '[]'::json, replace(replace(details, details::jsonb->>'removed', '0'), '"count":10', '"count":1'))::text
        from audit_events where type = '${RETENTION_RUN}'`,
    );
    await expect(house.auditLog.sequence()).rejects.toMatchObject({ code: 'audit-log.damaged' });
    expect(await judge()).toMatchObject({ ok: false });
    const own = auditEvent({ type: RETENTION_RUN });
    await expect(house.append(own)).rejects.toMatchObject({ code: 'audit-log.reserved-event' });
  });

  it.each([
    ['an earlier time', `update audit_events set occurred_at = occurred_at - interval '1000 days' where ${where(2)}`],
    ['a shorter class', `update audit_events set type = 'cache.emptied' where ${where(2)}`],
  ])('%s does not let a run remove the evidence', async (_, attack) => {
    await house.attack(attack);
    after(91);
    await expect(run()).rejects.toMatchObject({ code: 'audit-log.damaged' });
    expect(await places()).toHaveLength(SIZE);
  });

  it('the database removes no event that no run names, not even for the role of jobs', async () => {
    after(91);
    await house.attack('alter table audit_events enable trigger user');
    const remove = (index: number) =>
      house.database.transaction(asSystem, (transaction) =>
        sql.raw(`delete from audit_events where ${where(index)}`).execute(transaction),
      );
    expect(await run()).toBe(10);
    await expect(remove(0)).rejects.toThrow(/42501/);
    await expect(remove(30)).rejects.toThrow(/42501/);
    expect(await places()).toContain(0);
  });

  it('a hold wins until it is released', async () => {
    const add = (body: object) => door.ask('POST', '/operator/audit/holds', { reason: 'case-7', ...body });
    const byTenant = (await add({ tenant })).body as { id: string };
    const byPerson = (await add({ account: alice, from: new Date(START).toISOString() })).body as { id: string };
    expect(await add({ account: newUuid() })).toMatchObject({ status: 404 });
    expect(await add({})).toMatchObject({ status: 400 });
    expect(await add({ tenant, reason: 'Alice was rude' })).toMatchObject({ status: 400 });
    const listed = (await door.ask('GET', '/operator/audit/holds')).body;
    expect(listed).toMatchObject({
      items: [
        { id: byTenant.id, tenant, reason: 'case-7' },
        { id: byPerson.id, tenant: null },
      ],
    });

    after(91);
    // Operational ones are in places 1, 4, … 28; the first five are of the tenant, the even ones Alice's.
    const dry = await door.ask('POST', '/operator/audit/retention/runs', { dryRun: true });
    expect(dry).toEqual({
      status: 200,
      body: { removed: null, due: { operational: 2, access: 0, security: 0 }, held: 8 },
    });
    expect(await run()).toBe(2);
    expect(await runs()).toMatchObject([{ removed: '19,25', holds: `${byTenant.id},${byPerson.id}` }]);

    const release = (hold: string) => door.ask('POST', '/operator/audit/hold-releases', { hold, reason: 'case-7' });
    expect(await release(byTenant.id)).toMatchObject({ status: 200 });
    expect(await release(byTenant.id)).toMatchObject({ status: 404 });
    expect(await run()).toBe(3);
    expect(await release(byPerson.id)).toMatchObject({ status: 200 });
    expect(await run()).toBe(5);
    expect(await judge()).toMatchObject({ ok: true, removedEntries: 10 });
  });

  it('a run that was kept from seeing a hold or a period is found', async () => {
    await door.ask('POST', '/operator/audit/holds', { reason: 'case-7', tenant });
    await door.ask('PUT', '/operator/audit/retention', { operationalDays: 400 });
    after(91);
    expect(await run()).toBe(0);
    // Whoever hides both makes the next run remove what they want; bringing the rows back afterwards does not help.
    await house.attack(
      `create temporary table hidden as select * from audit_events where type in ('audit.hold-added', 'audit.retention-changed')`,
      `delete from audit_events where type in ('audit.hold-added', 'audit.retention-changed')`,
    );
    expect(await run()).toBe(10);
    await house.attack('insert into audit_events table hidden', 'drop table hidden');
    const { ok, findings } = await judge();
    expect(ok).toBe(false);
    expect(findings.map(({ what }) => what.replace(/[0-9a-f-]{36}/, '…'))).toEqual([
      'entries were removed after other periods than those that were set',
      'entries were removed without regard to the hold …',
    ]);
    figure(
      '5 ways to remove an event without a true run are INVALID, 2 ways to have a run remove the evidence stop it',
    );
  });

  it('a run that overtakes a verification is no finding', async () => {
    const source = house.auditLog.source();
    let isFirst = true;
    const overtaken: LogSource = {
      ...inJson(source),
      async entries(from, to) {
        after(91);
        if (isFirst) await run();
        isFirst = false;
        return source.entries(from, to);
      },
    };
    expect(await verifyLog(overtaken, { keys })).toMatchObject({ ok: true, size: SIZE + 1, removedEntries: 10 });
  });

  it('nor is one that removes what was read already along with what was not', async () => {
    const source = house.auditLog.source();
    const half = SIZE / 2;
    const overtaken: LogSource = {
      ...inJson(source),
      async entries(from, to) {
        if (from > 0) return source.entries(from, to);
        const read = await source.entries(0, half);
        after(91);
        await run();
        return [...read, ...(await source.entries(half, to))];
      },
    };
    const verdict = await verifyLog(overtaken, { keys });
    expect(verdict).toMatchObject({ findings: [], size: SIZE + 1, verifiedEntries: SIZE + 1 - 5, removedEntries: 5 });
    expect(await judge()).toMatchObject({ findings: [], removedEntries: 10 });
  });

  it('takes periods of a week or more, and says which hold at once', async () => {
    expect(await door.ask('GET', '/operator/audit/retention')).toMatchObject({
      body: { securityDays: 730, accessDays: 365, operationalDays: 90 },
    });
    expect(await door.ask('PUT', '/operator/audit/retention', { accessDays: 6 })).toMatchObject({ status: 400 });
    expect(await door.ask('PUT', '/operator/audit/retention', { accessDays: 7 })).toMatchObject({ status: 200 });
    expect(await door.ask('GET', '/operator/audit/retention')).toMatchObject({
      body: { securityDays: 730, accessDays: 7, operationalDays: 90 },
    });
    after(8);
    expect(await run()).toBe(10);
    expect(await judge()).toMatchObject({ ok: true, removedEntries: 10 });
  });

  it('an entry that comes back after it was removed is found', async () => {
    after(91);
    await run();
    await house.attack(
      ...['events', 'openings'].map(
        (name) => `insert into audit_${name} select h.* from honest_audit_${name} as h where h.${where(1)}`,
      ),
    );
    expect(await judge()).toMatchObject({
      ok: false,
      findings: [{ where: 'event 1', what: 'a retention run removed it, and it is there' }],
    });
  });

  it('ranges have one spelling', () => {
    const ranges = rangesOf([0, 1, 2, 3, 7, 9, 10]);
    expect(formatRanges(ranges)).toBe('0-3,7,9-10');
    expect(parseRanges('0-3,7,9-10')).toEqual(ranges);
    for (const text of ['', '0-0', '3-1', '1,2', '2,1', '1,1', '01', '1-', '-1', '1 ', '0-3,3']) {
      expect(parseRanges(text), text).toBeNull();
    }
  });
});
