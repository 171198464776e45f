/** `strongroom audit reconcile`: with the server running, and on the folder of a stopped one that somebody wrote into. */
import { join } from 'node:path';
import { newUuid } from '@strongroom/kernel';
import { asSystem, openDatabase } from '@strongroom/storage';
import { sql } from 'kysely';
import { rooms } from 'strongroom';
import { describe, expect, it } from 'vitest';
import { Device, startVault } from './running-vault.fixture.ts';

interface Reconciled {
  readonly ok: boolean;
  readonly count: number;
  readonly changes: readonly object[];
}

describe('audit reconcile', () => {
  it('finds what was written without an event, says so to scripts, and stops when it is accepted', async () => {
    const vault = await startVault();
    const operator = new Device();
    const reconcile = (...parameters: readonly string[]) =>
      operator.run(['audit', 'reconcile', '--data', vault.data, ...parameters]);
    expect(await reconcile()).toMatchObject({ code: 0, stdout: expect.stringContaining('RECONCILED') });
    await vault.stop();

    const database = await openDatabase({ kind: 'folder', path: join(vault.data, 'database') }, rooms);
    const policy = newUuid();
    await database.transaction(asSystem, (transaction) =>
      sql`insert into audit_witness_policies values (${policy}, '', now())`.execute(transaction),
    );
    await database.close();

    const found = [{ table: 'audit_witness_policies', row: policy, kind: 'inserted', reason: 'no-event' }];
    const stopped = await reconcile('--json');
    expect(stopped.code).toBe(3);
    expect(JSON.parse(stopped.stdout) as Reconciled).toMatchObject({ ok: false, count: 1, changes: found });
    const again = await vault.start();
    const running = await reconcile();
    expect(running).toMatchObject({
      code: 3,
      stdout: expect.stringContaining(`audit_witness_policies ${policy}: inserted, its transaction wrote no event`),
    });
    expect(await reconcile('--accept')).toMatchObject({ code: 0, stdout: expect.stringContaining('Accepted: 1.') });
    expect(await reconcile()).toMatchObject({ code: 0 });
    expect(await operator.run(['audit', 'verify', '--data', vault.data])).toMatchObject({ code: 0 });
    expect(await operator.run(['audit', 'reconcile', '--data', join(vault.data, 'nothing')])).toMatchObject({
      code: 1,
    });
    await again.stop();
  });
});
