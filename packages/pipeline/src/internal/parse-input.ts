/** From the request's parts to the declared input, refusing everything the route did not declare. */
import type { z } from 'zod';
import { PipelineError } from '../errors.ts';
import type { PipelineRequest } from '../http.ts';
import type { RouteInput } from '../route.ts';
import { describeIssues, fieldPath, type FieldProblem } from './describe-issues.ts';
import { isReservedKey, isStorableText, parseStrictJson } from './strict-json.ts';

export interface ParsedInput {
  readonly path: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

/**
 * Throws `pipeline.invalid-input` with the member `fields` (paths and what is wrong, never values), and what reading
 * a body throws.
 */
export async function parseInput(input: RouteInput, bodyLimit: number, request: PipelineRequest): Promise<ParsedInput> {
  return {
    path: input.path && parse(input.path, 'path', textValues('path', Object.entries(request.parameters))),
    query: parseQuery(input.query, request.query),
    body: await parseBody(input.body, bodyLimit, request),
  };
}

function parseQuery(schema: z.ZodType | undefined, query: URLSearchParams): unknown {
  if (schema !== undefined) return parse(schema, 'query', textValues('query', query));
  if (query.size > 0) {
    refuse(Array.from(query.keys(), (key) => ({ path: fieldPath('query', [key]), problem: 'is not known' })));
  }
  return undefined;
}

async function parseBody(schema: z.ZodType | undefined, limit: number, request: PipelineRequest): Promise<unknown> {
  const { headers } = request;
  if (schema === undefined) {
    if (announcesBody(headers)) await expectEmptyBody(request);
    return undefined;
  }
  if (!isJsonType(headers['content-type']) || headers['content-encoding'] !== undefined) {
    throw new PipelineError('pipeline.unsupported-media-type');
  }
  return parse(schema, 'body', parseStrictJson(await request.body(limit)));
}

/** RFC 9112 §6: a request has a body exactly when one of these two is there. */
const announcesBody = (headers: PipelineRequest['headers']): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';

async function expectEmptyBody(request: PipelineRequest): Promise<void> {
  try {
    await request.body(0);
  } catch (error) {
    if (error instanceof PipelineError && error.code === 'pipeline.body-too-large') {
      throw new PipelineError('pipeline.unexpected-body');
    }
    throw error;
  }
}

/** RFC 8259 §11 defines no parameter; `charset=utf-8` is common and says only what is required anyway. */
const isJsonType = (value: string | undefined): boolean =>
  value?.toLowerCase() === 'application/json' ||
  (value !== undefined && /^application\/json[ \t]*;[ \t]*charset=(?:utf-8|"utf-8")$/i.test(value.trim()));

/** An object without prototype. A repeated key is refused, since readers disagree about which of the two counts. */
function textValues(part: 'path' | 'query', pairs: Iterable<[string, string]>): Record<string, string> {
  const values = Object.create(null) as Record<string, string>;
  for (const [key, value] of pairs) {
    if (isReservedKey(key)) refuse([{ path: part, problem: 'uses a reserved name' }]);
    const path = fieldPath(part, [key]);
    if (key in values) refuse([{ path, problem: 'is given twice' }]);
    if (!isStorableText(value)) refuse([{ path, problem: 'contains U+0000 or an unpaired surrogate' }]);
    values[key] = value;
  }
  return values;
}

function parse(schema: z.ZodType, part: keyof ParsedInput, value: unknown): unknown {
  const result = schema.safeParse(value);
  return result.success ? result.data : refuse(describeIssues(result.error.issues, part));
}

/** Enough to mend a form; a body with a thousand faults does not get an answer with a thousand entries. */
const FIELDS_LIMIT = 20;

function refuse(fields: readonly FieldProblem[]): never {
  throw new PipelineError('pipeline.invalid-input', {
    detail: 'The member "fields" says where.',
    members: { fields: fields.slice(0, FIELDS_LIMIT).map(({ path, problem }) => ({ path, problem })) },
  });
}
