/**
 * What the server learns from a browser: its data folder, logs, metrics and whole memory are searched for strings that somebody planted in
 * memories and typed into the pages, in every encoding. Each search also looks for something that must be there, so that finding nothing
 * means something. The command line's side is in apps/cli/src/blind.slow.test.ts.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { createApi, InMemoryCache, Vault } from '@strongroom/client';
import {
  ByteScanner,
  disguises,
  figure,
  filesBelow,
  needs,
  temporaryFolder,
  type Hit,
  type Pattern,
} from '@strongroom/testing';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fill, launch, watch, type Complaints } from './console.test-support.ts';
import { startServerProcess, type ServerProcess } from './processes.test-support.ts';
import { EYES, go, heading, search } from './story.test-support.ts';

/** Different at every run, so that no earlier file holds it; the letters make it visible to a person who looks. */
const unique = (word: string): string => `${word}-${randomBytes(9).toString('hex')}`;
const shuffled = (from: number): string =>
  [...randomBytes(12)].map((byte) => String.fromCodePoint(from + byte)).join('');

const EMAIL = `${unique('address')}@example.org`;
const NAME = unique('Control Person');

/** What must stay in the browser. */
const canaries = {
  text: unique('spare key under the third flowerpot'),
  title: unique('A title'),
  tag: unique('tag'),
  editedText: unique('since May behind the boathouse'),
  german: `Übergabe der Schlüssel an Frau Größe ${randomBytes(9).toString('hex')}`,
  japanese: `合鍵は植木鉢の下にある。${shuffled(0x4e00)}`,
  forgotten: unique('to be forgotten'),
  draft: unique('written and thrown away'),
  noteText: unique('noted down'),
  noteFile: unique('file-name'),
  secondSpace: unique('Second space'),
  query: unique('words looked for'),
  password: unique('correct horse battery'),
};
/** In clear in a file, and in clear in the database because nothing could be found without it. */
const PLANTED = unique('planted in a file');

const patternsOf = (secrets: Readonly<Record<string, string>>): Pattern[] =>
  Object.entries(secrets).flatMap(([name, secret]) => disguises(name, secret));
const names = (hits: readonly Hit[]): string[] => [...new Set(hits.map(({ name }) => name))].toSorted();

/** A whole Fernet token for all the server can tell, with text where ciphertext should be: what a broken page would send. */
function tokenInClear(text: string): string {
  const content = Buffer.from(text);
  const padded = Buffer.concat([content, Buffer.alloc(16 - (content.length % 16), 0x20)]);
  return Buffer.concat([Buffer.from([0x80]), Buffer.alloc(24), padded, Buffer.alloc(32)]).toString('base64url');
}

describe.skipIf(!needs('chromium'))('a server whose client is a browser', () => {
  let server: ServerProcess;
  let browser: Browser;
  let context: BrowserContext;
  let complaints: Complaints;
  let page: Page;
  const secrets: Record<string, string> = { ...canaries };
  /** What the server sees pass by and keeps in no file: found in memory, which shows that the search works there. */
  const clear = unique('sent in clear');

  const textField = () => page.getByRole('textbox', { name: 'Text' });
  async function write(text: string, more: { readonly title?: string; readonly tags?: string } = {}): Promise<void> {
    await page.locator('.sidebar-write').click();
    await textField().fill(text);
    if (more.title !== undefined) await page.getByRole('textbox', { name: 'Title' }).fill(more.title);
    if (more.tags !== undefined) await page.getByLabel('Tags').fill(more.tags);
    await page.keyboard.press('Control+Enter');
    await page.locator('.memory-text', { hasText: text }).waitFor();
  }

  beforeAll(async () => {
    server = await startServerProcess(path.join(temporaryFolder(), 'data'));
    browser = await launch();
    context = await browser.newContext(EYES);
    context.setDefaultTimeout(30_000);
    complaints = watch(context, server.origin);
    page = await context.newPage();
  }, 180_000);
  afterAll(() => browser?.close());

  it('is used for everything a person does', async () => {
    await page.goto(server.setUpLink);
    await fill(page, 'Your name', NAME);
    await fill(page, 'E-mail address', EMAIL);
    await fill(page, 'Password', canaries.password);
    await page.getByRole('button', { name: 'Create vault' }).click();
    await heading(page, 'Your recovery kit').waitFor();
    secrets['recoveryCode'] = (await page.locator('.kit-code span').allTextContents()).join('-');
    await page.getByLabel('I have printed or saved the code').check();
    await page.getByRole('button', { name: 'Open my vault' }).click();
    await page.locator('#search').waitFor();
    await write(canaries.text, { title: canaries.title, tags: canaries.tag });
    await page.keyboard.press('e');
    await textField().fill(canaries.editedText);
    await page.keyboard.press('Control+Enter');
    await page.getByText('Version 2').waitFor();
    await write(canaries.german);
    await write(canaries.japanese);
    await write(canaries.forgotten);
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.locator('.sidebar-write').click();
    await textField().fill(canaries.draft);
    await page.getByRole('button', { name: 'Discard' }).click();
    await search(page, canaries.query);
    await page.getByText('Nothing matches').waitFor();
    await search(page, '');
    await go(page, '/import');
    const note = { name: `${canaries.noteFile}.md`, mimeType: 'text/markdown', buffer: Buffer.from(canaries.noteText) };
    await page.getByTestId('import-files').setInputFiles([note]);
    await page.getByRole('button', { name: /^Import 1 / }).click();
    await page.getByText('Import finished').waitFor();
    await go(page, '/spaces');
    await page.getByRole('button', { name: 'New space' }).click();
    await fill(page, 'Name of the space', canaries.secondSpace);
    await page.keyboard.press('Enter');
    await page.getByText('Nothing is kept here yet').waitFor();
    await page.keyboard.press('Control+Shift+L');
    await heading(page, 'Locked').waitFor();
    await fill(page, 'Password', canaries.password);
    await page.keyboard.press('Enter');
    await page.locator('#search').waitFor();
    expect(complaints.list).toEqual([]);
  });

  it('was given every canary, as their owner can see', async () => {
    const vault = new Vault({ api: createApi({ baseUrl: server.origin }), cache: new InMemoryCache() });
    await vault.signIn({ email: EMAIL, password: canaries.password, transport: 'bearer' });
    const spaces = await vault.listSpaces();
    const found: string[] = spaces.map(({ name }) => name!);
    for (const { id } of spaces) {
      await vault.sync(id);
      for (const memory of await vault.list(id))
        found.push(...(await vault.versions(id, memory.id)).map(({ document }) => JSON.stringify(document)));
    }
    const opened = found.join('\n');
    const kept = Object.entries(canaries).filter(([, text]) => opened.includes(text));
    // Nobody keeps a search, a password, a draft that was thrown away and what was deleted.
    const absent = new Set(['query', 'password', 'draft', 'forgotten']);
    expect(kept.map(([name]) => name).toSorted()).toEqual(
      Object.keys(canaries)
        .filter((name) => !absent.has(name))
        .toSorted(),
    );
    // A page that forgot to seal would do this.
    const answer = await page.evaluate(
      async ([space, token]) =>
        (
          await fetch(`/v1/spaces/${space}/memories`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ id: '0193b1c0-0000-7000-8000-00000000c1ea', epoch: 1, token }),
          })
        ).status,
      [spaces[0]!.id, tokenInClear(clear)] as const,
    );
    expect(answer).toBe(201);
    writeFileSync(path.join(server.data, 'planted'), `before ${PLANTED} after`);
  });

  it('writes none of it into data folder, logs and metrics', async () => {
    const patterns = patternsOf({ ...secrets, email: EMAIL, displayName: NAME, clear });
    const metrics = path.join(temporaryFolder(), 'metrics');
    writeFileSync(metrics, await (await fetch(server.metrics)).text());
    const known = [...disguises('planted', PLANTED), ...disguises('route', '/v1/spaces/{space}/memories')];
    const scanner = new ByteScanner([...patterns, ...known]);
    const inFolder = names(scanner.scanFolder(server.data)).filter((name) => !name.startsWith('route'));
    expect(inFolder).toEqual(['planted as plain bytes']);
    expect(names(scanner.scanFile(server.logs.error))).toEqual(['route as plain bytes']);
    expect(names(scanner.scanFile(server.logs.output))).toEqual([]);
    expect(names(scanner.scanFile(metrics))).toEqual(['route as plain bytes']);
    figure(
      `browser as client: 0 hits for ${Object.keys(secrets).length} canaries in ${patterns.length} forms in ${filesBelow(server.data).length} files of the data folder, logs and metrics; what was planted in clear was found`,
    );
  });

  it.skipIf(!needs('process-memory'))('holds none of it in memory', () => {
    const scanner = new ByteScanner([
      ...patternsOf(secrets),
      ...disguises('clear', clear),
      ...disguises('displayName', NAME),
    ]);
    process.kill(server.pid, 'SIGSTOP');
    const { hits, bytes } = scanner.scanMemory(server.pid);
    process.kill(server.pid, 'SIGCONT');
    const isControl = (name: string) => /^(?:displayName|clear) as /.test(name);
    expect(names(hits).filter(isControl)).toEqual(
      expect.arrayContaining(['clear as plain bytes', 'displayName as plain bytes']),
    );
    expect(names(hits).filter((name) => !isControl(name))).toEqual([]);
    figure(
      `0 hits in ${Math.round(bytes / 1e6)} MB of the server's memory; the name and the canary sent in clear were found`,
    );
  });

  it('after an orderly end as well', async () => {
    expect(await server.stop()).toBe(0);
    const scanner = new ByteScanner([
      ...patternsOf({ ...secrets, email: EMAIL, displayName: NAME, clear }),
      ...disguises('planted', PLANTED),
    ]);
    expect(names(scanner.scanFolder(server.data))).toEqual(['planted as plain bytes']);
    expect(readFileSync(server.logs.error, 'utf8').length).toBeGreaterThan(1000);
  });
});
