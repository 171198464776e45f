/** Who is here and whether the vault is open: the one place that changes it. */
import { QueryClient } from '@tanstack/react-query';
import type { DeletionCertificate } from '@strongroom/client';
import type { Uuid } from '@strongroom/kernel';
import { currentEntranceMessages, currentMessages, errorText } from '../messages/messages.ts';
import type { AccountView, DeletionInput, RecoverInput } from '../vault/account-protocol.ts';
import type { CallName, Credentials, Progress, SignUpInput, VaultCalls } from '../vault/protocol.ts';
import { dropAllDrafts } from './drafts.ts';
import { createPendingDeletions, type PendingDeletion } from './pending-deletions.ts';
import { createStore, useStore } from './store.ts';
import { note, noteWithWay, toasts } from './toasts.ts';
import { connectVault, VaultError } from './vault-connection.ts';

export type Session =
  | { readonly phase: 'starting' }
  | { readonly phase: 'unreachable' }
  | { readonly phase: 'signed-out'; readonly notice: 'ended' | 'signed-out' | null }
  | { readonly phase: 'locked'; readonly account: AccountView; readonly notice: 'idle' | null }
  | { readonly phase: 'open'; readonly account: AccountView }
  /** Open, with a new recovery code to be put away before anything else: the former one is worthless already. */
  | { readonly phase: 'new-code'; readonly account: AccountView; readonly recoveryCode: string }
  /** The account is no more; what proves it is shown until the person has put it away. */
  | { readonly phase: 'deleted'; readonly certificate: DeletionCertificate };

const session = createStore<Session>({ phase: 'starting' });
export const useSession = (): Session => useStore(session);

/** False after a call that found nobody at the other end, until one finds somebody again. */
export const reachable = createStore(true);
/** True once the browser refused to keep the sealed copy. */
export const withoutCache = createStore(false);
/** True once what this browser knew of other people's keys did not open. */
export const trustDamaged = createStore(false);
/** What is searched for. Outside of the address, which browsers write down. */
export const searchText = createStore('');

/** Nothing here is fetched by itself again: answers come from the worker, which knows when something changed. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: { retry: false, staleTime: Infinity, refetchOnWindowFocus: false, networkMode: 'always' },
    mutations: { retry: false, networkMode: 'always' },
  },
});

const notices = { 'no-cache': withoutCache, 'trust-damaged': trustDamaged };
const connection = connectVault((notice) => {
  if (typeof notice === 'string') notices[notice].set(true);
  // Whoever cannot be told now reads it at the next look.
  else void refreshSpace(notice.changed).catch(() => undefined);
});

/** Calls that the worker answers from its own memory: they say nothing about the server. */
const LOCAL: ReadonlySet<CallName> = new Set([
  'unlock',
  'keptSpaces',
  'openKept',
  'rows',
  'search',
  'memory',
  'fingerprint',
  'expectImport',
  'stopImport',
]);

export async function vault<Name extends CallName>(
  name: Name,
  ...input: Parameters<VaultCalls[Name]>
): Promise<ReturnType<VaultCalls[Name]>> {
  return watched(name, connection.call(name, ...input));
}

export async function vaultWithProgress<Name extends CallName>(
  onProgress: (progress: Progress) => void,
  name: Name,
  ...input: Parameters<VaultCalls[Name]>
): Promise<ReturnType<VaultCalls[Name]>> {
  return watched(name, connection.callWithProgress(onProgress, name, ...input));
}

async function watched<Answer>(name: CallName, answer: Promise<Answer>): Promise<Answer> {
  try {
    const value = await answer;
    if (!LOCAL.has(name)) reachable.set(true);
    return value;
  } catch (error) {
    if (isUnreachable(error)) reachable.set(false);
    else if (isSignedOut(error) && (await nobodySignedIn())) sessionEnded();
    throw error;
  }
}

const isSignedOut = (error: unknown): boolean =>
  error instanceof VaultError &&
  (error.code === 'authentication.invalid-session' || error.code === 'pipeline.unauthenticated');

/** A proof of the password renews the cookie: a request that crosses it is refused, and the session goes on. */
async function nobodySignedIn(): Promise<boolean> {
  return (await connection.call('resume').catch(() => undefined)) === null;
}

export const isUnreachable = (error: unknown): boolean =>
  error instanceof VaultError && (error.code === 'client.unreachable' || error.code === 'client.timeout');

type TabMessage =
  | { readonly kind: 'changed'; readonly space: Uuid }
  | { readonly kind: 'locked' }
  | { readonly kind: 'signed-out' }
  | { readonly kind: 'account' }
  | { readonly kind: 'active' };

/** Tabs of the same vault tell each other that something happened, never what. */
const tabs = new BroadcastChannel('strongroom');
const tell: (message: TabMessage) => void = tabs.postMessage.bind(tabs);

/** Set by whoever watches for inactivity and for changes. */
export const onTabMessage: { active: () => void; changed: (space: Uuid) => void } = {
  active: () => undefined,
  changed: () => undefined,
};

tabs.addEventListener('message', ({ data }: MessageEvent<TabMessage>) => {
  if (data.kind === 'active') onTabMessage.active();
  else if (data.kind === 'changed') onTabMessage.changed(data.space);
  else if (data.kind === 'account') void refreshAccount();
  else if (data.kind === 'locked') close({ notice: null });
  else forget({ phase: 'signed-out', notice: 'signed-out' });
});

export const tellActive = (): void => tell({ kind: 'active' });

/** After a change of this tab's own: lists are read again, here and in the other tabs. */
export async function spaceChanged(space: Uuid): Promise<void> {
  tell({ kind: 'changed', space });
  await refreshSpace(space);
}

export async function refreshSpace(space: Uuid): Promise<void> {
  if (session.get().phase !== 'open') return;
  queries.setQueryData(['rows', space], await vault('rows', space));
  await Promise.all([
    queries.invalidateQueries({ queryKey: ['memory', space] }),
    queries.invalidateQueries({ queryKey: ['search', space] }),
  ]);
}

export async function start(): Promise<void> {
  session.set({ phase: 'starting' });
  try {
    const account = await vault('resume');
    session.set(account === null ? { phase: 'signed-out', notice: null } : { phase: 'locked', account, notice: null });
  } catch {
    session.set({ phase: 'unreachable' });
  }
}

/** The vault opens when `finish` is called: after the recovery code has been put away. */
export async function signUp(
  input: SignUpInput,
): Promise<{ recoveryCode: string; account: AccountView; finish: () => void }> {
  const { account, recoveryCode } = await vault('signUp', input);
  return { account, recoveryCode, finish: () => session.set({ phase: 'open', account }) };
}

export async function signIn(input: Credentials): Promise<void> {
  const account = await vault('signIn', input);
  session.set({ phase: 'open', account });
}

/** With the code instead of the password. As after signing up, the vault opens when `finish` is called. */
export async function recover(
  input: RecoverInput,
): Promise<{ recoveryCode: string; account: AccountView; finish: () => void }> {
  const { account, recoveryCode } = await vault('recover', input);
  tell({ kind: 'account' });
  return { account, recoveryCode, finish: () => session.set({ phase: 'open', account }) };
}

export async function changePassword(current: string, next: string): Promise<void> {
  accountChanged(await vault('changePassword', current, next));
}

/** The vault comes back when `finishRecoveryCode` is called: after the code has been put away. */
export async function renewRecoveryCode(password: string): Promise<void> {
  const { account, recoveryCode } = await vault('renewRecoveryCode', password);
  if (session.get().phase === 'open') session.set({ phase: 'new-code', account, recoveryCode });
  tell({ kind: 'account' });
}

export function finishRecoveryCode(): void {
  const before = session.get();
  if (before.phase === 'new-code') session.set({ phase: 'open', account: before.account });
}

export async function changeEmail(email: string, password: string): Promise<void> {
  accountChanged(await vault('changeEmail', email, password));
}

/** There is no way back. Nothing of the account is left in this browser, here and in the other tabs. */
export async function deleteAccount(input: DeletionInput): Promise<void> {
  await deletions.flush();
  const certificate = await vault('deleteAccount', input).catch((error: unknown) => {
    if (!(error instanceof VaultError) || error.code !== 'client.invalid-certificate') throw error;
    note(currentMessages().certificate.none, 'problem');
    return null;
  });
  tell({ kind: 'signed-out' });
  forget(certificate === null ? { phase: 'signed-out', notice: 'signed-out' } : { phase: 'deleted', certificate });
  dropAllDrafts();
}

/** The certificate was put away. */
export function leave(): void {
  if (session.get().phase === 'deleted') session.set({ phase: 'signed-out', notice: 'signed-out' });
}

function accountChanged(account: AccountView): void {
  const before = session.get();
  if (before.phase === 'open') session.set({ ...before, account });
  tell({ kind: 'account' });
}

/** Another tab changed the account, or recovered one: the record that a password is tried against is another one now. */
async function refreshAccount(): Promise<void> {
  const before = session.get();
  if (before.phase !== 'open' && before.phase !== 'locked') return;
  const account = await vault('refreshAccount').catch(() => null);
  if (account === null) return;
  if (account.id === before.account.id) session.set({ ...before, account });
  else {
    forget({ phase: 'starting' });
    await start();
  }
}

/** While somebody unlocks, the worker that a lock is about to end is kept. */
let unlocking = false;

export async function unlock(password: string): Promise<void> {
  const before = session.get();
  if (before.phase !== 'locked') return;
  unlocking = true;
  try {
    await vault('unlock', password, before.account.id);
    session.set({ phase: 'open', account: before.account });
  } finally {
    unlocking = false;
  }
}

/** Deletes what waits for it, drops every key, and tells the other tabs. */
export async function lock(notice: 'idle' | null = null): Promise<void> {
  if (session.get().phase !== 'open') return;
  // The page is covered at once; the keys live until the deletions are through, which is bounded.
  const flushed = Promise.race([deletions.flush(), new Promise((resolve) => setTimeout(resolve, FLUSH_LIMIT))]);
  cover({ notice });
  if (notice === null) tell({ kind: 'locked' });
  await flushed;
  if (session.get().phase === 'locked' && !unlocking) connection.end();
}

/** Milliseconds for deletions that wait when the vault is locked. */
const FLUSH_LIMIT = 5_000;

function cover({ notice }: { readonly notice: 'idle' | null }): void {
  const before = session.get();
  if (before.phase !== 'open') return;
  session.set({ phase: 'locked', account: before.account, notice });
  queries.clear();
  searchText.set('');
  toasts.close();
}

function close(how: { readonly notice: 'idle' | null }): void {
  if (session.get().phase !== 'open') return;
  deletions.flushLater();
  cover(how);
  connection.end();
}

/** The page goes away: what was deleted is deleted now. A page that the browser keeps for coming back to keeps no open vault. */
export function farewell(kept: boolean): void {
  deletions.flushLater();
  if (kept) close({ notice: null });
}

/** Ends the session on the server, deletes the sealed copy on this device, and drops everything. */
export async function signOut(): Promise<void> {
  await deletions.flush();
  try {
    await vault('signOut');
  } catch (error) {
    // The copy is gone and the keys go now; a session that the server still holds opens no memory.
    note(errorText(currentEntranceMessages(), error), 'problem');
  }
  tell({ kind: 'signed-out' });
  forget({ phase: 'signed-out', notice: 'signed-out' });
  dropAllDrafts();
}

function sessionEnded(): void {
  if (session.get().phase === 'signed-out') return;
  forget({ phase: 'signed-out', notice: session.get().phase === 'starting' ? null : 'ended' });
}

function forget(next: Session): void {
  session.set(next);
  queries.clear();
  searchText.set('');
  connection.end();
}

export const deletions = createPendingDeletions({
  remove: ({ space, id, version }) => vault('forget', space, id, version),
  removeLater({ space, id, version }) {
    // `keepalive` lets the request outlive the page, which the worker does not.
    void fetch(`/v1/spaces/${space}/memories/${id}?expectedVersion=${version}`, {
      method: 'DELETE',
      keepalive: true,
      credentials: 'same-origin',
      redirect: 'error',
    }).catch(() => undefined);
  },
  onRemoved: ({ space }) => void spaceChanged(space).catch(() => undefined),
  onFailed({ space }, error) {
    if (error instanceof VaultError && error.code === 'client.locked') return;
    const { memory } = currentMessages();
    const conflict = error instanceof VaultError && error.code === 'memories.conflict';
    note(
      conflict
        ? memory.deleteConflict
        : isUnreachable(error)
          ? memory.deleteFailed
          : errorText(currentMessages(), error),
      'problem',
    );
    void refreshSpace(space).catch(() => undefined);
  },
});

/** Hides the memory now and deletes it soon; the note that appears takes it back. */
export function deleteWithUndo(deletion: PendingDeletion): void {
  const { memory } = currentMessages();
  deletions.start(deletion);
  noteWithWay(memory.deleted(deletion.heading), memory.undo, () => {
    if (deletions.undo(deletion.id)) note(memory.restored);
  });
}
