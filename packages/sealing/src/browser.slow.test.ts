/**
 * The very same package in headless Chromium: what one side seals, the other opens. Bundled as an application would bundle it, with
 * the browser's conditions, and served from loopback under a content security policy like the vault's.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type * as kernel from '@strongroom/kernel';
import { fromBase64Url, fromUtf8, newUuid, utf8 } from '@strongroom/kernel';
import { figure, headlessChromium, needs } from '@strongroom/testing';
import { chromium, type Browser, type Page } from 'playwright-core';
import { build, type Rolldown } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as sealing from './index.ts';

declare global {
  /** Set by the bundle's entry below. */
  var strongroom: { sealing: typeof sealing; kernel: typeof kernel };
}

const packageFolder = fileURLToPath(new URL('..', import.meta.url));
const password = 'correct horse battery staple';
const strictPolicy = "default-src 'none'; script-src 'self'";

async function bundle(): Promise<string> {
  const entry = '\0entry';
  const result = (await build({
    configFile: false,
    root: packageFolder,
    logLevel: 'silent',
    resolve: { conditions: ['source', 'module', 'browser', 'import', 'default'] },
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === 'entry' ? entry : null),
        load: (id) =>
          id === entry
            ? `import * as sealing from '@strongroom/sealing';
               import * as kernel from '@strongroom/kernel';
               globalThis.strongroom = { sealing, kernel };`
            : null,
      },
    ],
    build: { write: false, rolldownOptions: { input: 'entry', output: { format: 'es' } } },
  })) as Rolldown.RolldownOutput;
  const [chunk, ...others] = result.output;
  // HPKE's fallback for Node before 19: an empty stand-in that no browser ever asks for; this server does not even have it.
  expect(others.map(({ fileName }) => fileName).filter((name) => !name.includes('vite-browser-external'))).toEqual([]);
  return chunk.code;
}

describe.skipIf(!needs('chromium'))('in Chromium', () => {
  let code: string;
  let server: Server | undefined;
  let browser: Browser | undefined;
  let page: Page;

  const open = async (path: string): Promise<Page> => {
    const opened = await browser!.newPage();
    await opened.goto(`http://127.0.0.1:${(server!.address() as AddressInfo).port}${path}`);
    await opened.waitForFunction(() => globalThis.strongroom !== undefined);
    return opened;
  };

  beforeAll(async () => {
    code = await bundle();
    server = createServer((request, response) => {
      if (request.url === '/bundle.js') {
        response.setHeader('content-type', 'text/javascript').end(code);
        return;
      }
      const policy = request.url === '/without-wasm' ? strictPolicy : `${strictPolicy} 'wasm-unsafe-eval'`;
      response
        .setHeader('content-type', 'text/html')
        .setHeader('content-security-policy', policy)
        .end('<!doctype html><title>sealing</title><script type="module" src="/bundle.js"></script>');
    });
    await new Promise<void>((resolve) => void server!.listen(0, '127.0.0.1', resolve));
    browser = await chromium.launch(headlessChromium);
    page = await open('/');
  });

  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  it('bundles without anything of Node', () => {
    expect(/["'`]node:|\ballocUnsafe\b|\brequire\(/.exec(code)?.[0]).toBeUndefined();
    figure(`sealing and kernel in a browser bundle: ${(gzipSync(code).length / 1024).toFixed(1)} KiB gzip`);
  });

  it('derives the same secrets from a password', async () => {
    const salt = 'AAECAwQFBgcICQoLDA0ODw';
    const started = performance.now();
    const inBrowser = await page.evaluate(
      async ([text, salt]) => {
        const { sealing, kernel } = globalThis.strongroom;
        const bytes = kernel.fromBase64Url(salt!);
        const credentials = await sealing.deriveCredentials(text!, bytes, sealing.defaultKeyDerivation);
        return [credentials.authenticationSecret.revealBase64Url(), credentials.unlockKey.revealBase64Url()];
      },
      [password, salt],
    );
    figure(`password to keys in Chromium (64 MiB, 3 passes): ${Math.round(performance.now() - started)} ms`);
    const here = await sealing.deriveCredentials(password, fromBase64Url(salt), sealing.defaultKeyDerivation);
    expect(inBrowser).toEqual([here.authenticationSecret.revealBase64Url(), here.unlockKey.revealBase64Url()]);
  });

  it('needs wasm-unsafe-eval for that, and for nothing else', async () => {
    const strict = await open('/without-wasm');
    const outcome = await strict.evaluate(async () => {
      const { sealing, kernel } = globalThis.strongroom;
      const key = await sealing.FernetKey.import(sealing.generateFernetKey());
      const token = await sealing.sealFernet(key, kernel.utf8('hello'));
      const opened = kernel.fromUtf8(await sealing.openFernet(key, token));
      const derived = sealing.deriveCredentials('fifteen letters', new Uint8Array(16), sealing.defaultKeyDerivation);
      return [
        opened,
        await derived.then(
          () => 'derived',
          (error: Error) => error.name,
        ),
      ];
    });
    expect(outcome).toEqual(['hello', 'CompileError']);
    await strict.close();
  });

  it('opens what Node sealed, and Node opens what it sealed', async () => {
    const created = await sealing.createAccount({ account: newUuid(), password });
    const space = newUuid();
    const { spaceKey, wrapping } = await sealing.createSpaceKey(created.keys, space);
    const item = newUuid();
    const answer = await page.evaluate(
      async ({ password, record, space, wrapping, name, item, token }) => {
        const { sealing, kernel } = globalThis.strongroom;
        const parsed = sealing.parseAccountRecord(record);
        const salt = kernel.fromBase64Url(parsed.salt);
        const { unlockKey } = await sealing.deriveCredentials(password, salt, parsed.parameters);
        const keys = await sealing.unlockAccount(parsed, unlockKey);
        const spaceKey = await sealing.openSpaceKey(keys, space, 1, wrapping);
        const moved = sealing.openItem(spaceKey, { item, version: 2 }, token);
        return {
          name: await sealing.openSpaceName(spaceKey, name),
          content: kernel.fromUtf8(await sealing.openItem(spaceKey, { item, version: 1 }, token)),
          moved: await moved.then(
            () => 'opened',
            (error: unknown) => (error instanceof sealing.SealingError ? error.code : 'another error'),
          ),
          token: await sealing.sealItem(spaceKey, { item, version: 2 }, kernel.utf8('from the browser: 記憶')),
          shown: `${String(spaceKey)} ${JSON.stringify({ keys, unlockKey })}`,
        };
      },
      {
        password,
        record: created.record,
        space,
        wrapping,
        name: await sealing.sealSpaceName(spaceKey, 'Zuhause'),
        item,
        token: await sealing.sealItem(spaceKey, { item, version: 1 }, utf8('from Node: Grüße')),
      },
    );
    expect(answer).toMatchObject({ name: 'Zuhause', content: 'from Node: Grüße', moved: 'sealing.cannot-open' });
    expect(answer.shown).toBe(
      '[redacted: space key] {"keys":"[redacted: account keys]","unlockKey":"[redacted: unlock key]"}',
    );
    const opened = await sealing.openItem(spaceKey, { item, version: 2 }, answer.token);
    expect(fromUtf8(opened)).toBe('from the browser: 記憶');
  });

  it('creates accounts that Node unlocks by password and by recovery code', async () => {
    const account = newUuid();
    const made = await page.evaluate(
      async ({ account, password }) => {
        const { sealing } = globalThis.strongroom;
        const created = await sealing.createAccount({ account, password });
        return { record: JSON.stringify(created.record), recoveryCode: created.recoveryCode.reveal() };
      },
      { account, password },
    );
    const record = sealing.parseAccountRecord(JSON.parse(made.record));
    const { unlockKey } = await sealing.deriveCredentials(password, fromBase64Url(record.salt), record.parameters);
    expect((await sealing.unlockAccount(record, unlockKey)).account).toBe(account);
    expect((await sealing.unlockWithRecoveryCode(record, made.recoveryCode)).account).toBe(account);
  });

  it('takes a space key that Node shared, shares one that Node takes, and says the same fingerprint', async () => {
    const [anna, ben] = await Promise.all(
      [0, 1].map(() => sealing.createAccount({ account: newUuid(), password: 'fifteen letters' })),
    );
    const space = newUuid();
    const { spaceKey, wrapping } = await sealing.createSpaceKey(anna!.keys, space, 3);
    const { unlockKey } = await sealing.deriveCredentials(
      'fifteen letters',
      fromBase64Url(ben!.record.salt),
      ben!.record.parameters,
    );
    const answer = await page.evaluate(
      async ({ record, unlock, sender, space, shared, name }) => {
        const { sealing, kernel } = globalThis.strongroom;
        const keys = await sealing.unlockAccount(
          sealing.parseAccountRecord(record),
          sealing.SecretBytes.fromBase64Url('unlock key', unlock),
        );
        const person = { account: sender.account, publicKey: kernel.fromBase64Url(sender.publicKey) };
        const taken = await sealing.openSharedSpaceKey(keys, space, 3, shared, person);
        return {
          name: await sealing.openSpaceName(taken.spaceKey, name),
          fingerprint: await sealing.fingerprintOf(person),
          back: await sealing.shareSpaceKey(keys, space, 3, taken.wrapping, person),
        };
      },
      {
        record: ben!.record,
        unlock: unlockKey.revealBase64Url(),
        sender: { account: anna!.keys.account, publicKey: anna!.record.publicKey },
        space,
        shared: await sealing.shareSpaceKey(anna!.keys, space, 3, wrapping, ben!.keys),
        name: await sealing.sealSpaceName(spaceKey, 'Zuhause'),
      },
    );
    expect(answer).toMatchObject({ name: 'Zuhause', fingerprint: await sealing.fingerprintOf(anna!.keys) });
    const back = await sealing.openSharedSpaceKey(anna!.keys, space, 3, answer.back, ben!.keys);
    expect(await sealing.openSpaceName(back.spaceKey, await sealing.sealSpaceName(spaceKey, 'Home'))).toBe('Home');
  });

  it('opens the Fernet example of the specification and refuses malformed tokens', async () => {
    const key = 'cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=';
    const token =
      'gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==';
    const tokens = [token, '', token.slice(0, -2), `${token}\n`, token.replace('_', '/'), `${token.slice(0, -3)}B==`];
    tokens.push(`x${token.slice(1)}`, token.slice(0, -4), token.slice(0, 40) + token.slice(44));
    const outcomes = await page.evaluate(
      async ({ key, tokens }) => {
        const { sealing, kernel } = globalThis.strongroom;
        const imported = await sealing.FernetKey.import(key);
        return Promise.all(
          tokens.map((token) =>
            sealing.openFernet(imported, token).then(kernel.fromUtf8, (error: { code?: string }) => error.code),
          ),
        );
      },
      { key, tokens },
    );
    expect(outcomes).toEqual(['hello', ...Array<string>(tokens.length - 1).fill('sealing.invalid-token')]);
  });

  it('opens 10,000 memories and says how long that took', async () => {
    const milliseconds = await page.evaluate(async () => {
      const { sealing, kernel } = globalThis.strongroom;
      const created = await sealing.createAccount({ account: kernel.newUuid(), password: 'fifteen letters' });
      const { spaceKey } = await sealing.createSpaceKey(created.keys, kernel.newUuid());
      const items = [];
      for (let index = 0; index < 10_000; index += 1) {
        const place = { item: kernel.newUuid(), version: 1 };
        const content = kernel.utf8(`memory ${index} `.repeat(10 + (index % 50)));
        items.push({ ...place, token: await sealing.sealItem(spaceKey, place, content) });
      }
      // The best of three runs: other work on the machine slows a run down, nothing speeds it up.
      let best = Number.POSITIVE_INFINITY;
      for (let run = 0; run < 3; run += 1) {
        const started = performance.now();
        const opened = await sealing.openItems(spaceKey, items);
        best = Math.min(best, performance.now() - started);
        const failed = opened.findIndex((content) => content instanceof sealing.SealingError);
        if (failed !== -1) throw new Error(`item ${failed} did not open`);
      }
      return best;
    });
    figure(`10,000 memories opened in Chromium in ${Math.round(milliseconds)} ms`);
  });
});
