import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { checkRoutes, type DeclaredRoute } from './check-routes.ts';
import { healthRoute, manifest, perAccount, perAddress, uuidSchema } from './pipeline.fixture.ts';
import { audited, inCurrentTenant, inSpace, notAudited, operatorOnly, ownAccount, publicRoute } from './route.ts';

const good: DeclaredRoute = {
  method: 'POST',
  path: '/v1/spaces/{space}/things',
  summary: 'Make a thing',
  input: { path: z.strictObject({ space: uuidSchema }), body: z.strictObject({ title: z.string() }) },
  output: z.strictObject({ id: z.string() }),
  access: inSpace('thing.write'),
  assurance: 'session',
  limit: [perAddress, perAccount],
  audit: audited('thing.made'),
};

const open: DeclaredRoute = healthRoute;

const check = (...routes: DeclaredRoute[]): string => {
  try {
    checkRoutes(routes, [manifest]);
    return '';
  } catch (error) {
    return String(error);
  }
};

const limit = (change: object) => ({
  ...good,
  limit: [{ ...perAddress, ...change }] as unknown as DeclaredRoute['limit'],
});
const body = (schema: z.ZodType) => ({ ...good, input: { ...good.input, body: schema } });

describe('checkRoutes', () => {
  it('has nothing against good routes', () => {
    expect(check(good, open, { ...open, path: '/' })).toBe('');
    expect(check({ ...good, method: 'PUT' }, good)).toBe('');
    expect(
      check(
        body(
          z.discriminatedUnion('kind', [
            z.strictObject({ kind: z.literal('a') }),
            z.strictObject({ kind: z.literal('b') }),
          ]),
        ),
      ),
    ).toBe('');
    expect(check({ ...good, access: operatorOnly })).toBe('');
    expect(check({ ...good, access: ownAccount('account.read') })).toBe('');
  });

  it.each<[string, DeclaredRoute[], string]>([
    ['the same route twice', [good, good], 'same method and path'],
    [
      'the same route with another parameter name',
      [
        good,
        {
          ...good,
          path: '/v1/spaces/{room}/things',
          input: { ...good.input, path: z.strictObject({ room: uuidSchema }) },
          access: inSpace('thing.write', 'room'),
        },
      ],
      'same method and path',
    ],
    ['a path that is no template', [{ ...good, path: 'v1/things' }], 'not a template'],
    ['a trailing slash', [{ ...good, path: '/v1/things/', input: {} }], 'not a template'],
    ['half a parameter', [{ ...good, path: '/v1/x{space}' }], 'not a template'],
    ['an unknown permission', [{ ...good, access: inCurrentTenant('thing.eat') }], '"thing.eat" is in no manifest'],
    ['an unknown event', [{ ...good, audit: audited('thing.eaten') }], '"thing.eaten" is in no manifest'],
    [
      'a space that is not in the path',
      [{ ...good, access: inSpace('thing.write', 'room') }],
      '{room}, which is not in the path',
    ],
    ['a parameter without schema', [{ ...good, input: { body: good.input.body! } }], '{space} has no schema'],
    ['a schema without parameter', [{ ...open, input: { path: z.strictObject({ x: z.string() }) } }], 'names "x"'],
    ['a parameter twice', [{ ...good, path: '/v1/{space}/{space}' }], 'appears twice'],
    ['a body on GET', [{ ...open, input: { body: good.input.body! } }], 'GET takes no body'],
    ['a body on DELETE', [{ ...good, method: 'DELETE' }], 'DELETE takes no body'],
    [
      'a stateless route with a caller',
      [{ ...good, audit: notAudited('x'), stateless: true }],
      'only a public or an operator route can be stateless',
    ],
    [
      'a stateless route that is audited',
      [{ ...open, audit: audited('thing.made') }],
      'audited route cannot be stateless',
    ],
    [
      'a stateless route with a durable limit',
      [{ ...open, limit: [{ ...perAddress, store: 'durable' }] }],
      'durable, but the route is stateless',
    ],
    ['a public route with assurance', [{ ...open, assurance: 'session' }], 'cannot ask for assurance'],
    ['a public route without a reason', [{ ...open, access: publicRoute('  ') }], 'must say why it is public'],
    [
      'a public route that strangers may call without end',
      [{ ...open, stateless: undefined as never, limit: [{ ...perAddress, by: 'input', keyOf: () => '' }] }],
      'needs a limit by address',
    ],
    ['a public route that counts accounts', [{ ...open, limit: [perAccount] }], 'does not know'],
    ['a private route without assurance', [{ ...good, assurance: 'none' }], 'assurance of a session'],
    [
      'an operators’ route without assurance',
      [{ ...good, access: operatorOnly, assurance: 'none' }],
      'assurance of a session',
    ],
    ['a loose body', [body(z.object({ title: z.string() }))], 'body takes unknown fields'],
    [
      'a loose object deep inside',
      [
        body(
          z.strictObject({
            list: z.array(z.union([z.string(), z.strictObject({ deep: z.looseObject({}).optional() })])),
          }),
        ),
      ],
      'body.list[].deep takes unknown fields',
    ],
    [
      'a loose object behind a transformation',
      [body(z.strictObject({ when: z.object({ at: z.string() }).transform(({ at }) => at) }))],
      'body.when takes unknown fields',
    ],
    ['a body that is a list', [body(z.array(z.string()))], 'not an object schema'],
    [
      'a query that is a record',
      [{ ...good, input: { ...good.input, query: z.record(z.string(), z.string()) } }],
      'query schema is not an object schema',
    ],
    ['an open output', [{ ...good, output: z.looseObject({}) }], 'lets undeclared fields out'],
    ['no reason for not auditing', [{ ...good, audit: notAudited('') }], 'must say why'],
    ['a limit without period', [limit({ periodSeconds: 0 })], 'period must be positive'],
    ['a limit without rate', [limit({ rate: Number.NaN })], 'rate must be positive'],
    ['a limit with a broken burst', [limit({ burst: 1.5 })], 'burst must be'],
    ['a limit with a name that needs quoting', [limit({ name: 'a"b' })], 'lower-case'],
    [
      'a limit declared twice differently',
      [good, { ...limit({ burst: 1 }), method: 'PUT' }],
      'declared elsewhere with other numbers',
    ],
    [
      'a limit by input without input',
      [{ ...open, stateless: undefined as never, limit: [{ ...perAddress, by: 'input', keyOf: () => '' }] }],
      'the route has none',
    ],
    ['a body limit of nothing', [{ ...good, bodyLimit: 0 }], 'bodyLimit'],
  ])('refuses %s', (_name, routes, message) => {
    expect(check(...routes)).toContain(message);
  });

  it('lists every defect of every route in one error', () => {
    const message = check({ ...good, audit: audited('a') }, { ...open, assurance: 'session', access: publicRoute('') });
    expect(message.split('\n  - ').slice(1)).toEqual([
      'POST /v1/spaces/{space}/things: audit event "a" is in no manifest',
      'GET /healthz: a public route must say why it is public',
      'GET /healthz: a public route cannot ask for assurance',
    ]);
  });
});
