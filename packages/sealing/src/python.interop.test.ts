/** Opened by somebody else: stock python3-cryptography, and a program written from docs/format/sealing.md. */
import { fromBase64Url, fromUtf8, newUuid, toBase64Url, utf8 } from '@strongroom/kernel';
import { needs } from '@strongroom/testing';
import { describe, expect, it } from 'vitest';
import { createAccount } from './account.ts';
import { generateFernetKey } from './fernet-framing.ts';
import { FernetKey, openFernet, sealFernet } from './fernet.ts';
import { sealItem } from './item.ts';
import { deriveCredentials } from './password.ts';
import { python, runFormatProgram } from './python.test-support.ts';
import { createSpaceKey, sealSpaceName } from './space.ts';

interface Opened {
  readonly privateKey: string;
  readonly name: string;
  readonly items: readonly string[];
}

describe.skipIf(!needs('python-cryptography'))('docs/format/open_item.py', () => {
  const contents = ['', 'hello', 'Grüße aus Köln', '記憶', 'x'.repeat(223), 'x'.repeat(224), 'y'.repeat(70_000)];

  async function sealedAccount() {
    const account = newUuid();
    const password = 'correct horse battery staple';
    const created = await createAccount({ account, password });
    const { record, recoveryCode } = created;
    const { unlockKey } = await deriveCredentials(password, fromBase64Url(record.salt), record.parameters);
    const space = newUuid();
    const { spaceKey, wrapping } = await createSpaceKey(created.keys, space, 4);
    const items = await Promise.all(
      contents.map(async (content, index) => {
        const place = { item: newUuid(), version: index + 1 };
        return { ...place, token: await sealItem(spaceKey, place, utf8(content)) };
      }),
    );
    const name = await sealSpaceName(spaceKey, 'Zuhause');
    return { record, space: { id: space, epoch: 4, wrapping, name }, items, unlockKey, recoveryCode };
  }

  it('opens everything from the unlock key and from the recovery code, and nothing that was moved', async () => {
    const { record, space, items, unlockKey, recoveryCode } = await sealedAccount();
    const stored = { record, space, items };
    const secrets = [
      { unlockKey: unlockKey.revealBase64Url() },
      { recoveryCode: recoveryCode.reveal() },
      { recoveryCode: recoveryCode.reveal().toLowerCase().replaceAll('-', ' ') },
    ];
    const attempt = (changes: readonly object[]) =>
      runFormatProgram(
        'open_item.py',
        changes.map((change) => ({ ...stored, ...change })),
      );
    const good = attempt(secrets);
    expect(good).toHaveLength(3);
    for (const run of good) {
      expect(run).toMatchObject({ status: 0, stderr: '' });
      const opened = JSON.parse(run.stdout) as Opened;
      expect(opened.items.map((item) => fromUtf8(fromBase64Url(item)))).toEqual(contents);
      expect(opened.name).toBe('Zuhause');
      expect(fromBase64Url(opened.privateKey).length).toBe(33);
    }

    const [first, second, ...rest] = items;
    const moved: Record<string, object> = {
      'another unlock key': { unlockKey: toBase64Url(new Uint8Array(32)) },
      'a mistyped code': { recoveryCode: recoveryCode.reveal().replace(/^./, (c) => (c === 'A' ? 'B' : 'A')) },
      'another version': { ...secrets[0], items: [{ ...first, version: 9 }] },
      'another item': { ...secrets[0], items: [{ ...first, token: second!.token }, ...rest] },
      'another epoch': { ...secrets[0], space: { ...space, epoch: 5 } },
      'another account': { ...secrets[0], record: { ...record, account: newUuid() } },
    };
    const refused = attempt(Object.values(moved));
    for (const [index, what] of Object.keys(moved).entries()) {
      const run = refused[index]!;
      expect(run.status, what).toBe(1);
      expect(run.stderr, what).toMatch(/^open_item: cannot open \(.+\)\n$/);
      expect(run.stdout, what).toBe('');
    }
  });
});

describe.skipIf(!needs('python-cryptography'))('Fernet and python3-cryptography', () => {
  const program = `
import json, sys
from cryptography.fernet import Fernet, InvalidToken
given = json.load(sys.stdin)
fernet = Fernet(given["key"])
def open_one(token):
    try:
        return fernet.decrypt(token.encode(), ttl=60).decode()
    except InvalidToken:
        return None
json.dump({"opened": [open_one(t) for t in given["tokens"]], "sealed": [fernet.encrypt(t.encode()).decode() for t in given["texts"]]}, sys.stdout)
`;

  it("open each other's tokens and refuse the same ones", async () => {
    const text = generateFernetKey();
    const key = await FernetKey.import(text);
    const texts = ['', 'a', 'fifteen letters', 'sixteen letters!', 'Grüße 🐢', 'long '.repeat(1000)];
    const fresh = await Promise.all(texts.map((plain) => sealFernet(key, utf8(plain))));
    const foreign = await sealFernet(await FernetKey.import(generateFernetKey()), utf8('x'));
    const old = await sealFernet(key, utf8('x'), { now: 1_000_000 });
    const tokens = [...fresh, foreign, old, fresh[0]!.slice(0, -4), ''];
    const run = python(['-c', program], { key: text, tokens, texts });
    expect(run.stderr).toBe('');
    const { opened, sealed } = JSON.parse(run.stdout) as { opened: (string | null)[]; sealed: string[] };
    expect(opened).toEqual([...texts, null, null, null, null]);
    const back = await Promise.all(sealed.map((token) => openFernet(key, token, { ttl: 60 })));
    expect(back.map(fromUtf8)).toEqual(texts);
    const refused = await Promise.allSettled(
      tokens.slice(texts.length).map((token) => openFernet(key, token, { ttl: 60 })),
    );
    expect(refused.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected', 'rejected']);
  });
});
