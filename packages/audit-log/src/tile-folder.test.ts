import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { toBase64, utf8 } from '@strongroom/kernel';
import { figure, rounds, temporaryFolder } from '@strongroom/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newCosigner } from './log.test-support.ts';
import { leafHash, nodeHash } from './merkle.ts';
import { naiveLeaf, naiveRoot } from './naive-tree.test-support.ts';
import { tileFolderSource } from './tile-folder.ts';
import { tileIndexPath } from './tiles.ts';
import { type Verdict, verifyLog, type VerifyOptions } from './verify-log.ts';

const ORIGIN = 'example.com/some-log';

interface Published {
  readonly folder: string;
  readonly keys: readonly string[];
}

const plainEntry = (index: number): Uint8Array => utf8(`entry ${index} ${'x'.repeat(index % 40)}`);

/** Another implementation's log: every level computed from the definition in tlog-tiles, entries of arbitrary bytes. */
function publish(size: number, extension = '', entryOf = plainEntry): Published {
  const folder = temporaryFolder();
  const write = (path: string, bytes: Uint8Array | string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  };
  const writeTiles = (kind: string, items: readonly Uint8Array[]) => {
    for (let index = 0; index * 256 < items.length; index += 1) {
      const tile = items.slice(index * 256, (index + 1) * 256);
      const suffix = tile.length === 256 ? '' : `.p/${tile.length}`;
      write(`tile/${kind}/${tileIndexPath(index)}${suffix}`, Buffer.concat(tile));
    }
  };
  const entries = Array.from({ length: size }, (_, index) => entryOf(index));
  const prefixed = entries.map((entry) =>
    Buffer.concat([Buffer.from([entry.length >> 8, entry.length & 0xff]), entry]),
  );
  writeTiles('entries', prefixed);
  const leaves = entries.map(leafHash);
  let hashes: readonly Uint8Array[] = leaves;
  for (let level = 0; hashes.length > 0; level += 1) {
    writeTiles(String(level), hashes);
    const below = hashes;
    hashes = Array.from({ length: Math.floor(below.length / 256) }, (_, index) =>
      naiveRoot(below.slice(index * 256, (index + 1) * 256)),
    );
  }
  const log = newCosigner(ORIGIN, 'ed25519');
  const unsigned = `${ORIGIN}\n${size}\n${toBase64(naiveRoot(leaves))}\n${extension}\n`;
  write('checkpoint', log.cosign(unsigned, 0));
  return { folder, keys: [log.vkey] };
}

const verify = async ({ folder, keys }: Published, options: Partial<VerifyOptions> = {}): Promise<Verdict> =>
  verifyLog(await tileFolderSource(folder), { keys, ...options });

/** Changes one byte of a file. */
function flip(folder: string, path: string, place: number): void {
  const bytes = readFileSync(join(folder, path));
  bytes[place]! ^= 1;
  writeFileSync(join(folder, path), bytes);
}

describe('a published tile log', () => {
  it.each([1, 2, 255, 256, 257, 700])('of %i entries is verified', async (size) => {
    const log = publish(size);
    expect(await verify(log)).toMatchObject({
      ok: true,
      standing: 'UNANCHORED',
      size,
      verifiedEntries: size,
      withheldEntries: 0,
    });
    rmSync(join(log.folder, 'tile/entries'), { recursive: true });
    expect(await verify(log)).toMatchObject({ ok: true, verifiedEntries: 0, withheldEntries: size });
  });

  it('may carry extension lines under Ed25519', async () => {
    expect(await verify(publish(3, 'something else\n'))).toMatchObject({ ok: true });
  });

  it('is invalid after any change, which is named', async () => {
    const changes: readonly (readonly [string, number, string])[] = [
      ['tile/entries/000', 9, 'leaf 0'],
      ['tile/entries/002.p/188', 1, 'leaf 512'],
      // Tile and entry contradict each other; without a second copy nobody knows which one was changed.
      ['tile/0/000', 40, 'leaf 1'],
      ['tile/0/002.p/188', 0, 'tile 0/2'],
      ['tile/1/000.p/2', 33, 'tile 1/0'],
      ['checkpoint', ORIGIN.length + 8, 'newest checkpoint'],
    ];
    for (const [path, place, where] of changes) {
      const log = publish(700);
      expect(await verify(log)).toMatchObject({ ok: true });
      flip(log.folder, path, place);
      const verdict = await verify(log);
      expect(verdict, path).toMatchObject({ ok: false, standing: 'INVALID' });
      expect(verdict.findings.map((finding) => finding.where).join(' '), path).toContain(where);
    }
    figure(`${changes.length} changed tile logs judged INVALID, the place named`);
  });

  it('is invalid where files are missing', async () => {
    for (const path of ['tile/entries/001', 'tile/0/001', 'tile/1/000.p/2']) {
      const log = publish(700);
      rmSync(join(log.folder, path));
      expect(await verify(log), path).toMatchObject({ ok: false, standing: 'INVALID' });
    }
    const empty = { folder: temporaryFolder(), keys: publish(1).keys };
    await expect(verify(empty)).rejects.toThrow(expect.objectContaining({ code: 'audit-log.invalid-tiles' }));
  });

  it('may be pruned up to any full tile, and is still proved as a whole', async () => {
    for (const [size, keeps] of [
      [700, 0],
      [700, 1],
      [700, 2],
      [768, 3],
      [512, 1],
    ] as const) {
      const log = publish(size);
      const { root } = await verify(log);
      const remove = (kind: string) => {
        for (let index = 0; index < keeps; index += 1) rmSync(join(log.folder, `tile/${kind}/00${index}`));
      };
      remove('0');
      // Entries whose hashes alone are gone: nothing was pruned.
      if (keeps > 0) expect(await verify(log), `${size}, ${keeps}`).toMatchObject({ ok: false, standing: 'INVALID' });
      remove('entries');
      const withheldEntries = keeps * 256;
      const expected = { ok: true, size, root, withheldEntries, verifiedEntries: size - withheldEntries };
      expect(await verify(log), `${size}, ${keeps}`).toMatchObject(expected);
      const remembered = { size: Math.max(1, withheldEntries), root: new Uint8Array(32) };
      expect(await verify(log, { remembered })).toMatchObject({ standing: 'DIVERGED' });
      if (keeps === 0) continue;
      await expect(verify(log, { remembered: { ...remembered, size: withheldEntries - 1 } })).rejects.toThrow(
        expect.objectContaining({ code: 'audit-log.invalid-tiles' }),
      );
      flip(log.folder, `tile/1/000.p/${Math.floor(size / 256)}`, 3);
      expect(await verify(log)).toMatchObject({ ok: false, standing: 'INVALID' });
    }
  });

  it('is not pruned but damaged where what stands for its beginning is gone too, or a partial tile is', async () => {
    for (const [size, gone] of [
      [700, 'tile/1/000.p/2'],
      [700, 'tile/0/002.p/188'],
      [512, 'tile/1/000.p/2'],
    ] as const) {
      const log = publish(size);
      rmSync(join(log.folder, 'tile/entries'), { recursive: true });
      for (const index of [0, 1]) rmSync(join(log.folder, `tile/0/00${index}`));
      expect(await verify(log)).toMatchObject({ ok: true, verifiedEntries: 0 });
      rmSync(join(log.folder, gone));
      expect(await verify(log), gone).toMatchObject({ ok: false, standing: 'INVALID' });
    }
  });

  it('may have full tiles in the place of partial ones', async () => {
    const [small, grown] = [publish(700), publish(800)];
    for (const kind of ['0', 'entries']) {
      const path = `tile/${kind}/002`;
      const full = join(small.folder, path);
      renameSync(join(grown.folder, path), full);
      rmSync(`${full}.p`, { recursive: true });
    }
    expect(await verify(small)).toMatchObject({ ok: true, size: 700 });
  });

  it('may have entries of no bytes and of the most that a bundle can hold', async () => {
    const lengths = [0, 65_535, 0, 1, 65_535];
    const log = publish(260, '', (index) => new Uint8Array(lengths[index] ?? 0).fill(index));
    expect(await verify(log)).toMatchObject({ ok: true, size: 260, verifiedEntries: 260 });
    flip(log.folder, 'tile/entries/000', 2 + 2 + 65_534);
    expect(await verify(log)).toMatchObject({ ok: false, findings: [{ where: 'leaf 1' }] });
  });

  it('may be empty, with the root of an empty tree', async () => {
    const log = publish(0);
    expect(await verify(log)).toMatchObject({ ok: true, size: 0, standing: 'UNANCHORED' });
    const { folder, keys } = publish(1);
    const text = `${ORIGIN}\n0\n${toBase64(naiveLeaf(utf8('x')))}\n\n`;
    const other = newCosigner(ORIGIN, 'ed25519');
    writeFileSync(join(folder, 'checkpoint'), other.cosign(text, 0));
    expect(await verify({ folder, keys: [other.vkey] })).toMatchObject({ ok: false, standing: 'INVALID' });
    expect(await verify({ folder, keys })).toMatchObject({ ok: false, standing: 'INVALID' });
  });

  it('is invalid after any byte of any file was changed, added or taken away', async () => {
    const log = publish(300);
    const paths = readdirSync(log.folder, { recursive: true, withFileTypes: true })
      .filter((file) => file.isFile())
      .map((file) => join(file.parentPath, file.name));
    const change = fc.record({
      path: fc.constantFrom(...paths),
      place: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      drop: fc.constantFrom(0, 1),
      insert: fc.uint8Array({ maxLength: 1 }),
    });
    const property = fc.asyncProperty(change, async ({ path, place, drop, insert }) => {
      const before = readFileSync(path);
      const at = Math.floor(place * before.length);
      const after = Buffer.concat([before.subarray(0, at), insert, before.subarray(at + drop)]);
      writeFileSync(path, after);
      const verdict = await verify(log);
      writeFileSync(path, before);
      expect(verdict).toMatchObject({ ok: after.equals(before) });
      if (!verdict.ok) expect(verdict).toMatchObject({ standing: 'INVALID' });
    });
    await fc.assert(property, { numRuns: rounds(60, 600) });
    expect(await verify(log)).toMatchObject({ ok: true });
  });

  it('is invalid where a file has more or less in it than its name says', async () => {
    const [entry, hash] = [Buffer.from([0, 0]), Buffer.alloc(32)];
    const changes: readonly (readonly [path: string, change: (bytes: Buffer) => Buffer])[] = [
      ['tile/0/000', (bytes) => Buffer.concat([bytes, hash])],
      ['tile/0/000', (bytes) => bytes.subarray(32)],
      ['tile/0/002.p/188', (bytes) => Buffer.concat([bytes, hash])],
      ['tile/0/002.p/188', (bytes) => Buffer.concat([bytes, bytes.subarray(0, 1)])],
      ['tile/1/000.p/2', (bytes) => Buffer.concat([bytes, hash])],
      ['tile/1/000.p/2', () => Buffer.alloc(0)],
      ['tile/entries/000', (bytes) => Buffer.concat([bytes, entry])],
      ['tile/entries/000', (bytes) => bytes.subarray(0, -1)],
      ['tile/entries/001', () => Buffer.alloc(17_000_000)],
      ['tile/entries/002.p/188', (bytes) => Buffer.concat([bytes, entry])],
      ['tile/entries/002.p/188', (bytes) => Buffer.concat([bytes, Buffer.from([0])])],
      ['tile/entries/002.p/188', (bytes) => bytes.subarray(0, 1)],
      ['checkpoint', (bytes) => Buffer.concat([bytes, utf8('— oth'), Buffer.from([0xff]), utf8('er AAAAAAA=\n')])],
      ['checkpoint', (bytes) => Buffer.concat([bytes, bytes.subarray(-1)])],
      ['checkpoint', (bytes) => bytes.subarray(0, -1)],
      ['checkpoint', () => Buffer.alloc(2_000_000, 'x')],
    ];
    const log = publish(700);
    expect(await verify(log)).toMatchObject({ ok: true });
    for (const [path, change] of changes) {
      const file = join(log.folder, path);
      const before = readFileSync(file);
      writeFileSync(file, change(before));
      expect(await verify(log), `${path} ${String(change)}`).toMatchObject({ ok: false, standing: 'INVALID' });
      writeFileSync(file, before);
    }
    expect(await verify(log)).toMatchObject({ ok: true });
    // What is no file is not there.
    rmSync(join(log.folder, 'tile/0/000'));
    mkdirSync(join(log.folder, 'tile/0/000'));
    expect(await verify(log)).toMatchObject({ ok: false, standing: 'INVALID' });
  });

  it('is read from the full tile only as far as the tree goes, and that tile must be whole', async () => {
    const [small, grown] = [publish(700), publish(800)];
    for (const kind of ['0', 'entries']) {
      const path = join(small.folder, `tile/${kind}/002`);
      renameSync(join(grown.folder, `tile/${kind}/002`), path);
      rmSync(`${path}.p`, { recursive: true });
      const before = readFileSync(path);
      if (kind === '0') writeFileSync(path, before.subarray(0, 188 * 32));
      else writeFileSync(path, Buffer.concat([before, Buffer.from([0, 0])]));
      expect(await verify(small)).toMatchObject({ ok: false, standing: 'INVALID' });
      writeFileSync(path, before);
    }
    expect(await verify(small)).toMatchObject({ ok: true, size: 700 });
  });

  it('may have another origin than the name of its key, when that is said', async () => {
    const { folder } = publish(3);
    const key = newCosigner('sum.example', 'ed25519');
    const [text] = readFileSync(join(folder, 'checkpoint'), 'utf8').split('\n\n');
    writeFileSync(join(folder, 'checkpoint'), key.cosign(`${text}\n\n`, 0));
    const log = { folder, keys: [key.vkey] };
    expect(await verify(log)).toMatchObject({ ok: false, standing: 'INVALID' });
    expect(await verify(log, { origin: ORIGIN })).toMatchObject({ ok: true });
    expect(await verify(log, { origin: 'example.com/another' })).toMatchObject({ ok: false, standing: 'INVALID' });
  });

  it.each(['ed25519', 'ed25519-cosignature', 'ml-dsa-44'] as const)('may be signed with %s', async (algorithm) => {
    const { folder } = publish(3);
    const [one, two] = [newCosigner(ORIGIN, algorithm), newCosigner(ORIGIN, algorithm)];
    const [text] = readFileSync(join(folder, 'checkpoint'), 'utf8').split('\n\n');
    writeFileSync(join(folder, 'checkpoint'), one.cosign(`${text}\n\n`, 1));
    expect(await verify({ folder, keys: [one.vkey] })).toMatchObject({ ok: true });
    expect(await verify({ folder, keys: [two.vkey] })).toMatchObject({ ok: false, standing: 'INVALID' });
    expect(await verify({ folder, keys: [one.vkey, two.vkey] })).toMatchObject({ ok: false, standing: 'INVALID' });
  });

  it('diverges from what was seen before, and is judged by the right key only', async () => {
    const log = publish(300);
    const root = new Uint8Array(32);
    expect(await verify(log, { remembered: { size: 299, root } })).toMatchObject({ standing: 'DIVERGED' });
    expect(await verify(log, { remembered: { size: 301, root } })).toMatchObject({ standing: 'DIVERGED' });
    expect(await verify({ ...log, keys: publish(300).keys })).toMatchObject({ standing: 'INVALID' });
  });

  it('computes what the definition says', () => {
    const [left, right] = [leafHash(utf8('a')), leafHash(utf8('b'))];
    expect(naiveRoot([left, right])).toEqual(nodeHash(left, right));
  });
});
