import { describe, expect, it } from 'vitest';
import { assetPolicy, clientRoutes, pagePolicy } from './csp.ts';

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
