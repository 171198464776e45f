import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';
import { ENVIRONMENT_VARIABLE, environmentSlot, newEnvironmentKey } from './environment-slot.ts';

const unavailable = { code: 'encryption.root-unavailable' };

describe('environmentSlot', () => {
  it('gives back what was stored, under the same key only, and says that it cannot erase', async () => {
    const path = join(temporaryFolder(), 'root');
    const environment = { [ENVIRONMENT_VARIABLE]: newEnvironmentKey() };
    const slot = environmentSlot(path, environment);
    expect(slot.erasure).toBe('none');
    expect(await slot.load()).toBeUndefined();
    const material = new Uint8Array(200).fill(0x5a);
    await slot.store(material, 0);
    await slot.store(material, 1);
    expect(await slot.load()).toEqual({ material: Buffer.from(material), generation: 2 });
    expect(readFileSync(path).includes('ZZZZ')).toBe(false);
    await expect(slot.store(material, 1)).rejects.toMatchObject({ code: 'encryption.root-conflict' });
    const other = environmentSlot(path, { [ENVIRONMENT_VARIABLE]: newEnvironmentKey() });
    await expect(other.load()).rejects.toMatchObject(unavailable);
  });

  it('refuses a missing or malformed key without repeating it', async () => {
    const path = join(temporaryFolder(), 'root');
    for (const value of [undefined, '', 'short', 'not base64url!', `${newEnvironmentKey()}A`]) {
      const slot = environmentSlot(path, { [ENVIRONMENT_VARIABLE]: value });
      await expect(slot.load()).rejects.toMatchObject(unavailable);
      await expect(slot.store(new Uint8Array(1), 0)).rejects.toMatchObject(unavailable);
      if (value !== undefined && value !== '') await expect(slot.load()).rejects.not.toThrow(value);
    }
  });
});
