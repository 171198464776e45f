/** Many memories at once: batches, what the log tells of them, lists and the change feed. */
import { createHash } from 'node:crypto';
import { showsDigest } from '@strongroom/audit-log/verify';
import { fromBase64Url, newUuid, toBase64Url, type Uuid } from '@strongroom/kernel';
import { databases } from '@strongroom/testing/databases';
import { beforeAll, describe, expect, it } from 'vitest';
import { House, manifests, memoryBody, randomToken, spaceBody, type Person } from './house.test-support.ts';
import type { Changes, MemoryList, Written } from './wire.ts';

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`many memories on ${engine.name}`, () => {
    let house: House;
    let anna: Person;
    let space: Uuid;
    const memories = () => `/v1/spaces/${space}/memories`;
    beforeAll(async () => {
      house = await House.open(await engine.open(manifests));
      anna = await house.founder();
      space = await house.space(anna);
    });

    const create = () => house.remember(anna, space);
    const update = (id: string, expectedVersion: number, token?: string) =>
      house.replace(anna, space, id, expectedVersion, token);

    describe('batch', () => {
      const send = (items: readonly object[]) => house.send(anna, `POST ${memories()}/batch`, { items });
      const item = (expectedVersion = 0, id = newUuid()) => ({ ...memoryBody(id), expectedVersion });

      it('creates and replaces in one transaction, answers in order, and writes one audit event', async () => {
        const { id } = await create();
        const items = [item(), item(1, id), item()];
        const answer = await house.send<{ items: Written[] }>(anna, `POST ${memories()}/batch`, { items });
        expect(answer.body.items.map(({ id: written, version }) => [written, version])).toEqual([
          [items[0]!.id, 1],
          [id, 2],
          [items[2]!.id, 1],
        ]);
        const sequences = answer.body.items.map(({ sequence }) => sequence);
        expect(sequences).toEqual([sequences[0]!, sequences[0]! + 1, sequences[0]! + 2]);
        const events = await house.events('memory.batch-written');
        expect(events.at(-1)!.details).toMatchObject({ count: 3, created: 2, updated: 1, repeated: 0 });
        // A retry of the same, with one more: what is there stays as it is.
        const more = item();
        const again = await house.send<{ items: Written[] }>(anna, `POST ${memories()}/batch`, {
          items: [...items, more],
        });
        expect(again.body.items.slice(0, 3)).toEqual(answer.body.items);
        expect(again.body.items[3]).toMatchObject({ id: more.id, version: 1, sequence: sequences[2]! + 1 });
      });

      it('with one conflict stores nothing and names every conflict', async () => {
        const { id } = await create();
        const gone = await create();
        await house.send(anna, `DELETE ${memories()}/${gone.id}?expectedVersion=1`);
        const fresh = item();
        const unknown = item(3);
        const answer = await send([fresh, item(4, id), item(0, gone.id), unknown]);
        expect(answer).toMatchObject({
          status: 409,
          body: {
            code: 'memories.batch-conflict',
            conflicts: [
              { id, code: 'memories.conflict', currentVersion: 1 },
              { id: gone.id, code: 'memories.deleted' },
              { id: unknown.id, code: 'memories.not-found' },
            ],
          },
        });
        expect(await house.send(anna, `GET ${memories()}/${fresh.id}`)).toMatchObject({ status: 404 });
      });

      it('takes 100 items, and refuses 101, none, one id twice and more than 1 MiB', async () => {
        expect(await send(Array.from({ length: 100 }, () => item()))).toMatchObject({ status: 200 });
        expect(await send(Array.from({ length: 101 }, () => item()))).toMatchObject({ status: 400 });
        expect(await send([])).toMatchObject({ status: 400 });
        const twice = newUuid();
        expect(await send([item(0, twice), item(0, twice)])).toMatchObject({ status: 400 });
        const large = randomToken(16_000);
        expect(await send(Array.from({ length: 4 }, () => ({ ...item(), token: large })))).toMatchObject({
          status: 413,
        });
      });
    });

    describe('digests in the log', () => {
      type Shown = Parameters<typeof showsDigest>[0];
      const sha256 = (...parts: readonly Uint8Array[]) =>
        new Uint8Array(createHash('sha256').update(Buffer.concat(parts)).digest());
      const digestOf = (token: string) => sha256(fromBase64Url(token));
      /** The last event of this type about this object. */
      const eventAbout = async (type: string, objectId: string): Promise<Shown> => {
        await house.auditLog.sequence();
        const entries = await house.auditLog.source().entries(0, 1_000_000);
        return entries.findLast(
          ({ event }) => typeof event !== 'string' && event.type === type && event.objectId === objectId,
        ) as Shown;
      };
      const shows = (entry: Shown, before: Uint8Array | null, after: Uint8Array | null) => {
        const { details } = entry.event as { details: string };
        expect(details.includes('"beforeDigest":'), 'before').toBe(before !== null);
        expect(details.includes('"afterDigest":'), 'after').toBe(after !== null);
        if (before !== null) expect(showsDigest(entry, 'before', before)).toBe(true);
        if (after !== null) expect(showsDigest(entry, 'after', after)).toBe(true);
      };

      it('show which token was stored, replaced and removed, and no other', async () => {
        const { id, token } = await create();
        const [second, third] = [randomToken(), randomToken()];
        await update(id, 1, second);
        const updated = await eventAbout('memory.updated', id);
        shows(updated, digestOf(token), digestOf(second));
        expect(showsDigest(updated, 'before', digestOf(second))).toBe(false);
        expect(showsDigest(updated, 'after', digestOf(third))).toBe(false);
        shows(await eventAbout('memory.created', id), null, digestOf(token));
        // A repetition replaces nothing.
        await update(id, 1, second);
        shows(await eventAbout('memory.updated', id), null, digestOf(second));
        await update(id, 2, third);
        await house.send(anna, `DELETE ${memories()}/${id}?expectedVersion=3`);
        const deleted = await eventAbout('memory.deleted', id);
        shows(deleted, digestOf(third), null);
        expect(showsDigest(deleted, 'before', digestOf(second))).toBe(false);
        await house.send(anna, `DELETE ${memories()}/${id}?expectedVersion=3`);
        shows(await eventAbout('memory.deleted', id), null, null);
      });

      it('show all versions of a batch by one digest', async () => {
        const former = await create();
        const [first, second] = [memoryBody(), { ...memoryBody(former.id), expectedVersion: 1 }];
        const items = [{ ...first, expectedVersion: 0 }, second];
        expect(await house.send(anna, `POST ${memories()}/batch`, { items })).toMatchObject({ status: 200 });
        const version = (id: string, number: number, token: string) =>
          Buffer.concat([Buffer.from(id.replaceAll('-', ''), 'hex'), Uint8Array.of(0, 0, 0, number), digestOf(token)]);
        const before = version(former.id, 1, former.token);
        const after = [version(first.id, 1, first.token), version(former.id, 2, second.token)];
        const entry = await eventAbout('memory.batch-written', space);
        shows(entry, sha256(before), sha256(...after));
        expect(showsDigest(entry, 'after', sha256(...after.toReversed()))).toBe(false);
      });
    });

    describe('lists', () => {
      it.each(['nonsense', 'AA', '', 'AQ', toBase64Url(new Uint8Array(17)), 'A'.repeat(65)])(
        'refuses the cursor "%s"',
        async (cursor) => {
          for (const list of [memories(), '/v1/spaces']) {
            const answer = await house.send(anna, `GET ${list}?cursor=${cursor}`);
            expect(answer.status).toBe(400);
          }
        },
      );

      it('refuses a cursor of another list and bad numbers, each with its own words', async () => {
        const { id } = await create();
        await update(id, 1);
        const { next } = (await house.send<MemoryList>(anna, `GET ${memories()}/${id}/versions?limit=1`)).body;
        expect(next).not.toBeNull();
        expect(await house.send(anna, `GET ${memories()}?cursor=${next}`)).toMatchObject({
          status: 400,
          body: { code: 'memories.bad-cursor' },
        });
        for (const query of ['limit=0', 'limit=201', 'limit=1e2', 'limit=-1', 'limit=1&limit=2', 'page=2']) {
          expect(await house.send(anna, `GET ${memories()}?${query}`)).toMatchObject({ status: 400 });
        }
        for (const after of ['-1', '01', '9007199254740993', 'x', '1.5']) {
          expect(await house.send(anna, `GET /v1/spaces/${space}/changes?after=${after}`)).toMatchObject({
            status: 400,
          });
        }
      });

      it('the feed shows each memory once, in its current state and in the order of commits', async () => {
        const other = await house.space(anna);
        const at = `/v1/spaces/${other}/memories`;
        const [first, second, third] = [memoryBody(), memoryBody(), memoryBody()];
        for (const body of [first, second, third]) await house.send(anna, `POST ${at}`, body);
        const token = randomToken();
        await house.send(anna, `PUT ${at}/${first.id}`, { expectedVersion: 1, epoch: 1, token });
        await house.send(anna, `DELETE ${at}/${second.id}?expectedVersion=1`);
        const feed = (await house.send<Changes>(anna, `GET /v1/spaces/${other}/changes`)).body;
        expect(feed.items.map(({ id, version, sequence, token: sealed }) => [id, version, sequence, sealed])).toEqual([
          [third.id, 1, 3, third.token],
          [first.id, 2, 4, token],
          [second.id, 2, 5, null],
        ]);
        expect(feed).toMatchObject({ sequence: 5, next: null });
        const page = (await house.send<Changes>(anna, `GET /v1/spaces/${other}/changes?after=3&limit=1`)).body;
        expect(page).toMatchObject({ items: [{ id: first.id }], next: '4', sequence: 5 });
        const beyond = (await house.send<Changes>(anna, `GET /v1/spaces/${other}/changes?after=99`)).body;
        expect(beyond).toEqual({ items: [], next: null, sequence: 5 });
      });

      it('a space without memories has an empty list and feed', async () => {
        const { id } = spaceBody();
        await house.send(anna, 'POST /v1/spaces', spaceBody(id));
        expect((await house.send(anna, `GET /v1/spaces/${id}/memories`)).body).toEqual({ items: [], next: null });
        expect((await house.send(anna, `GET /v1/spaces/${id}/changes`)).body).toEqual({
          items: [],
          next: null,
          sequence: 0,
        });
      });

      it('a page of large memories stays below a few megabytes, and goes on', async () => {
        const other = await house.space(anna);
        const token = randomToken(16_380);
        for (let number = 0; number < 18; number += 1) {
          await house.send(anna, `POST /v1/spaces/${other}/memories`, { ...memoryBody(), token });
        }
        for (const list of ['memories?limit=200', 'changes?limit=200']) {
          const page = (await house.send<MemoryList>(anna, `GET /v1/spaces/${other}/${list}`)).body;
          expect(page.items.length).toBeGreaterThan(10);
          expect(page.items.length).toBeLessThan(18);
          expect(page.next).not.toBeNull();
        }
      });
    });
  });
}
