/**
 * The OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.1), derived from the declarations that the pipeline
 * enforces.
 */
import type { JsonValue } from '@strongroom/kernel';
import { z } from 'zod';
import type { DeclaredRoute } from './check-routes.ts';
import { isNull } from './internal/schema-walk.ts';

export interface OpenApiInfo {
  readonly title: string;
  readonly version: string;
  readonly description?: string;
  /** Name of the session cookie. */
  readonly cookieName: string;
}

type JsonObject = { [name: string]: JsonValue };

const PROBLEM: JsonObject = {
  type: 'object',
  description: 'Problem details, RFC 9457. `code` is stable; the documented error list explains each.',
  required: ['type', 'title', 'status', 'code', 'requestId'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string' },
    detail: { type: 'string' },
    requestId: { type: 'string', format: 'uuid' },
  },
};

const problem = (description: string): JsonObject => ({
  description,
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
});

/** Operators' routes are left out: they are not reachable over HTTP. */
export function openapi(routes: readonly DeclaredRoute[], info: OpenApiInfo): JsonObject {
  const paths: Record<string, JsonObject> = {};
  for (const route of routes) {
    if (route.access.kind === 'operator') continue;
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(route) };
  }
  const { title, version, description } = info;
  return {
    openapi: '3.1.1',
    info: { title, version, ...(description === undefined ? {} : { description }) },
    paths,
    components: {
      schemas: { Problem: PROBLEM },
      responses: {
        Refused: problem('The request was refused. A 429 comes with `Retry-After`.'),
        Failed: problem('The service failed; nothing was changed unless it says so.'),
      },
      securitySchemes: {
        cookie: { type: 'apiKey', in: 'cookie', name: info.cookieName },
        bearer: { type: 'http', scheme: 'bearer' },
      },
    },
  };
}

function operation(route: DeclaredRoute): JsonObject {
  const { access, audit, input } = route;
  const parameters = [...parametersOf(input.path, 'path'), ...parametersOf(input.query, 'query')];
  return {
    operationId: operationId(route),
    summary: route.summary,
    tags: [tagOf(route.path)],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(input.body === undefined
      ? {}
      : {
          requestBody: { required: true, content: { 'application/json': { schema: schemaOf(input.body, 'input') } } },
        }),
    responses: {
      [String(successStatus(route))]: success(route.output),
      '4XX': { $ref: '#/components/responses/Refused' },
      '5XX': { $ref: '#/components/responses/Failed' },
    },
    security: access.kind === 'public' ? [] : [{ cookie: [] }, { bearer: [] }],
    'x-strongroom-access': access.kind,
    ...('permission' in access ? { 'x-strongroom-permission': access.permission } : {}),
    'x-strongroom-assurance': route.assurance,
    'x-strongroom-limit': route.limit.map(({ name, by, burst, rate, periodSeconds, store }) => ({
      name,
      by,
      burst,
      rate,
      periodSeconds,
      store,
    })),
    'x-strongroom-audit': audit.kind === 'event' ? { event: audit.event } : { none: audit.reason },
  };
}

const successStatus = (route: DeclaredRoute): number => route.status ?? (isNull(route.output) ? 204 : 200);

function success(output: z.ZodType): JsonObject {
  if (isNull(output)) return { description: 'Done; there is nothing to say.' };
  const type = output._zod.def.type;
  // The same rule as in the answer itself: bytes and text are no JSON.
  if (type === 'custom') return content('application/octet-stream', {});
  return content(type === 'string' ? 'text/plain' : 'application/json', schemaOf(output, 'output'));
}

const content = (type: string, schema: JsonObject): JsonObject => ({
  description: 'Done.',
  content: { [type]: { schema } },
});

/** `getV1SpacesSpaceMemories` */
function operationId({ method, path }: DeclaredRoute): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  return method.toLowerCase() + words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('');
}

/** The first fixed segment behind the version. */
const tagOf = (path: string): string => /^\/(?:v\d+\/)?([^/{]*)/.exec(path)?.[1] || 'service';

function parametersOf(schema: z.ZodType | undefined, place: 'path' | 'query'): JsonObject[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = schemaOf(schema, 'input') as z.core.JSONSchema.ObjectSchema;
  return Object.entries(properties).map(([name, field]) => ({
    name,
    in: place,
    required: required.includes(name),
    schema: field as JsonObject,
  }));
}

/**
 * JSON Schema 2020-12, which is what OpenAPI 3.1 embeds. Recursive schemas are refused: their references would point
 * astray.
 */
function schemaOf(schema: z.core.$ZodType, io: 'input' | 'output'): JsonObject {
  const json = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io,
    unrepresentable: 'any',
    cycles: 'throw',
    reused: 'inline',
  });
  const { $schema: _, ...rest } = json;
  return rest as JsonObject;
}
