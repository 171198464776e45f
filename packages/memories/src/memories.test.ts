import { newUuid, toBase64Url, type Uuid } from '@strongroom/kernel';
import { databases } from '@strongroom/testing/databases';
import { randomText } from '@strongroom/testing/sign-up';
import { beforeAll, describe, expect, it } from 'vitest';
import { House, manifests, memoryBody, randomToken, type Person } from './house.test-support.ts';
import { tables } from './internal/tables.ts';
import { inTenant } from '@strongroom/storage';
import type { Changes, MemoryList, MemoryVersion, Removed } from './wire.ts';

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

    const create = () => house.remember(anna, space);
    const update = (id: string, expectedVersion: number, token?: string) =>
      house.replace(anna, space, id, expectedVersion, token);

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
  });
}
