/** Against Debian's python3-cryptography: Fernet both ways, and fields opened by docs/format/decrypt.py. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromUtf8, newUuid, utf8 } from '@strongroom/kernel';
import { asSystem, inInstallation } from '@strongroom/storage';
import { figure, needs, temporaryFolder } from '@strongroom/testing';
import { databases } from '@strongroom/testing/databases';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { algorithms, type Algorithm } from './algorithms.ts';
import { createEncryption } from './encryption.ts';
import { Fernet } from './fernet.ts';
import { fileSlot } from './file-slot.ts';
import { manifest } from './manifest.ts';
import { MultiFernet } from './multi-fernet.ts';

/** Runs a Python program on JSON lines; answers with the JSON values of its output lines. */
function python(program: readonly string[], lines: readonly unknown[]): unknown[] {
  const run = spawnSync('python3', program, {
    input: lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (run.status !== 0) throw new Error(run.stderr);
  return run.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line));
}

const FERNET = [
  '-c',
  `
import sys, json, base64
from cryptography.fernet import Fernet, MultiFernet, InvalidToken
for line in sys.stdin:
    job = json.loads(line)
    members = [Fernet(key) for key in job["keys"]]
    fernet = members[0] if len(members) == 1 else MultiFernet(members)
    try:
        if job["do"] == "encrypt":
            result = fernet.encrypt_at_time(base64.b64decode(job["content"]), job["now"]).decode()
        elif job["do"] == "rotate":
            result = fernet.rotate(job["token"].encode()).decode()
        elif job["do"] == "timestamp":
            result = fernet.extract_timestamp(job["token"].encode())
        elif "ttl" in job:
            result = base64.b64encode(fernet.decrypt_at_time(job["token"].encode(), job["ttl"], job["now"])).decode()
        else:
            result = base64.b64encode(fernet.decrypt(job["token"].encode())).decode()
    except InvalidToken:
        result = None
    print(json.dumps(result))
`,
];

const NOW = 1_800_000_000;
const contents = [...Array.from({ length: 66 }, (_, length) => length), 1024, 65_536].map((length) =>
  randomBytes(length),
);

describe.skipIf(!needs('python-cryptography'))("Python's cryptography", () => {
  it('opens our tokens and makes tokens that we open', () => {
    const key = Fernet.generateKey();
    const fernet = new Fernet(key);
    const opened = python(
      FERNET,
      contents.map((content) => ({ do: 'decrypt', keys: [key], token: fernet.encrypt(content) })),
    );
    expect(opened).toEqual(contents.map((content) => content.toString('base64')));
    const made = python(
      FERNET,
      contents.map((content) => ({ do: 'encrypt', keys: [key], content: content.toString('base64'), now: NOW })),
    );
    for (const [index, token] of made.entries()) {
      expect(fernet.decrypt(String(token), { ttl: 1, now: NOW })).toEqual(Uint8Array.from(contents[index]!));
      expect(fernet.timestamp(String(token))).toBe(NOW);
    }
    figure(`Fernet with Python's cryptography: ${opened.length} tokens read there, ${made.length} read here`);
  });

  it('draws the same line between young enough and too old', () => {
    const key = Fernet.generateKey();
    const fernet = new Fernet(key);
    const token = fernet.encrypt('x', { now: NOW });
    const times = [-3600, -61, -60, -59, 0, 9, 10, 11, 3600].map((offset) => ({ ttl: 10, now: NOW + offset }));
    const theirs = python(
      FERNET,
      times.map((time) => ({ do: 'decrypt', keys: [key], token, ...time })),
    ).map((r) => r !== null);
    const ours = times.map((time) => {
      try {
        return fernet.decrypt(token, time).length === 1;
      } catch {
        return false;
      }
    });
    expect(ours).toEqual(theirs);
    expect(ours).toEqual([false, false, true, true, true, true, true, false, false]);
  });

  it('agrees on several keys: reading, rotating, timestamps', () => {
    const keys = [Fernet.generateKey(), Fernet.generateKey(), Fernet.generateKey()];
    const members = keys.map((key) => new Fernet(key));
    const multi = new MultiFernet(members);
    const stranger = new Fernet(Fernet.generateKey());
    const old = members[2]!.encrypt('old', { now: NOW });
    const [read, rotated, refused, time] = python(FERNET, [
      { do: 'decrypt', keys, token: multi.encrypt('new') },
      { do: 'rotate', keys, token: old },
      { do: 'decrypt', keys, token: stranger.encrypt('x') },
      { do: 'timestamp', keys: [keys[0]], token: multi.rotate(old) },
    ]);
    expect(read).toBe(Buffer.from('new').toString('base64'));
    expect(fromUtf8(members[0]!.decrypt(String(rotated)))).toBe('old');
    expect(members[0]!.timestamp(String(rotated))).toBe(NOW);
    expect(refused).toBeNull();
    expect(time).toBe(NOW);
    for (const token of python(
      FERNET,
      keys.map((key) => ({ do: 'encrypt', keys: [key], content: 'eA==', now: NOW })),
    )) {
      expect(multi.decrypt(String(token))).toEqual(utf8('x'));
    }
  });
});

const decrypt = join(import.meta.dirname, '../../../docs/format/decrypt.py');

describe.skipIf(!needs('python-cryptography'))('decrypt.py, written from the format pages', () => {
  it('opens everything that is stored, with the root file and the rows of the key tree, at its place only', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'root');
    const encryption = await createEncryption({ slot: fileSlot(path) });
    const [engine] = databases();
    const database = await engine!.open([manifest]);
    const subjects = Array.from({ length: 200 }, () => newUuid());
    const [gone] = subjects;

    const names = Object.keys(algorithms) as Algorithm[];
    const seal = () =>
      database.transaction(inInstallation, async (transaction) => {
        const keys = await encryption.subjects(transaction, subjects, { create: true });
        const fields = contents.map((content, index) => {
          const place = {
            tenant: index % 2 === 0 ? newUuid() : null,
            table: 'accounts',
            column: index % 3 === 0 ? 'email' : 'Anzeigename ß',
            row: index % 5 === 0 ? `row ${index} ${'ü'.repeat(index)}` : newUuid(),
            subject: index % 7 === 0 ? null : subjects[index + 1]!,
          };
          const value = keys.seal(place, content, names[index % names.length]);
          return { place, value: Buffer.from(value).toString('hex'), content };
        });
        const shared = contents.map((content, index) => {
          const place = { tenant: newUuid(), table: 'messages', column: 'text', row: newUuid() };
          const about = [gone!, subjects[index + 1]!];
          const value = keys.sealShared(about, place, content, names[index % names.length]);
          return { place: { ...place, subjects: about }, value: Buffer.from(value).toString('hex'), content };
        });
        const place = { tenant: null, table: 'accounts', column: 'email', row: 'gone', subject: gone! };
        const erased = { place, value: Buffer.from(keys.seal(place, 'gone')).toString('hex') };
        return { stored: [...fields, ...shared], erased };
      });
    const before = await seal();
    await encryption.keyTree.rotate(database);
    const after = await seal();
    await encryption.keyTree.shred(database, [gone!]);

    const rowsPath = join(folder, 'keys.json');
    await database.transaction(asSystem, async (transaction) => {
      const nodes =
        await sql`select id, parent, level, version, encode(wrapped, 'hex') as wrapped from key_nodes`.execute(
          transaction,
        );
      const people =
        await sql`select subject, leaf, version, encode(wrapped, 'hex') as wrapped from subject_keys`.execute(
          transaction,
        );
      writeFileSync(rowsPath, JSON.stringify({ nodes: nodes.rows, subjects: people.rows }));
    });

    const stored = [...before.stored, ...after.stored];
    const program = [decrypt, path, rowsPath];
    expect(python(program, stored)).toEqual(stored.map(({ content }) => content.toString('hex')));
    const moved = stored.map(({ place, value }) => ({ place: { ...place, row: 'elsewhere' }, value }));
    expect(new Set(python(program, moved))).toEqual(new Set([null]));
    expect(python(program, [before.erased, after.erased])).toEqual([null, null]);
    figure(
      `decrypt.py: ${stored.length} values read in two formats, ${names.length} algorithms and two key versions, none elsewhere, none of the erased`,
    );
    expect(readFileSync(decrypt, 'utf8').split('\n').length).toBeLessThanOrEqual(121);
  });
});
