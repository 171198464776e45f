import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { DeclaredRoute } from './check-routes.ts';
import { openapi } from './openapi.ts';
import { healthRoute, perAccount, perAddress, uuidSchema } from './pipeline.fixture.ts';
import { audited, inSpace, notAudited, operatorOnly, publicRoute } from './route.ts';
import { routeInventory } from './route-inventory.ts';

const routes: DeclaredRoute[] = [
  {
    method: 'PUT',
    path: '/v1/spaces/{space}/things/{thing}',
    summary: 'Write a thing',
    input: {
      path: z.strictObject({ space: uuidSchema, thing: uuidSchema }),
      query: z.strictObject({ dry: z.enum(['yes', 'no']).default('no'), note: z.string().optional() }),
      body: z.strictObject({
        title: z
          .string()
          .max(10)
          .transform((title) => title.length),
        tags: z.array(z.string()).optional(),
      }),
    },
    output: z.strictObject({ version: z.int(), at: z.iso.datetime({ precision: 3 }), next: z.string().nullable() }),
    access: inSpace('thing.write'),
    assurance: 'reauthenticated',
    limit: [perAddress, perAccount],
    audit: audited('thing.made'),
  },
  {
    method: 'DELETE',
    path: '/v1/spaces/{space}/things/{thing}',
    summary: 'Remove a thing',
    input: { path: z.strictObject({ space: uuidSchema, thing: uuidSchema }) },
    output: z.null(),
    access: inSpace('thing.write'),
    assurance: 'session',
    limit: [perAddress],
    audit: audited('thing.made'),
  },
  healthRoute,
  {
    method: 'GET',
    path: '/v1/tiles/{tile}',
    summary: 'A tile',
    input: { path: z.strictObject({ tile: z.string() }) },
    output: z.instanceof(Uint8Array),
    access: publicRoute('a proof is for everyone'),
    assurance: 'none',
    limit: [perAddress],
    audit: notAudited('tells nothing'),
  },
  {
    method: 'GET',
    path: '/v1/operator/state',
    summary: 'State',
    input: {},
    output: z.strictObject({}),
    access: operatorOnly,
    assurance: 'session',
    limit: [perAddress],
    audit: notAudited('the operator is on this machine'),
  },
];

const document = openapi(routes, { title: 'Test', version: '1.0.0', cookieName: '__Host-session' });
const text = JSON.stringify(document);
const parsed = (json: string): Record<string, unknown> => JSON.parse(json) as Record<string, unknown>;
const operation = (path: string, method: string): unknown => (document as never)['paths'][path][method];

describe('openapi', () => {
  it('is valid OpenAPI 3.1, and the validator would notice if it were not', async () => {
    expect(await new Validator().validate(parsed(text))).toMatchObject({ valid: true });
    const broken = parsed(text.replace('"in":"path"', '"in":"thin air"'));
    expect((await new Validator().validate(broken)).valid).toBe(false);
  });

  it('says what the pipeline enforces', () => {
    expect(operation('/v1/spaces/{space}/things/{thing}', 'put')).toMatchObject({
      operationId: 'putV1SpacesSpaceThingsThing',
      tags: ['spaces'],
      parameters: [
        { name: 'space', in: 'path', required: true, schema: { type: 'string' } },
        { name: 'thing', in: 'path', required: true },
        { name: 'dry', in: 'query', required: false, schema: { enum: ['yes', 'no'], default: 'no' } },
        { name: 'note', in: 'query', required: false },
      ],
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: {
              type: 'object',
              additionalProperties: false,
              required: ['title'],
              properties: { title: { type: 'string', maxLength: 10 }, tags: { type: 'array' } },
            },
          },
        },
      },
      responses: { 200: { content: { 'application/json': { schema: { required: ['version', 'at', 'next'] } } } } },
      security: [{ cookie: [] }, { bearer: [] }],
      'x-strongroom-access': 'space',
      'x-strongroom-permission': 'thing.write',
      'x-strongroom-assurance': 'reauthenticated',
      'x-strongroom-limit': [{ name: 'network', by: 'address', burst: 1000 }, { name: 'account' }],
      'x-strongroom-audit': { event: 'thing.made' },
    });
  });

  it('describes empty, textual and binary answers', () => {
    const answers = (path: string, method: string) => (operation(path, method) as { responses: object }).responses;
    expect(answers('/v1/spaces/{space}/things/{thing}', 'delete')).toHaveProperty('204');
    expect(answers('/healthz', 'get')).toMatchObject({ 200: { content: { 'text/plain': {} } } });
    expect(answers('/v1/tiles/{tile}', 'get')).toMatchObject({ 200: { content: { 'application/octet-stream': {} } } });
    expect(answers('/healthz', 'get')).toHaveProperty('4XX');
  });

  it('asks for no credential on public routes and leaves operators’ routes out', () => {
    expect(operation('/healthz', 'get')).toMatchObject({ security: [] });
    expect(text).not.toContain('operator');
    expect(text).not.toContain('$schema');
  });
});

describe('routeInventory', () => {
  it('gives one sorted row per route with what is declared', () => {
    const rows = routeInventory(routes);
    expect(rows.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /healthz',
      'GET /v1/operator/state',
      'DELETE /v1/spaces/{space}/things/{thing}',
      'PUT /v1/spaces/{space}/things/{thing}',
      'GET /v1/tiles/{tile}',
    ]);
    expect(rows[3]).toEqual({
      method: 'PUT',
      path: '/v1/spaces/{space}/things/{thing}',
      summary: 'Write a thing',
      access: 'space',
      permission: 'thing.write',
      publicReason: null,
      assurance: 'reauthenticated',
      limits: [
        'network: 1000 at once, then 60 in 60 s per address (process)',
        'account: 1000 at once, then 60 in 60 s per account (process)',
      ],
      auditEvent: 'thing.made',
      notAuditedReason: null,
      bodyLimit: 65_536,
      stateless: false,
    });
    expect(rows[0]).toMatchObject({
      permission: null,
      publicReason: 'load balancers have no account',
      bodyLimit: null,
      stateless: true,
    });
  });
});
