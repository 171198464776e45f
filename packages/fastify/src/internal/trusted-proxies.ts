import { BlockList, isIP } from 'node:net';

/** Names for networks that are nobody's in particular. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  // RFC 6890 §2.2.2, RFC 4291 §2.5.3.
  loopback: ['127.0.0.0/8', '::1/128'],
  // RFC 3927, RFC 4291 §2.5.6.
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  // RFC 1918, RFC 4193.
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
};

/**
 * Whose forwarding headers are believed: those of addresses in `networks`, and of the last `hops` only. A client in such a network can write the header
 * as well, and its own proxy adds to it; without counting, what the client wrote would be believed. Throws a RangeError for what is no network.
 */
export function trustedProxies(networks: readonly string[], hops: number): (address: string, hop: number) => boolean {
  const trusted = new BlockList();
  for (const network of networks.flatMap((name) => NAMED[name] ?? [name])) {
    const [address = '', length] = network.split('/', 2);
    const family = isIP(address);
    if (family === 0)
      throw new RangeError('trustedProxies: a network is an address, perhaps with the length of its prefix');
    const whole = family === 4 ? 32 : 128;
    trusted.addSubnet(address, length === undefined ? whole : Number(length), family === 4 ? 'ipv4' : 'ipv6');
  }
  return (address, hop) => {
    const family = isIP(address);
    return hop < hops && family !== 0 && trusted.check(address, family === 4 ? 'ipv4' : 'ipv6');
  };
}
