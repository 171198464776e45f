import { describe, expect, it } from 'vitest';
import { isUuid, newUuid, parseUuid } from './ids.ts';

const timeOf = (id: string): number => Number.parseInt(id.replace('-', '').slice(0, 12), 16);

describe('ids', () => {
  it('are strictly increasing, also within one millisecond and when the clock goes back', () => {
    const now = timeOf(newUuid()) + 10_000;
    const ids = Array.from({ length: 20_000 }, (_, index) => newUuid(index % 3 === 0 ? now - 5 : now));
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every(isUuid)).toBe(true);
  });

  it('carry the time of their creation', () => {
    // Later than whatever clock another test of this process has used.
    const later = timeOf(newUuid()) + 1_000_000;
    expect(timeOf(newUuid(later))).toBe(later);
  });

  it.each([
    '',
    'x',
    '018f3c2e-7b7a-4cc0-8a3e-1f2e3d4c5b6a',
    '018F3C2E-7B7A-7CC0-8A3E-1F2E3D4C5B6A',
    '018f3c2e-7b7a-7cc0-ca3e-1f2e3d4c5b6a',
    null,
    7,
  ])('refuses %j without repeating it', (value) => {
    expect(() => parseUuid(value, 'space')).toThrow(
      expect.objectContaining({ code: 'kernel.invalid-id', detail: 'Check "space".' }),
    );
  });
});
