import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { figure, temporaryFolder } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';
import { encodeEntry, eventLeaf, type EventColumns } from './entry.ts';
import type { LogSource } from './log-source.ts';
import { newCosigner } from './log.test-support.ts';
import { memoryLog, memorySource, plainEvents } from './memory-log.test-support.ts';
import { naiveRoot } from './naive-tree.test-support.ts';
import { publishTiles } from './publish-tiles.ts';
import { tileFolderSource } from './tile-folder.ts';
import { verifyLog } from './verify-log.ts';

const origin = 'strongroom/published';
const signers = [newCosigner(origin, 'ed25519'), newCosigner(origin, 'ml-dsa-44')];
const keys = signers.map(({ vkey }) => vkey);
const events = plainEvents(800);
const logOf = (of: readonly EventColumns[]): LogSource =>
  memorySource(memoryLog(of, { origin, signers, leafOf: eventLeaf }));
const verify = async (folder: string) => verifyLog(await tileFolderSource(folder), { keys });
const code = (expected: string) => expect.objectContaining({ code: `audit-log.${expected}` });
const files = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name).slice(folder.length + 1))
    .toSorted();

describe('publishing', () => {
  it.each([1, 255, 256, 257, 700])('%i entries gives the files that tlog-tiles defines', async (size) => {
    const [folder, hashesOnly] = [temporaryFolder(), temporaryFolder()];
    const some = events.slice(0, size);
    expect(await publishTiles(logOf(some), folder, { entries: true })).toMatchObject({ origin, size });
    expect(await verify(folder)).toMatchObject({ ok: true, size, verifiedEntries: size, standing: 'UNANCHORED' });
    await publishTiles(logOf(some), hashesOnly);
    expect(existsSync(join(hashesOnly, 'tile/entries'))).toBe(false);
    expect(await verify(hashesOnly)).toMatchObject({ ok: true, size, withheldEntries: size });
    // The bytes, from the definition.
    const leaves = some.map(eventLeaf);
    const last = Math.floor((size - 1) / 256);
    const suffix = size % 256 === 0 ? '' : `.p/${size % 256}`;
    expect(readFileSync(join(folder, `tile/0/00${last}${suffix}`))).toEqual(Buffer.concat(leaves.slice(last * 256)));
    const bundle = readFileSync(join(folder, `tile/entries/00${last}${suffix}`));
    const entry = encodeEntry(some[last * 256]!);
    expect([bundle.readUInt16BE(0), bundle.subarray(2, 2 + entry.length)]).toEqual([entry.length, Buffer.from(entry)]);
    const full = Math.floor(size / 256);
    const above = Array.from({ length: full }, (_, index) => naiveRoot(leaves.slice(index * 256, (index + 1) * 256)));
    expect(existsSync(join(folder, 'tile/1'))).toBe(full > 0);
    if (full > 0) expect(readFileSync(join(folder, `tile/1/000.p/${full}`))).toEqual(Buffer.concat(above));
  });

  it('again goes on where it ended: full tiles stay, partial ones give way', async () => {
    const folder = temporaryFolder();
    const written: number[] = [];
    for (const size of [100, 300, 600, 600]) {
      written.push((await publishTiles(logOf(events.slice(0, size)), folder, { entries: true })).files);
      expect(await verify(folder)).toMatchObject({ ok: true, size });
    }
    expect(files(folder)).toEqual(
      [
        'checkpoint',
        ...['0/000', '0/001', '0/002.p/88', '1/000.p/1', '1/000.p/2'].map((path) => `tile/${path}`),
        ...['000', '001', '002.p/88'].map((path) => `tile/entries/${path}`),
      ].toSorted(),
    );
    expect(written).toEqual([3, 6, 6, 4]);
    figure(`a published log grew from 100 to 600 entries by ${written.join(', ')} files`);
  });

  it('refuses another history, and then leaves the folder as it is', async () => {
    const folder = temporaryFolder();
    await publishTiles(logOf(events.slice(0, 300)), folder);
    const before = files(folder).map((path) => readFileSync(join(folder, path)));
    const changed = events.with(7, { ...events[7]!, outcome: 'failure' });
    const other = newCosigner('strongroom/other', 'ed25519');
    const foreign = memoryLog(events, { origin: 'strongroom/other', signers: [other], leafOf: eventLeaf });
    for (const source of [
      logOf(changed),
      logOf(events.slice(0, 200)),
      logOf(changed.slice(0, 300)),
      memorySource(foreign),
    ]) {
      await expect(publishTiles(source, folder)).rejects.toThrow(code('published-differs'));
    }
    expect(files(folder).map((path) => readFileSync(join(folder, path)))).toEqual(before);
  });

  it('refuses to publish entries that are not shown, or not those that were logged', async () => {
    const source = logOf(events.slice(0, 3));
    const lying = (event: 'withheld' | EventColumns): LogSource => ({
      ...source,
      entries: async (from, to) => (await source.entries(from, to)).map((entry) => ({ ...entry, event })),
    });
    await expect(publishTiles(lying('withheld'), temporaryFolder(), { entries: true })).rejects.toThrow(
      code('unknown-entry'),
    );
    await expect(publishTiles(lying(events[5]!), temporaryFolder(), { entries: true })).rejects.toThrow(
      code('damaged'),
    );
    await publishTiles(lying('withheld'), temporaryFolder());
    const empty: LogSource = { ...source, newestCheckpoint: async () => null };
    await expect(publishTiles(empty, temporaryFolder())).rejects.toThrow(code('no-checkpoint'));
  });
});

describe('publishing what retention left', () => {
  it('takes away the entries below the minimum index, and the folder verifies before and after', async () => {
    const folder = temporaryFolder();
    await publishTiles(logOf(events.slice(0, 700)), folder, { entries: true });
    const whole = logOf(events);
    const pruned: LogSource = {
      ...whole,
      minimumIndex: async () => 257,
      entries: async (from, to) =>
        (await whole.entries(from, to)).map((entry) => (entry.index === 256 ? { ...entry, event: 'removed' } : entry)),
    };
    expect(await publishTiles(pruned, folder, { entries: true })).toMatchObject({ size: 800 });
    expect(files(folder).filter((file) => file.startsWith('tile/entries'))).toEqual([
      'tile/entries/002',
      'tile/entries/003.p/32',
    ]);
    expect(await verify(folder)).toMatchObject({ ok: true, size: 800, verifiedEntries: 288, withheldEntries: 512 });
    // A hole is no pruning.
    rmSync(join(folder, 'tile/entries/002'));
    await publishTiles(pruned, folder, { entries: true });
    expect(await verify(folder)).toMatchObject({ ok: true, verifiedEntries: 32 });
    const holed = temporaryFolder();
    await publishTiles(whole, holed, { entries: true });
    rmSync(join(holed, 'tile/entries/001'));
    expect(await verify(holed)).toMatchObject({ ok: false, standing: 'INVALID' });
    // Nothing but removed entries: the hashes stay.
    await publishTiles({ ...pruned, minimumIndex: async () => 800 }, holed, { entries: true });
    expect(files(holed).filter((file) => file.startsWith('tile/entries'))).toEqual([]);
    expect(await verify(holed)).toMatchObject({ ok: true, verifiedEntries: 0, withheldEntries: 800 });
  });
});
