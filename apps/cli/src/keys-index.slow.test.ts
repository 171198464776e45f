/** `strongroom keys rotate index` with processes only: the index of e-mail addresses made anew on a running server, killed meanwhile, and on a stopped one. */
import { figure } from '@strongroom/testing';
import type { IndexReport } from '@strongroom/encryption';
import type { KeysOverview } from 'strongroom';
import { expect, it } from 'vitest';
import { Device, startVault } from './running-vault.fixture.ts';

const operator = new Device();
const codeOf = (stderr: string): string => (JSON.parse(stderr) as { error: { code: string } }).error.code;

it(
  'keeps everybody able to sign in, through a kill, and the log says what was done',
  { timeout: 240_000 },
  async () => {
    let vault = await startVault();
    const { data } = vault;
    const ada = new Device();
    await ada.signUp(vault);
    const place = ['--data', data];
    const rotate = ['keys', 'rotate', 'index', 'accounts.email', ...place];
    const index = async (): Promise<IndexReport> => {
      const { indexes } = await operator.json<KeysOverview & { indexes: readonly IndexReport[] }>(
        'keys',
        'status',
        ...place,
      );
      return indexes[0]!;
    };
    const signsIn = () => new Device().json('login', '--server', vault.url);

    const refused = await operator.run([...rotate, '--json']);
    expect([refused.code, codeOf(refused.stderr)]).toEqual([1, 'encryption.key-in-use']);
    const unknown = await operator.run(['keys', 'rotate', 'index', 'accounts.display_name', ...place, '--json']);
    expect([unknown.code, codeOf(unknown.stderr)]).toEqual([1, 'encryption.column-not-encrypted']);
    expect(await index()).toMatchObject({
      state: 'settled',
      liveColumn: 'email_index',
      liveVersion: 1,
      startedAt: null,
    });

    await operator.json('keys', 'rotate', 'root', ...place, '--no-backup');
    expect(await operator.json<IndexReport>(...rotate, '--share', '50')).toMatchObject({
      state: 'settled',
      liveColumn: 'email_index_next',
      liveVersion: 2,
      outcome: 'complete',
      share: 0.5,
    });
    await signsIn();
    expect(await operator.lines('keys', 'status', ...place)).toContain('Index of accounts.email: under version 2.');

    // Begun, and killed before anybody can say how far it was; it goes on by itself.
    await operator.json('keys', 'rotate', 'root', ...place, '--no-backup');
    await operator.json<IndexReport>(...rotate, '--no-wait');
    await vault.kill();
    vault = await vault.start();
    await signsIn();
    for (let round = 0; (await index()).state !== 'settled' && round < 200; round += 1) {
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    expect(await index()).toMatchObject({ state: 'settled', liveColumn: 'email_index', liveVersion: 3 });
    await signsIn();

    // With the server stopped, this process does it, and goes on with what was begun.
    expect(await vault.stop()).toBe(0);
    await operator.json('keys', 'rotate', 'root', ...place, '--no-backup');
    await operator.json(...rotate, '--no-wait');
    expect(await operator.json<IndexReport>('keys', 'cancel', 'accounts.email', ...place)).toMatchObject({
      outcome: 'cancelled',
    });
    const cancelled = await operator.run(['keys', 'cancel', 'accounts.email', ...place, '--json']);
    expect([cancelled.code, codeOf(cancelled.stderr)]).toEqual([5, 'encryption.rotation-running']);
    const taken = await operator.run([...rotate, '--json']);
    expect([taken.code, JSON.parse(taken.stdout)]).toMatchObject([1, { outcome: 'cancelled', liveVersion: 3 }]);
    expect(await operator.json<IndexReport>(...rotate)).toMatchObject({ outcome: 'complete', liveVersion: 4 });
    vault = await vault.start();
    await signsIn();
    // The rows that the rotation wrote are accounted for, and it is in the log.
    expect(await operator.run(['audit', 'reconcile', ...place])).toMatchObject({ code: 0 });
    expect(await ada.lines('audit', 'verify', ...place)).toContain('INTACT');
    const found = await operator.lines('audit', 'search', '--action', 'column.index-rotation-ended', ...place);
    expect(found.split('column.index-rotation-ended').length - 1).toBeGreaterThanOrEqual(4);
    expect(await vault.stop()).toBe(0);
    figure(
      'index of addresses: 4 rotations by the command line, one through a kill, one cancelled; everybody signed in after each',
    );
  },
);
