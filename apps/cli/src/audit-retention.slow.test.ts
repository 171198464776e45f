/** `strongroom audit retention` and `strongroom audit hold`, with the server running and stopped. */
import { describe, expect, it } from 'vitest';
import { Device, startVault } from './running-vault.fixture.ts';

describe('audit retention', () => {
  it('shows and sets periods, counts, runs, and holds, with the server running and stopped', async () => {
    const vault = await startVault();
    const operator = new Device();
    const audit = (...words: readonly string[]) => operator.run(['audit', ...words, '--data', vault.data]);
    const json = async (...words: readonly string[]) => {
      const { code, stdout, stderr } = await audit(...words, '--json');
      expect({ code, stderr }).toMatchObject({ code: 0 });
      return JSON.parse(stdout) as Record<string, unknown>;
    };
    await operator.signUp(vault);
    const round = async () => {
      expect(await json('retention', 'set', '--access', '180')).toEqual({
        securityDays: 730,
        accessDays: 180,
        operationalDays: 90,
      });
      expect(await audit('retention', 'show')).toMatchObject({ code: 0, stdout: expect.stringContaining('180 days') });
      expect(await audit('retention', 'set', '--access', '6')).toMatchObject({ code: 2 });
      expect(await audit('retention', 'set')).toMatchObject({ code: 2 });
      const { id } = await json('hold', 'add', '--reason', 'case-7', '--from', '2026-01-01');
      expect(await json('hold', 'list')).toMatchObject({
        items: [{ id, reason: 'case-7', from: '2026-01-01T00:00:00.000Z', to: null, tenant: null, person: null }],
      });
      expect(await audit('hold', 'add', '--reason', 'case-7')).toMatchObject({ code: 2 });
      const about = async (account: string) => {
        const added = await json('hold', 'add', '--reason', 'case-8', '--account', account);
        const { items } = (await json('hold', 'list')) as { items: readonly { id: string; person: string }[] };
        await json('hold', 'release', String(added['id']), '--reason', 'case-8-closed');
        return items.find((hold) => hold.id === added['id'])!.person;
      };
      const person = await about('Ada@example.org');
      expect(person).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
      expect(await about(person)).toBe(person);
      const nobody = await audit('hold', 'add', '--reason', 'case-8', '--account', 'nobody@example.org', '--json');
      expect(nobody).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('cli.no-person') });
      expect(await audit('hold', 'add', '--reason', 'two words', '--from', '1d')).toMatchObject({ code: 2 });
      expect(await json('retention', 'run', '--dry-run')).toMatchObject({ removed: null, held: 0 });
      expect(await audit('retention', 'run')).toMatchObject({ code: 0, stdout: expect.stringContaining('Removed 0') });
      expect(await json('hold', 'release', String(id), '--reason', 'case-7-closed')).toEqual({ id });
      expect(await audit('hold', 'release', String(id), '--reason', 'case-7-closed')).toMatchObject({ code: 1 });
      expect(await audit('hold', 'list')).toMatchObject({ stdout: expect.stringContaining('Nothing is on hold.') });
      expect(await json('verify')).toMatchObject({ ok: true, removedEntries: 0 });
    };
    await round();
    await vault.stop();
    await round();
    const again = await vault.start();
    const { stdout } = await audit('search', '--action', 'audit.hold-released', '--json');
    expect(stdout.match(/case-7-closed/g)).toHaveLength(2);
    await again.stop();
  });
});
