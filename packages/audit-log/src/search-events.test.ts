/** Searching through the real pipeline on a real database: every condition, paging, walls between tenants, and people who are forgotten. */
import { newUuid, type Uuid } from '@strongroom/kernel';
import { asSystem } from '@strongroom/storage';
import { databases } from '@strongroom/testing/databases';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Door, openDoor } from './door.test-support.ts';
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
import { formatMicroseconds } from './times.ts';
import type { WireEvents } from './wire.ts';

const HOUR = 3_600_000;
const space = newUuid();
const request = newUuid();
const carol = newUuid();

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`searching on ${engine.name}`, () => {
    let house: House;
    let door: Door;
    const as = (of: Uuid, allowed = true) => {
      door.caller = { account: alice, tenant: of, allowed };
    };
    async function search(query: string, prefix = '/v1/audit'): Promise<WireEvents> {
      const { status, body } = await door.ask('GET', `${prefix}/events${query}`);
      expect(status, JSON.stringify(body)).toBe(200);
      return body as WireEvents;
    }
    /** The open field of each result that says which event it is. */
    const found = async (query: string, prefix?: string): Promise<unknown[]> => {
      const { items } = await search(`${query}${query === '' ? '?' : '&'}type=memory.created`, prefix);
      return items.map(({ event }) => (JSON.parse(event!.details) as { n: number }).n).toSorted((a, b) => a - b);
    };
    const person = async (email: string, prefix = '/v1/audit') =>
      (await door.ask('POST', `${prefix}/people`, { email })).body as { person: { pseudonym: string } | null };

    beforeAll(async () => {
      house = await openHouse(engine);
      door = openDoor(house, 'operator');
      for (const [email, account] of [
        ['alice@example.org', alice],
        ['bob@example.org', bob],
        ['carol@example.org', carol],
      ] as const) {
        door.accounts.set(email, account);
      }
      await house.append(
        auditEvent({ details: { n: 0 } }),
        auditEvent({ details: { n: 1 }, object: { type: 'space', id: space }, subjects: [] }),
        auditEvent(
          { details: { n: 2 }, outcome: 'denied', reason: 'pipeline.forbidden', subjects: [] },
          accountActor(bob),
        ),
        auditEvent(
          { details: { n: 3, role: 'vice-admin' }, outcome: 'failure', subjects: [alice] },
          { kind: 'anonymous' },
        ),
        auditEvent({ details: { n: 4 }, tenant: otherTenant, subjects: [carol] }, accountActor(carol, otherTenant)),
      );
      house.clock.time = START + HOUR;
      await house.append(
        auditEvent({
          details: { n: 5 },
          object: { type: 'account', id: bob },
          context: { requestId: request, actor: accountActor(alice), addressPrefix: null, receivedAt: START },
        }),
      );
      await house.auditLog.sequence();
    });
    afterAll(() => house.close());

    it('finds by every condition, and by several at once', async () => {
      as(tenant);
      const time = formatMicroseconds((START + HOUR) * 1000);
      const cases: readonly (readonly [string, readonly number[]])[] = [
        ['', [0, 1, 2, 3, 5]],
        [`?actor=${alice}`, [0, 1, 5]],
        [`?actor=${bob}`, [2]],
        [`?subject=${bob}`, [0, 5]],
        [`?subject=${alice}`, [3]],
        [`?object=${space}`, [1]],
        [`?object=${bob}`, [5]],
        ['?outcome=success', [0, 1, 5]],
        ['?outcome=denied', [2]],
        ['?outcome=failure', [3]],
        ['?class=data-change', [0, 1, 2, 3, 5]],
        ['?class=policy', []],
        ['?class=policy,data-change,sign-in', [0, 1, 2, 3, 5]],
        ['?class=policy,sign-in', []],
        ['?outcome=denied,failure', [2, 3]],
        ['?outcome=failure,success', [0, 1, 3, 5]],
        ['?outcome=denied,denied', [2]],
        [`?from=${time}`, [5]],
        [`?to=${time}`, [0, 1, 2, 3]],
        [`?request=${request}`, [5]],
        ['?text=vice-admin', [3]],
        ['?text=ADMIN', [3]],
        ['?text=forbidden%20pipeline', [2]],
        ['?text=adm', []],
        ['?text=%25', []],
        [`?actor=${alice}&outcome=success&object=${space}`, [1]],
        [`?actor=${bob}&outcome=success`, []],
        [`?actor=${carol}`, []],
        [`?actor=${newUuid()}`, []],
      ];
      for (const [query, expected] of cases) expect(await found(query), query).toEqual(expected);
    });

    it('pages by cursor in both directions, each event once', async () => {
      as(tenant);
      for (const order of ['newest', 'oldest']) {
        const seen: number[] = [];
        let next: string | null = '';
        while (next !== null) {
          const cursor: string = next === '' ? '' : `&cursor=${next}`;
          const page: WireEvents = await search(`?type=memory.created&order=${order}&limit=2${cursor}`);
          expect(page.items.length).toBeLessThanOrEqual(2);
          seen.push(...page.items.map((item) => item.index));
          ({ next } = page);
        }
        const expected = [0, 1, 2, 3, 5];
        expect(seen).toEqual(order === 'newest' ? expected.toReversed() : expected);
      }
    });

    it('shows a tenant its own, and the operator everything', async () => {
      as(otherTenant);
      expect(await found('')).toEqual([4]);
      expect(await found(`?actor=${alice}`)).toEqual([]);
      door.caller = 'operator';
      expect(await found('', '/operator/audit')).toEqual([0, 1, 2, 3, 4, 5]);
      expect((await door.ask('GET', '/v1/audit/events')).status).not.toBe(200);
      as(tenant);
      expect((await door.ask('GET', '/operator/audit/events')).status).toBe(404);
      as(tenant, false);
      expect((await door.ask('GET', '/v1/audit/events')).status).toBe(403);
      expect((await door.ask('POST', '/v1/audit/people', { email: 'bob@example.org' })).status).toBe(403);
      expect((await door.ask('POST', '/v1/audit/exports', { format: 'ocsf' })).status).toBe(403);
    });

    it('says who is behind the pseudonyms of a page, and nobody else', async () => {
      as(tenant);
      const { items, people } = await search(`?object=${space}`);
      expect(people).toEqual([{ pseudonym: items[0]!.event!.actor, account: alice }]);
      expect(JSON.stringify(items)).not.toContain(alice);
    });

    it('refuses what is no condition', async () => {
      as(tenant);
      for (const wrong of [
        'actor=alice',
        'outcome=fine',
        'from=yesterday',
        'limit=513',
        'cursor=1',
        'other=1',
        'text=',
        'class=x',
        'class=policy,x',
        'class=policy,',
        'class=',
        'class=policy&class=sign-in',
        'outcome=denied,',
        'outcome=denied|failure',
        `outcome=${'denied,'.repeat(9)}denied`,
        'purpose=Ines%20Example',
      ]) {
        expect((await door.ask('GET', `/v1/audit/events?${wrong}`)).status, wrong).toBe(400);
      }
    });

    it('records that it was searched and by what kind of condition, never for what', async () => {
      as(tenant);
      await house.auditLog.sequence();
      await search(`?text=secret-name&actor=${bob}`);
      await search(`?text=forbidden&actor=${bob}&purpose=incident`);
      await person('bob@example.org');
      await door.ask('POST', '/v1/audit/exports', { format: 'ocsf', purpose: 'review' });
      await house.auditLog.sequence();
      const { items, people } = await search('?class=data-access&limit=4');
      const [exported, byEmail, searched, vain] = items.map(({ event }) => event!);
      const pseudonym = people.find(({ account }) => account === bob)!.pseudonym;
      expect(searched).toMatchObject({
        type: 'audit.searched',
        details: '{"by":"actor text","count":1,"purpose":"incident"}',
        subjects: [pseudonym],
      });
      expect(vain).toMatchObject({ details: '{"by":"actor text","count":0}', subjects: [] });
      expect(byEmail).toMatchObject({
        type: 'audit.searched',
        details: '{"by":"email","count":1}',
        subjects: [pseudonym],
      });
      expect(exported).toMatchObject({ type: 'audit.exported' });
      expect(JSON.parse(exported!.details)).toMatchObject({ format: 'ocsf', purpose: 'review' });
      expect(JSON.stringify(items)).not.toMatch(/secret|example\.org/);
    });

    it('finds people by e-mail only where they appear', async () => {
      as(tenant);
      expect((await person('bob@example.org')).person).toMatchObject({ account: bob });
      expect((await person('carol@example.org')).person).toBeNull();
      expect((await person('nobody@example.org')).person).toBeNull();
      door.caller = 'operator';
      expect((await person('carol@example.org', '/operator/audit')).person).toMatchObject({ account: carol });
    });

    it('finds a forgotten person no more, by account or address, and tells nobody who they were', async () => {
      door.caller = 'operator';
      const { pseudonym } = (await person('carol@example.org', '/operator/audit')).person!;
      expect(await found(`?actor=${carol}`, '/operator/audit')).toEqual([4]);
      await house.database.transaction(asSystem, (transaction) => house.auditLog.redactSubject(transaction, carol));
      expect(await found(`?actor=${carol}`, '/operator/audit')).toEqual([]);
      expect((await person('carol@example.org', '/operator/audit')).person).toBeNull();
      // What happened stays, under a pseudonym that leads nowhere.
      const { items, people } = await search(`?actor=${pseudonym}&type=memory.created`, '/operator/audit');
      expect(items).toHaveLength(1);
      expect(people).toEqual([]);
    });

    it('goes on where an event is damaged or gone', async () => {
      door.caller = 'operator';
      await house.append(
        auditEvent({ details: { n: 6 } }),
        auditEvent({ details: { n: 7 } }),
        auditEvent({ details: { n: 8 } }),
      );
      await house.auditLog.sequence();
      await house.attack(
        `delete from audit_events where details = '{"n":6}'`,
        `update audit_events set details = '{{"x', occurred_at = 'infinity' where details = '{"n":7}'`,
      );
      expect(await found('?text=8', '/operator/audit')).toEqual([8]);
    });
  });
}
