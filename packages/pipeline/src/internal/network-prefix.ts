/**
 * The part of a client's address that limits count and audit events keep. It is shorter than the address so that it
 * names a network and not a person, and so that one IPv6 customer (RFC 6177: up to a /48) cannot pose as many clients.
 */

const IPV4 = /^(?:::ffff:)?(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.\d{1,3}$/i;
const GROUP = /^[0-9a-f]{1,4}$/i;

/** `203.0.113.0/24` or `2001:db8:1::/48`; `null` for what is no address (a Unix socket has none). */
export function networkPrefix(address: string): string | null {
  const four = IPV4.exec(address);
  if (four !== null) return `${four[1]}.${four[2]}.${four[3]}.0/24`;
  if (!address.includes(':')) return null;
  const groups = firstGroups(address.split('%', 1)[0]!);
  return groups === null ? null : `${groups.join(':')}::/48`;
}

/** The first three groups of an IPv6 address without leading zeros and without trailing zero groups. */
function firstGroups(address: string): string[] | null {
  const [head, tail] = splitOnce(address, '::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== null) {
    const after = tail === '' ? 0 : tail.split(':').length + (tail.includes('.') ? 1 : 0);
    while (groups.length + after < 8) groups.push('0');
    if (tail !== '') groups.push(...tail.split(':'));
  }
  const first = groups.slice(0, 3);
  if (first.length < 3 || !first.every((group) => GROUP.test(group))) return null;
  const values = first.map((group) => Number.parseInt(group, 16).toString(16));
  while (values.at(-1) === '0') values.pop();
  return values;
}

function splitOnce(text: string, separator: string): [string, string | null] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, null] : [text.slice(0, at), text.slice(at + separator.length)];
}
