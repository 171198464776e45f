import { newUuid } from '@strongroom/kernel';
import { databases } from '@strongroom/testing/databases';
import { describe, expect, it } from 'vitest';
import { alice, makeRequest } from './pipeline.fixture.ts';
import { BEARER, health, readSpace, served, signIn } from './things.fixture.ts';

for (const engine of databases())
  describe.skipIf(!engine.available)(engine.name, () => {
    const house = served(engine);
    const { ask, make } = house;

    describe('a request that fails', () => {
      it('rolls everything back and records the refusal by itself', async () => {
        const response = await make('forbidden title');
        expect(response).toMatchObject({
          status: 403,
          json: { code: 'pipeline.forbidden', requestId: response.headers['x-request-id'] },
        });
        expect(response.headers['content-type']).toBe('application/problem+json');
        expect(await house.world.titles()).toEqual([]);
        expect(await house.world.auditRows()).toMatchObject([
          { outcome: 'denied', reason: 'pipeline.forbidden', object: { type: 'thing' } },
        ]);
      });

      it('says nothing of what an unexpected error says', async () => {
        const response = await make('crash');
        expect(response).toMatchObject({ status: 500, json: { code: 'pipeline.internal' } });
        expect(response.body).not.toContain('hunter2');
        expect(await house.world.titles()).toEqual([]);
        expect(JSON.stringify(await house.world.auditRows())).not.toContain('hunter2');
        expect(await house.world.auditRows()).toMatchObject([{ outcome: 'failure', reason: 'pipeline.internal' }]);
        expect(house.world.failures).toHaveLength(1);
      });

      it('withholds an output that is not as declared, and logs the place only', async () => {
        for (const title of ['odd output', 'extra output']) {
          const response = await make(title);
          expect(response).toMatchObject({ status: 500, json: { code: 'pipeline.internal' } });
          expect(response.body).not.toContain('canary');
        }
        expect(house.world.failures.map(String)).toEqual([
          expect.stringContaining('output.title'),
          expect.stringContaining('output'),
        ]);
        expect(house.world.failures.map(String).join()).not.toContain('canary');
        // The change itself was made and recorded before its answer turned out wrong.
        expect((await house.world.auditRows()).map(({ outcome }) => outcome)).toEqual(['success', 'success']);
      });

      it('undoes the change when it cannot be recorded, and refuses to answer otherwise when that cannot be recorded either', async () => {
        house.world.brokenAudit.add('success');
        expect((await make('lamp')).status).toBe(500);
        expect(await house.world.titles()).toEqual([]);
        expect(await house.world.auditRows()).toMatchObject([{ outcome: 'failure' }]);
        house.world.brokenAudit.add('failure').add('denied');
        expect(await make('lamp')).toMatchObject({ status: 503, json: { code: 'pipeline.unavailable' } });
        expect(await make('forbidden title')).toMatchObject({ status: 503 });
        expect(await house.world.titles()).toEqual([]);
      });

      it('records a failed sign-in with what the handler found out', async () => {
        expect((await ask(signIn, { json: { name: 'wrong' } })).status).toBe(401);
        expect(await house.world.auditRows()).toMatchObject([
          { outcome: 'denied', reason: 'pipeline.unauthenticated', tenant: alice.tenant, subjects: [alice.account] },
        ]);
      });

      it('never throws, whatever a port does', async () => {
        const broken = house.withPorts({
          limiter: { take: async () => Promise.reject(new Error('limiter is down')) },
          log: {
            request: () => {
              throw new Error('log is down');
            },
            failure: () => {
              throw new Error('log is down');
            },
          },
        });
        expect((await broken.handle(health, makeRequest({}))).status).toBe(500);
        const stranger = { ...health, path: '/other' };
        expect((await broken.handle(stranger, makeRequest({}))).status).toBe(500);
      });

      it('logs one line per request, with the template and not the address', async () => {
        await ask(readSpace, { headers: BEARER, parameters: { space: newUuid() } });
        expect(house.world.log).toEqual([{ route: '/v1/spaces/{space}', status: 404, code: 'pipeline.not-found' }]);
      });
    });
  });
