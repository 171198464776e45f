import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ByteScanner, disguises } from './byte-scan.ts';
import { temporaryFolder } from './temporary-folder.ts';

const file = (content: Uint8Array): string => {
  const path = join(temporaryFolder(), 'content');
  writeFileSync(path, content);
  return path;
};

describe('the scanner', () => {
  it('finds exactly what indexOf finds, in random bytes of a small alphabet', () => {
    for (let round = 0; round < 5; round += 1) {
      const content = Buffer.from(randomBytes(60_000).map((byte) => byte % 4));
      const patterns = Array.from({ length: 30 }, (_, number) => {
        const at = Math.floor(Math.random() * 50_000);
        const length = 8 + (number % 5);
        return {
          name: String(number),
          bytes: number % 3 === 0 ? randomBytes(length).map((byte) => byte % 4) : content.subarray(at, at + length),
        };
      });
      const expected = patterns.flatMap(({ name, bytes }) => {
        const positions: string[] = [];
        for (let at = content.indexOf(bytes); at !== -1; at = content.indexOf(bytes, at + 1))
          positions.push(`${name} ${at}`);
        return positions;
      });
      expect(expected.length).toBeGreaterThan(19);
      const hits = new ByteScanner(patterns).scanFile(file(content)).map(({ name, position }) => `${name} ${position}`);
      expect(hits.toSorted()).toEqual(expected.toSorted());
    }
  });

  it('finds what lies across the boundary of two chunks, and at the very ends', () => {
    const secret = Buffer.from('across the boundary of chunks');
    const content = Buffer.alloc(40 * 1024 * 1024);
    const places = [0, 16 * 1024 * 1024 - 5, 32 * 1024 * 1024 - 40, content.length - secret.length];
    for (const place of places) content.set(secret, place);
    const hits = new ByteScanner([{ name: 'secret', bytes: secret }]).scanFile(file(content));
    expect(hits.map(({ position }) => position)).toEqual(places);
    expect(new ByteScanner([{ name: 'other', bytes: Buffer.from('something else') }]).scanFile(file(content))).toEqual(
      [],
    );
  });

  it('sees through every disguise', () => {
    const secret = '合鍵の場所 Grüße 0123456789';
    const scanner = new ByteScanner(disguises('secret', secret));
    const seen = (content: Buffer | string) =>
      scanner.scanFile(
        file(Buffer.concat([Buffer.from('before '), Buffer.from(content as string), Buffer.from(' after')])),
      ).length > 0;
    const bytes = Buffer.from(secret);
    for (const before of ['', 'a', 'ab', 'abc']) {
      const longer = Buffer.from(`${before}${secret} and more`);
      for (const encoding of ['base64', 'base64url', 'hex'] as const)
        expect(seen(longer.toString(encoding)), encoding).toBe(true);
    }
    expect(seen(bytes)).toBe(true);
    expect(seen(bytes.toString('hex').toUpperCase())).toBe(true);
    expect(seen(Buffer.from(secret, 'utf16le'))).toBe(true);
    expect(seen(Buffer.from(secret, 'utf16le').swap16())).toBe(true);
    expect(
      seen(
        JSON.stringify(secret).replaceAll(
          /[\u0080-\uffff]/g,
          (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
        ),
      ),
    ).toBe(true);
    expect(seen(Buffer.from(bytes.map((byte) => byte ^ 1)))).toBe(false);
  });
});
