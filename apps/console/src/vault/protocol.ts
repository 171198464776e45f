/** What travels between the page and its workers, above all the one with the vault. Everything here survives structured cloning, or is handed over. */
import type { ImportResult, OldVersion, OpenedMemory, RemoteSession, Space } from '@strongroom/client';
import type { JsonValue, Uuid } from '@strongroom/kernel';
import type { AccountCalls, AccountView } from './account-protocol.ts';
import type { AuditCalls } from './audit-protocol.ts';
import type { PeopleCalls } from './people-protocol.ts';

/** A memory as a list shows it. */
export interface Row {
  readonly space: Uuid;
  readonly id: Uuid;
  readonly version: number;
  /** The title, or the first line of the text. */
  readonly heading: string;
  /** The beginning of what the heading does not say, in one line. */
  readonly excerpt: string;
  readonly kind: string | null;
  readonly tags: readonly string[];
  readonly createdAt: string;
  /** What a search found, in the two lines. */
  readonly marks?: { readonly heading: readonly Span[]; readonly excerpt: readonly Span[] };
}

/** From one UTF-16 unit of a line to before another. */
export type Span = readonly [start: number, end: number];

export interface MemoryInputView {
  readonly text: string;
  readonly title?: string;
  readonly kind?: string;
  readonly tags: readonly string[];
}

interface SyncView {
  readonly changed: number;
  readonly removed: number;
  readonly unreadable: number;
}

export interface SourceFile {
  /** As the browser names it; for folders with the path inside. Anybody's text: shown, never interpreted. */
  readonly name: string;
  readonly file: Blob;
}

export interface ImportPreview {
  readonly files: readonly {
    readonly name: string;
    readonly source: 'mcp-memory' | 'chatgpt' | 'markdown' | null;
    readonly items: number;
    /** Why the file cannot be imported; it is left out then. */
    readonly problem: WireError | null;
  }[];
  readonly items: number;
  readonly sample: readonly { readonly heading: string; readonly excerpt: string; readonly kind: string }[];
}

export interface VerdictView {
  readonly ok: boolean;
  readonly size: number;
  /** Base64url; people may compare it. */
  readonly root: string;
  /** Milliseconds since the epoch. */
  readonly signedAt: number | null;
  readonly verifiedEntries: number;
  readonly withheldEntries: number;
  readonly findings: readonly { readonly where: string; readonly what: string }[];
  /** Size of the log that this device verified before; null the first time. */
  readonly rememberedSize: number | null;
}

export interface Credentials {
  readonly email: string;
  readonly password: string;
  readonly deviceName: string;
}

export interface SignUpInput extends Credentials {
  readonly invitation: string;
  readonly displayName: string;
  readonly spaceName: string;
}

/** The worker's functions. The last parameter of the long ones reports how far they are. */
export interface VaultCalls extends AccountCalls, AuditCalls, PeopleCalls {
  /** Null when nobody is signed in. */
  resume(): AccountView | null;
  signUp(input: SignUpInput): { readonly account: AccountView; readonly recoveryCode: string };
  signIn(input: Credentials): AccountView;
  /** Whose vault it is the page remembers; without the server, what this device keeps of it is opened. */
  unlock(password: string, account: Uuid): void;
  signOut(): void;

  /** As this device keeps them, without asking the server; empty where it keeps none. */
  keptSpaces(): readonly Space[];
  spaces(): readonly Space[];
  createSpace(name: string): Space;
  /** Opens what this device keeps of the space, without asking the server. How many memories that is. */
  openKept(space: Uuid): number;
  sync(space: Uuid): SyncView;
  rows(space: Uuid): readonly Row[];
  search(space: Uuid | null, query: string, limit: number): readonly Row[];

  memory(space: Uuid, id: Uuid): OpenedMemory;
  remember(space: Uuid, input: MemoryInputView): OpenedMemory;
  update(space: Uuid, id: Uuid, expectedVersion: number, input: MemoryInputView): OpenedMemory;
  forget(space: Uuid, id: Uuid, expectedVersion: number): void;
  versions(space: Uuid, id: Uuid): readonly OldVersion[];

  /** The files' reader sends what it found through here: once, an array of items. */
  expectImport(reader: MessagePort): void;
  /** Stores what was sent last. What was stored before it was stopped stays stored. */
  runImport(space: Uuid): ImportResult & { readonly stopped: boolean };
  stopImport(): void;
  export(
    space: Uuid,
    format: 'jsonl' | 'markdown',
  ): { readonly file: Blob; readonly memories: number; readonly leftOut: number };

  sessions(): readonly RemoteSession[];
  endSession(session: Uuid): void;
  verifyAudit(): VerdictView;
}

/** An interface of functions, as `Calls extends Functions<Calls>`. */
export type Functions<Calls> = { readonly [Name in keyof Calls]: (...input: never[]) => unknown };

export type CallName = keyof VaultCalls;

/** The functions of the worker that reads files. */
export interface ReaderCalls {
  /** What it finds goes through the port, to the vault. */
  read(files: readonly SourceFile[], vault: MessagePort): ImportPreview;
}

/** `total` null: not known. */
export interface Progress {
  readonly done: number;
  readonly total: number | null;
}

export interface WireError {
  readonly code: string;
  readonly status: number;
  readonly message: string;
  readonly detail: string | null;
  readonly retryAfter: number | null;
  readonly members: Readonly<Record<string, JsonValue>>;
}

export interface Request {
  readonly call: number;
  readonly name: string;
  readonly input: readonly unknown[];
}

export type Reply =
  | { readonly call: number; readonly value: unknown }
  | { readonly call: number; readonly error: WireError }
  | { readonly call: number; readonly progress: Progress }
  | { readonly notice: Notice };

/**
 * `no-cache`: the browser gave no room, or none any more; the vault works, the next visit begins without what it did not keep.
 * `trust-damaged`: what it kept of other people's keys does not open; fingerprints have to be compared again.
 * `changed`: the space was followed although nobody asked for it.
 */
export type Notice = 'no-cache' | 'trust-damaged' | { readonly changed: Uuid };
