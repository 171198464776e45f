import { newUuid, parseUuid, type Uuid } from '@strongroom/kernel';
import { databases } from '@strongroom/testing/databases';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createPipeline, type Pipeline } from './create-pipeline.ts';
import { PipelineError } from './errors.ts';
import type { PipelineResponse } from './http.ts';
import {
  alice,
  defineRoute,
  insertThing,
  makeRequest,
  manifest,
  makeWorld,
  perAccount,
  perAddress,
  uuidSchema,
  type RequestParts,
  type Services,
  type World,
} from './pipeline.fixture.ts';
import {
  audited,
  inCurrentTenant,
  inSpace,
  notAudited,
  operatorOnly,
  ownAccount,
  publicRoute,
  type Route,
} from './route.ts';

const bodySchema = z.strictObject({ id: uuidSchema, title: z.string().max(20) });

const makeThing = defineRoute({
  method: 'POST',
  path: '/v1/things',
  summary: 'Make a thing',
  input: { body: bodySchema },
  output: z.strictObject({ title: z.string() }),
  access: inCurrentTenant('thing.write'),
  assurance: 'session',
  limit: [perAddress, perAccount],
  audit: audited('thing.made'),
  status: 201,
  handler: async ({ body, transaction, record, services }) => {
    const id = parseUuid(body.id);
    await insertThing(transaction, id, body.title);
    record({ object: { type: 'thing', id }, details: { length: body.title.length } });
    record({ details: { kind: 'plain' } });
    if (body.title === 'forbidden title') throw new PipelineError('pipeline.forbidden');
    if (body.title === 'crash') throw new Error('password=hunter2 leaked in a foreign message');
    if (body.title === 'odd output') return { body: { title: 3 as unknown as string } };
    if (body.title === 'extra output') return { body: { title: 'x', secretColumn: 'canary' } as { title: string } };
    return { body: { title: `${services.greeting} ${body.title}` } };
  },
});

const signIn = defineRoute({
  method: 'POST',
  path: '/v1/sessions',
  summary: 'Sign in',
  input: { body: z.strictObject({ name: z.string() }) },
  output: z.null(),
  access: publicRoute('one signs in before one has a session'),
  assurance: 'none',
  limit: [
    perAddress,
    {
      name: 'sign-in',
      burst: 5,
      rate: 5,
      periodSeconds: 900,
      store: 'durable',
      by: 'input',
      keyOf: ({ body }) => (body as { name: string }).name,
    },
  ],
  audit: audited('door.tried'),
  handler: async ({ body, record, context }) => {
    record({ subjects: [alice.account], tenant: alice.tenant });
    if (body.name === 'wrong') throw new PipelineError('pipeline.unauthenticated');
    record({ actor: alice, details: { anonymous: context.actor.kind === 'anonymous' } });
    return { body: null, headers: { 'set-cookie': ['a=1', 'b=2'] } };
  },
});

const readSpace = defineRoute({
  method: 'GET',
  path: '/v1/spaces/{space}',
  summary: 'Read a space',
  input: { path: z.strictObject({ space: z.string() }), query: z.strictObject({ limit: z.string().optional() }) },
  output: z.strictObject({ space: z.string() }),
  access: inSpace('thing.read'),
  assurance: 'session',
  limit: [perAddress],
  audit: notAudited('reading is not recorded'),
  handler: async ({ path }) => ({ body: { space: path.space } }),
});

const writeSpace = defineRoute({
  method: 'PUT',
  path: '/v1/spaces/{space}',
  summary: 'Write a space',
  input: { path: z.strictObject({ space: z.string() }) },
  output: z.null(),
  access: inSpace('thing.write'),
  assurance: 'session',
  limit: [perAddress],
  audit: audited('thing.made'),
  handler: async () => ({ body: null }),
});

const sensitive = defineRoute({
  method: 'DELETE',
  path: '/v1/account',
  summary: 'Delete oneself',
  input: {},
  output: z.null(),
  access: ownAccount('account.read'),
  assurance: 'reauthenticated',
  limit: [perAddress],
  audit: audited('thing.made'),
  handler: async ({ account }) => {
    expect(account()).toEqual(alice);
    return { body: null };
  },
});

const health = defineRoute({
  method: 'GET',
  path: '/healthz',
  summary: 'Alive',
  input: {},
  output: z.string(),
  access: publicRoute('load balancers have no account'),
  assurance: 'none',
  limit: [perAddress],
  audit: notAudited('says nothing about anybody'),
  stateless: true,
  handler: async (call) => ({ body: 'account' in call && call.context.actor.kind === 'anonymous' ? 'ok' : 'no' }),
});

const touchesDatabase = defineRoute({
  ...health,
  path: '/stateless-but-touches',
  input: {},
  output: z.string(),
  handler: async ({ transaction }) => ({ body: transaction.isTransaction ? 'yes' : 'no' }),
});

const operators = defineRoute({
  method: 'GET',
  path: '/v1/operator/things',
  summary: 'Count things',
  input: {},
  output: z.strictObject({ things: z.int() }),
  access: operatorOnly,
  assurance: 'session',
  limit: [perAccount],
  audit: notAudited('the operator is on this machine'),
  handler: async () => ({ body: { things: 0 } }),
});

const routes = [makeThing, signIn, readSpace, writeSpace, sensitive, health, touchesDatabase, operators];

for (const engine of databases())
  describe.skipIf(!engine.available)(engine.name, () => {
    let world: World;
    let pipeline: Pipeline<Services>;

    beforeAll(async () => {
      world = makeWorld(await engine.open([manifest]));
      const { ports, database, clock } = world;
      pipeline = createPipeline<Services>({
        routes,
        manifests: [manifest],
        ports,
        services: { greeting: 'hello' },
        database,
        clock,
      });
    });
    beforeEach(async () => world.reset());

    const BEARER = { authorization: 'Bearer alice' };

    async function ask(
      route: Route<Services>,
      parts: RequestParts,
    ): Promise<PipelineResponse & { json: Record<string, unknown> }> {
      const response = await pipeline.handle(route, makeRequest({ method: route.method, path: route.path, ...parts }));
      const isJson = String(response.headers['content-type']).includes('json');
      return { ...response, json: isJson ? (JSON.parse(String(response.body)) as Record<string, unknown>) : {} };
    }

    const make = (title: string, parts: RequestParts = {}) =>
      ask(makeThing, { json: { id: newUuid(), title }, headers: BEARER, ...parts });

    describe('a request that succeeds', () => {
      it('changes the data, records one event in the same transaction and answers with the declared output', async () => {
        const response = await make('lamp');
        expect(response).toMatchObject({ status: 201, json: { title: 'hello lamp' } });
        expect(await world.titles()).toEqual(['lamp']);
        const rows = await world.auditRows();
        expect(rows).toHaveLength(1);
        expect(rows[0]).toMatchObject({
          type: 'thing.made',
          outcome: 'success',
          tenant: alice.tenant,
          object: { type: 'thing' },
          details: { length: 4, kind: 'plain' },
          context: { actor: alice, addressPrefix: '203.0.113.0/24', receivedAt: world.clock.time },
        });
        expect(world.sequencerNudges).toBe(1);
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
        expect((await world.auditRows())[0]!.context.requestId).toBe(headers['x-request-id']);
        expect((await make('lamp', { secure: false })).headers).not.toHaveProperty('strict-transport-security');
      });

      it('takes the limits by network and by account', async () => {
        await make('lamp', { clientAddress: '2001:db8:7:8::9' });
        expect(world.taken).toEqual(['network 2001:db8:7::/48', `account ${alice.account}`]);
      });

      it('answers null with 204 and keeps repeated cookies apart', async () => {
        const response = await ask(signIn, { json: { name: 'right' } });
        expect(response).toMatchObject({ status: 204, body: null });
        expect(response.headers['set-cookie']).toEqual(['a=1', 'b=2']);
        expect((await world.auditRows())[0]).toMatchObject({
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
        expect(world.failures).toMatchObject([{ code: 'pipeline.no-transaction' }]);
      });
    });

    describe('a request that fails', () => {
      it('rolls everything back and records the refusal by itself', async () => {
        const response = await make('forbidden title');
        expect(response).toMatchObject({
          status: 403,
          json: { code: 'pipeline.forbidden', requestId: response.headers['x-request-id'] },
        });
        expect(response.headers['content-type']).toBe('application/problem+json');
        expect(await world.titles()).toEqual([]);
        expect(await world.auditRows()).toMatchObject([
          { outcome: 'denied', reason: 'pipeline.forbidden', object: { type: 'thing' } },
        ]);
      });

      it('says nothing of what an unexpected error says', async () => {
        const response = await make('crash');
        expect(response).toMatchObject({ status: 500, json: { code: 'pipeline.internal' } });
        expect(response.body).not.toContain('hunter2');
        expect(await world.titles()).toEqual([]);
        expect(JSON.stringify(await world.auditRows())).not.toContain('hunter2');
        expect(await world.auditRows()).toMatchObject([{ outcome: 'failure', reason: 'pipeline.internal' }]);
        expect(world.failures).toHaveLength(1);
      });

      it('withholds an output that is not as declared, and logs the place only', async () => {
        for (const title of ['odd output', 'extra output']) {
          const response = await make(title);
          expect(response).toMatchObject({ status: 500, json: { code: 'pipeline.internal' } });
          expect(response.body).not.toContain('canary');
        }
        expect(world.failures.map(String)).toEqual([
          expect.stringContaining('output.title'),
          expect.stringContaining('output'),
        ]);
        expect(world.failures.map(String).join()).not.toContain('canary');
        // The change itself was made and recorded before its answer turned out wrong.
        expect((await world.auditRows()).map(({ outcome }) => outcome)).toEqual(['success', 'success']);
      });

      it('undoes the change when it cannot be recorded, and refuses to answer otherwise when that cannot be recorded either', async () => {
        world.brokenAudit.add('success');
        expect((await make('lamp')).status).toBe(500);
        expect(await world.titles()).toEqual([]);
        expect(await world.auditRows()).toMatchObject([{ outcome: 'failure' }]);
        world.brokenAudit.add('failure').add('denied');
        expect(await make('lamp')).toMatchObject({ status: 503, json: { code: 'pipeline.unavailable' } });
        expect(await make('forbidden title')).toMatchObject({ status: 503 });
        expect(await world.titles()).toEqual([]);
      });

      it('records a failed sign-in with what the handler found out', async () => {
        expect((await ask(signIn, { json: { name: 'wrong' } })).status).toBe(401);
        expect(await world.auditRows()).toMatchObject([
          { outcome: 'denied', reason: 'pipeline.unauthenticated', tenant: alice.tenant, subjects: [alice.account] },
        ]);
      });

      it('never throws, whatever a port does', async () => {
        const { database, clock, ports } = world;
        const broken = createPipeline<Services>({
          routes,
          manifests: [manifest],
          services: { greeting: '' },
          database,
          clock,
          ports: {
            ...ports,
            limiter: { take: async () => Promise.reject(new Error('limiter is down')) },
            log: {
              request: () => {
                throw new Error('log is down');
              },
              failure: () => {
                throw new Error('log is down');
              },
            },
          },
        });
        expect((await broken.handle(health, makeRequest({}))).status).toBe(500);
        const stranger = { ...health, path: '/other' };
        expect((await broken.handle(stranger, makeRequest({}))).status).toBe(500);
      });

      it('logs one line per request, with the template and not the address', async () => {
        await ask(readSpace, { headers: BEARER, parameters: { space: newUuid() } });
        expect(world.log).toEqual([{ route: '/v1/spaces/{space}', status: 404, code: 'pipeline.not-found' }]);
      });
    });

    describe('who may call', () => {
      it('asks strangers to sign in, before reading their body, and does not let them fill the audit log', async () => {
        const response = await ask(makeThing, { bytes: new TextEncoder().encode('not even json') });
        expect(response).toMatchObject({ status: 401, json: { code: 'pipeline.unauthenticated' } });
        expect(response.headers['www-authenticate']).toBe('Bearer realm="strongroom"');
        expect((await make('x', { headers: { authorization: 'Bearer wrong' } })).status).toBe(401);
        expect(await world.auditRows()).toEqual([]);
      });

      it('does not look at credentials of public routes', async () => {
        expect((await ask(signIn, { json: { name: 'right' }, headers: { cookie: 'session=stale' } })).status).toBe(204);
      });

      it('answers 403 where the tenant is known', async () => {
        world.allowed.delete('thing.write');
        expect(await make('lamp')).toMatchObject({ status: 403, json: { code: 'pipeline.forbidden' } });
        expect(await world.auditRows()).toMatchObject([{ outcome: 'denied' }]);
        expect(await world.titles()).toEqual([]);
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
        world.allowed.add(`thing.read ${space}`);
        expect((await at(writeSpace, space)).status).toBe(403);
        expect((await at(readSpace, space)).json).toEqual({ space });
        world.allowed.add(`thing.write ${space}`);
        expect((await at(writeSpace, space)).status).toBe(204);
        expect((await world.auditRows()).map(({ outcome }) => outcome)).toEqual([
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
        expect(pipeline.notFound({ method: 'POST', path: '/v1/operator/things', secure: true }).status).toBe(404);
      });
    });

    describe('limits', () => {
      it('refuses before identifying, with the time to wait', async () => {
        world.exhausted.add('network');
        const response = await make('lamp', { headers: { authorization: 'Bearer wrong' } });
        expect(response).toMatchObject({
          status: 429,
          json: { code: 'pipeline.limited', 'violated-policies': ['network'] },
        });
        expect(response.headers).toMatchObject({ 'retry-after': '7', ratelimit: '"network";r=0;t=7' });
      });

      it('does not record refusals by a limit: a flood must not fill the log', async () => {
        world.exhausted.add('account');
        expect((await make('lamp')).status).toBe(429);
        expect(await world.auditRows()).toEqual([]);
      });

      it('counts by input, and shows that count only when it refuses', async () => {
        const allowed = await ask(signIn, { json: { name: 'carol' } });
        expect(world.taken).toContain('sign-in carol');
        expect(allowed.headers['ratelimit']).not.toContain('sign-in');
        world.exhausted.add('sign-in');
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
        expect(await world.auditRows()).toMatchObject([{ outcome: 'denied', reason: 'pipeline.cross-site' }]);
        expect((await make('lamp', { headers: cookie })).status).toBe(403);
      });

      it('are no matter of bearer tokens, of our own pages and of reading', async () => {
        expect((await make('a', { headers: { ...BEARER, 'sec-fetch-site': 'cross-site' } })).status).toBe(201);
        expect((await make('b', { headers: { ...cookie, 'sec-fetch-site': 'same-origin' } })).status).toBe(201);
        expect((await make('c', { headers: { ...cookie, origin: 'https://vault.example' } })).status).toBe(201);
        const space = newUuid();
        world.allowed.add(`thing.read ${space}`);
        const reading = { headers: { ...cookie, 'sec-fetch-site': 'cross-site' }, parameters: { space } };
        expect((await ask(readSpace, reading)).status).toBe(200);
      });
    });

    describe('a client that leaves', () => {
      it('before the transaction has asked for nothing', async () => {
        const response = await make('lamp', { signal: AbortSignal.abort() });
        expect(response.status).toBe(499);
        expect(await world.titles()).toEqual([]);
        expect(await world.auditRows()).toEqual([]);
      });

      it('after it began gets its change made', async () => {
        const controller = new AbortController();
        const { authorizer } = world.ports;
        const { database, clock, ports } = world;
        const leaving = createPipeline<Services>({
          routes,
          manifests: [manifest],
          services: { greeting: '' },
          database,
          clock,
          ports: {
            ...ports,
            authorizer: {
              allows: (transaction, question) => {
                controller.abort();
                return authorizer.allows(transaction, question);
              },
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
        expect(await world.titles()).toEqual(['lamp']);
      });
    });

    describe('addresses without a route', () => {
      it('answers 404, or 405 with the methods that there are', () => {
        expect(pipeline.notFound({ method: 'GET', path: '/v1/nothing', secure: true })).toMatchObject({ status: 404 });
        const wrongMethod = pipeline.notFound({ method: 'POST', path: `/v1/spaces/${newUuid()}`, secure: true });
        expect(wrongMethod).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD, PUT' } });
      });
    });
  });
