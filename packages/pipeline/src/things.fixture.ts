/** Routes of every kind around one table, and a pipeline that serves them to a world of its own. */
import { newUuid, parseUuid } from '@strongroom/kernel';
import type { TestEngine } from '@strongroom/testing/databases';
import { beforeAll, beforeEach, expect } from 'vitest';
import { z } from 'zod';
import { createPipeline, type Pipeline } from './create-pipeline.ts';
import { PipelineError } from './errors.ts';
import type { PipelineResponse } from './http.ts';
import {
  alice,
  defineRoute,
  healthRoute,
  insertThing,
  makeRequest,
  makeWorld,
  manifest,
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

export const makeThing = defineRoute({
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

export const signIn = defineRoute({
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

export const readSpace = defineRoute({
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

export const writeSpace = defineRoute({
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

export const sensitive = defineRoute({
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

export const health = defineRoute({
  ...healthRoute,
  input: {},
  output: z.string(),
  handler: async (call) => ({ body: 'account' in call && call.context.actor.kind === 'anonymous' ? 'ok' : 'no' }),
});

export const touchesDatabase = defineRoute({
  ...health,
  path: '/stateless-but-touches',
  input: {},
  output: z.string(),
  handler: async ({ transaction }) => ({ body: transaction.isTransaction ? 'yes' : 'no' }),
});

export const operators = defineRoute({
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

export const BEARER = { authorization: 'Bearer alice' };

export interface Served {
  readonly world: World;
  readonly pipeline: Pipeline<Services>;
  /** The same, but for some of the ports. */
  readonly withPorts: (changes: Partial<World['ports']>) => Pipeline<Services>;
  readonly ask: (
    route: Route<Services>,
    parts: RequestParts,
  ) => Promise<PipelineResponse & { json: Record<string, unknown> }>;
  /** As Alice. */
  readonly make: (title: string, parts?: RequestParts) => ReturnType<Served['ask']>;
}

/** Call it in a `describe`: the world is there when its tests run, and as new for each of them. */
export function served(engine: TestEngine): Served {
  let world: World;
  let pipeline: Pipeline<Services>;

  const withPorts = (changes: Partial<World['ports']>): Pipeline<Services> => {
    const { ports, database, clock } = world;
    const services = { greeting: 'hello' };
    return createPipeline<Services>({
      routes,
      manifests: [manifest],
      ports: { ...ports, ...changes },
      services,
      database,
      clock,
    });
  };
  beforeAll(async () => {
    world = makeWorld(await engine.open([manifest]));
    pipeline = withPorts({});
  });
  beforeEach(async () => world.reset());

  async function ask(route: Route<Services>, parts: RequestParts): ReturnType<Served['ask']> {
    const response = await pipeline.handle(route, makeRequest({ method: route.method, path: route.path, ...parts }));
    const isJson = String(response.headers['content-type']).includes('json');
    return { ...response, json: isJson ? (JSON.parse(String(response.body)) as Record<string, unknown>) : {} };
  }
  return {
    get world() {
      return world;
    },
    get pipeline() {
      return pipeline;
    },
    withPorts,
    ask,
    make: (title, parts = {}) => ask(makeThing, { json: { id: newUuid(), title }, headers: BEARER, ...parts }),
  };
}
