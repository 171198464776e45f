import { describe, expect, it } from 'vitest';
import { noticeable } from './clock.ts';
import { spanOf } from './formats.ts';
import { note, toasts } from './toasts.ts';

const HOUR = 3_600_000;

describe('notes', () => {
  it('are one note when they say the same, and two when they do not', () => {
    const ids: unknown[] = [];
    const stop = toasts[' subscribe'](({ options }) => ids.push((options as { id?: unknown }).id));
    note('Saved.');
    note('Saved.');
    note('Saved.', 'problem');
    note('Deleted.');
    stop();
    expect(ids).toHaveLength(4);
    expect(ids.every((id) => typeof id === 'string')).toBe(true);
    expect(new Set(ids).size).toBe(3);
  });
});

describe('clocks', () => {
  it('may differ a little without a word, in both directions', () => {
    expect([90_000, -90_000, 0].map(noticeable)).toEqual([0, 0, 0]);
    expect([3 * HOUR, -3 * HOUR].map(noticeable)).toEqual([3 * HOUR, -3 * HOUR]);
  });

  it.each([
    [5 * 60_000, 5, 'minute'],
    [119 * 60_000, 119, 'minute'],
    [2 * HOUR, 2, 'hour'],
    [47 * HOUR, 47, 'hour'],
    [49 * HOUR, 2, 'day'],
  ] as const)('%d ms are %d of the largest unit that fits twice: %s', (milliseconds, count, unit) => {
    expect(spanOf(milliseconds)).toEqual([count, unit]);
  });
});
