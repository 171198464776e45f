/** Who is let in: identity, permission, limits and where a request comes from. */
import { newUuid, type Uuid } from '@strongroom/kernel';
import { databases } from '@strongroom/testing/databases';
import { describe, expect, it } from 'vitest';
import type { Route } from './route.ts';
import type { Services } from './pipeline.fixture.ts';
import { BEARER, makeThing, operators, readSpace, sensitive, served, signIn, writeSpace } from './things.fixture.ts';

for (const engine of databases())
  describe.skipIf(!engine.available)(engine.name, () => {
    const house = served(engine);
    const { ask, make } = house;

    describe('who may call', () => {
      it('asks strangers to sign in, before reading their body, and does not let them fill the audit log', async () => {
        const response = await ask(makeThing, { bytes: new TextEncoder().encode('not even json') });
        expect(response).toMatchObject({ status: 401, json: { code: 'pipeline.unauthenticated' } });
        expect(response.headers['www-authenticate']).toBe('Bearer realm="strongroom"');
        expect((await make('x', { headers: { authorization: 'Bearer wrong' } })).status).toBe(401);
        expect(await house.world.auditRows()).toEqual([]);
      });

      it('does not look at credentials of public routes', async () => {
        expect((await ask(signIn, { json: { name: 'right' }, headers: { cookie: 'session=stale' } })).status).toBe(204);
      });

      it('answers 403 where the tenant is known', async () => {
        house.world.allowed.delete('thing.write');
        expect(await make('lamp')).toMatchObject({ status: 403, json: { code: 'pipeline.forbidden' } });
        expect(await house.world.auditRows()).toMatchObject([{ outcome: 'denied' }]);
        expect(await house.world.titles()).toEqual([]);
      });

      it('answers 404 for a space that one may not know, 403 for one that one may read, alike for malformed and unknown ids', async () => {
        const space: Uuid = newUuid();
        const at = (route: Route<Services>, id: string) => ask(route, { headers: BEARER, parameters: { space: id } });
        const unknown = await at(writeSpace, space);
        const malformed = await at(writeSpace, 'x');
        const { requestId: _one, ...first } = unknown.json;
        const { requestId: _two, ...second } = malformed.json;
        expect(first).toEqual(second);
        expect(first).toMatchObject({ status: 404, code: 'pipeline.not-found' });
        house.world.allowed.add(`thing.read ${space}`);
        expect((await at(writeSpace, space)).status).toBe(403);
        expect((await at(readSpace, space)).json).toEqual({ space });
        house.world.allowed.add(`thing.write ${space}`);
        expect((await at(writeSpace, space)).status).toBe(204);
        expect((await house.world.auditRows()).map(({ outcome }) => outcome)).toEqual([
          'denied',
          'denied',
          'denied',
          'success',
        ]);
      });

      it('asks for the password again and says so in a way a client can act on', async () => {
        const response = await ask(sensitive, { headers: BEARER });
        expect(response).toMatchObject({
          status: 401,
          json: { code: 'pipeline.reauthentication-required', requiredAssurance: 'reauthenticated' },
        });
        expect(response.headers['www-authenticate']).toContain('insufficient_user_authentication');
        expect((await ask(sensitive, { headers: { authorization: 'Bearer alice-again' } })).status).toBe(204);
      });

      it('serves operators, and hides their routes from everybody else', async () => {
        expect((await ask(operators, { headers: { authorization: 'Bearer operator' } })).json).toEqual({ things: 0 });
        for (const headers of [{}, BEARER, { authorization: 'Bearer wrong' }]) {
          expect((await ask(operators, { headers })).json).toMatchObject({ status: 404, code: 'pipeline.not-found' });
        }
        expect(house.pipeline.notFound({ method: 'POST', path: '/v1/operator/things', secure: true }).status).toBe(404);
      });
    });

    describe('limits', () => {
      it('refuses before identifying, with the time to wait', async () => {
        house.world.exhausted.add('network');
        const response = await make('lamp', { headers: { authorization: 'Bearer wrong' } });
        expect(response).toMatchObject({
          status: 429,
          json: { code: 'pipeline.limited', 'violated-policies': ['network'] },
        });
        expect(response.headers).toMatchObject({ 'retry-after': '7', ratelimit: '"network";r=0;t=7' });
      });

      it('does not record refusals by a limit: a flood must not fill the log', async () => {
        house.world.exhausted.add('account');
        expect((await make('lamp')).status).toBe(429);
        expect(await house.world.auditRows()).toEqual([]);
      });

      it('counts by input, and shows that count only when it refuses', async () => {
        const allowed = await ask(signIn, { json: { name: 'carol' } });
        expect(house.world.taken).toContain('sign-in carol');
        expect(allowed.headers['ratelimit']).not.toContain('sign-in');
        house.world.exhausted.add('sign-in');
        const refused = await ask(signIn, { json: { name: 'carol' } });
        expect(refused.status).toBe(429);
        expect(refused.headers['ratelimit']).toContain('"sign-in";r=0;t=7');
      });
    });

    describe('cross-site requests', () => {
      const cookie = { cookie: 'session=alice' };

      it('are refused when a cookie came with them, and recorded', async () => {
        const response = await make('lamp', { headers: { ...cookie, 'sec-fetch-site': 'cross-site' } });
        expect(response).toMatchObject({ status: 403, json: { code: 'pipeline.cross-site' } });
        expect(await house.world.auditRows()).toMatchObject([{ outcome: 'denied', reason: 'pipeline.cross-site' }]);
        expect((await make('lamp', { headers: cookie })).status).toBe(403);
      });

      it('are no matter of bearer tokens, of our own pages and of reading', async () => {
        expect((await make('a', { headers: { ...BEARER, 'sec-fetch-site': 'cross-site' } })).status).toBe(201);
        expect((await make('b', { headers: { ...cookie, 'sec-fetch-site': 'same-origin' } })).status).toBe(201);
        expect((await make('c', { headers: { ...cookie, origin: 'https://vault.example' } })).status).toBe(201);
        const space = newUuid();
        house.world.allowed.add(`thing.read ${space}`);
        const reading = { headers: { ...cookie, 'sec-fetch-site': 'cross-site' }, parameters: { space } };
        expect((await ask(readSpace, reading)).status).toBe(200);
      });
    });
  });
