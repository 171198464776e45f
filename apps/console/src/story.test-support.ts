/**
 * What the chapters of the story share: a service of their own, a browser in front of it, and a close look at every page. A chapter
 * says how far the story has come before it begins; everything in it happens by the hands of a person.
 */
import { createReadStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {
  createApi,
  InMemoryCache,
  parseChatGptExport,
  parseMarkdownNote,
  parseMcpMemory,
  Vault,
  type ImportItem,
} from '@strongroom/client';
import { corpora } from '@strongroom/testing';
import type { AxeResults } from 'axe-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
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

/** Milliseconds for anything that a page has to do. */
const PATIENCE = 20_000;
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
  /** Of all browsers. */
  readonly complaints: Complaints = { list: [] };
  /** Ada's, of a story that did not begin new. */
  recoveryCode = '';
  /** Messages that a step provokes on purpose: Chromium writes every refused request to its console. */
  expected: readonly RegExp[] = [];
  readonly data = mkdtempSync(path.join(tmpdir(), 'strongroom-console-'));

  async begin({ from, run }: Chapter): Promise<void> {
    this.running = await runConsole(this.data, run);
    if (from !== 'new') this.recoveryCode = await prepare(this.running, from === 'samples');
    this.browser = await launch();
    this.page = await this.somebody();
    this.context = this.page.context();
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

  /** Somebody at a browser of their own, which remembers nothing of the others'. */
  async somebody(): Promise<Page> {
    const context = await this.browser.newContext(EYES);
    context.setDefaultTimeout(PATIENCE);
    watch(context, this.running.origin, () => this.expected, this.complaints.list);
    return context.newPage();
  }

  /** Pictures of what everybody sees now. */
  async pictures(name: string): Promise<string[]> {
    const pages = this.browser?.contexts().flatMap((context) => context.pages()) ?? [];
    const files: string[] = [];
    for (const [index, page] of pages.entries()) {
      const file = path.join(
        tmpdir(),
        `strongroom-story-${name.replaceAll(/\W+/g, '-').slice(0, 60)}-${index + 1}.png`,
      );
      await page.screenshot({ path: file, timeout: 5_000 }).then(
        () => files.push(file),
        () => undefined,
      );
    }
    return files;
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
  let brokenOff: string | null = null;
  beforeEach(({ skip }) => {
    // What comes later would wait for what never happened, and hide the reason among its own failures.
    if (brokenOff !== null) skip(`the chapter broke off at “${brokenOff}”`);
  });
  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail') return;
    brokenOff = task.name;
    // What people would have seen, for whoever looks for the reason.
    const pictures = await story.pictures(task.name);
    const complaints = story.complaints.list.join('\n') || 'none';
    process.stderr.write(`Broke off at “${task.name}”. Complaints so far: ${complaints}\n${pictures.join('\n')}\n`);
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

/** A page that still arrives is looked at again: what counts is what stays. */
export async function axe(page: Page, where: string): Promise<void> {
  await page.bringToFront();
  await settled(page);
  await page.evaluate(axeSource);
  await expect.poll(() => violations(page), { timeout: PATIENCE, message: where }).toEqual([]);
}

async function violations(page: Page): Promise<readonly string[]> {
  const results = (await page.evaluate(
    `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })`,
  )) as AxeResults;
  return results.violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(' | ')}`,
  );
}

/**
 * After a change of colours or size: drawn, and every transition at its end, which on a busy machine takes its time. Animations that never
 * end are not waited for; what begins while others end is. Frames are drawn in pages behind others too, as Playwright starts the browser.
 */
const settled = (page: Page): Promise<void> =>
  page.evaluate(async () => {
    const frame = (): Promise<void> =>
      new Promise((resolve) => {
        requestAnimationFrame(() => resolve());
      });
    const running = () =>
      document
        .getAnimations()
        .filter(({ playState, effect }) => playState === 'running' && effect?.getComputedTiming().endTime !== Infinity);
    do {
      await Promise.allSettled(running().map(({ finished }) => finished));
      await frame();
      await frame();
    } while (running().length > 0);
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
    await axe(page, `${name}, ${view}`);
    const tooWide = () => page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    await expect.poll(tooWide, { timeout: PATIENCE, message: `${name} is too wide, ${view}` }).toBe(false);
    if (shots !== null) {
      mkdirSync(shots, { recursive: true });
      writeFileSync(path.join(shots, `${name}-${view}.png`), paletted(await page.screenshot()));
    }
  }
  await page.setViewportSize(DESKTOP);
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
}

/** What has to become true; the machine may be busy with other tests. */
export const eventually: typeof expect.poll = (look) => expect.poll(look, { timeout: PATIENCE });

/** By the sidebar. */
export const go = (page: Page, to: string): Promise<void> => page.locator(`.sidebar a[href="${to}"]`).click();
export const heading = (page: Page, name: string) => page.getByRole('heading', { name, exact: true });
/** The page's own, where the sidebar has one of the same words. */
export const title = (page: Page, name: string) => page.getByRole('heading', { name, exact: true, level: 1 });
export const search = async (page: Page, text: string): Promise<void> => page.locator('#search').fill(text);
export const headings = (page: Page): Promise<string[]> => page.locator('.entry-heading').allTextContents();

/** What has the focus: the name of its element, and what it says. */
export const focused = (page: Page): Promise<string> =>
  page.evaluate(() => `${document.activeElement?.tagName} ${document.activeElement?.textContent}`);

export async function unlock(page: Page, password: string = ADA.password): Promise<void> {
  await fill(page, 'Password', password);
  await page.getByRole('button', { name: 'Unlock', exact: true }).click();
  await page.locator('#search').waitFor();
}

/** The same where no list of memories is behind the lock. */
export async function unlockAt(page: Page, password: string, title: string): Promise<void> {
  await fill(page, 'Password', password);
  await page.keyboard.press('Enter');
  await heading(page, title).waitFor();
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
