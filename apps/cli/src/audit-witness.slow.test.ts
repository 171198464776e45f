/** A witness of its own process and a vault that is told to ask it: from `audit witness` to the verdict WITNESSED and back. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { figure, temporaryFolder } from '@strongroom/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { Device, startVault, until } from './running-vault.fixture.ts';

/** Without the launcher, so that killing it kills the program. */
const COMMAND_LINE = path.join(import.meta.dirname, 'main.ts');

const started: ChildProcess[] = [];
afterEach(() => started.splice(0).forEach((child) => child.kill('SIGKILL')));

async function startWitness(
  folder: string,
  policy: string,
  port = '0',
): Promise<{ url: string; keys: string[]; child: ChildProcess }> {
  const parameters = ['witness', 'serve', '--name', 'witness.example', '--data', folder, '--port', port, '--json'];
  const child = spawn(process.execPath, ['--conditions=source', COMMAND_LINE, ...parameters, '--policy', policy], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  started.push(child);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  await until('the witness to start', () => output.includes('\n'), 60_000);
  return { ...(JSON.parse(output) as { url: string; keys: string[] }), child };
}

describe('a witness of another process', () => {
  it('makes the log WITNESSED', async () => {
    const vault = await startVault();
    const ada = new Device();
    await ada.signUp(vault);
    const files = temporaryFolder();
    const file = (name: string) => path.join(files, name);
    const ownKeys = async () =>
      writeFileSync(file('log'), await ada.lines('audit', 'witness', '--data', vault.data, '--own-keys'));
    await ownKeys();
    const witness = await startWitness(file('witness'), file('log'));
    const lines = witness.keys.map((key, index) => `witness w${index} ${key} ${witness.url}\n`);
    writeFileSync(file('policy'), `${lines.join('')}group both all w0 w1\nquorum both\n`);

    const verify = ['audit', 'verify', '--data', vault.data, '--policy', file('policy')];
    expect(await ada.run(verify)).toMatchObject({ code: 7, stdout: expect.stringContaining('UNANCHORED') as string });
    await ada.lines('audit', 'witness', '--data', vault.data, '--policy', file('policy'));
    await until('the checkpoint to be cosigned', async () => (await ada.run(verify)).code === 0, 60_000);
    figure('the log of a running vault is WITNESSED by another process');
    expect((await ada.run(verify)).stdout).toMatch(/^INTACT[\s\S]*WITNESSED up to \d+ events/);
    expect(await ada.run(['audit', 'verify', '--data', vault.data])).toMatchObject({ code: 0 });
    const shown = ['audit', 'witness', '--data', vault.data];
    expect(await ada.lines(...shown)).toMatch(/Cosigned are (\d+) of \d+ entries/);

    // After a change of keys the witness has to be told, and it is said how.
    await ada.lines('audit', 'checkpoint', '--data', vault.data, '--rotate-key');
    await until('the handover to be cosigned', async () => (await ada.run(verify)).code === 0, 60_000);
    await ada.lines('audit', 'bundle', '--data', vault.data, '--out', file('before'));
    await until('the witness to refuse', async () => (await ada.lines(...shown)).includes('--own-keys'), 60_000);
    const ended = new Promise((resolve) => witness.child.once('exit', resolve));
    witness.child.kill('SIGTERM');
    expect(await ended).toBe(0);
    await ownKeys();
    expect(readFileSync(file('log'), 'utf8').match(/^log /gm)).toHaveLength(4);
    const told = await startWitness(file('witness'), file('log'), new URL(witness.url).port);
    expect(told.keys).toEqual(witness.keys);
    await until('the present keys to be cosigned', async () => {
      const { witnessing } = (await ada.json(...shown)) as { witnessing: { size: number; witnessedSize: number } };
      return witnessing.witnessedSize === witnessing.size;
    });

    await vault.stop();
    expect(await ada.lines(...shown)).toContain(witness.url);
    await ada.lines('audit', 'witness', '--data', vault.data, '--remove');
    expect(await ada.lines('audit', 'witness', '--data', vault.data)).toContain('No witnesses');
    expect(await ada.run(['audit', 'witness', '--data', vault.data, '--policy', file('before')])).toMatchObject({
      code: 1,
    });
  });
});
