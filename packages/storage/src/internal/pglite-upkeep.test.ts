import { databases } from '@strongroom/testing/databases';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from './engine.ts';
import { openFolder } from './pglite-engine.ts';
import { Upkeep } from './pglite-upkeep.ts';
import type { Session } from './session.ts';

describe('upkeep of PGlite', () => {
  let engine: Engine;
  let session: Session;
  beforeAll(async () => {
    const location = await databases('both')[0]!.fresh();
    engine = await openFolder(location.kind === 'folder' ? location.path : '', false);
    session = await engine.serving.acquire();
  });
  afterAll(async () => {
    engine.serving.release(session, false);
    await engine.close();
  });
  const deadRows = async (): Promise<unknown> => {
    await session.run('select pg_stat_force_next_flush()');
    const { rows } = await session.run("select n_dead_tup as dead from pg_stat_all_tables where relname = 'busy'");
    return rows[0]?.['dead'];
  };

  it('is due after many transactions or some time', () => {
    let now = 0;
    const upkeep = new Upkeep(() => now);
    expect(Array.from({ length: 199 }, () => upkeep.isDue())).not.toContain(true);
    expect(upkeep.isDue()).toBe(true);
    const another = new Upkeep(() => now);
    expect(another.isDue()).toBe(false);
    now = 6_000;
    expect(another.isDue()).toBe(true);
  });

  it('removes dead rows, but not at every opportunity', async () => {
    let now = 0;
    const upkeep = new Upkeep(() => now);
    await session.run('create table busy (id int primary key); insert into busy select generate_series(1, 1000)');
    await session.run('delete from busy where id <= 800');
    expect(await deadRows()).toBeGreaterThan(100);
    now = 30_000;
    await upkeep.run(session);
    expect(await deadRows()).toBeGreaterThan(100);
    now = 70_000;
    // One table at a time: system tables may come first.
    for (let step = 0; step < 10; step += 1) await upkeep.run(session);
    expect(await deadRows()).toBe(0);
  });

  it('makes a checkpoint when the write-ahead log has grown', async () => {
    const upkeep = new Upkeep();
    const redo = async (): Promise<unknown> =>
      (await session.run('select redo_lsn from pg_control_checkpoint()')).rows[0]?.['redo_lsn'];
    await upkeep.run(session);
    const before = await redo();
    await session.run("select pg_logical_emit_message(true, 'ballast', repeat('x', 10000000))");
    await upkeep.run(session);
    expect(await redo()).toBe(before);
    await session.run(
      "select pg_logical_emit_message(true, 'ballast', repeat('x', 10000000)) from generate_series(1, 3)",
    );
    await upkeep.run(session);
    expect(await redo()).not.toBe(before);
  });
});
