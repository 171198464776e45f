import type { Uuid } from '@strongroom/kernel';
import { asSystem } from '@strongroom/storage';
import { figure } from '@strongroom/testing';
import { databases, onlyOn, someoneWaits } from '@strongroom/testing/databases';
import { randomText } from '@strongroom/testing/sign-up';
import { sql } from 'kysely';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { House, manifests, memoryBody, type Answer, type Person } from './house.test-support.ts';
import type { Space, SpaceMemberList } from './wire.ts';

const share = (role: string, ...epochs: number[]) => ({
  role,
  keys: (epochs.length === 0 ? [1] : epochs).map((epoch) => ({ epoch, sealedKey: randomText(81) })),
});
const rotation = (epoch: number, others: readonly Person[], removed: readonly Person[] = []) => ({
  epoch,
  removed: removed.map(({ account }) => account),
  sealedName: randomText(337),
  wrappedKey: randomText(113),
  keys: others.map(({ account }) => ({ account, sealedKey: randomText(81) })),
});

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`sharing on ${engine.name}`, () => {
    let first: House;
    let house: House;
    let anna: Person;
    let ben: Person;
    let carla: Person;
    let zoe: Person;
    let space: Uuid;
    beforeAll(async () => {
      first = await House.open(await engine.open(manifests));
      const founder = await first.founder();
      ben = await first.member(founder, 'member', 'ben@example.org');
      carla = await first.member(founder, 'guest', 'carla@example.org');
      zoe = await first.stranger('zoe@example.org', founder);
      anna = first.current(founder);
    });
    beforeEach(async () => {
      // A process of its own each time: its limits start afresh.
      house = first.replica(first.database);
      space = await house.space(anna);
    });

    const put = (by: Person, person: Person, body: object, into = space) =>
      house.send(by, `PUT /v1/spaces/${into}/members/${person.account}`, body);
    const rotate = (by: Person, body: object) => house.send<Space>(by, `POST /v1/spaces/${space}/rotation`, body);
    const read = (by: Person) => house.send<Space>(by, `GET /v1/spaces/${space}`);
    const members = async (by: Person) =>
      (await house.send<SpaceMemberList>(by, `GET /v1/spaces/${space}/members`)).body.items;
    const remember = (by: Person, epoch = 1) =>
      house.send(by, `POST /v1/spaces/${space}/memories`, { ...memoryBody(), epoch });

    const feed = async () => (await house.send(anna, `GET /v1/spaces/${space}/changes`)).body;

    describe('adding a member', () => {
      it('gives them the space with the sealed key, and says whose it is', async () => {
        const body = share('member');
        expect(await put(anna, ben, body)).toMatchObject({
          status: 201,
          body: { account: ben.account, role: 'member', epochs: [1], publicKey: expect.stringMatching(/^.{44}$/) },
        });
        const seen = await read(ben);
        expect(seen.body).toMatchObject({ role: 'member', epoch: 1 });
        const [annaSeen] = await members(ben);
        expect(seen.body.keys).toEqual([
          {
            epoch: 1,
            wrappedKey: body.keys[0]!.sealedKey,
            sharedBy: { account: anna.account, displayName: 'Display anna', publicKey: annaSeen!.publicKey },
          },
        ]);
        expect((await house.events('space.shared')).at(-1)).toMatchObject({
          outcome: 'success',
          objectId: space,
          details: { role: 'member', keys: 1, before: null },
        });
      });

      it('with the role of a viewer or guest lets them read and not write', async () => {
        for (const role of ['viewer', 'guest']) {
          await put(anna, carla, share(role));
          const { body: memory } = await remember(anna);
          const id = (memory as { id: string }).id;
          expect((await house.send(carla, `GET /v1/spaces/${space}/memories/${id}`)).status).toBe(200);
          const refused = { status: 403, body: { code: 'pipeline.forbidden' } };
          expect(await remember(carla)).toMatchObject(refused);
          expect(
            await house.send(carla, `PUT /v1/spaces/${space}/memories/${id}`, {
              expectedVersion: 1,
              epoch: 1,
              token: memoryBody().token,
            }),
          ).toMatchObject(refused);
          expect(await house.send(carla, `DELETE /v1/spaces/${space}/memories/${id}?expectedVersion=1`)).toMatchObject(
            refused,
          );
          expect(await put(carla, ben, share('viewer'))).toMatchObject(refused);
          expect(await rotate(carla, rotation(2, [anna]))).toMatchObject(refused);
        }
      });

      it.each(['member', 'viewer', 'guest'])('is not for a %s to do', async (role) => {
        await put(anna, ben, share(role));
        expect(await put(ben, carla, share('guest'))).toMatchObject({ status: 403 });
      });

      it('goes up to the own role, and changes nobody who ranks above', async () => {
        await put(anna, ben, share('admin'));
        const tooHigh = { status: 403, body: { code: 'memories.role-too-high' } };
        expect(await put(ben, carla, share('owner'))).toMatchObject(tooHigh);
        expect(await put(ben, anna, { role: 'viewer', keys: [] })).toMatchObject(tooHigh);
        expect(await put(ben, ben, { role: 'owner', keys: [] })).toMatchObject(tooHigh);
        expect(await put(ben, carla, share('admin'))).toMatchObject({ status: 201 });
      });

      it('changes the role of one who is there, without keys, and keeps the keys they have', async () => {
        const first = share('member');
        await put(anna, ben, first);
        const again = await put(anna, ben, share('viewer'));
        expect(again).toMatchObject({ status: 200, body: { role: 'viewer' } });
        expect((await read(ben)).body.keys[0]!.wrappedKey).toBe(first.keys[0]!.sealedKey);
        expect(await put(anna, ben, { role: 'admin', keys: [] })).toMatchObject({ status: 200 });
        expect(await put(anna, anna, { role: 'viewer', keys: [] })).toMatchObject({
          status: 409,
          body: { code: 'authorization.last-owner' },
        });
      });

      it('needs a key of the current epoch, and none of one that is yet to come', async () => {
        const stale = { status: 409, body: { code: 'memories.stale-epoch', currentEpoch: 1 } };
        expect(await put(anna, ben, { role: 'member', keys: [] })).toMatchObject(stale);
        expect(await put(anna, ben, share('member', 1, 2))).toMatchObject(stale);
        await rotate(anna, rotation(2, []));
        expect(await put(anna, ben, share('member', 1))).toMatchObject({ body: { currentEpoch: 2 } });
        expect(await put(anna, ben, share('member', 2))).toMatchObject({ status: 201, body: { epochs: [2] } });
      });

      it('is for members of the tenant only, and a space of others does not exist', async () => {
        expect(await put(anna, zoe, share('viewer'))).toMatchObject({
          status: 404,
          body: { code: 'authorization.not-a-member' },
        });
        expect(await put(zoe, zoe, share('viewer'))).toMatchObject({ status: 404 });
        expect(await put(ben, ben, share('owner'))).toMatchObject({ status: 404 });
        expect((await members(anna)).map(({ account }) => account)).toEqual([anna.account]);
      });
    });

    describe('taking a shared key over', () => {
      const take = (by: Person, wrappedKey: string, epoch = 1) =>
        house.send(by, `PUT /v1/spaces/${space}/keys/${epoch}`, { wrappedKey });

      it('puts the own wrapping in its place, once', async () => {
        await put(anna, ben, share('viewer'));
        const own = randomText(113);
        expect(await take(ben, own)).toMatchObject({ status: 204 });
        expect((await read(ben)).body.keys).toEqual([{ epoch: 1, wrappedKey: own, sharedBy: null }]);
        // A second device, or somebody with the session: what is there stays.
        expect(await take(ben, randomText(113))).toMatchObject({ status: 204 });
        expect((await read(ben)).body.keys[0]!.wrappedKey).toBe(own);
        const before = (await read(anna)).body.keys;
        expect(await take(anna, randomText(113))).toMatchObject({ status: 204 });
        expect((await read(anna)).body.keys).toEqual(before);
      });

      it('needs a key that was shared', async () => {
        await put(anna, ben, share('viewer'));
        expect(await take(ben, randomText(113), 2)).toMatchObject({
          status: 404,
          body: { code: 'memories.key-not-found' },
        });
        expect(await take(carla, randomText(113))).toMatchObject({ status: 404 });
      });
    });

    describe('a new key', () => {
      beforeEach(async () => {
        await put(anna, ben, share('admin'));
        await put(anna, carla, share('viewer'));
      });

      it('goes to everybody who stays, and memories are written under it from then on', async () => {
        const body = rotation(2, [ben, carla]);
        const rotated = await rotate(anna, body);
        expect(rotated).toMatchObject({
          status: 200,
          body: {
            epoch: 2,
            sealedName: body.sealedName,
            keys: [{ epoch: 1 }, { epoch: 2, wrappedKey: body.wrappedKey }],
          },
        });
        expect((await read(carla)).body.keys.map(({ epoch }) => epoch)).toEqual([1, 2]);
        expect(await remember(anna, 1)).toMatchObject({ status: 409, body: { code: 'memories.stale-epoch' } });
        expect(await remember(ben, 2)).toMatchObject({ status: 201 });
      });

      it('removes members in the same step: for them nothing is there any more', async () => {
        const { body: memory } = await remember(anna);
        const id = (memory as { id: string }).id;
        expect(await rotate(anna, rotation(2, [ben], [carla]))).toMatchObject({ status: 200 });
        for (const request of [
          `GET /v1/spaces/${space}`,
          `GET /v1/spaces/${space}/members`,
          `GET /v1/spaces/${space}/memories`,
          `GET /v1/spaces/${space}/memories/${id}`,
          `GET /v1/spaces/${space}/memories/${id}/versions`,
          `GET /v1/spaces/${space}/changes`,
        ]) {
          expect((await house.send(carla, request)).status, request).toBe(404);
        }
        expect((await remember(carla, 2)).status).toBe(404);
        expect(
          (await house.send<{ items: Space[] }>(carla, 'GET /v1/spaces')).body.items.map((item) => item.id),
        ).not.toContain(space);
        const { rows } = await house.database.transaction(asSystem, (transaction) =>
          sql`select 1 from space_keys where space_id = ${space} and account_id = ${carla.account}`.execute(
            transaction,
          ),
        );
        expect(rows).toEqual([]);
        expect((await house.events('space.key-rotated')).at(-1)).toMatchObject({
          details: { epoch: 2, removed: 1, members: 2, repeated: false },
        });
      });

      it.each([
        ['leaves somebody out', () => rotation(2, [ben]), () => ({ missing: [carla.account], unexpected: [] })],
        [
          'includes somebody who is no member',
          () => rotation(2, [ben, carla, zoe]),
          () => ({ missing: [], unexpected: [zoe.account] }),
        ],
        [
          'includes one who is removed',
          () => rotation(2, [ben, carla], [carla]),
          () => ({ missing: [], unexpected: [carla.account] }),
        ],
        ['includes the caller', () => rotation(2, [anna, ben, carla]), () => ({ unexpected: [anna.account] })],
      ])('is refused when it %s, and nothing changed', async (_what, body, expected) => {
        expect(await rotate(anna, body())).toMatchObject({
          status: 409,
          body: { code: 'memories.incomplete-rotation', ...expected() },
        });
        expect((await read(carla)).body).toMatchObject({ epoch: 1, role: 'viewer' });
      });

      it('follows the epoch that is there', async () => {
        for (const epoch of [1, 3]) {
          expect(await rotate(anna, rotation(epoch, [ben, carla]))).toMatchObject({
            status: 409,
            body: { code: 'memories.stale-epoch', currentEpoch: 1 },
          });
        }
      });

      it('answers a repetition the same and changes nothing twice', async () => {
        const body = rotation(2, [ben], [carla]);
        const first = await rotate(anna, body);
        expect(await rotate(anna, body)).toEqual(first);
        expect(await rotate(ben, body)).toMatchObject({ body: { code: 'memories.stale-epoch' } });
      });

      it('is made once by two who do it at the same moment', async () => {
        const answers = await Promise.all([
          rotate(anna, rotation(2, [ben, carla])),
          rotate(ben, rotation(2, [anna, carla])),
          rotate(anna, rotation(2, [ben], [carla])),
        ]);
        expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
        expect((await read(anna)).body.epoch).toBe(2);
      });

      it('and a new member at the same moment: whoever is in has the current key', async () => {
        for (let round = 0; round < 5; round += 1) {
          const other = await house.space(anna);
          await put(anna, ben, share('admin'), other);
          const [rotated, added] = await Promise.all([
            house.send(anna, `POST /v1/spaces/${other}/rotation`, rotation(2, [ben])),
            put(ben, carla, share('viewer'), other),
          ]);
          const { items } = (await house.send<SpaceMemberList>(anna, `GET /v1/spaces/${other}/members`)).body;
          const { epoch } = (await house.send<Space>(anna, `GET /v1/spaces/${other}`)).body;
          expect([rotated.status === 200, added.status === 201].filter(Boolean)).toHaveLength(1);
          for (const member of items) expect(member.epochs).toContain(epoch);
        }
      });

      it('lets nobody remove those who rank above, nor themselves', async () => {
        expect(await rotate(ben, rotation(2, [carla], [anna]))).toMatchObject({
          status: 403,
          body: { code: 'memories.role-too-high' },
        });
        expect(await rotate(ben, rotation(2, [anna, carla], [ben]))).toMatchObject({
          status: 400,
          body: { code: 'memories.cannot-remove-self' },
        });
      });

      it('can be made without removing anybody, also for one who is gone already', async () => {
        expect(await rotate(ben, rotation(2, [anna, carla], [zoe]))).toMatchObject({ status: 200 });
      });
    });

    describe('leaving', () => {
      const leave = (by: Person, person: Person) =>
        house.send(by, `DELETE /v1/spaces/${space}/members/${person.account}`);

      it('takes the own keys and makes a new key due', async () => {
        await put(anna, ben, share('member'));
        expect(await leave(ben, ben)).toMatchObject({ status: 204 });
        expect((await read(ben)).status).toBe(404);
        expect((await read(anna)).body.rotationDue).toBe(true);
        expect(await rotate(anna, rotation(2, []))).toMatchObject({ body: { rotationDue: false } });
      });

      it('is for oneself, and not for the last owner', async () => {
        await put(anna, ben, share('member'));
        expect(await leave(anna, ben)).toMatchObject({ status: 409, body: { code: 'memories.rotation-required' } });
        expect(await leave(anna, anna)).toMatchObject({ status: 409, body: { code: 'authorization.last-owner' } });
        expect(await leave(zoe, zoe)).toMatchObject({ status: 404 });
      });
    });

    it.each([
      ['a sealed key that is too long', { role: 'member', keys: [{ epoch: 1, sealedKey: randomText(4000) }] }],
      ['the same epoch twice', share('member', 1, 1)],
      ['no such role', share('root')],
      ['an unknown field', { ...share('member'), note: 'x' }],
    ])('refuses %s', async (_what, body) => {
      expect(await put(anna, ben, body)).toMatchObject({ status: 400, body: { code: 'pipeline.invalid-input' } });
    });

    const lost = {
      removed: sql`delete from role_assignments where space_id is not null and account_id = `,
      demoted: sql`update role_assignments set role = 'viewer' where space_id is not null and account_id = `,
    };
    /** Ben's request begins while somebody has the space's lock, who takes his role away before letting it go. */
    const meanwhile = async (how: keyof typeof lost, request: () => Promise<Answer>): Promise<Answer> => {
      const locked = Promise.withResolvers<void>();
      const change = house.database.transaction(asSystem, async (transaction) => {
        await sql`select id from spaces where id = ${space} for update`.execute(transaction);
        locked.resolve();
        await someoneWaits(transaction);
        await sql`${lost[how]}${ben.account}`.execute(transaction);
      });
      await locked.promise;
      const answer = request();
      await change;
      return answer;
    };

    // One session cannot wait for another, so there is nothing to see on the embedded database.
    onlyOn('PostgreSQL', engine)(
      'a request that waits while its sender loses the role changes nothing any more',
      async () => {
        await put(anna, ben, share('admin'));
        const old = await house.remember(anna, space);
        const before = { space: (await read(anna)).body, feed: await feed(), members: await members(anna) };
        const requests: readonly (() => Promise<Answer>)[] = [
          () => remember(ben),
          () => house.replace(ben, space, old.id, 1),
          () =>
            house.send(ben, `POST /v1/spaces/${space}/memories/batch`, {
              items: [{ ...memoryBody(), expectedVersion: 0 }],
            }),
          () => house.send(ben, `DELETE /v1/spaces/${space}/memories/${old.id}?expectedVersion=1`),
          () => put(ben, carla, share('guest')),
          () => rotate(ben, rotation(2, [anna])),
        ];
        for (const how of ['demoted', 'removed'] as const) {
          for (const request of requests) {
            await put(anna, ben, { role: 'admin', keys: [] });
            expect(await meanwhile(how, request)).toMatchObject(
              how === 'demoted'
                ? { status: 403, body: { code: 'pipeline.forbidden' } }
                : { status: 404, body: { code: 'memories.space-not-found' } },
            );
          }
        }
        await put(anna, ben, { role: 'admin', keys: [] });
        expect({ space: (await read(anna)).body, feed: await feed(), members: await members(anna) }).toEqual(before);
        expect((await remember(ben)).status).toBe(201);
        figure(`changes by somebody who was removed or demoted in that moment: 0 of ${2 * requests.length}`);
      },
    );
  });
}
