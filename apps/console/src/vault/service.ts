/**
 * The vault behind the page. It runs in a worker: password hashing and opening thousands of memories never hold up the page, keys are
 * never in the page's own memory, and ending the worker is what locking means.
 */
import {
  ClientError,
  createApi,
  verifyRemoteLog,
  type ImportItem,
  type ImportResult,
  type RemoteAccount,
  type RemoteSession,
} from '@strongroom/client';
import { toBase64Url } from '@strongroom/kernel';
import { accountCalls } from './account-calls.ts';
import type { Service } from './answer-calls.ts';
import { createAuditService } from './audit-service.ts';
import { BrowserCache } from './browser-cache.ts';
import { BrowserTrust } from './browser-trust.ts';
import { DeviceVault } from './device-vault.ts';
import { exportFile } from './export-files.ts';
import { CarefulWriter, isUnanswered } from './careful-writer.ts';
import { createPeopleService } from './people-service.ts';
import type { AccountView } from './account-protocol.ts';
import type { Notice, VaultCalls, VerdictView } from './protocol.ts';
import { BrowserLogStore } from './remembered-log.ts';
import { foundRow } from './found-rows.ts';
import { rowOf } from './rows.ts';

/** Roles in the vault that make spaces: somebody who was invited as less begins without one. */
const MAY_CREATE_SPACES = new Set(['owner', 'admin', 'member']);
/** Milliseconds that the server has to say who is signed in, before what this device keeps is opened instead. */
const PATIENCE = 1_500;
/** Milliseconds between two reports while a space is opened. */
const SYNC_REPORT = 1_000;

export function createVaultService(baseUrl: string, onNotice: (notice: Notice) => void): Service<VaultCalls> {
  const cache = new BrowserCache(() => onNotice('no-cache'));
  const trust = new BrowserTrust(
    () => vault.accountKeys(),
    (problem) => onNotice(problem === 'damaged' ? 'trust-damaged' : 'no-cache'),
  );
  const vault = new DeviceVault({ api: createApi({ baseUrl }), cache, trust });
  const writer = new CarefulWriter(vault, (changed) => onNotice({ changed }));
  const logStore = new BrowserLogStore();
  let wanted: Promise<readonly ImportItem[]> = Promise.resolve([]);
  let importRun: AbortController | null = null;

  const known = (account: RemoteAccount): AccountView => {
    cache.use(account.id);
    const { id, email, displayName, role, createdAt } = account;
    return { id, email, displayName, role, createdAt };
  };

  return {
    ...createPeopleService(vault),
    ...createAuditService(vault),

    async resume() {
      try {
        return known(await vault.resume());
      } catch (error) {
        if (error instanceof ClientError && error.status === 401) return null;
        throw error;
      }
    },

    async signUp(_report, { spaceName, ...input }) {
      const { recoveryCode } = await vault.signUp({ ...input, transport: 'cookie' });
      const account = known(vault.account!);
      // The account exists from here on: its code must be shown whatever becomes of the first space.
      if (MAY_CREATE_SPACES.has(account.role)) await vault.createSpace(spaceName).catch(() => undefined);
      return { account, recoveryCode: recoveryCode.reveal() };
    },

    async signIn(_report, input) {
      await vault.signIn({ ...input, transport: 'cookie' });
      return known(vault.account!);
    },

    async unlock(_report, password, account) {
      cache.use(account);
      // A worker begins anew after each lock, and knows nobody.
      const known = vault.account !== null || (await answersSoon(vault.resume()));
      if (known || !(await vault.unlockKept(password))) await vault.unlock(password);
    },

    async signOut() {
      await cache.clear();
      await vault.signOut();
    },

    ...accountCalls({ vault, cache, trust, known }),

    keptSpaces: () => vault.keptSpaces(),
    async spaces() {
      const spaces = await vault.listSpaces();
      await cache.keepOnly(spaces.map(({ id }) => id));
      return spaces;
    },
    createSpace: (_report, name) => vault.createSpace(name),

    openKept: (_report, space) => vault.openKept(space),

    async sync(report, space) {
      const tick = setInterval(() => {
        void vault.list(space).then(
          (memories) => report({ done: memories.length, total: null }),
          () => undefined,
        );
      }, SYNC_REPORT);
      try {
        const { changed, removed, unreadable } = await vault.sync(space);
        return { changed, removed, unreadable: unreadable.length };
      } finally {
        clearInterval(tick);
      }
    },

    rows: async (_report, space) => (await vault.list(space)).map(rowOf),

    async search(_report, space, query, limit) {
      const found = await vault.recall(query, { limit, ...(space === null ? {} : { spaces: [space] }) });
      return found.map(foundRow(query));
    },

    memory: (_report, space, id) => vault.get(space, id),
    remember: (_report, space, input) => writer.remember(space, input),
    update: (_report, space, id, expectedVersion, input) => writer.update(space, id, expectedVersion, input),
    forget: (_report, space, id, expectedVersion) => writer.forget(space, id, expectedVersion),
    versions: (_report, space, id) => vault.versions(space, id),

    expectImport(_report, reader) {
      wanted = new Promise((resolve) => {
        reader.addEventListener('message', ({ data }: MessageEvent<readonly ImportItem[]>) => {
          resolve(data);
          reader.close();
        });
        reader.start();
      });
    },

    async runImport(report, space) {
      const run = new AbortController();
      importRun = run;
      const items = await wanted;
      const total = items.length;
      let soFar: ImportResult = { created: 0, updated: 0, unchanged: 0, deleted: 0, failed: [] };
      const onProgress = (result: ImportResult) => {
        soFar = result;
        const { created, updated, unchanged, deleted, failed } = result;
        report({ done: created + updated + unchanged + deleted + failed.length, total });
      };
      try {
        return { ...(await vault.import(space, items, { signal: run.signal, onProgress })), stopped: false };
      } catch (error) {
        if (run.signal.aborted) return { ...soFar, stopped: true };
        throw error;
      } finally {
        importRun = null;
      }
    },

    stopImport: () => importRun?.abort(),

    async export(_report, space, format) {
      const { unreadable } = await vault.sync(space);
      const memories = await vault.list(space);
      return { file: exportFile(memories, format), memories: memories.length, leftOut: unreadable.length };
    },

    async sessions() {
      const found: RemoteSession[] = [];
      let cursor: string | undefined;
      do {
        const page = await vault.api.sessions(cursor);
        found.push(...page.items);
        cursor = page.next ?? undefined;
      } while (cursor !== undefined);
      return found;
    },

    endSession: (_report, session) => vault.api.endSession(session),

    async verifyAudit(report): Promise<VerdictView> {
      const rememberedSize = (await logStore.read())?.size ?? null;
      const verdict = await verifyRemoteLog(vault.api, logStore, {
        onProgress: (done, total) => report({ done, total }),
      });
      const { ok, size, root, signedAt, verifiedEntries, withheldEntries, findings } = verdict;
      return {
        ok,
        size,
        root: toBase64Url(root),
        signedAt: signedAt === null ? null : signedAt * 1000,
        verifiedEntries,
        withheldEntries,
        findings,
        rememberedSize,
      };
    },
  };
}

/** False when the server does not answer, or not soon. Rejects with what it says. */
async function answersSoon(answer: Promise<unknown>): Promise<boolean> {
  const late = new Promise<false>((resolve) => setTimeout(() => resolve(false), PATIENCE));
  const answered = answer.then(
    () => true,
    (error: unknown) => {
      if (isUnanswered(error)) return false;
      throw error;
    },
  );
  return Promise.race([answered, late]);
}
