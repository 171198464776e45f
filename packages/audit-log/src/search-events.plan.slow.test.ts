/** How PostgreSQL finds events among a hundred thousand: never by reading them all, whatever is asked. */
import { createHash } from 'node:crypto';
import { auditEventClasses, newUuid } from '@strongroom/kernel';
import { asSystem } from '@strongroom/storage';
import { figure } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { type RawBuilder, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { catalogue } from './catalogue.ts';
import { type House, openHouse, tenant } from './log.test-support.ts';
import { manifest } from './manifest.ts';
import { type EventFilter, foundEvents } from './search-events.ts';

const EVENTS = 100_000;
/** Actors, subjects, objects. */
const PEOPLE = 500;

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly Plans?: readonly Plan[];
}

/** Rows of the table that a search may look at: a page and what shares a page with it, far from all of them. */
const MAXIMUM_ROWS = 10_000;

const rowsRead = (node: Plan): number =>
  node['Actual Loops'] *
  (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0));

const nodes = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodes)];

const engine = databases().find(({ name }) => name === 'PostgreSQL');

describe.skipIf(engine?.available !== true)(`searching ${EVENTS} events on PostgreSQL`, () => {
  let house: House;
  const events = catalogue([manifest]);

  const explain = async (query: RawBuilder<unknown>): Promise<Plan> => {
    const { rows } = await house.database.transaction(asSystem, (transaction) =>
      sql<{ 'QUERY PLAN': [{ Plan: Plan }] }>`explain (analyze, format json) ${query}`.execute(transaction),
    );
    return rows[0]!['QUERY PLAN'][0].Plan;
  };

  beforeAll(async () => {
    house = await openHouse(engine!);
    const person = (offset: string) => `md5('person' || ((n * 7 + ${offset}) % ${PEOPLE}))::uuid`;
    await house.attack(
      `insert into audit_events (event_id, occurred_at, type, outcome, reason, actor_kind, actor, session_id, tenant_id, request_id,
         object_type, object_id, subjects, details)
       select (lpad(to_hex(1790000000000 + n), 12, '0') || '7000' || '8000' || lpad(to_hex(n), 12, '0'))::uuid,
         timestamptz '2026-10-01' + n * interval '1 minute',
         case when n % 50 = 0 then 'audit.witnesses-changed' when n % 3 = 0 then 'audit.read' else 'memory.created' end,
         case when n % 100 = 1 then 'denied' else 'success' end, null, 'account', ${person('0')}, gen_random_uuid(),
         case when n % 2 = 0 then '${tenant}'::uuid else md5('tenant' || n % 40)::uuid end, md5('request' || n)::uuid, 'memory',
         md5('object' || n % 5000)::uuid::text, array[${person('3')}], '{"version":' || n || '}'
       from generate_series(1, ${EVENTS}) as n`,
      'analyze audit_events',
    );
  });
  afterAll(() => house.close());

  const md5 = (text: string): string => {
    const hex = createHash('md5').update(text).digest('hex');
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  };
  const one = md5('person24');
  const seen = new Map<string, number>();
  const filters: readonly (readonly [string, EventFilter])[] = [
    ['nothing', {}],
    ['actor', { actor: one }],
    ['subject', { subject: one }],
    ['object', { object: md5('object42') }],
    ['type', { type: 'audit.witnesses-changed' }],
    ['class', { class: ['policy'] }],
    ['all classes but reading', { class: auditEventClasses.filter((name) => name !== 'data-access') }],
    ['outcome denied', { outcome: ['denied'] }],
    ['outcomes denied and failure', { outcome: ['denied', 'failure'] }],
    ['outcome success', { outcome: ['success'] }],
    ['every outcome', { outcome: ['success', 'denied', 'failure'] }],
    ['time', { from: '2026-11-01T00:00:00Z', to: '2026-11-01T06:00:00Z' }],
    ['request', { request: md5('request4242') }],
    ['text', { text: '4711' }],
    ['actor, outcome and time', { actor: one, outcome: ['denied'], from: '2026-11-01T00:00:00Z' }],
  ];
  const used = new Map<string, string>();

  for (const within of [tenant, null]) {
    for (const order of ['newest', 'oldest'] as const) {
      it.each(filters)(
        `${within === null ? 'all tenants' : 'one tenant'}, ${order} first: by %s`,
        async (name, filter) => {
          const query = foundEvents(events, filter, { tenant: within, order, after: null }, []);
          const plan = nodes(await explain(sql`${query} limit 101`));
          const scans = plan.filter(
            (node) => node['Relation Name'] === 'audit_events' || node['Index Name'] !== undefined,
          );
          expect(scans.map((node) => node['Node Type'])).not.toContain('Seq Scan');
          const indexes = scans.flatMap((node) => node['Index Name'] ?? []);
          expect(indexes.length).toBeGreaterThan(0);
          const rows = Math.max(...scans.map(rowsRead));
          expect(rows).toBeLessThan(MAXIMUM_ROWS);
          used.set(name, indexes.join('+'));
          seen.set(name, Math.max(seen.get(name) ?? 0, rows));
        },
      );
    }
  }

  it('pages deep inside by the key, and can fail: without its index the same question reads everything', async () => {
    const after = newUuid(Date.UTC(2026, 9, 20));
    const deep = foundEvents(events, {}, { tenant: null, order: 'newest', after }, []);
    expect(nodes(await explain(sql`${deep} limit 101`)).map((node) => node['Node Type'])).not.toContain('Seq Scan');
    figure(
      `${filters.length} kinds of search on ${EVENTS} events use ${new Set(used.values()).size} indexes and look at ${Math.max(...seen.values())} rows at most`,
    );
    await house.attack('drop index audit_events_words');
    const words = foundEvents(events, { text: '4711' }, { tenant: null, order: 'newest', after: null }, []);
    const plan = nodes(await explain(words));
    expect(plan.map((node) => node['Node Type'])).toContain('Seq Scan');
  });
});
