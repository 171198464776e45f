/** A witness of its own process and a vault that is told to ask it: from `audit witness` to the verdict WITNESSED and back. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { figure, temporaryFolder } from '@strongroom/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { Device, startVault, until } from './running-vault.fixture.ts';

const COMMAND_LINE = path.join(import.meta.dirname, '../bin/strongroom.mjs');

const started: ChildProcess[] = [];
afterEach(() => started.splice(0).forEach((child) => child.kill('SIGKILL')));

async function startWitness(
  folder: string,
  vkeys: readonly string[],
): Promise<{ url: string; keys: string[]; child: ChildProcess }> {
  const parameters = ['witness', 'serve', '--name', 'witness.example', '--data', folder, '--port', '0', '--json'];
  const child = spawn(process.execPath, [COMMAND_LINE, ...parameters, ...vkeys.flatMap((key) => ['--log', key])], {
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
    await ada.lines('audit', 'bundle', '--data', vault.data, '--out', file('before'));
    const { keys: logKeys } = JSON.parse(readFileSync(file('before'), 'utf8').split('\n')[0]!) as { keys: string[] };
    const witness = await startWitness(file('witness'), logKeys);
    const lines = witness.keys.map((key, index) => `witness w${index} ${key} ${witness.url}\n`);
    writeFileSync(file('policy'), `${lines.join('')}group both all w0 w1\nquorum both\n`);

    const verify = ['audit', 'verify', '--data', vault.data, '--policy', file('policy')];
    expect(await ada.run(verify)).toMatchObject({ code: 7, stdout: expect.stringContaining('UNANCHORED') as string });
    await ada.lines('audit', 'witness', '--data', vault.data, '--policy', file('policy'));
    await until('the checkpoint to be cosigned', async () => (await ada.run(verify)).code === 0, 60_000);
    figure('the log of a running vault is WITNESSED by another process');
    expect((await ada.run(verify)).stdout).toMatch(/^INTACT[\s\S]*WITNESSED up to \d+ events/);
    expect(await ada.run(['audit', 'verify', '--data', vault.data])).toMatchObject({ code: 0 });

    await vault.stop();
    const shown = await ada.lines('audit', 'witness', '--data', vault.data);
    expect(shown).toContain(witness.url);
    await ada.lines('audit', 'witness', '--data', vault.data, '--remove');
    expect(await ada.lines('audit', 'witness', '--data', vault.data)).toContain('No witnesses');
    expect(await ada.run(['audit', 'witness', '--data', vault.data, '--policy', file('before')])).toMatchObject({
      code: 1,
    });
    const ended = new Promise((resolve) => witness.child.once('exit', resolve));
    witness.child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });
});
