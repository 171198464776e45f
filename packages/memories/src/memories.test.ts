import { createHash } from 'node:crypto';
import { showsDigest } from '@strongroom/audit-log/verify';
import { fromBase64Url, newUuid, toBase64Url, type Uuid } from '@strongroom/kernel';
import { databases } from '@strongroom/testing/databases';
import { beforeAll, describe, expect, it } from 'vitest';
import { House, manifests, memoryBody, randomText, randomToken, spaceBody, type Person } from './house.test-support.ts';
import { tables } from './internal/tables.ts';
import { inTenant } from '@strongroom/storage';
import type { Changes, MemoryList, MemoryVersion, Removed, Written } from './wire.ts';

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`memories on ${engine.name}`, () => {
    let house: House;
    let anna: Person;
    let ben: Person;
    let zoe: Person;
    let space: Uuid;
    const memories = () => `/v1/spaces/${space}/memories`;
    beforeAll(async () => {
      house = await House.open(await engine.open(manifests));
      const founder = await house.founder();
      ben = await house.member(founder, 'member', 'ben@example.org');
      zoe = await house.stranger('zoe@example.org', founder);
      anna = house.current(founder);
      space = await house.space(anna);
    });

    const create = async (body = memoryBody()) => {
      const answer = await house.send<Written>(anna, `POST ${memories()}`, body);
      expect(answer.status).toBe(201);
      return { ...body, written: answer.body };
    };
    const update = (id: string, expectedVersion: number, token = randomToken(), epoch = 1) =>
      house.send<Written>(anna, `PUT ${memories()}/${id}`, { expectedVersion, epoch, token });

    describe('create', () => {
      it('stores version 1 and gives it back unchanged', async () => {
        const { id, token, written } = await create();
        expect(written).toEqual({
          id,
          version: 1,
          epoch: 1,
          sequence: expect.any(Number),
          writtenAt: expect.stringMatching(/Z$/),
        });
        const read = await house.send<MemoryVersion>(anna, `GET ${memories()}/${id}`);
        expect(read).toEqual({ status: 200, body: { ...written, token, author: anna.account } });
        const events = (await house.events()).filter((event) => event.objectId === id);
        expect(events.map((event) => event.type)).toEqual(['memory.created', 'memory.read']);
        expect(events[0]!.details).toEqual({
          space,
          version: 1,
          repeated: false,
          afterDigest: expect.stringMatching(/^[\w-]{43}$/),
        });
      });

      it('answers a retry exactly as the first time, even after a later version', async () => {
        const { written, ...body } = await create();
        expect(await house.send(anna, `POST ${memories()}`, body)).toEqual({ status: 200, body: written });
        await update(body.id, 1);
        expect(await house.send(anna, `POST ${memories()}`, body)).toEqual({ status: 200, body: written });
        const versions = await house.send<MemoryList>(anna, `GET ${memories()}/${body.id}/versions`);
        expect(versions.body.items.map((item) => item.version)).toEqual([2, 1]);
      });

      it('refuses other content under the same id and names the current version', async () => {
        const { id } = await create();
        await update(id, 1);
        const again = await house.send(anna, `POST ${memories()}`, memoryBody(id));
        expect(again).toMatchObject({ status: 409, body: { code: 'memories.conflict', currentVersion: 2 } });
      });

      it('refuses another epoch than the current one of the space, and names that', async () => {
        const answer = await house.send(anna, `POST ${memories()}`, { ...memoryBody(), epoch: 2 });
        expect(answer).toMatchObject({ status: 409, body: { code: 'memories.stale-epoch', currentEpoch: 1 } });
      });

      it('a retry is known again after the epoch changed, a new write under the old epoch is not', async () => {
        const other = await house.space(anna);
        const body = memoryBody();
        await house.send(anna, `POST /v1/spaces/${other}/memories`, body);
        await house.database.transaction(inTenant(anna.tenant), (transaction) =>
          tables(transaction).updateTable('spaces').set({ epoch: 2 }).where('id', '=', other).execute(),
        );
        expect(await house.send(anna, `POST /v1/spaces/${other}/memories`, body)).toMatchObject({ status: 200 });
        expect(await house.send(anna, `POST /v1/spaces/${other}/memories`, memoryBody())).toMatchObject({
          status: 409,
        });
        expect(
          await house.send(anna, `POST /v1/spaces/${other}/memories`, { ...memoryBody(), epoch: 2 }),
        ).toMatchObject({ status: 201 });
      });

      const whole = randomToken(4);
      it.each([
        ['a truncated token', toBase64Url(Uint8Array.of(0x80, ...Array.from({ length: 71 }, () => 1)))],
        ['a token cut inside a block', whole.slice(0, -4)],
        ['something that is no token', randomText(121).replace(/^./, 'A')],
        ['standard base64', `${whole.slice(0, -2)}+/`],
        ['an empty token', ''],
        ['a token above 256 KiB', randomToken(16_384)],
      ])('refuses %s', async (_what, token) => {
        const answer = await house.send(anna, `POST ${memories()}`, { ...memoryBody(), token });
        expect(answer.status).toBeGreaterThanOrEqual(400);
        expect(answer.body['code']).toBe('pipeline.invalid-input');
      });

      it('takes the largest token, and the same one in a batch', async () => {
        const token = randomToken(16_380);
        expect(await house.send(anna, `POST ${memories()}`, { ...memoryBody(), token })).toMatchObject({ status: 201 });
        const items = [{ ...memoryBody(), token, expectedVersion: 0 }];
        expect(await house.send(anna, `POST ${memories()}/batch`, { items })).toMatchObject({ status: 200 });
      });
    });

    describe('update', () => {
      it('replaces the expected version and keeps the old one in the history', async () => {
        const { id, token } = await create();
        const second = randomToken();
        expect(await update(id, 1, second)).toMatchObject({ status: 200, body: { id, version: 2 } });
        expect((await house.send<MemoryVersion>(anna, `GET ${memories()}/${id}`)).body).toMatchObject({
          version: 2,
          token: second,
        });
        const versions = await house.send<MemoryList>(anna, `GET ${memories()}/${id}/versions`);
        expect(versions.body.items.map((item) => item.token)).toEqual([second, token]);
        expect(versions.body.next).toBeNull();
      });

      it('of two writers with the same expectation one wins and the other learns the current version', async () => {
        const { id } = await create();
        const answers = await Promise.all([update(id, 1), update(id, 1)]);
        expect(answers.map((answer) => answer.status)).toEqual(expect.arrayContaining([200, 409]));
        expect(answers.find((answer) => answer.status === 409)!.body).toMatchObject({
          code: 'memories.conflict',
          currentVersion: 2,
        });
      });

      it('answers a retry as the first time', async () => {
        const { id } = await create();
        const token = randomToken();
        const first = await update(id, 1, token);
        await update(id, 2);
        expect(await update(id, 1, token)).toEqual(first);
        expect((await house.send<MemoryVersion>(anna, `GET ${memories()}/${id}`)).body.version).toBe(3);
      });

      it('refuses versions from the future, unknown memories, and version 0', async () => {
        const { id } = await create();
        expect(await update(id, 5)).toMatchObject({ status: 409, body: { currentVersion: 1 } });
        expect(await update(newUuid(), 1)).toMatchObject({ status: 404, body: { code: 'memories.not-found' } });
        expect(await update(id, 0)).toMatchObject({ status: 400 });
      });

      it('a refused write is in the audit log with its memory', async () => {
        const { id } = await create();
        await update(id, 7);
        const events = (await house.events('memory.updated')).filter((event) => event.objectId === id);
        expect(events).toMatchObject([{ outcome: 'failure', reason: 'memories.conflict' }]);
      });

      it('pages through a long history', async () => {
        const { id } = await create();
        for (let version = 1; version < 6; version += 1) await update(id, version);
        const first = (await house.send<MemoryList>(anna, `GET ${memories()}/${id}/versions?limit=4`)).body;
        const rest = (
          await house.send<MemoryList>(anna, `GET ${memories()}/${id}/versions?limit=4&cursor=${first.next}`)
        ).body;
        expect([...first.items, ...rest.items].map((item) => item.version)).toEqual([6, 5, 4, 3, 2, 1]);
        expect(rest.next).toBeNull();
      });
    });

    describe('delete', () => {
      const remove = (id: string, expectedVersion: number) =>
        house.send<Removed>(anna, `DELETE ${memories()}/${id}?expectedVersion=${expectedVersion}`);

      it('removes every version and leaves a tombstone in the feed', async () => {
        const { id } = await create();
        await update(id, 1);
        const removed = await remove(id, 2);
        expect(removed).toMatchObject({ status: 200, body: { id, version: 3 } });
        expect(await house.send(anna, `GET ${memories()}/${id}`)).toMatchObject({
          status: 410,
          body: { code: 'memories.deleted' },
        });
        expect(await house.send(anna, `GET ${memories()}/${id}/versions`)).toMatchObject({ status: 410 });
        const left = await house.database.transaction(inTenant(anna.tenant), (transaction) =>
          tables(transaction).selectFrom('memory_versions').selectAll().where('memory_id', '=', id).execute(),
        );
        expect(left).toEqual([]);
        const { items } = (
          await house.send<Changes>(anna, `GET /v1/spaces/${space}/changes?after=${removed.body.sequence - 1}`)
        ).body;
        expect(items[0]).toMatchObject({
          id,
          version: 3,
          deleted: true,
          token: null,
          author: null,
          sequence: removed.body.sequence,
        });
        expect(JSON.stringify((await house.send<MemoryList>(anna, `GET ${memories()}?limit=200`)).body)).not.toContain(
          id,
        );
      });

      it('twice is as good as once', async () => {
        const { id } = await create();
        const first = await remove(id, 1);
        expect(await remove(id, 1)).toEqual(first);
        expect(await remove(id, 2)).toEqual(first);
      });

      it('does not remove what somebody else changed meanwhile', async () => {
        const { id } = await create();
        await update(id, 1);
        expect(await remove(id, 1)).toMatchObject({
          status: 409,
          body: { code: 'memories.conflict', currentVersion: 2 },
        });
        expect(await house.send(anna, `GET ${memories()}/${id}`)).toMatchObject({ status: 200 });
        expect(await remove(newUuid(), 1)).toMatchObject({ status: 404 });
        expect(await house.send(anna, `DELETE ${memories()}/${id}`)).toMatchObject({ status: 400 });
        expect(await house.send(anna, `DELETE ${memories()}/${id}?expectedVersion=02`)).toMatchObject({ status: 400 });
      });

      it('an id is never used again, not even with the token it had', async () => {
        const { written: _written, ...body } = await create();
        await remove(body.id, 1);
        for (const again of [body, memoryBody(body.id)]) {
          expect(await house.send(anna, `POST ${memories()}`, again)).toMatchObject({
            status: 410,
            body: { code: 'memories.deleted' },
          });
        }
        expect(await update(body.id, 2)).toMatchObject({ status: 410 });
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

    describe('who may', () => {
      it('a viewer reads and does not write, a guest likewise', async () => {
        const { id } = await create();
        for (const role of ['viewer', 'guest'] as const) {
          await house.share(space, ben, role);
          expect(await house.send(ben, `GET ${memories()}/${id}`)).toMatchObject({ status: 200 });
          expect(await house.send(ben, `GET /v1/spaces/${space}/changes`)).toMatchObject({ status: 200 });
          expect(await house.send(ben, `POST ${memories()}`, memoryBody())).toMatchObject({ status: 403 });
          const body = { expectedVersion: 1, epoch: 1, token: randomToken() };
          expect(await house.send(ben, `PUT ${memories()}/${id}`, body)).toMatchObject({ status: 403 });
          expect(await house.send(ben, `DELETE ${memories()}/${id}?expectedVersion=1`)).toMatchObject({ status: 403 });
          const items = [{ ...memoryBody(), expectedVersion: 0 }];
          expect(await house.send(ben, `POST ${memories()}/batch`, { items })).toMatchObject({ status: 403 });
        }
        await house.share(space, ben, 'member');
        expect(await house.send(ben, `POST ${memories()}`, memoryBody())).toMatchObject({ status: 201 });
        expect((await house.send<MemoryVersion>(anna, `GET ${memories()}/${id}`)).body.version).toBe(1);
      });

      it('for everybody else, a space of another person or tenant answers like one that never was', async () => {
        const { id } = await create();
        const own = await house.space(zoe);
        const requests = (at: Uuid) =>
          [
            [`GET /v1/spaces/${at}/memories`, undefined],
            [`GET /v1/spaces/${at}/memories/${id}`, undefined],
            [`GET /v1/spaces/${at}/memories/${id}/versions`, undefined],
            [`GET /v1/spaces/${at}/changes`, undefined],
            [`POST /v1/spaces/${at}/memories`, memoryBody()],
            [`POST /v1/spaces/${at}/memories/batch`, { items: [{ ...memoryBody(), expectedVersion: 0 }] }],
            [`PUT /v1/spaces/${at}/memories/${id}`, { expectedVersion: 1, epoch: 1, token: randomToken() }],
            [`DELETE /v1/spaces/${at}/memories/${id}?expectedVersion=1`, undefined],
          ] as const;
        const never = newUuid();
        for (const [index, [request, body]] of requests(space).entries()) {
          const hidden = await house.send(zoe, request, body);
          const [otherRequest, otherBody] = requests(never)[index]!;
          const absent = await house.send(zoe, otherRequest, otherBody);
          expect(hidden.status).toBe(404);
          expect({ ...hidden.body, requestId: 0 }).toEqual({ ...absent.body, requestId: 0 });
        }
        // In a space of their own, somebody else's memory id is an unknown one.
        expect(await house.send(zoe, `GET /v1/spaces/${own}/memories/${id}`)).toMatchObject({
          status: 404,
          body: { code: 'memories.not-found' },
        });
        expect(await house.send(null, `GET ${memories()}/${id}`)).toMatchObject({ status: 401 });
      });

      it('a memory is not reached through another space of the same person', async () => {
        const { id } = await create();
        const other = await house.space(anna);
        expect(await house.send(anna, `GET /v1/spaces/${other}/memories/${id}`)).toMatchObject({ status: 404 });
        const body = { expectedVersion: 1, epoch: 1, token: randomToken() };
        expect(await house.send(anna, `PUT /v1/spaces/${other}/memories/${id}`, body)).toMatchObject({ status: 404 });
        expect(await house.send(anna, `DELETE /v1/spaces/${other}/memories/${id}?expectedVersion=1`)).toMatchObject({
          status: 404,
        });
        expect((await house.send<MemoryVersion>(anna, `GET ${memories()}/${id}`)).body.version).toBe(1);
      });

      it("the database itself shows no other tenant's rows", async () => {
        await create();
        const seenBy = (tenant: Uuid) =>
          house.database.transaction(inTenant(tenant), async (transaction) => {
            const seen: number[] = [];
            for (const table of ['spaces', 'space_keys', 'memories', 'memory_versions'] as const) {
              const rows = await tables(transaction)
                .selectFrom(table)
                .select('tenant_id')
                .where('tenant_id', '=', anna.tenant)
                .execute();
              seen.push(rows.length);
            }
            return seen;
          });
        expect(await seenBy(zoe.tenant)).toEqual([0, 0, 0, 0]);
        expect((await seenBy(anna.tenant)).every((rows) => rows > 0)).toBe(true);
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
