/** A pipeline with two routes that tell what reached them. Not published. */
import { anonymous, systemClock } from '@strongroom/kernel';
import {
  createPipeline,
  defineRoutes,
  notAudited,
  publicRoute,
  type LimitPolicy,
  type Pipeline,
  type Ports,
} from '@strongroom/pipeline';
import type { Database } from '@strongroom/storage';
import { z } from 'zod';

const defineRoute = defineRoutes<object>();
const limit: LimitPolicy = { name: 'all', burst: 10, rate: 10, periodSeconds: 1, store: 'process', by: 'address' };

const shared = {
  access: publicRoute('a test'),
  assurance: 'none',
  limit: [limit],
  audit: notAudited('a test'),
  stateless: true,
} as const;

export const BODY_LIMIT = 1000;

const echo = defineRoute({
  ...shared,
  method: 'POST',
  path: '/v1/echo/{name}',
  summary: 'Says what came in',
  input: {
    path: z.strictObject({ name: z.string() }),
    query: z.strictObject({ mood: z.string().optional() }),
    body: z.strictObject({ text: z.string() }),
  },
  output: z.strictObject({
    name: z.string(),
    mood: z.string().nullable(),
    text: z.string(),
    address: z.string().nullable(),
  }),
  bodyLimit: BODY_LIMIT,
  handler: async ({ path, query, body, context }) => ({
    body: { name: path.name, mood: query.mood ?? null, text: body.text, address: context.addressPrefix },
  }),
});

const read = defineRoute({
  ...shared,
  method: 'GET',
  path: '/v1/things/{thing}',
  summary: 'Reads',
  input: { path: z.strictObject({ thing: z.string() }) },
  output: z.strictObject({ thing: z.string() }),
  handler: async ({ path }) => ({ body: { thing: path.thing }, headers: { 'set-cookie': ['a=1', 'b=2'] } }),
});

const bytes = defineRoute({
  ...shared,
  method: 'GET',
  path: '/v1/bytes',
  summary: 'Bytes',
  input: {},
  output: z.instanceof(Uint8Array),
  handler: async () => ({ body: new Uint8Array([0, 255, 10]) }),
});

const remove = defineRoute({
  ...shared,
  method: 'DELETE',
  path: '/v1/things/{thing}',
  summary: 'Removes',
  input: { path: z.strictObject({ thing: z.string() }) },
  output: z.null(),
  handler: async () => ({ body: null }),
});

const waiting = defineRoute({
  ...shared,
  method: 'GET',
  path: '/v1/wait',
  summary: 'Answers when the client has left',
  input: {},
  output: z.null(),
  handler: async ({ signal }) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    return { body: null };
  },
});

export interface Fixture {
  readonly pipeline: Pipeline<never>;
  readonly log: { status: number; code?: string }[];
  readonly failures: unknown[];
}

export function makeFixture(database: Database): Fixture {
  const log: Fixture['log'] = [];
  const failures: unknown[] = [];
  const ports: Ports = {
    sessions: { identify: async () => ({ actor: anonymous, assurance: 'none', credential: 'none' }) },
    authorizer: { allows: async () => false },
    limiter: { take: async (policy) => ({ allowed: true, limit: policy.burst, remaining: 1, retryAfter: 0 }) },
    audit: { append: async () => undefined, committed: () => undefined },
    log: {
      request: ({ status, code }) => void log.push({ status, ...(code === undefined ? {} : { code }) }),
      failure: (_requestId, _route, error) => void failures.push(error),
    },
  };
  const pipeline = createPipeline<object>({
    routes: [echo, read, bytes, remove, waiting],
    manifests: [],
    ports,
    services: {},
    database,
    clock: systemClock,
  });
  return { pipeline, log, failures };
}
