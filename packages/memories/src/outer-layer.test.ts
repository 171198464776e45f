/** What an erased author wrote is gone for everyone, while the others' memories in the same space stay. */
import { inTenant } from '@strongroom/storage';
import { databases } from '@strongroom/testing/databases';
import { sql } from 'kysely';
import { beforeAll, describe, expect, it } from 'vitest';
import { House, manifests, memoryBody, type Person } from './house.test-support.ts';

interface Listed {
  readonly items: readonly { readonly id: string; readonly token: string | null; readonly deleted?: boolean }[];
  readonly next: string | null;
}

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`the outer layer on ${engine.name}`, () => {
    let house: House;
    let anna: Person;

    beforeAll(async () => {
      house = await House.open(await engine.open(manifests));
      anna = await house.founder();
    });

    it('does not show the token that the client sent, and binds it to its version', async () => {
      const space = await house.space(anna);
      const [one, two] = [memoryBody(), memoryBody()];
      for (const body of [one, two]) await house.send(anna, `POST /v1/spaces/${space}/memories`, body);
      await house.database.transaction(inTenant(anna.tenant), async (transaction) => {
        const { rows } = await sql<{ token: Uint8Array }>`
          select token from memory_versions where space_id = ${space} order by memory_id`.execute(transaction);
        for (const { token } of rows) {
          expect(token[0]).toBe(1);
          expect(Buffer.from(token).includes(Buffer.from(one.token, 'base64url').subarray(0, 64))).toBe(false);
        }
        await sql`update memory_versions as row set token = other.token from memory_versions as other
          where row.memory_id = ${one.id} and other.memory_id = ${two.id}`.execute(transaction);
      });
      expect(await house.send(anna, `GET /v1/spaces/${space}/memories/${one.id}`)).toMatchObject({
        status: 500,
        body: { code: 'encryption.cannot-open' },
      });
      expect(await house.send(anna, `GET /v1/spaces/${space}/memories/${two.id}`)).toMatchObject({
        status: 200,
        body: { token: two.token },
      });
    });

    it('leaves nothing of an erased author, and everything of the others', async () => {
      const space = await house.space(anna);
      const ben = await house.member(anna, 'member', 'ben@example.org');
      anna = house.current(anna);
      await house.share(space, ben, 'member');
      const bodies = Array.from({ length: 6 }, () => memoryBody());
      for (const [index, body] of bodies.entries()) {
        const answer = await house.send(index % 2 === 0 ? ben : anna, `POST /v1/spaces/${space}/memories`, body);
        expect(answer.status).toBe(201);
      }
      await house.encryption.keyTree.shred(house.database, [ben.account]);
      const hers = bodies.filter((_, index) => index % 2 === 1).map(({ id, token }) => [id, token]);

      const seen: unknown[] = [];
      for (let cursor = ''; ;) {
        const { body } = await house.send<Listed>(anna, `GET /v1/spaces/${space}/memories?limit=1${cursor}`);
        seen.push(...body.items.map(({ id, token }) => [id, token]));
        if (body.next === null) break;
        cursor = `&cursor=${body.next}`;
      }
      expect(seen).toEqual(hers);
      expect(await house.send(anna, `GET /v1/spaces/${space}/memories/${bodies[0]!.id}`)).toMatchObject({
        status: 410,
      });
      const changes = await house.send<Listed>(anna, `GET /v1/spaces/${space}/changes`);
      expect(changes.body.items.map(({ deleted, token }) => [deleted, token === null])).toEqual(
        bodies.map((_, index) => [index % 2 === 0, index % 2 === 0]),
      );
    });
  });
}
