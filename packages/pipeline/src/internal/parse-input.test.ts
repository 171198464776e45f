import type { ProblemDetails } from '@strongroom/kernel';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { PipelineError } from '../errors.ts';
import { makeRequest, type RequestParts } from '../pipeline.fixture.ts';
import type { RouteInput } from '../route.ts';
import { parseInput } from './parse-input.ts';

const LIMIT = 50_000;
const ask = (input: RouteInput, parts: RequestParts) => parseInput(input, LIMIT, makeRequest(parts));

const input: RouteInput = {
  path: z.strictObject({ id: z.string() }),
  query: z.strictObject({ limit: z.coerce.number().int().max(100).optional() }),
  body: z.strictObject({
    title: z.string().max(5),
    tags: z.array(z.strictObject({ name: z.string() })).optional(),
    kind: z.enum(['one', 'two']).optional(),
    mail: z.email().optional(),
    even: z.number().multipleOf(2).optional(),
    odd: z
      .number()
      .refine((value) => value % 2 === 1, 'must be odd')
      .optional(),
  }),
};
const fine: RequestParts = { parameters: { id: 'x' }, json: { title: 'a' } };

/** The refusal as the client sees it. */
async function refusal(parts: RequestParts, rules = input): Promise<ProblemDetails> {
  try {
    await ask(rules, parts);
  } catch (error) {
    if (error instanceof PipelineError) return error.toProblem();
    throw error;
  }
  throw new Error('it was accepted');
}

describe('parseInput', () => {
  it('gives what the schemas give', async () => {
    expect(await ask(input, { ...fine, query: new URLSearchParams('limit=7') })).toEqual({
      path: { id: 'x' },
      query: { limit: 7 },
      body: { title: 'a' },
    });
    expect(await ask({}, {})).toEqual({ path: undefined, query: undefined, body: undefined });
  });

  it('names every field and its fault, and no value', async () => {
    const json = {
      title: 'hunter2hunter2',
      tags: [{ name: 'ok' }, { name: 7, hidden: 'hunter2' }],
      kind: 'hunter2',
      mail: 'hunter2',
      even: 3,
      odd: 2,
      extra: 'hunter2',
    };
    const problem = await refusal({ ...fine, json });
    expect(problem).toMatchObject({
      status: 400,
      code: 'pipeline.invalid-input',
      fields: [
        { path: 'body.title', problem: 'must be at most 5 characters long' },
        { path: 'body.tags[1].name', problem: 'must be of type string' },
        { path: 'body.tags[1].hidden', problem: 'is not known' },
        { path: 'body.kind', problem: 'must be one of one, two' },
        { path: 'body.mail', problem: 'must be a valid email' },
        { path: 'body.even', problem: 'must be a multiple of 2' },
        { path: 'body.odd', problem: 'must be odd' },
        { path: 'body.extra', problem: 'is not known' },
      ],
    });
    expect(JSON.stringify(problem)).not.toContain('hunter2');
  });

  it('bounds what it repeats', async () => {
    const json = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`${'k'.repeat(500)}${index}`, 1]));
    const { fields } = (await refusal({ ...fine, json })) as unknown as { fields: { path: string }[] };
    expect(fields).toHaveLength(20);
    expect(Math.max(...fields.map(({ path }) => path.length))).toBeLessThan(80);
  });

  it('refuses query parameters that are unknown, repeated, reserved or cannot be stored', async () => {
    const query = (text: string) => refusal({ ...fine, query: new URLSearchParams(text) });
    expect(await query('page=2')).toMatchObject({ fields: [{ path: 'query.page', problem: 'is not known' }] });
    expect(await query('limit=1&limit=2')).toMatchObject({
      fields: [{ path: 'query.limit', problem: 'is given twice' }],
    });
    expect(await query('__proto__=1')).toMatchObject({ fields: [{ path: 'query', problem: 'uses a reserved name' }] });
    expect(await query('limit=%00')).toMatchObject({ fields: [{ path: 'query.limit' }] });
    expect(await query('limit=101')).toMatchObject({
      fields: [{ path: 'query.limit', problem: 'must be at most 100' }],
    });
    expect(await refusal({ query: new URLSearchParams('a=1') }, {})).toMatchObject({ fields: [{ path: 'query.a' }] });
  });

  it('takes JSON only', async () => {
    for (const type of [
      'text/plain',
      'application/json5',
      'application/json; charset=utf-16',
      'application/jsonx',
      undefined,
    ]) {
      const headers = { 'content-type': type };
      expect(await refusal({ ...fine, headers })).toMatchObject({ code: 'pipeline.unsupported-media-type' });
    }
    for (const type of ['application/json', 'Application/JSON ; charset="UTF-8"']) {
      await expect(ask(input, { ...fine, headers: { 'content-type': type } })).resolves.toBeDefined();
    }
  });

  it('refuses a body where none is declared, and passes on why reading failed', async () => {
    expect(await refusal({ bytes: new Uint8Array(3) }, {})).toMatchObject({ code: 'pipeline.unexpected-body' });
    expect(await refusal({ ...fine, bytes: new Uint8Array(LIMIT + 1) })).toMatchObject({
      code: 'pipeline.body-too-large',
    });
    await expect(ask({}, { headers: { 'transfer-encoding': 'chunked' } })).resolves.toBeDefined();
    const gone = makeRequest({ headers: { 'transfer-encoding': 'chunked', 'content-type': 'application/json' } });
    const leaving = { ...gone, body: () => Promise.reject(new PipelineError('pipeline.client-gone')) };
    for (const rules of [{}, { body: z.strictObject({}) }]) {
      await expect(parseInput(rules, LIMIT, leaving)).rejects.toMatchObject({ code: 'pipeline.client-gone' });
    }
  });
});
