import { defineDataMap, type Manifest, operational } from '@strongroom/kernel';
import { databases } from '@strongroom/testing/databases';
import { sql } from 'kysely';
import { beforeAll, describe, expect, it } from 'vitest';
import { inInstallation, type Database, type Transaction } from './database.ts';
import { postpone, textLiteral } from './postpone.ts';

const room: Manifest = {
  name: 'room',
  migrations: [{ name: '0001-words', sql: "create table words (word text primary key check (word <> 'refused'));" }],
  dataMap: defineDataMap({ words: { scope: 'installation', columns: { word: operational } } }),
};

const add = (transaction: Transaction, word: string): Promise<void> =>
  postpone(transaction, `insert into words values (${textLiteral(word)})`);

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`postponed statements on ${engine.name}`, () => {
    let database: Database;
    beforeAll(async () => {
      database = await engine.open([room]);
    });
    const words = async (transaction: Transaction): Promise<string[]> => {
      const { rows } = await sql<{ word: string }>`select word from words order by word collate "C"`.execute(
        transaction,
      );
      return rows.map(({ word }) => word);
    };
    const stored = (): Promise<string[]> => database.transaction(inInstallation, words);

    it('are committed with the transaction, in their order, whatever their text', async () => {
      const odd = ["it's", 'back\\slash', '"); drop table words; --', 'ünï', '$1', "''"];
      await database.transaction(inInstallation, async (transaction) => {
        for (const word of odd) await add(transaction, word);
      });
      expect((await stored()).toSorted()).toEqual(odd.toSorted());
      await database.transaction(inInstallation, (transaction) => sql`delete from words`.execute(transaction));
    });

    it('are seen by the next statement', async () => {
      await database.transaction(inInstallation, async (transaction) => {
        await add(transaction, 'first');
        await add(transaction, 'second');
        expect(await words(transaction)).toEqual(['first', 'second']);
        await add(transaction, 'third');
      });
      expect(await stored()).toEqual(['first', 'second', 'third']);
    });

    it('are dropped with the transaction, and never reach the next one', async () => {
      const attempt = database.transaction(inInstallation, async (transaction) => {
        await add(transaction, 'dropped');
        throw new Error('changed my mind');
      });
      await expect(attempt).rejects.toThrow('changed my mind');
      expect(await stored()).not.toContain('dropped');
    });

    it('take the whole transaction with them when they fail, and leave the connection usable', async () => {
      for (const [word, sqlState] of [
        ['refused', '23514'],
        ['first', '23505'],
      ] as const) {
        const attempt = database.transaction(inInstallation, async (transaction) => {
          await sql`insert into words values ('beside')`.execute(transaction);
          await add(transaction, word);
        });
        await expect(attempt).rejects.toMatchObject({ sqlState });
      }
      expect(await stored()).toEqual(['first', 'second', 'third']);
    });

    it('are tried again with their transaction', async () => {
      let attempts = 0;
      await database.transaction(inInstallation, async (transaction) => {
        attempts += 1;
        if (attempts < 3)
          await postpone(transaction, "do $$ begin raise exception 'again' using errcode = '40001'; end $$");
        await add(transaction, 'fourth');
      });
      expect(attempts).toBe(3);
      expect(await stored()).toContain('fourth');
    });

    it('belong to the savepoint they were written in', async () => {
      const controlled = async (transaction: Transaction, word: string, keep: boolean): Promise<void> => {
        await sql`savepoint here`.execute(transaction);
        await add(transaction, word);
        await sql.raw(keep ? 'release savepoint here' : 'rollback to savepoint here').execute(transaction);
      };
      await database.transaction(inInstallation, async (transaction) => {
        await controlled(transaction, 'kept inside', true);
        await controlled(transaction, 'dropped inside', false);
      });
      expect(await stored()).toContain('kept inside');
      expect(await stored()).not.toContain('dropped inside');
    });
  });
}

describe('textLiteral', () => {
  it('refuses what no text can hold', () => {
    expect(() => textLiteral('a\0b')).toThrow(TypeError);
    expect(() => textLiteral('\ud800')).toThrow(TypeError);
    expect(textLiteral("o'clock")).toBe("'o''clock'");
  });
});
