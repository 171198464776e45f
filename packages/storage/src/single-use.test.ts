import { databases } from '@strongroom/testing/databases';
import { beforeAll, describe, expect, it } from 'vitest';
import { inInstallation, type Database } from './database.ts';
import { isUniqueViolation } from './errors.ts';
import { consumeOnce, issueSingleUse, purgeSingleUse, withdrawUnused } from './single-use.ts';

const hashOf = (text: string): Uint8Array => new TextEncoder().encode(text.padEnd(32, '.'));
const now = Date.UTC(2026, 0, 1);
const day = 24 * 60 * 60 * 1000;

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`single use on ${engine.name}`, () => {
    let database: Database;
    beforeAll(async () => {
      database = await engine.open([]);
    });
    const issue = (purpose: string, secret: string, expiresAt = now + day): Promise<void> =>
      database.transaction(inInstallation, (transaction) =>
        issueSingleUse(transaction, { purpose, hash: hashOf(secret), payload: ['a', { role: 'owner' }], expiresAt }),
      );
    const consume = (purpose: string, secret: string, at = now): Promise<unknown> =>
      database.transaction(inInstallation, (transaction) =>
        consumeOnce(transaction, { purpose, hash: hashOf(secret), now: at }),
      );

    it('gives the payload once', async () => {
      await issue('test.once', 'one');
      expect(await consume('test.once', 'one')).toEqual(['a', { role: 'owner' }]);
      expect(await consume('test.once', 'one')).toBeUndefined();
    });

    it('knows neither other secrets nor other purposes', async () => {
      await issue('test.purpose', 'one');
      expect(await consume('test.purpose', 'two')).toBeUndefined();
      expect(await consume('test.other', 'one')).toBeUndefined();
      expect(await consume('test.purpose', 'one')).toBeDefined();
    });

    it('ends at the moment of expiry', async () => {
      await issue('test.expiry', 'late');
      await issue('test.expiry', 'in time');
      expect(await consume('test.expiry', 'late', now + day)).toBeUndefined();
      expect(await consume('test.expiry', 'in time', now + day - 1)).toBeDefined();
    });

    it('is given back when the transaction is rolled back', async () => {
      await issue('test.rollback', 'one');
      const attempt = database.transaction(inInstallation, async (transaction) => {
        expect(await consumeOnce(transaction, { purpose: 'test.rollback', hash: hashOf('one'), now })).toBeDefined();
        throw new Error('changed my mind');
      });
      await expect(attempt).rejects.toThrow('changed my mind');
      expect(await consume('test.rollback', 'one')).toBeDefined();
    });

    it('refuses to issue the same secret twice', async () => {
      await issue('test.twice', 'one');
      const again = await issue('test.twice', 'one').catch((error: unknown) => error);
      expect(isUniqueViolation(again)).toBe(true);
      expect(isUniqueViolation(again, 'single_use_secrets_pkey')).toBe(true);
      expect(isUniqueViolation(again, 'another')).toBe(false);
    });

    it('withdraws what is unused, of that purpose only', async () => {
      await issue('test.withdraw', 'one');
      await issue('test.keep', 'one');
      await database.transaction(inInstallation, (transaction) => withdrawUnused(transaction, 'test.withdraw'));
      expect(await consume('test.withdraw', 'one')).toBeUndefined();
      expect(await consume('test.keep', 'one')).toBeDefined();
    });

    it('purges a day after expiry, not before', async () => {
      await issue('test.purge', 'old', now - day - 1);
      await issue('test.purge', 'new', now - day + 1);
      await database.transaction(inInstallation, (transaction) => purgeSingleUse(transaction, now));
      expect(await consume('test.purge', 'old', now - 2 * day)).toBeUndefined();
      expect(await consume('test.purge', 'new', now - 2 * day)).toBeDefined();
    });

    it('has one winner among parallel attempts', async () => {
      await issue('test.race', 'one');
      const results = await Promise.all(Array.from({ length: 50 }, () => consume('test.race', 'one')));
      expect(results.filter((result) => result !== undefined)).toHaveLength(1);
    });
  });
}
