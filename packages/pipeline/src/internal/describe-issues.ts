/**
 * What is wrong with an input, by place and rule. Built from the rule alone: zod's issues may hold the value, answers
 * must not.
 */
import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

export interface FieldProblem {
  /** `body.tags[2]`, `query.limit` */
  readonly path: string;
  /** Completes the sentence "the field …". */
  readonly problem: string;
}

/** Names that the client made up are repeated to that client only, and not at any length. In UTF-16 units. */
const NAME_LIMIT = 64;

export function describeIssues(issues: readonly Issue[], part: string): FieldProblem[] {
  return issues.flatMap((issue) => describe(issue, fieldPath(part, issue.path)));
}

export function fieldPath(part: string, path: readonly PropertyKey[]): string {
  let text = part;
  for (const key of path) text += typeof key === 'number' ? `[${key}]` : `.${shorten(String(key))}`;
  return text;
}

function describe(issue: Issue, path: string): FieldProblem[] {
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ path: `${path}.${shorten(key)}`, problem: 'is not known' }));
    case 'invalid_type':
      return [{ path, problem: `must be of type ${issue.expected}` }];
    case 'too_small':
      return [{ path, problem: `must be at least ${issue.minimum} ${unit(issue.origin)}`.trimEnd() }];
    case 'too_big':
      return [{ path, problem: `must be at most ${issue.maximum} ${unit(issue.origin)}`.trimEnd() }];
    case 'invalid_format':
      return [{ path, problem: issue.format === 'regex' ? 'has the wrong form' : `must be a valid ${issue.format}` }];
    case 'invalid_value':
      return [{ path, problem: `must be one of ${issue.values.map(String).join(', ')}` }];
    case 'not_multiple_of':
      return [{ path, problem: `must be a multiple of ${issue.divisor}` }];
    case 'invalid_union':
      return [{ path, problem: 'matches none of the allowed forms' }];
    case 'invalid_key':
    case 'invalid_element':
      return [{ path, problem: `has an ${issue.code === 'invalid_key' ? 'invalid key' : 'invalid element'}` }];
    case 'custom':
      // The text given to `refine`, written by whoever declared the route.
      return [{ path, problem: issue.message }];
    default:
      return [{ path, problem: 'is not acceptable' }];
  }
}

const UNITS: Readonly<Record<string, string>> = { string: 'characters long', array: 'items long', set: 'items long' };
const unit = (origin: string): string => UNITS[origin] ?? '';

const shorten = (name: string): string =>
  name.length <= NAME_LIMIT ? name : `${name.slice(0, NAME_LIMIT).toWellFormed()}…`;
