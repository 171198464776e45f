import { it } from 'vitest';
import { databases } from '@strongroom/testing/databases';
import { sql } from 'kysely';
import { asSystem, inTenant } from '@strongroom/storage';
import { House, manifests, memoryBody, randomToken } from './house.test-support.ts';
for (const engine of databases()) it(`rate ${engine.name}`, async () => {
  const house = await House.open(await engine.open(manifests)); const anna = await house.founder(); const s = await house.space(anna);
  const time = async (name: string, n: number, f: () => Promise<unknown>) => { const t = performance.now(); for (let i = 0; i < n; i++) await f(); console.log(engine.name, name, ((performance.now() - t) / n).toFixed(2), 'ms'); };
  await time('batch100', 30, async () => { const a = await house.send(anna, `POST /v1/spaces/${s}/memories/batch`, { items: Array.from({ length: 100 }, () => ({ ...memoryBody(), token: randomToken(36), expectedVersion: 0 })) }); if (a.status !== 200) throw new Error(String(a.status)); });
  await time('create', 100, () => house.send(anna, `POST /v1/spaces/${s}/memories`, memoryBody()));
  await time('GET account', 100, () => house.send(anna, `GET /v1/account`));
  let n = 0; await time('changes200', 10, () => house.send(anna, `GET /v1/spaces/${s}/changes?limit=200&after=${200 * n++}`));
  await time('list200', 10, () => house.send(anna, `GET /v1/spaces/${s}/memories?limit=200`));
  await house.database.transaction(inTenant(anna.tenant), async (t) => {
    const q = sql`explain analyze select page.id, page.token, (sum(coalesce(page.size, 0)) over (order by page.sequence) - coalesce(page.size, 0))::integer as bytes_before from spaces as space left join (select memory.id, memory.sequence, version.token, version.size from memories as memory left join memory_versions as version on version.tenant_id = memory.tenant_id and version.space_id = memory.space_id and version.memory_id = memory.id and version.version = memory.version where memory.tenant_id = ${anna.tenant} and memory.space_id = ${s} and memory.sequence > 400 order by memory.sequence limit 201) as page on true where space.tenant_id = ${anna.tenant} and space.id = ${s} order by page.sequence`;
    console.log((await q.execute(t)).rows.map((r) => Object.values(r as object)[0]).join('\n'));
  });
});
