/** What the page asks of the worker about the audit log's entries. Everything here survives structured cloning. */
import type { AuditEventClass } from '@strongroom/kernel';

/** All conditions hold for what is found; of classes and of outcomes one is enough. */
export interface AuditQuery {
  readonly class?: readonly AuditEventClass[];
  readonly outcome?: readonly ('success' | 'denied' | 'failure')[];
  /** Who acted: an account, or a pseudonym of the log. */
  readonly actor?: string;
  readonly object?: string;
  /** RFC 3339: not before. */
  readonly from?: string;
  /** RFC 3339: before. */
  readonly to?: string;
}

export interface AuditEntryView {
  readonly index: number;
  readonly occurredAt: string;
  readonly type: string;
  readonly outcome: string;
  readonly reason: string | null;
  readonly actorKind: string;
  /** Pseudonym of the account that acted; the same person has the same one everywhere in the log. */
  readonly actor: string | null;
  readonly sessionId: string | null;
  readonly objectType: string | null;
  readonly objectId: string | null;
  readonly addressPrefix: string | null;
  readonly details: string;
}

interface AuditPage {
  /** The newest first. */
  readonly entries: readonly AuditEntryView[];
  /** Who is behind the pseudonyms of the entries, but for those who were forgotten. */
  readonly people: readonly { readonly account: string; readonly pseudonym: string }[];
  /** Where older ones go on; null when there are none. */
  readonly next: string | null;
}

export interface AuditCalls {
  /** `cursor`: `next` of the page before; null for the newest. */
  auditPage(query: AuditQuery, cursor: string | null): AuditPage;
}
