import { databases } from '@strongroom/testing/databases';
import { inTenant } from '@strongroom/storage';
import { sql } from 'kysely';
import { newUuid } from '@strongroom/kernel';
import { it } from 'vitest';
import { alice, auditEvent, openHouse, tenant } from './log.test-support.ts';
for (const engine of databases('both'))
  it(
    engine.name,
    async () => {
      const house = await openHouse(engine);
      await house.append(auditEvent());
      const args = () => [
        newUuid(),
        new Date(),
        'memory.created',
        'success',
        null,
        'account',
        alice,
        null,
        alice,
        tenant,
        alice,
        Buffer.alloc(32),
        'memory',
        null,
        'x',
        [],
        '{}',
        Buffer.alloc(40),
      ];
      const types = [
        'uuid',
        'timestamptz',
        'text',
        'text',
        'text',
        'text',
        'uuid',
        'text',
        'uuid',
        'uuid',
        'uuid',
        'bytea',
        'text',
        'uuid',
        'text',
        'uuid[]',
        'text',
        'bytea',
      ];
      const q = () => {
        const a = args();
        return sql`select audit_append(${sql.join(a.map((v, i) => sql`${v}::${sql.raw(types[i]!)}`))})`;
      };
      const json = () => {
        const a = args();
        return sql`select audit_append(${sql.join(a.map((v, i) => sql`${v}::${sql.raw(types[i]!)}`))})`;
      };
      const time = async (name: string, n: number, f: (t: never) => unknown) =>
        house.database.transaction(inTenant(tenant), async (t) => {
          for (let i = 0; i < 20; i++) await f(t as never);
          const s = performance.now();
          for (let i = 0; i < n; i++) {
            const r = f(t as never);
            if (r instanceof Promise) await r;
          }
          console.log(engine.name, name, (((performance.now() - s) / n) * 1000).toFixed(0), 'us');
        });
      await time('select 1', 500, (t) => sql`select 1`.execute(t));
      await time('compile', 500, (t) => q().compile(t));
      await time('auditEvent', 500, () => auditEvent());
      await time('append', 500, (t) => house.auditLog.append(t, auditEvent()));
      await time('select 1', 500, (t) => sql`select 1`.execute(t));
      await time('append', 500, (t) => house.auditLog.append(t, auditEvent()));
      void json;
      await house.close();
    },
    60000,
  );
