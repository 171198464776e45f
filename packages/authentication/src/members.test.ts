/** Roles in the tenant and leaving it, through the pipeline, with sessions, spaces and invitations as they really are. */
import type { Uuid } from '@strongroom/kernel';
import { asSystem, type Database } from '@strongroom/storage';
import { figure } from '@strongroom/testing';
import { databases, onlyOn, someoneWaits } from '@strongroom/testing/databases';
import { signUpBody } from '@strongroom/testing/sign-up';
import { sql } from 'kysely';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bearer, manifests, type Person, rememberIn, shareWith, spaceOf, Vault } from './vault.test-support.ts';
import type { InvitationList } from './wire.ts';

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`members on ${engine.name}`, () => {
    let database: Database;
    let vault: Vault;
    let anna: Person;
    let ben: Person;
    beforeAll(async () => {
      database = await engine.open(manifests);
    });
    beforeEach(async () => {
      vault = await Vault.open(database);
      anna = await vault.founder('anna@example.org');
      ben = await vault.member(anna, 'member', 'ben@example.org');
    });

    const setRole = async (by: Person, account: Uuid, role: string) =>
      vault.send('PUT /v1/members/{account}', {
        path: { account },
        body: { role },
        headers: bearer((await vault.proved(by)).token),
      });
    const remove = async (by: Person, account: Uuid, query: Record<string, string> = {}) =>
      vault.send('DELETE /v1/members/{account}', {
        path: { account },
        query,
        headers: bearer((await vault.proved(by)).token),
      });
    const status = async (person: Person, route: string, path: Record<string, string> = {}) =>
      (await vault.send(route, { path, headers: bearer(person.token) })).status;

    describe('roles', () => {
      it('change at once, up to the own', async () => {
        expect(await status(ben, 'GET /v1/invitations')).toBe(403);
        expect(await setRole(anna, ben.account, 'admin')).toMatchObject({ status: 200, body: { role: 'admin' } });
        expect(await status(ben, 'GET /v1/invitations')).toBe(200);
        expect(vault.events.at(-1)).toMatchObject({
          type: 'member.role-changed',
          details: { role: 'admin', before: 'member', invitations: 0 },
        });
      });

      it('are not given above the own, nor taken from those above', async () => {
        const admin = await vault.member(anna, 'admin', 'carla@example.org');
        for (const [account, role] of [
          [ben.account, 'owner'],
          [anna.account, 'viewer'],
          [admin.account, 'owner'],
        ] as const) {
          expect(await setRole(admin, account, role)).toMatchObject({
            status: 403,
            body: { code: 'authorization.role-too-high' },
          });
        }
        expect(await remove(admin, anna.account)).toMatchObject({ body: { code: 'authorization.role-too-high' } });
        expect(await setRole(admin, ben.account, 'viewer')).toMatchObject({ status: 200 });
      });

      it.each(['member', 'viewer', 'guest'] as const)('are not for a %s to give', async (role) => {
        const person = await vault.member(anna, role, 'carla@example.org');
        expect(await setRole(person, ben.account, 'guest')).toMatchObject({ status: 403 });
        expect(await remove(person, ben.account)).toMatchObject({ status: 403 });
      });

      it('leave an owner, also when two owners demote each other at once', async () => {
        expect(await setRole(anna, anna.account, 'admin')).toMatchObject({
          status: 409,
          body: { code: 'authorization.last-owner' },
        });
        await setRole(anna, ben.account, 'owner');
        for (const person of [anna, ben]) await vault.proved(person);
        const demote = (by: Person, account: Uuid) =>
          vault.send('PUT /v1/members/{account}', {
            path: { account },
            body: { role: 'member' },
            headers: bearer(by.token),
          });
        const answers = await Promise.all([demote(anna, ben.account), demote(ben, anna.account)]);
        expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1);
      });

      // One session cannot wait for another, so there is nothing to see on the embedded database.
      onlyOn('PostgreSQL', engine)(
        'are not taken by an admin from somebody who is becoming an owner at that moment',
        async () => {
          const admin = await vault.proved(await vault.member(anna, 'admin', 'carla@example.org'));
          const begun = Promise.withResolvers<void>();
          const promotion = database.transaction(asSystem, async (transaction) => {
            await sql`select id from tenants for update`.execute(transaction);
            await sql`update role_assignments set role = 'owner' where account_id = ${ben.account}`.execute(
              transaction,
            );
            begun.resolve();
            await someoneWaits(transaction);
          });
          await begun.promise;
          const demotion = vault.send('PUT /v1/members/{account}', {
            path: { account: ben.account },
            body: { role: 'guest' },
            headers: bearer(admin.token),
          });
          await promotion;
          expect(await demotion).toMatchObject({ status: 403, body: { code: 'authorization.role-too-high' } });
          figure('an admin who demotes somebody while they are made owner: refused');
        },
      );

      it('of somebody who is not here are not found', async () => {
        expect(await setRole(anna, anna.session, 'member')).toMatchObject({ status: 404 });
        expect(await remove(anna, anna.session)).toMatchObject({ status: 404 });
      });

      it('ask for a recent proof', async () => {
        const path = { account: ben.account };
        const headers = bearer(
          (
            await vault.send('POST /v1/sessions', {
              body: { email: anna.email, authenticationSecret: anna.secret, transport: 'bearer' },
            })
          ).body['token'] as string,
        );
        for (const [route, body] of [
          ['PUT /v1/members/{account}', { role: 'viewer' }],
          ['DELETE /v1/members/{account}', undefined],
        ] as const) {
          const answer = await vault.send(route, { path, headers, ...(body === undefined ? {} : { body }) });
          expect(answer.body['code']).toBe('pipeline.reauthentication-required');
        }
      });
    });

    describe('removing', () => {
      it('ends sessions and everything that was shared, at once; what was written stays', async () => {
        const space = await spaceOf(vault, anna, 1);
        await shareWith(vault, anna, space, ben, 'member');
        await rememberIn(vault, ben, space);
        expect(await status(ben, 'GET /v1/spaces/{space}', { space })).toBe(200);
        expect(await remove(anna, ben.account)).toMatchObject({
          status: 200,
          body: { account: ben.account, endedSpaces: 0, inheritedSpaces: 0 },
        });
        expect(await status(ben, 'GET /v1/account')).toBe(401);
        const again = await vault.send('POST /v1/sessions', {
          body: { email: ben.email, authenticationSecret: ben.secret, transport: 'bearer' },
        });
        expect(again).toMatchObject({ status: 403, body: { code: 'authentication.no-membership' } });
        const members = await vault.send('GET /v1/spaces/{space}/members', {
          path: { space },
          headers: bearer(anna.token),
        });
        expect(members.body['items']).toMatchObject([{ account: anna.account }]);
        const read = await vault.send('GET /v1/spaces/{space}', { path: { space }, headers: bearer(anna.token) });
        expect(read.body).toMatchObject({ rotationDue: true });
        const list = await vault.send('GET /v1/spaces/{space}/memories', {
          path: { space },
          headers: bearer(anna.token),
        });
        expect(list.body['items']).toHaveLength(2);
      });

      it('deletes spaces in which nobody else is only when their number is said', async () => {
        await spaceOf(vault, ben, 1);
        const refused = await remove(anna, ben.account);
        expect(refused).toMatchObject({
          status: 409,
          body: { code: 'authorization.spaces-would-end', endingSpaces: 1 },
        });
        expect(await remove(anna, ben.account, { endingSpaces: '2' })).toMatchObject({ status: 409 });
        expect(await status(ben, 'GET /v1/account')).toBe(200);
        expect(await remove(anna, ben.account, { endingSpaces: '1' })).toMatchObject({
          status: 200,
          body: { endedSpaces: 1 },
        });
      });

      it('leaves spaces of the removed to the member who ranks highest in them', async () => {
        const carla = await vault.member(anna, 'member', 'carla@example.org');
        const space = await spaceOf(vault, ben);
        await shareWith(vault, ben, space, anna, 'viewer');
        await shareWith(vault, ben, space, carla, 'admin');
        expect(await remove(anna, ben.account)).toMatchObject({ body: { inheritedSpaces: 1 } });
        const members = await vault.send('GET /v1/spaces/{space}/members', {
          path: { space },
          headers: bearer(carla.token),
        });
        expect(members.body['items']).toMatchObject([
          { account: anna.account, role: 'viewer' },
          { account: carla.account, role: 'owner' },
        ]);
      });
    });

    describe('open invitations', () => {
      const list = async (by: Person): Promise<InvitationList> =>
        (await vault.send('GET /v1/invitations', { headers: bearer(by.token) })).body as InvitationList;
      const withdraw = (by: Person, invitation: string) =>
        vault.send('DELETE /v1/invitations/{invitation}', { path: { invitation }, headers: bearer(by.token) });

      it('are listed without tokens until they are used, withdrawn or expired', async () => {
        const tokens = [];
        for (const role of ['viewer', 'member', 'guest'] as const) {
          tokens.push(await vault.invitation(await vault.proved(anna), role));
        }
        const open = await list(anna);
        expect(open.items.map(({ role }) => role)).toEqual(['guest', 'member', 'viewer']);
        expect(open.items.every(({ invitedBy }) => invitedBy === anna.account)).toBe(true);
        for (const token of tokens) expect(JSON.stringify(open)).not.toContain(token);

        await vault.join(tokens[0]!, 'viewer@example.org');
        expect((await list(anna)).items.map(({ role }) => role)).toEqual(['guest', 'member']);
        expect((await withdraw(anna, open.items[1]!.id)).status).toBe(204);
        await expect(vault.join(tokens[1]!, 'member@example.org')).rejects.toThrow('invalid-invitation');
        expect((await list(anna)).items.map(({ role }) => role)).toEqual(['guest']);
        expect((await withdraw(anna, open.items[1]!.id)).status).toBe(404);
        expect((await withdraw(anna, open.items[2]!.id)).status).toBe(404);

        vault.time += 7 * 24 * 60 * 60 * 1000;
        const fresh = (
          await vault.send('POST /v1/sessions', {
            body: { email: anna.email, authenticationSecret: anna.secret, transport: 'bearer' },
          })
        ).body['token'] as string;
        expect((await list({ ...anna, token: fresh })).items).toEqual([]);
      });

      it('are accepted or withdrawn, never both', async () => {
        await vault.invitation(await vault.proved(anna), 'viewer');
        for (let round = 0; round < 4; round += 1) {
          const token = await vault.invitation(await vault.proved(anna), 'guest');
          const [newest] = (await list(anna)).items;
          const body = signUpBody(token, `guest${round}@example.org`);
          const [joined, withdrawn] = await Promise.all([
            vault.send('POST /v1/accounts', { body }),
            withdraw(anna, newest!.id),
          ]);
          expect([joined.status === 201, withdrawn.status === 204].filter(Boolean)).toHaveLength(1);
        }
      });

      it('of somebody who is removed are withdrawn with them, those of others are not', async () => {
        await setRole(anna, ben.account, 'admin');
        const token = await vault.invitation(await vault.proved(ben), 'viewer');
        await vault.invitation(ben, 'guest');
        const other = await vault.invitation(await vault.proved(anna), 'guest');
        expect((await list(anna)).items).toHaveLength(3);
        expect(await remove(anna, ben.account)).toMatchObject({ status: 200 });
        expect((await list(anna)).items).toMatchObject([{ invitedBy: anna.account }]);
        expect(vault.events.at(-1)).toMatchObject({ type: 'member.removed', details: { invitations: 2 } });
        await expect(vault.join(token, 'viewer@example.org')).rejects.toThrow('invalid-invitation');
        await vault.join(other, 'guest@example.org');
      });

      it.each([
        ['admin', ['guest', 'admin'], 1],
        ['member', [], 3],
        ['viewer', [], 3],
      ] as const)('of somebody who becomes %s go as far as that role could not make them', async (role, left, gone) => {
        await setRole(anna, ben.account, 'owner');
        await vault.proved(ben);
        const tokens = new Map<string, string>();
        for (const one of ['owner', 'admin', 'guest'] as const) tokens.set(one, await vault.invitation(ben, one));
        const others = await vault.invitation(await vault.proved(anna), 'owner');
        expect((await list(anna)).items).toHaveLength(4);
        await setRole(anna, ben.account, role);
        expect(vault.events.at(-1)).toMatchObject({
          type: 'member.role-changed',
          details: { role, before: 'owner', invitations: gone },
        });
        expect((await list(anna)).items.map((open) => open.role)).toEqual(['owner', ...left]);
        // The role comes back, what was withdrawn does not.
        await setRole(anna, ben.account, 'owner');
        for (const [one, token] of tokens) {
          const joining = vault.join(token, `${one}@example.org`);
          await (left.some((kept) => kept === one)
            ? expect(joining).resolves.toBeDefined()
            : expect(joining).rejects.toThrow('invalid-invitation'));
        }
        await vault.join(others, 'other@example.org');
      });

      for (const [name, change] of [
        ['a removal', (of: Uuid) => sql`delete from role_assignments where account_id = ${of}`],
        ['a lesser role', (of: Uuid) => sql`update role_assignments set role = 'member' where account_id = ${of}`],
      ] as const)
        onlyOn('PostgreSQL', engine)(`are not made behind the back of ${name} that is under way`, async () => {
          await setRole(anna, ben.account, 'admin');
          await vault.proved(ben);
          const begun = Promise.withResolvers<void>();
          const changing = database.transaction(asSystem, async (transaction) => {
            await change(ben.account).execute(transaction);
            begun.resolve();
            await someoneWaits(transaction);
          });
          await begun.promise;
          const inviting = vault.send('POST /v1/invitations', { body: { role: 'guest' }, headers: bearer(ben.token) });
          await changing;
          expect(await inviting).toMatchObject({ status: 403, body: { code: 'authentication.role-too-high' } });
          expect((await list(anna)).items).toEqual([]);
        });

      it('are for those who may invite', async () => {
        await vault.invitation(await vault.proved(anna), 'viewer');
        const [open] = (await list(anna)).items;
        expect(await status(ben, 'GET /v1/invitations')).toBe(403);
        expect((await withdraw(ben, open!.id)).status).toBe(403);
      });
    });
  });
}
