/** A whole service over real HTTP for tests of the client, with a wire that tests can put themselves in. */
import { createReadStream } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createServer } from '@strongroom/fastify';
import { toBase64Url, type Uuid } from '@strongroom/kernel';
import type { SecretBytes } from '@strongroom/sealing';
import { asSystem } from '@strongroom/storage';
import { corpora, temporaryFolder } from '@strongroom/testing';
import { prepareDataFolder } from '@strongroom/testing/databases';
import { sql } from 'kysely';
import { createStrongroom, type Strongroom } from 'strongroom';
import { createApi } from './api.ts';
import { parseChatGptExport } from './import-chatgpt.ts';
import type { ImportItem } from './import-item.ts';
import { parseMarkdownNote } from './import-markdown.ts';
import { parseMcpMemory } from './import-mcp-memory.ts';
import type { Fetch } from './internal/http.ts';
import { InMemoryCache, type MemoryCache } from './memory-cache.ts';
import { Vault, type VaultOptions } from './vault.ts';

export const PASSWORD = 'a long enough pass phrase';
export const EMAIL = 'anna@example.org';

export class Live {
  readonly baseUrl: string;
  readonly setupToken: string;
  /** Everything that left the devices. */
  readonly sent: string[] = [];
  /** The wire between clients and server. */
  wire: Fetch = fetch;
  readonly #strongroom: Strongroom;
  readonly #close: () => Promise<void>;
  #session: { readonly token: string; readonly key: SecretBytes } | undefined;

  private constructor(strongroom: Strongroom, baseUrl: string, setupToken: string, close: () => Promise<void>) {
    this.#strongroom = strongroom;
    this.baseUrl = baseUrl;
    this.setupToken = setupToken;
    this.#close = close;
  }

  /** No job runs: what a test does not ask for does not happen. */
  static async start(): Promise<Live> {
    const data = temporaryFolder();
    await prepareDataFolder(join(data, 'database'));
    const strongroom = await createStrongroom({
      data,
      durability: 'relaxed',
      log: { request: () => undefined, failure: () => undefined, jobFinished: () => undefined },
    });
    const server = createServer({ pipeline: strongroom.pipeline });
    await server.listen({ port: 0, host: '127.0.0.1' });
    const { port } = server.server.address() as AddressInfo;
    const setupToken = await strongroom.setupToken();
    return new Live(strongroom, `http://127.0.0.1:${port}`, setupToken!, async () => {
      await server.close();
      await strongroom.close();
    });
  }

  close(): Promise<void> {
    return this.#close();
  }

  /** Puts waiting events into the log and signs. */
  async sequence(): Promise<void> {
    await this.#strongroom.services.auditLog.sequence();
  }

  /** Destroys somebody's keys, as the job does after an account was deleted; what the log says about it waits for its place like everything else. */
  async erase(account: Uuid): Promise<void> {
    await this.#strongroom.services.keys.eraseDeleted([account]);
  }

  /** What somebody has who copied the database, as far as keys of spaces go: every row, whoever it is for. */
  async storedSpaceKeys(space: Uuid): Promise<{ account: Uuid; epoch: number; key: string; sender: Uuid | null }[]> {
    const { rows } = await this.#strongroom.services.database.transaction(asSystem, (transaction) =>
      sql<{ account: Uuid; epoch: number; key: Uint8Array; sender: Uuid | null }>`
        select account_id as account, epoch, wrapped_key as key, sender_id as sender from space_keys where space_id = ${space}
      `.execute(transaction),
    );
    return rows.map((row) => ({ ...row, key: toBase64Url(row.key) }));
  }

  readonly fetch: Fetch = (address, init) => {
    this.sent.push(`${address.href} ${typeof init.body === 'string' ? init.body : ''}`);
    return this.wire(address, init);
  };

  /** A device that knows nothing and nobody. `options`: whatever else of a vault. */
  vault(options: Partial<VaultOptions> = {}): Vault {
    const api = createApi({ baseUrl: this.baseUrl, fetch: this.fetch });
    return new Vault({ api, cache: new InMemoryCache(), ...options });
  }

  /** Anna, the first one here. */
  async signUp(): Promise<{ readonly anna: Vault; readonly recoveryCode: string }> {
    const anna = this.vault();
    const { recoveryCode } = await anna.signUp({
      invitation: this.setupToken,
      email: EMAIL,
      displayName: 'Anna',
      password: PASSWORD,
      transport: 'bearer',
    });
    return { anna, recoveryCode: recoveryCode.reveal() };
  }

  async signIn(): Promise<Vault> {
    const vault = this.vault();
    await vault.signIn({ email: EMAIL, password: PASSWORD, transport: 'bearer' });
    return vault;
  }

  /** Another device of the same person, which knows nothing yet. They share a session, since sign-ins are limited. */
  async device(cache: MemoryCache = new InMemoryCache()): Promise<Vault> {
    if (this.#session === undefined) {
      const vault = this.vault();
      const { token } = await vault.signIn({ email: EMAIL, password: PASSWORD, transport: 'bearer' });
      this.#session = { token: token!, key: await vault.deriveUnlockKey(PASSWORD) };
    }
    const { token, key } = this.#session;
    const vault = this.vault({ api: createApi({ baseUrl: this.baseUrl, fetch: this.fetch, token }), cache });
    await vault.resume();
    await vault.unlockWith(key);
    return vault;
  }
}

export const MEMORY = 'it stays readable';

/** A service whose first account has a space with one memory. */
export async function liveWithMemory(): Promise<{
  readonly live: Live;
  readonly anna: Vault;
  readonly recoveryCode: string;
  readonly space: Uuid;
}> {
  const live = await Live.start();
  const { anna, recoveryCode } = await live.signUp();
  const { id: space } = await anna.createSpace('Home');
  await anna.remember(space, { text: MEMORY });
  return { live, anna, recoveryCode, space };
}

/** What a device shows of a space, after it has asked the server. */
export async function textsIn(vault: Vault, space: Uuid): Promise<string[]> {
  await vault.listSpaces();
  await vault.sync(space);
  return (await vault.list(space)).map(({ document }) => document.text);
}

/** All three shared samples: 300 records, 20 conversations, 30 notes. */
export async function samples(): Promise<ImportItem[]> {
  const items: ImportItem[] = [];
  for await (const item of parseMcpMemory(createReadStream(corpora('memories', 'memory.jsonl')!, 'utf8')))
    items.push(item);
  for await (const item of parseChatGptExport(createReadStream(corpora('memories', 'conversations.json')!, 'utf8'))) {
    items.push(item);
  }
  const folder = corpora('memories', 'notes')!;
  for (const name of await readdir(folder))
    items.push(parseMarkdownNote(name, await readFile(join(folder, name), 'utf8')));
  return items;
}
