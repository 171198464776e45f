/** The routes through the real pipeline on a real database, and verification over them. */
import type { Uuid } from '@strongroom/kernel';
import { databases } from '@strongroom/testing/databases';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Door, openDoor } from './door.test-support.ts';
import {
  accountActor,
  alice,
  auditEvent,
  bob,
  type House,
  openHouse,
  otherTenant,
  tenant,
} from './log.test-support.ts';
import { remoteLogSource, remoteVerifierKeys } from './remote-source.test-support.ts';
import { parseMicroseconds } from './times.ts';
import { verifyLog } from './verify-log.ts';
import { formatMicroseconds, PAGE_ENTRIES } from './wire.ts';

const SIZE = 520;
/** One event in five belongs to the other tenant. */
const isForeign = (index: number): boolean => index % 5 === 4;

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`audit routes on ${engine.name}`, () => {
    let house: House;
    let door: Door;

    beforeAll(async () => {
      house = await openHouse(engine);
      door = openDoor(house, { account: alice, tenant, allowed: true });
      await house.append(
        ...Array.from({ length: SIZE }, (_, index) =>
          auditEvent(isForeign(index) ? { tenant: otherTenant } : {}, accountActor(isForeign(index) ? bob : alice)),
        ),
      );
      await house.auditLog.sequence();
    });
    afterAll(() => house.close());

    const answer = (path: string): Promise<Answer> => door.ask('GET', path);
    async function get(path: string): Promise<unknown> {
      const { status, body } = await answer(path);
      if (status === 404) return undefined;
      expect(status, JSON.stringify(body)).toBe(200);
      return body;
    }
    const as = (of: Uuid, allowed = true) => {
      door.caller = { account: alice, tenant: of, allowed };
    };

    it('let a client verify the tree and its own tenant, and remember', async () => {
      as(tenant);
      const keys = await remoteVerifierKeys(get);
      expect(keys).toEqual(await house.auditLog.verifierKeys());
      const verdict = await verifyLog(remoteLogSource(get), { keys });
      const foreign = SIZE / 5;
      expect(verdict).toMatchObject({
        ok: true,
        findings: [],
        verifiedEntries: SIZE - foreign,
        withheldEntries: foreign,
      });
      const { size, root } = verdict;
      expect(await verifyLog(remoteLogSource(get), { keys, remembered: { size, root } })).toMatchObject({ ok: true });
      const longer = await verifyLog(remoteLogSource(get), { keys, remembered: { size: size + 1, root } });
      expect(longer.findings).toEqual([{ where: `checkpoint ${size}`, what: expect.stringContaining('cut') }]);
    });

    it('reveal a server that shows another event than it logged', async () => {
      as(tenant);
      const keys = await remoteVerifierKeys(get);
      const lying = async (path: string): Promise<unknown> => {
        const body = await get(path);
        return JSON.parse(JSON.stringify(body).replace('"outcome":"success"', '"outcome":"denied"')) as unknown;
      };
      const verdict = await verifyLog(remoteLogSource(lying), { keys });
      expect(verdict.findings[0]).toEqual({
        where: 'event 0',
        what: 'its stored columns are not those that were logged',
      });
    });

    it('show nothing of another tenant but leaf hashes', async () => {
      as(otherTenant);
      const { items } = (await get('/v1/audit/entries?from=0&to=10')) as {
        items: { index: number; event: object | null }[];
      };
      expect(items.map(({ event }) => event !== null)).toEqual(items.map(({ index }) => isForeign(index)));
      expect(JSON.stringify(items)).not.toContain(tenant);
    });

    it('page through entries', async () => {
      as(tenant);
      const first = (await get('/v1/audit/entries')) as { items: { index: number }[]; next: string };
      expect(first.items).toHaveLength(PAGE_ENTRIES);
      const rest = (await get(`/v1/audit/entries?from=${first.next}`)) as { items: { index: number }[]; next: null };
      expect(rest.items[0]!.index).toBe(PAGE_ENTRIES);
      expect(rest.next).toBeNull();
    });

    it('record that somebody read entries, but not that somebody fetched hashes', async () => {
      as(tenant);
      await house.auditLog.sequence();
      await get('/v1/audit/checkpoint');
      await get('/v1/audit/tiles/0/0');
      expect(await house.auditLog.sequence()).toBe(0);
      await get('/v1/audit/entries?from=0&to=7');
      expect(await house.auditLog.sequence()).toBe(1);
      const [row] = await house.peek('select type, details from audit_events order by event_id desc limit 1');
      expect(row).toEqual({ type: 'audit.read', details: '{"count":7,"from":0,"shown":6}' });
    });

    it('serve tiles of the tree only', async () => {
      as(tenant);
      const full = (await get('/v1/audit/tiles/0/0')) as { hashes: string };
      const part = (await get('/v1/audit/tiles/0/2?width=8')) as { hashes: string };
      expect([full.hashes.length, part.hashes.length]).toEqual([Math.ceil((8192 * 4) / 3), Math.ceil((256 * 4) / 3)]);
      for (const missing of ['0/2', '0/9?width=1', '1/0', '5/0?width=1', '0/0?width=0']) {
        expect(await answer(`/v1/audit/tiles/${missing}`)).toMatchObject({
          status: 404,
          body: { code: 'audit-log.unknown-tile' },
        });
      }
      for (const wrong of ['0/00', '-1/0', '64/0', '0/x', '0/0?width=257', '0/0?other=1']) {
        expect((await answer(`/v1/audit/tiles/${wrong}`)).status).toBe(400);
      }
    });

    it('are closed to those without the permission', async () => {
      as(tenant, false);
      for (const path of ['checkpoint', 'keys', 'entries', 'events', 'tiles/0/0']) {
        expect((await answer(`/v1/audit/${path}`)).status).toBe(403);
      }
    });
  });
}

describe('times on the wire', () => {
  it('keep every microsecond', () => {
    for (const time of [0, 1, 999, 1000, 1_790_000_000_123_000, 1_790_000_000_123_456, -1]) {
      expect(parseMicroseconds(formatMicroseconds(time))).toBe(time);
    }
    expect(formatMicroseconds(1_790_000_000_123_000)).toBe('2026-09-21T14:13:20.123Z');
    expect(() => parseMicroseconds('2026-09-21T14:13:20Z')).toThrow(RangeError);
    expect(() => formatMicroseconds(-1e17)).toThrow(RangeError);
  });
});
