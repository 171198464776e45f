import { describe, expect, it } from 'vitest';
import { asksForPage, assetPolicy, clientRoutes, pagePolicy } from './csp.ts';

describe('policies', () => {
  it('allow nothing inline, nothing from elsewhere and no eval', () => {
    for (const policy of [pagePolicy('abc'), assetPolicy]) {
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("require-trusted-types-for 'script'");
      expect(policy).not.toMatch(/'unsafe-|https?:|\*|data:|blob:|(?<!wasm-)unsafe-eval/);
    }
    expect(pagePolicy('abc')).toContain("'nonce-abc'");
  });

  it('name every address of the client once', async () => {
    expect(new Set(clientRoutes).size).toBe(clientRoutes.length);
    expect(clientRoutes.every((route) => route.startsWith('/') && !route.startsWith('/v1'))).toBe(true);
  });
});

describe('a request for a page', () => {
  const typed = { accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8', 'sec-fetch-mode': 'navigate' };

  it('is what somebody typed into a browser, and nothing else', () => {
    expect(asksForPage(typed)).toBe(true);
    for (const headers of [
      {},
      { accept: 'application/json, application/problem+json' },
      { accept: typed.accept },
      { 'sec-fetch-mode': 'navigate' },
      { ...typed, 'sec-fetch-mode': 'cors' },
      { ...typed, accept: '*/*' },
    ]) {
      expect(asksForPage(headers)).toBe(false);
    }
  });
});
