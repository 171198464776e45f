/** The real service with the console in front, on a free port of this machine, and a browser to look at it. */
import { readdir, readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { createServer } from '@strongroom/fastify';
import type { Clock } from '@strongroom/kernel';
import { addConsole } from '@strongroom/server/console';
import { corpora, headlessChromium } from '@strongroom/testing';
import { prepareDataFolder } from '@strongroom/testing/databases';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { createStrongroom } from 'strongroom';
import { buildConsole, consoleFolder } from '../build.ts';

const silent = { request: () => undefined, failure: () => undefined, jobFinished: () => undefined };

export interface RunningConsole {
  readonly origin: string;
  readonly setUpLink: string;
  /** Stops answering and drops connections, as when the machine of the server goes away. */
  readonly stop: () => Promise<void>;
}

export interface RunOptions {
  /** 0, the default: a free one. */
  readonly port?: number;
  readonly clock?: Clock;
}

export async function runConsole(data: string, { port = 0, clock }: RunOptions = {}): Promise<RunningConsole> {
  await buildConsole();
  await prepareDataFolder(path.join(data, 'database'));
  const time = clock === undefined ? {} : { clock };
  const strongroom = await createStrongroom({ data, durability: 'relaxed', log: silent, ...time });
  const application = createServer({ pipeline: strongroom.pipeline });
  await addConsole(application, consoleFolder);
  await application.listen({ host: '127.0.0.1', port });
  strongroom.startJobs();
  const origin = `http://127.0.0.1:${(application.server.address() as AddressInfo).port}`;
  return {
    origin,
    setUpLink: `${origin}/set-up#${await strongroom.setupToken()}`,
    async stop() {
      application.server.closeAllConnections();
      await application.close();
      await strongroom.close();
    },
  };
}

export const launch = (): Promise<Browser> => chromium.launch(headlessChromium);

/** Whatever a page must never do; empty at the end of every story. */
export interface Complaints {
  readonly list: string[];
}

/** Watches console, policy and network of every page of the context. `expected` are answers that a story provokes; `list` is added to. */
export function watch(
  context: BrowserContext,
  origin: string,
  expected: () => readonly RegExp[] = () => [],
  list: string[] = [],
): Complaints {
  context.on('console', (message) => {
    const text = `${message.text()} ${message.location().url}`;
    if (['error', 'warning'].includes(message.type()) && !expected().some((pattern) => pattern.test(text)))
      list.push(`console: ${text}`);
  });
  context.on('weberror', (error) => list.push(`error: ${error.error().message}`));
  context.on('dialog', (dialog) => {
    if (dialog.type() !== 'beforeunload') list.push(`dialog: ${dialog.message()}`);
    void dialog.accept();
  });
  context.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${origin}/`) && !url.startsWith(`blob:${origin}/`)) list.push(`request: ${url}`);
  });
  return { list };
}

interface SampleFile {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

/** The shared samples: an MCP memory file, a ChatGPT export, a folder of notes in five languages. */
export async function samples(): Promise<SampleFile[]> {
  const folder = corpora('memories')!;
  const notes = (await readdir(path.join(folder, 'notes'))).toSorted().map((name) => path.join('notes', name));
  return Promise.all(
    ['memory.jsonl', 'conversations.json', ...notes].map(async (name) => ({
      name: path.basename(name),
      mimeType: 'application/octet-stream',
      buffer: await readFile(path.join(folder, name)),
    })),
  );
}

/** Fills in a field by its label. */
export const fill = (page: Page, label: string, text: string): Promise<void> =>
  page.getByLabel(label, { exact: true }).fill(text);
