import { describe, expect, it } from 'vitest';
import { readWish } from './wish.ts';

const fast = { slow: false, lengthy: false, bothEngines: false };
const ci = { slow: true, lengthy: false, bothEngines: true };
const all = { slow: true, lengthy: true, bothEngines: true };

describe('what a run is asked for', () => {
  it.each([
    [{}, [], fast],
    [{ CI: 'true' }, [], ci],
    [{ CI: 'true', STRONGROOM_TESTS: 'fast' }, [], fast],
    [{ CI: 'true', STRONGROOM_TESTS: 'both' }, [], { ...fast, bothEngines: true }],
    [{ STRONGROOM_TESTS: 'all' }, [], all],
    [{}, ['packages/storage/src/jobs.test.ts'], fast],
    [{}, ['packages/storage/src/jobs.chaos.slow.test.ts'], all],
  ])('%j and %j', (environment, parameters, expected) => {
    expect(readWish(environment, parameters)).toEqual(expected);
  });
});
