import { describe, expect, it } from 'vitest';
import type { Method } from '../http.ts';
import { comesFromOwnSite } from './cross-site.ts';

interface Row {
  readonly method?: Method;
  readonly site?: string;
  readonly origin?: string;
  readonly host?: string;
  readonly secure?: boolean;
  readonly own?: string;
}

const ask = ({ method = 'POST', site, origin, host = 'vault.example', secure = true, own }: Row): boolean =>
  comesFromOwnSite({ method, secure, headers: { host: host || undefined, 'sec-fetch-site': site, origin } }, own);

describe('comesFromOwnSite', () => {
  it.each<[string, Row]>([
    ['reading, from anywhere', { method: 'GET', site: 'cross-site', origin: 'https://evil.example' }],
    ['our own page', { site: 'same-origin' }],
    ['our own page, whatever the origin says', { site: 'same-origin', origin: 'https://vault.example' }],
    ['a person using the address bar', { site: 'none' }],
    ['an old browser, our own origin', { origin: 'https://vault.example' }],
    ['a port in the origin', { origin: 'https://vault.example:8443', host: 'vault.example:8443' }],
    ['host in capitals', { origin: 'https://vault.example', host: 'Vault.Example' }],
    ['plain HTTP in a local network', { origin: 'http://192.168.1.5:8080', host: '192.168.1.5:8080', secure: false }],
    [
      'the configured origin, behind a proxy that changes the host',
      { origin: 'https://vault.example', host: 'inside:1', secure: false, own: 'https://vault.example' },
    ],
  ])('says yes to %s', (_name, row) => {
    expect(ask(row)).toBe(true);
  });

  it.each<[string, Row]>([
    ['another site', { site: 'cross-site', origin: 'https://evil.example' }],
    ['another site that claims our origin', { site: 'cross-site', origin: 'https://vault.example' }],
    ['a sibling domain', { site: 'same-site', origin: 'https://blog.vault.example' }],
    ['an unknown value', { site: 'same-origin, cross-site' }],
    ['an empty value', { site: '' }],
    ['neither header', {}],
    ['a foreign origin', { origin: 'https://evil.example' }],
    ['an opaque origin', { origin: 'null' }],
    ['an opaque origin without a host', { origin: 'null', host: '' }],
    ['a longer name', { origin: 'https://vault.example.evil.example' }],
    ['our name without TLS', { origin: 'http://vault.example' }],
    ['another port', { origin: 'https://vault.example:8443' }],
    [
      'a host that is not the configured origin',
      { origin: 'https://inside', host: 'inside', own: 'https://vault.example' },
    ],
    ['deleting', { method: 'DELETE', site: 'cross-site' }],
    ['replacing', { method: 'PUT', site: 'same-site' }],
    ['patching', { method: 'PATCH' }],
  ])('says no to %s', (_name, row) => {
    expect(ask(row)).toBe(false);
  });
});
