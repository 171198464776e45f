import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { toBase64, utf8 } from '@strongroom/kernel';
import { figure, temporaryFolder } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';
import { newCosigner } from './log.test-support.ts';
import { leafHash, nodeHash } from './merkle.ts';
import { naiveRoot } from './naive-tree.test-support.ts';
import { tileFolderSource } from './tile-folder.ts';
import { tileIndexPath } from './tiles.ts';
import { type Verdict, verifyLog, type VerifyOptions } from './verify-log.ts';

const ORIGIN = 'example.com/some-log';

interface Published {
  readonly folder: string;
  readonly keys: readonly string[];
}

/** Another implementation's log: every level computed from the definition in tlog-tiles, entries of arbitrary bytes. */
function publish(size: number, extension = ''): Published {
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
  const entries = Array.from({ length: size }, (_, index) => utf8(`entry ${index} ${'x'.repeat(index % 40)}`));
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
