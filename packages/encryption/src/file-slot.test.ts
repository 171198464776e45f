import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';
import { createEncryption } from './encryption.ts';
import { fileSlot } from './file-slot.ts';
import { encodeSlot, IMAGE_BYTES, SLOT_BYTES } from './internal/root-image.ts';

const fresh = (): string => join(temporaryFolder(), 'root.key');
const failsWith = (code: string, detail: string) => ({ code, message: expect.stringContaining(detail) as string });

describe('fileSlot', () => {
  it('is empty until the first store, which makes a file for the owner only', async () => {
    const path = fresh();
    const slot = fileSlot(path);
    expect(await slot.load()).toBeUndefined();
    const material = randomBytes(100);
    await slot.store(material, 0);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(path).size).toBe(IMAGE_BYTES);
    expect(await slot.load()).toEqual({ material: Uint8Array.from(material), generation: 1 });
    expect(readdirSync(join(path, '..'))).toEqual(['root.key']);
  });

  it('keeps its mode under a lax umask', async () => {
    const path = fresh();
    const former = process.umask(0);
    try {
      await fileSlot(path).store(randomBytes(10), 0);
    } finally {
      process.umask(former);
    }
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('overwrites in place, so that no byte of the former key stays in the file', async () => {
    const path = fresh();
    const slot = fileSlot(path);
    const materials = Array.from({ length: 6 }, () => randomBytes(200));
    const inode = async (): Promise<number> => statSync(path).ino;
    await slot.store(materials[0]!, 0);
    const first = await inode();
    for (const [index, material] of materials.entries()) {
      if (index > 0) await slot.store(material, index);
      expect(await slot.load()).toEqual({ material: Uint8Array.from(material), generation: index + 1 });
      const image = readFileSync(path);
      expect(image).toHaveLength(IMAGE_BYTES);
      for (const [other, bytes] of materials.entries()) {
        // Any eight bytes in a row.
        const found = Array.from({ length: 25 }, (_, piece) =>
          image.includes(bytes.subarray(piece * 8, piece * 8 + 8)),
        );
        expect(found.includes(true)).toBe(other === index);
      }
    }
    expect(await inode()).toBe(first);
  });

  it('refuses to replace what the caller has not seen', async () => {
    const path = fresh();
    const slot = fileSlot(path);
    await slot.store(randomBytes(10), 0);
    await slot.store(randomBytes(20), 1);
    for (const replaces of [0, 1, 3]) {
      await expect(slot.store(randomBytes(30), replaces)).rejects.toMatchObject({ code: 'encryption.root-conflict' });
    }
    expect((await slot.load())?.material).toHaveLength(20);
  });

  it('lets exactly one of several first stores win', async () => {
    const path = fresh();
    const materials = Array.from({ length: 8 }, () => randomBytes(50));
    const results = await Promise.allSettled(materials.map((material) => fileSlot(path).store(material, 0)));
    const winners = results.flatMap(({ status }, index) => (status === 'fulfilled' ? [index] : []));
    expect(winners).toHaveLength(1);
    expect((await fileSlot(path).load())?.material).toEqual(Uint8Array.from(materials[winners[0]!]!));
    expect(readdirSync(join(path, '..'))).toEqual(['root.key']);
  });

  it('serves encryptions started at once from one key', async () => {
    const path = fresh();
    const all = await Promise.all(Array.from({ length: 6 }, () => createEncryption({ slot: fileSlot(path) })));
    const place = { tenant: null, table: 't', column: 'c', row: 'r', subject: null };
    for (const encryption of all) expect(all[0]!.openText(place, encryption.seal(place, 'x'))).toBe('x');
  });

  it('reads and recovers from a store that was cut off, and erases the rest with the next one', async () => {
    const [former, next, after] = [randomBytes(80), randomBytes(80), randomBytes(80)];
    for (let length = 0; length <= SLOT_BYTES; length += 256) {
      const path = fresh();
      const slot = fileSlot(path);
      await slot.store(former, 0);
      const image = readFileSync(path);
      encodeSlot(2, next)
        .subarray(0, length)
        .forEach((byte, index) => (image[SLOT_BYTES + index] = byte));
      writeFileSync(path, image);
      const loaded = await slot.load();
      expect(loaded?.material).toEqual(Uint8Array.from(length === SLOT_BYTES ? next : former));
      await slot.store(after, loaded!.generation);
      expect((await slot.load())?.material).toEqual(Uint8Array.from(after));
      const kept = readFileSync(path);
      expect([former, next].some((material) => kept.includes(material.subarray(0, 8)))).toBe(false);
    }
  });

  it.each([0o640, 0o604, 0o620, 0o602, 0o601, 0o666])(
    'refuses a file with mode %o and names the command',
    async (mode) => {
      const path = fresh();
      const slot = fileSlot(path);
      await slot.store(randomBytes(10), 0);
      chmodSync(path, mode);
      const refused = failsWith('encryption.root-exposed', `chmod 600 '${path}'`);
      await expect(slot.load()).rejects.toMatchObject(refused);
      await expect(slot.store(randomBytes(10), 1)).rejects.toMatchObject(refused);
      chmodSync(path, 0o600);
      expect((await slot.load())?.generation).toBe(1);
      chmodSync(path, 0o400);
      expect((await slot.load())?.generation).toBe(1);
    },
  );

  it.each<[string, (image: Buffer) => Buffer]>([
    ['empty', () => Buffer.alloc(0)],
    ['zeros', (image) => Buffer.alloc(image.length)],
    ['something else', () => Buffer.from('-----BEGIN PRIVATE KEY-----\n')],
    ['one bit different', (image) => (image.writeUInt8(image.readUInt8(30) ^ 1, 30), image)],
  ])('refuses a damaged file and changes nothing in it: %s', async (_, damage) => {
    const path = fresh();
    const slot = fileSlot(path);
    await slot.store(randomBytes(100), 0);
    const damaged = damage(readFileSync(path));
    writeFileSync(path, damaged);
    const refused = failsWith('encryption.root-damaged', path);
    await expect(slot.load()).rejects.toMatchObject(refused);
    await expect(slot.store(randomBytes(10), 1)).rejects.toMatchObject(refused);
    await expect(createEncryption({ slot })).rejects.toMatchObject(refused);
    expect(readFileSync(path)).toEqual(damaged);
  });

  it('tells when the data are there and the file is not', async () => {
    const path = fresh();
    const slot = fileSlot(path);
    await expect(createEncryption({ slot, mustExist: true })).rejects.toMatchObject(
      failsWith('encryption.root-missing', path),
    );
    expect(existsSync(path)).toBe(false);
    await expect(slot.store(randomBytes(10), 1)).rejects.toMatchObject(
      failsWith('encryption.root-unavailable', 'ENOENT'),
    );
    expect(existsSync(path)).toBe(false);
  });

  it('names the reason when the file cannot be made or read', async () => {
    const folder = temporaryFolder();
    const nowhere = fileSlot(join(folder, 'missing', 'root.key'));
    await expect(createEncryption({ slot: nowhere })).rejects.toMatchObject(
      failsWith('encryption.root-unavailable', 'ENOENT'),
    );
    mkdirSync(join(folder, 'folder.key'), { mode: 0o700 });
    await expect(fileSlot(join(folder, 'folder.key')).load()).rejects.toMatchObject(
      failsWith('encryption.root-unavailable', 'EISDIR'),
    );
  });

  it('does not follow a dangling link to make a key somewhere else', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'root.key');
    symlinkSync(join(folder, 'elsewhere'), path);
    await expect(fileSlot(path).store(randomBytes(10), 0)).rejects.toMatchObject({ code: 'encryption.root-conflict' });
    expect(existsSync(join(folder, 'elsewhere'))).toBe(false);
  });
});
