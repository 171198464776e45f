import { describe, expect, it } from 'vitest';
import { networkPrefix } from './network-prefix.ts';

describe('networkPrefix', () => {
  it.each([
    ['203.0.113.77', '203.0.113.0/24'],
    ['127.0.0.1', '127.0.0.0/24'],
    ['::ffff:203.0.113.77', '203.0.113.0/24'],
    ['::FFFF:203.0.113.77', '203.0.113.0/24'],
    ['2001:db8:7:8:9:a:b:c', '2001:db8:7::/48'],
    ['2001:DB8:0007::1', '2001:db8:7::/48'],
    ['2001:db8::1', '2001:db8::/48'],
    ['2001::7:8:9:a:b:c', '2001:0:7::/48'],
    ['::1', '::/48'],
    ['::', '::/48'],
    ['fe80::1%eth0', 'fe80::/48'],
    ['64:ff9b::203.0.113.77', '64:ff9b::/48'],
    ['1:2:3:4:5:6:203.0.113.77', '1:2:3::/48'],
  ])('%s → %s', (address, prefix) => {
    expect(networkPrefix(address)).toBe(prefix);
  });

  it.each(['', 'unknown', '/run/strongroom.sock', '203.0.113', 'x::1', '12345::1', '1:2'])(
    '%s is no address',
    (address) => {
      expect(networkPrefix(address)).toBeNull();
    },
  );

  it('gives one prefix to all spellings of an address', () => {
    const spellings = ['2001:db8:0:1::5', '2001:0db8:0000:0001:0:0:0:5', '2001:db8::1:0:0:0:5'];
    expect(new Set(spellings.map(networkPrefix))).toEqual(new Set(['2001:db8::/48']));
  });
});
