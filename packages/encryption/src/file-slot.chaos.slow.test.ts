/** The root file under kill -9, and the order of its writes as the kernel saw them. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { figure, needs, temporaryFolder } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';
import { fileSlot } from './file-slot.ts';
import { IMAGE_BYTES } from './internal/root-image.ts';

const program = (path: string, stores: number): string[] => [
  '--conditions=source',
  '--input-type=module',
  '--eval',
  `import { fileSlot } from ${JSON.stringify(join(import.meta.dirname, 'file-slot.ts'))};
   const slot = fileSlot(${JSON.stringify(path)});
   let generation = (await slot.load())?.generation ?? 0;
   for (let count = 0; count < ${stores}; count += 1) {
     await slot.store(new Uint8Array(200).fill((generation + 1) % 256), generation);
     generation += 1;
     process.stdout.write(generation + '\\n');
   }`,
];

const KILLS = 60;

describe('a root file whose process is killed', () => {
  it('always reads, with the last key that was acknowledged or the one after it', async () => {
    const path = join(temporaryFolder(), 'root.key');
    let acknowledged = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const child = spawn(process.execPath, program(path, 1_000_000), { stdio: ['ignore', 'pipe', 'inherit'] });
      const closed = once(child, 'close');
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
      await once(child.stdout, 'data');
      await wait(Math.random() * 25);
      child.kill('SIGKILL');
      await closed;
      // A last line that the kill cut off is no acknowledgement.
      acknowledged = Number(output.split('\n').at(-2));
      const stored = await fileSlot(path).load();
      expect([acknowledged, acknowledged + 1]).toContain(stored?.generation);
      expect(stored?.material).toEqual(new Uint8Array(200).fill(stored!.generation % 256));
    }
    expect(acknowledged).toBeGreaterThan(KILLS);
    figure(`root file: ${KILLS} times kill -9 during ${acknowledged} stores, readable each time`);
  });
});

describe.skipIf(!needs('strace'))('the order of writes', () => {
  it('erases the former key only after the new one was synced, and syncs that too', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'root.key');
    const trace = join(folder, 'trace');
    await fileSlot(path).store(new Uint8Array(200).fill(1), 0);
    const run = spawnSync('strace', [
      '-f',
      '-y',
      '-o',
      trace,
      '-e',
      'trace=pwrite64,fsync,fdatasync',
      process.execPath,
      ...program(path, 2),
    ]);
    expect(run.status).toBe(0);
    const calls = readFileSync(trace, 'utf8')
      .split('\n')
      .filter((line) => line.includes('root.key>'))
      .map((line) => (line.includes('fsync(') ? 'sync' : /, "(?<start>[^"]{7}).*, (?<offset>\d+)\)/.exec(line)?.groups))
      .map((call) =>
        typeof call === 'object' ? `${call['start'] === 'SRROOT1' ? 'key' : 'zeros'} at ${call['offset']}` : call,
      );
    expect([calls.slice(0, 4), calls.slice(4)]).toEqual([
      ['key at 4096', 'sync', 'zeros at 0', 'sync'],
      ['key at 0', 'sync', 'zeros at 4096', 'sync'],
    ]);
  });
});

describe('a root file that a store cannot write', () => {
  it('keeps the former key when the disk is full', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'root.key');
    await fileSlot(path).store(new Uint8Array(200).fill(1), 0);
    // The shell's limit on file sizes stands in for a full disk: it also fails in the middle of a write.
    for (const blocks of [0, 4, 8, 12]) {
      const image = readFileSync(path);
      const run = spawnSync(
        'sh',
        ['-c', `ulimit -f ${blocks}; trap '' XFSZ; exec "$0" "$@"`, process.execPath, ...program(path, 1)],
        {
          encoding: 'utf8',
        },
      );
      expect(run.status, `${blocks} blocks`).not.toBe(0);
      expect((await fileSlot(path).load())?.material).toEqual(new Uint8Array(200).fill(1));
      writeFileSync(path, image);
      chmodSync(path, 0o600);
    }
    expect(readFileSync(path)).toHaveLength(IMAGE_BYTES);
  });
});
