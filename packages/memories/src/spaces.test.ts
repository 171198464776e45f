import { newUuid } from '@strongroom/kernel';
import { databases } from '@strongroom/testing/databases';
import { randomText } from '@strongroom/testing/sign-up';
import { beforeAll, describe, expect, it } from 'vitest';
import { House, manifests, spaceBody, type Person } from './house.test-support.ts';
import type { Space, SpaceList } from './wire.ts';

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`spaces on ${engine.name}`, () => {
    let house: House;
    let anna: Person;
    let ben: Person;
    let guest: Person;
    let zoe: Person;
    beforeAll(async () => {
      house = await House.open(await engine.open(manifests));
      const founder = await house.founder();
      ben = await house.member(founder, 'member', 'ben@example.org');
      guest = await house.member(founder, 'guest', 'guest@example.org');
      zoe = await house.stranger('zoe@example.org', founder);
      anna = house.current(founder);
    });

    it('makes the creator its owner and gives back what was stored', async () => {
      const body = spaceBody();
      const created = await house.send<Space>(anna, 'POST /v1/spaces', body);
      expect(created).toEqual({
        status: 201,
        body: {
          id: body.id,
          sealedName: body.sealedName,
          epoch: 1,
          role: 'owner',
          keys: [{ epoch: 1, wrappedKey: body.wrappedKey, sharedBy: null }],
          rotationDue: false,
          createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
        },
      });
      expect(await house.send(anna, `GET /v1/spaces/${body.id}`)).toEqual({ status: 200, body: created.body });
      expect((await house.send<SpaceList>(anna, 'GET /v1/spaces')).body.items).toContainEqual(created.body);
      const events = await house.events('space.created');
      expect(events.at(-1)).toMatchObject({ outcome: 'success', objectId: body.id });
    });

    it('answers a repetition the same and stores nothing twice', async () => {
      const body = spaceBody();
      const first = await house.send<Space>(anna, 'POST /v1/spaces', body);
      const second = await house.send<Space>(anna, 'POST /v1/spaces', body);
      expect(second).toEqual({ status: 200, body: first.body });
      const listed = (await house.send<SpaceList>(anna, 'GET /v1/spaces')).body.items;
      expect(listed.filter((space) => space.id === body.id)).toHaveLength(1);
    });

    it.each([
      ['another name', { sealedName: randomText(337) }],
      ['another key', { wrappedKey: randomText(113) }],
    ])('refuses the same id with %s, also to others of the tenant', async (_what, change) => {
      const body = spaceBody();
      await house.send(anna, 'POST /v1/spaces', body);
      for (const person of [anna, ben]) {
        const again = await house.send(person, 'POST /v1/spaces', { ...body, ...change });
        expect(again).toMatchObject({ status: 409, body: { code: 'memories.space-exists' } });
      }
      expect(await house.send(ben, 'POST /v1/spaces', body)).toMatchObject({ status: 409 });
    });

    it('in another tenant the same id is free, and shows nothing of the first', async () => {
      const body = spaceBody();
      await house.send(anna, 'POST /v1/spaces', body);
      expect(await house.send(zoe, `GET /v1/spaces/${body.id}`)).toMatchObject({ status: 404 });
      const other = { ...spaceBody(body.id) };
      expect(await house.send(zoe, 'POST /v1/spaces', other)).toMatchObject({
        status: 201,
        body: { sealedName: other.sealedName },
      });
      expect(await house.send(anna, `GET /v1/spaces/${body.id}`)).toMatchObject({
        body: { sealedName: body.sealedName },
      });
    });

    it('a space that is not shared does not exist for others of the tenant, exactly like one that never was', async () => {
      const space = await house.space(anna);
      const hidden = await house.send(ben, `GET /v1/spaces/${space}`);
      const absent = await house.send(ben, `GET /v1/spaces/${newUuid()}`);
      expect(hidden.status).toBe(404);
      expect({ ...hidden.body, requestId: 0 }).toEqual({ ...absent.body, requestId: 0 });
      expect((await house.send<SpaceList>(ben, 'GET /v1/spaces')).body.items.map((item) => item.id)).not.toContain(
        space,
      );
    });

    it('a member of a space sees it without a key as long as nobody wrapped one for them', async () => {
      const space = await house.space(anna);
      await house.share(space, ben, 'viewer');
      expect(await house.send(ben, `GET /v1/spaces/${space}`)).toMatchObject({
        status: 200,
        body: { role: 'viewer', keys: [] },
      });
    });

    it('pages through all spaces without gaps or repeats', async () => {
      const all = new Set<string>();
      for (let number = 0; number < 7; number += 1) all.add(await house.space(ben));
      const seen: string[] = [];
      let next: string | null = null;
      do {
        const page: SpaceList = (
          await house.send<SpaceList>(ben, `GET /v1/spaces?limit=3${next === null ? '' : `&cursor=${next}`}`)
        ).body;
        expect(page.items.length).toBeLessThanOrEqual(3);
        seen.push(...page.items.map((item) => item.id));
        next = page.next;
      } while (next !== null);
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen).toEqual(expect.arrayContaining([...all]));
    });

    it('guests and strangers create none', async () => {
      expect(await house.send(guest, 'POST /v1/spaces', spaceBody())).toMatchObject({ status: 403 });
      expect(await house.send(null, 'POST /v1/spaces', spaceBody())).toMatchObject({ status: 401 });
    });

    it.each([
      ['an id of another version', { id: 'f47ac10b-58cc-4372-a567-0e02b2c3d479' }],
      ['an upper-case id', { id: newUuid().toUpperCase() }],
      ['an epoch other than 1', { epoch: 2 }],
      ['an empty name', { sealedName: '' }],
      ['padded base64url', { wrappedKey: 'QQ==' }],
      ['a large key', { wrappedKey: randomText(5000) }],
      ['an unknown field', { name: 'in clear' }],
    ])('refuses %s', async (_what, change) => {
      const answer = await house.send(anna, 'POST /v1/spaces', { ...spaceBody(), ...change });
      expect(answer).toMatchObject({ status: 400, body: { code: 'pipeline.invalid-input' } });
    });
  });
}
