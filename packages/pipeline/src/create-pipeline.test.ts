import { newUuid } from '@strongroom/kernel';
import { databases } from '@strongroom/testing/databases';
import { describe, expect, it } from 'vitest';
import { alice, makeRequest } from './pipeline.fixture.ts';
import { BEARER, health, makeThing, served, signIn, touchesDatabase } from './things.fixture.ts';

for (const engine of databases())
  describe.skipIf(!engine.available)(engine.name, () => {
    const house = served(engine);
    const { ask, make } = house;

    describe('a request that succeeds', () => {
      it('changes the data, records one event in the same transaction and answers with the declared output', async () => {
        const response = await make('lamp');
        expect(response).toMatchObject({ status: 201, json: { title: 'hello lamp' } });
        expect(await house.world.titles()).toEqual(['lamp']);
        const rows = await house.world.auditRows();
        expect(rows).toHaveLength(1);
        expect(rows[0]).toMatchObject({
          type: 'thing.made',
          outcome: 'success',
          tenant: alice.tenant,
          object: { type: 'thing' },
          details: { length: 4, kind: 'plain' },
          context: { actor: alice, addressPrefix: '203.0.113.0/24', receivedAt: house.world.clock.time },
        });
        expect(house.world.sequencerNudges).toBe(1);
      });

      it('carries protective headers, the request id and the limits', async () => {
        const { headers } = await make('lamp');
        expect(headers).toMatchObject({
          'cache-control': 'no-store',
          'x-content-type-options': 'nosniff',
          'content-type': 'application/json',
          'strict-transport-security': 'max-age=63072000',
          'ratelimit-policy': '"network";q=1000;w=1000, "account";q=1000;w=1000',
          ratelimit: '"network";r=999;t=999, "account";r=999;t=999',
        });
        expect((await house.world.auditRows())[0]!.context.requestId).toBe(headers['x-request-id']);
        expect((await make('lamp', { secure: false })).headers).not.toHaveProperty('strict-transport-security');
      });

      it('takes the limits by network and by account', async () => {
        await make('lamp', { clientAddress: '2001:db8:7:8::9' });
        expect(house.world.taken).toEqual(['network 2001:db8:7::/48', `account ${alice.account}`]);
      });

      it('answers null with 204 and keeps repeated cookies apart', async () => {
        const response = await ask(signIn, { json: { name: 'right' } });
        expect(response).toMatchObject({ status: 204, body: null });
        expect(response.headers['set-cookie']).toEqual(['a=1', 'b=2']);
        expect((await house.world.auditRows())[0]).toMatchObject({
          outcome: 'success',
          context: { actor: alice },
          details: { anonymous: true },
        });
      });

      it('answers text as text, without touching the database when stateless', async () => {
        const response = await ask(health, {});
        expect(response).toMatchObject({
          status: 200,
          body: 'ok',
          headers: { 'content-type': 'text/plain; charset=utf-8' },
        });
        expect((await ask(touchesDatabase, {})).status).toBe(500);
        expect(house.world.failures).toMatchObject([{ code: 'pipeline.no-transaction' }]);
      });
    });

    describe('a client that leaves', () => {
      it('before the transaction has asked for nothing', async () => {
        const response = await make('lamp', { signal: AbortSignal.abort() });
        expect(response.status).toBe(499);
        expect(await house.world.titles()).toEqual([]);
        expect(await house.world.auditRows()).toEqual([]);
      });

      it('after it began gets its change made', async () => {
        const controller = new AbortController();
        const { authorizer } = house.world.ports;
        const leaving = house.withPorts({
          authorizer: {
            allows: (transaction, question) => {
              controller.abort();
              return authorizer.allows(transaction, question);
            },
          },
        });
        const parts = {
          method: 'POST' as const,
          headers: BEARER,
          json: { id: newUuid(), title: 'lamp' },
          signal: controller.signal,
        };
        expect((await leaving.handle(makeThing, makeRequest(parts))).status).toBe(201);
        expect(await house.world.titles()).toEqual(['lamp']);
      });
    });

    describe('addresses without a route', () => {
      it('answers 404, or 405 with the methods that there are', () => {
        expect(house.pipeline.notFound({ method: 'GET', path: '/v1/nothing', secure: true })).toMatchObject({
          status: 404,
        });
        const wrongMethod = house.pipeline.notFound({ method: 'POST', path: `/v1/spaces/${newUuid()}`, secure: true });
        expect(wrongMethod).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD, PUT' } });
      });
    });
  });
