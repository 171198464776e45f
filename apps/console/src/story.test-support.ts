/**
 * What the chapters of the story share: a service of their own, a browser in front of it, and a close look at every page. A chapter
 * says how far the story has come before it begins; everything in it happens by the hands of a person.
 */
import { createReadStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  createApi,
  InMemoryCache,
  parseChatGptExport,
  parseMarkdownNote,
  parseMcpMemory,
  Vault,
  type ImportItem,
} from '@strongroom/client';
import { corpora, figure } from '@strongroom/testing';
import type { AxeResults } from 'axe-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import {
  fill,
  launch,
  runConsole,
  samples,
  watch,
  type Complaints,
  type RunOptions,
  type RunningConsole,
} from './console.test-support.ts';
import { paletted } from './palette-png.test-support.ts';

export const ADA = {
  email: 'ada@example.com',
  displayName: 'Ada Marlow',
  password: 'correct horse battery staple',
} as const;

export const HOSTILE_NAME = '<img src=x onerror=alert(1)>.md';
export const HOSTILE_TEXT = [
  '# <img src=x onerror="alert(document.domain)">',
  '[a safe looking link](javascript:alert(1))',
  '<script>alert(2)</script> https://example.com/fine javascript:alert(3)',
].join('\n\n');
/** The three shared samples and the hostile note. */
export const SAMPLE_MEMORIES = 351;

const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
/** How a person of this story looks at pages. */
export const EYES = {
  viewport: DESKTOP,
  locale: 'en-GB',
  timezoneId: 'Europe/Berlin',
  reducedMotion: 'reduce',
} as const;

/** Written only when asked for, so that a test run leaves the tree as it was. */
const shots =
  process.env['STRONGROOM_SCREENSHOTS'] === '1' ? path.resolve(import.meta.dirname, '../../../docs/screenshots') : null;
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export interface Chapter {
  /** `new`: the server was just started; `account`: Ada has an account; `samples`: and the samples in it, and is signed in. */
  readonly from: 'new' | 'account' | 'samples';
  readonly run?: RunOptions;
}

export class Story {
  running!: RunningConsole;
  browser!: Browser;
  context!: BrowserContext;
  page!: Page;
  complaints!: Complaints;
  /** Ada's, of a story that did not begin new. */
  recoveryCode = '';
  /** Messages that a step provokes on purpose: Chromium writes every refused request to its console. */
  expected: readonly RegExp[] = [];
  readonly data = mkdtempSync(path.join(tmpdir(), 'strongroom-console-'));

  async begin({ from, run }: Chapter): Promise<void> {
    this.running = await runConsole(this.data, run);
    if (from !== 'new') this.recoveryCode = await prepare(this.running, from === 'samples');
    this.browser = await launch();
    this.context = await this.browser.newContext(EYES);
    this.context.setDefaultTimeout(20_000);
    this.complaints = watch(this.context, this.running.origin, () => this.expected);
    this.page = await this.context.newPage();
    if (from === 'samples') {
      await this.signIn();
      await this.page.getByText(`${SAMPLE_MEMORIES} memories`).waitFor();
    }
  }

  async end(): Promise<void> {
    await this.browser?.close();
    await this.running?.stop();
    rmSync(this.data, { recursive: true, force: true });
  }

  /** Through the page, from wherever it is. */
  async signIn(page = this.page, password: string = ADA.password, email: string = ADA.email): Promise<void> {
    await page.goto(this.running.origin);
    await heading(page, 'Sign in').waitFor();
    await fill(page, 'E-mail address', email);
    await fill(page, 'Password', password);
    await page.keyboard.press('Enter');
    await page.locator('#search').waitFor();
  }

  /** Runs a step during which the browser will complain in these words. */
  async expecting(patterns: readonly RegExp[], step: () => Promise<void>): Promise<void> {
    this.expected = patterns;
    try {
      await step();
    } finally {
      this.expected = [];
    }
  }
}

/** To be called in a `describe`: the story begins before its first test, and ends after the last. */
export function tell(chapter: Chapter): Story {
  const story = new Story();
  beforeAll(() => story.begin(chapter), 180_000);
  afterAll(() => story.end());
  afterEach(async ({ task }) => {
    // What somebody would have seen, for whoever looks for the reason.
    if (task.result?.state !== 'fail') return;
    const picture = path.join(tmpdir(), `strongroom-story-failed-${task.id}.png`);
    await story.page.screenshot({ path: picture }).catch(() => undefined);
    figure(`${picture}; complaints so far: ${story.complaints.list.join('\n') || 'none'}`);
  });
  return story;
}

/** The last test of a chapter. */
export function itNeverComplained(story: Story): void {
  it('never complained, never asked another origin, never ran what somebody wrote', () => {
    expect(story.complaints.list).toEqual([]);
  });
}

async function prepare(running: RunningConsole, withSamples: boolean): Promise<string> {
  const vault = new Vault({ api: createApi({ baseUrl: running.origin }), cache: new InMemoryCache() });
  const invitation = running.setUpLink.split('#')[1]!;
  const { recoveryCode } = await vault.signUp({ ...ADA, invitation, transport: 'bearer' });
  const { id } = await vault.createSpace('Personal');
  if (withSamples) expect((await vault.import(id, await sampleItems())).created).toBe(SAMPLE_MEMORIES);
  await vault.signOut();
  return recoveryCode.reveal();
}

async function sampleItems(): Promise<ImportItem[]> {
  const items: ImportItem[] = [];
  const stream = (name: string) => createReadStream(corpora('memories', name)!, 'utf8');
  for await (const item of parseMcpMemory(stream('memory.jsonl'))) items.push(item);
  for await (const item of parseChatGptExport(stream('conversations.json'))) items.push(item);
  for (const { name, buffer } of await samples())
    if (name.endsWith('.md')) items.push(parseMarkdownNote(name, buffer.toString()));
  items.push(parseMarkdownNote(HOSTILE_NAME, HOSTILE_TEXT));
  return items;
}

export async function axe(page: Page, where: string): Promise<void> {
  await page.evaluate(axeSource);
  const results = (await page.evaluate(
    `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })`,
  )) as AxeResults;
  const found = results.violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(' | ')}`,
  );
  expect(found, where).toEqual([]);
}

/** After a change of colours or size: drawn, and every transition at its end, which on a busy machine takes its time. */
const settled = (page: Page): Promise<void> =>
  page.evaluate(async () => {
    const frame = (): Promise<void> =>
      new Promise((resolve) => {
        requestAnimationFrame(() => resolve());
      });
    await frame();
    await Promise.allSettled(document.getAnimations().map(({ finished }) => finished));
    await frame();
  });

/** Looks at a page in both colours and on a phone: axe everywhere, pictures where they are wanted. */
export async function look(page: Page, name: string): Promise<void> {
  const views = [
    ['light', DESKTOP],
    ['dark', DESKTOP],
    ['phone', PHONE],
  ] as const;
  for (const [view, size] of views) {
    await page.emulateMedia({ colorScheme: view === 'dark' ? 'dark' : 'light', reducedMotion: 'reduce' });
    await page.setViewportSize(size);
    await settled(page);
    await axe(page, `${name}, ${view}`);
    expect(
      await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth),
      `${name} is not too wide, ${view}`,
    ).toBe(true);
    if (shots !== null) {
      mkdirSync(shots, { recursive: true });
      writeFileSync(path.join(shots, `${name}-${view}.png`), paletted(await page.screenshot()));
    }
  }
  await page.setViewportSize(DESKTOP);
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
}

/** By the sidebar. */
export const go = (page: Page, to: string): Promise<void> => page.locator(`.sidebar a[href="${to}"]`).click();
export const heading = (page: Page, name: string) => page.getByRole('heading', { name, exact: true });
export const search = async (page: Page, text: string): Promise<void> => page.locator('#search').fill(text);
export const headings = (page: Page): Promise<string[]> => page.locator('.entry-heading').allTextContents();

export async function unlock(page: Page, password: string = ADA.password): Promise<void> {
  await fill(page, 'Password', password);
  await page.getByRole('button', { name: 'Unlock', exact: true }).click();
  await page.locator('#search').waitFor();
}

/** Everything that pages of this origin left readable on this device, databases included. */
export const keptByBrowser = (page: Page): Promise<string> =>
  page.evaluate(async () => {
    const found: string[] = [
      JSON.stringify(Object.entries(localStorage)),
      JSON.stringify(Object.entries(sessionStorage)),
      document.cookie,
    ];
    for (const { name } of await indexedDB.databases()) {
      const database = await new Promise<IDBDatabase>((resolve, reject) => {
        const request = indexedDB.open(name!);
        request.addEventListener('success', () => resolve(request.result));
        request.addEventListener('error', () => reject(new Error('closed')));
      });
      for (const store of database.objectStoreNames) {
        const all = await new Promise((resolve) => {
          const request = database.transaction(store).objectStore(store).getAll();
          request.addEventListener('success', () => resolve(request.result));
        });
        // Bytes as characters, so that what stands in them in clear is seen.
        const text = new TextDecoder('latin1');
        found.push(
          JSON.stringify(all, (_, value: unknown) => (value instanceof Uint8Array ? text.decode(value) : value)),
        );
      }
      database.close();
    }
    return found.join('\n');
  });
