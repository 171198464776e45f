import { createHash, randomBytes } from 'node:crypto';
import { concatBytes, toHex, utf8 } from '@strongroom/kernel';
import { describe, expect, it } from 'vitest';
import { OPENINGS_OF_SEED, OpeningSeed, SEED_LENGTH } from './opening-seed.ts';

describe('the seed of openings', () => {
  it('gives the salts that NIST SP 800-56C says, each another', () => {
    const seed = randomBytes(SEED_LENGTH);
    const opened = new OpeningSeed(concatBytes(seed, utf8('192.0.2.0/24')));
    const salts = new Set<string>();
    for (let counter = 1; counter <= OPENINGS_OF_SEED; counter += 1) {
      const salted = opened.salted(counter);
      // §4.1, option 1: H(counter ‖ Z ‖ FixedInfo), the counter with 32 bits, big-endian.
      const number = Buffer.alloc(4);
      number.writeUInt32BE(counter);
      const block = createHash('sha256')
        .update(number)
        .update(seed)
        .update('strongroom/audit-opening-salt/v1')
        .digest();
      expect(toHex(salted)).toBe(toHex(concatBytes(block, utf8('192.0.2.0/24'))));
      salts.add(toHex(salted.slice(0, 32)));
    }
    expect(salts.size).toBe(OPENINGS_OF_SEED);
    // In whatever order they are asked for.
    expect(salts.has(toHex(opened.salted(1).slice(0, 32)))).toBe(true);
    expect(salts.has(toHex(opened.salted(OPENINGS_OF_SEED + 1).slice(0, 32)))).toBe(false);
  });
});
