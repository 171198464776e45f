import type { Uuid } from '@strongroom/kernel';
import { inTenant } from '@strongroom/storage';
import { databases } from '@strongroom/testing/databases';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { House, manifests, memoryBody, type Person } from './house.test-support.ts';
import { listChanges, listMemories, listVersions } from './internal/read.ts';
import { sealToken } from './internal/outer-layer.ts';
import { writeMemories } from './internal/write.ts';

/** Memories in the small space and in the large one. */
const [SMALL, LARGE] = [1_000, 32_000];
const RUNS = 9;
/** Rows of one insertion. */
const ROWS_AT_ONCE = 1_000;
/** With the size of the space in it, the time of a page would grow by the ratio of the two. */
const GREATEST_RATIO = 5;

for (const engine of databases()) {
  describe.skipIf(!engine.available)(`a page of a large space, on ${engine.name}`, () => {
    it('costs about what one of a small space costs, without statistics', async () => {
      const house = await House.open(await engine.open(manifests));
      const anna = await house.founder();
      const [small, large] = [await house.space(anna), await house.space(anna)];
      await fill(house, anna, small, SMALL);
      await fill(house, anna, large, LARGE);
      const run = (work: Parameters<typeof house.database.transaction>[1]) =>
        house.database.transaction(inTenant(anna.tenant), work);
      const { tenant, account: author } = anna;
      const now = Date.now();
      const { token, ...body } = memoryBody();
      const bytes = Buffer.from(token, 'base64url');

      const pages: Readonly<Record<string, (space: Uuid, middle: number) => Promise<unknown>>> = {
        changes: (space, after) =>
          run((transaction) => listChanges(house.encryption, transaction, { tenant, space }, { after, limit: 50 })),
        list: (space, middle) =>
          run((transaction) =>
            listMemories(house.encryption, transaction, { tenant, space }, { after: idOf(middle), limit: 50 }),
          ),
        versions: (space, middle) =>
          run((transaction) =>
            listVersions(house.encryption, transaction, { tenant, space }, idOf(middle), {
              before: undefined,
              limit: 50,
            }),
          ),
        'repeated write': (space, middle) =>
          run((transaction) => {
            const write = { ...body, id: idOf(middle), expectedVersion: 7, token: bytes };
            return writeMemories(house.encryption, transaction, { tenant, space }, { author, now }, [write]);
          }),
      };
      for (const [name, page] of Object.entries(pages)) {
        const inSmall = await median(() => page(small, SMALL / 2));
        const inLarge = await median(() => page(large, LARGE / 2));
        expect(inLarge / inSmall, name).toBeLessThan(GREATEST_RATIO);
      }
    });
  });
}

const idOf = (number: number): Uuid => `01900000-0000-7000-8000-${String(number).padStart(12, '0')}` as Uuid;

async function fill(house: House, { tenant, account }: Person, space: Uuid, count: number): Promise<void> {
  await house.database.transaction(inTenant(tenant), async (transaction) => {
    const id = sql`('01900000-0000-7000-8000-' || lpad(number::text, 12, '0'))::uuid`;
    await sql`insert into memories (tenant_id, space_id, id, version, epoch, sequence, changed_at)
      select ${tenant}, ${space}, ${id}, 1, 1, number, now() from generate_series(1, ${count}::integer) as number`.execute(
      transaction,
    );
    const keys = await house.encryption.subjects(transaction, [account]);
    const content = new Uint8Array(600).fill(0x80);
    for (let first = 1; first <= count; first += ROWS_AT_ONCE) {
      const numbers = Array.from({ length: Math.min(ROWS_AT_ONCE, count - first + 1) }, (_, index) => first + index);
      const tokens = numbers.map((number) =>
        sealToken(keys, { tenant, space }, { id: idOf(number), version: 1 }, account, content),
      );
      await sql`insert into memory_versions (tenant_id, space_id, memory_id, version, epoch, sequence, token, size, author_id, created_at)
        select ${tenant}, ${space}, ${id}, 1, 1, number, token, 600, ${account}, now()
        from unnest(${numbers}::integer[], ${tokens}::bytea[]) as given (number, token)`.execute(transaction);
    }
    await sql`update spaces set change_sequence = ${count} where id = ${space}`.execute(transaction);
  });
}

async function median(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const started = performance.now();
    await work();
    times.push(performance.now() - started);
  }
  return times.toSorted((left, right) => left - right)[Math.floor(RUNS / 2)]!;
}
