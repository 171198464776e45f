/** Sinks: who is sent the events of the log. The log itself is the outbox; a sink is a place in it. */
import { newUuid } from '@strongroom/kernel';
import { asSystem, type Transaction } from '@strongroom/storage';
import { AuditLogError } from './errors.ts';
import { type DeliveryOptions, deliverDue, send } from './internal/delivery.ts';
import {
  deleteSink,
  insertSink,
  makeDue,
  readSecret,
  readSink,
  readSinks,
  type SinkOverview,
  type StoredSink,
} from './internal/sink-store.ts';
import { authoritiesOf, folderTarget, originOf, webhookTarget } from './internal/sink-target.ts';
import { newSecret } from './internal/webhook.ts';
import { unrequestedEvent } from './unrequested-event.ts';

/** How the operator came. */
type Via = 'administrator-socket' | 'command-line';

export interface NewSink {
  /** Lower-case letters, digits and hyphens; at most 40. */
  readonly name: string;
  readonly format: 'jsonl' | 'ocsf';
  readonly target:
    | {
        readonly kind: 'webhook';
        readonly url: string;
        /** Certificates in PEM, of which one must have vouched for the receiver; null: any authority that Node knows. */
        readonly authorities: string | null;
      }
    | {
        readonly kind: 'file';
        /** Absolute path on the machine that delivers. */
        readonly folder: string;
        /** A file of at least this many bytes gets no further batch. */
        readonly rotateBytes: number;
        readonly rotateDaily: boolean;
        /** The oldest files beyond these, at least 2, are deleted; null: none. */
        readonly keepFiles: number | null;
      };
  /** Whether network prefixes are sent. People are pseudonyms in any case. */
  readonly withAddresses: boolean;
  /** Place of the first event to deliver; null: from the next one on. */
  readonly from: number | null;
}

export interface SinkListed extends SinkOverview {
  /** Seconds since the oldest event that was not delivered yet; 0 when there is none. */
  readonly secondsBehind: number;
}

export interface Sinks {
  /**
   * Returns the secret that signs deliveries to a webhook; it is not shown again. Throws `audit-log.invalid-sink` or
   * `audit-log.sink-exists`. Recorded as `audit.sink-added`.
   */
  add(sink: NewSink, via: Via): Promise<{ readonly secret: string | null }>;
  /** Nothing more is delivered, dead letters included. Throws `audit-log.unknown-sink`. Recorded as `audit.sink-removed`. */
  remove(name: string, via: Via): Promise<void>;
  list(): Promise<readonly SinkListed[]>;
  /** Sends a message without any event at once. Throws `audit-log.unknown-sink`, or `audit-log.undelivered` with what was wrong. */
  test(name: string, signal?: AbortSignal): Promise<void>;
  /**
   * Has dead letters sent again, and what waits after a failure without further waiting. Returns how many dead letters. Throws
   * `audit-log.unknown-sink`. Recorded as `audit.sink-retried`.
   */
  retry(name: string, via: Via): Promise<number>;
  /**
   * Delivers what is due. Returns how many events were acknowledged. Each is delivered at least once, and in order but for dead letters; whoever
   * drops the places that came before gets each once. Rejects when `signal` breaks it off.
   */
  deliver(signal?: AbortSignal): Promise<number>;
}

export interface SinksOptions extends DeliveryOptions {
  /** Makes the job `audit-log.deliver` run soon. */
  readonly nudge: () => void;
}

export function createSinks(options: SinksOptions): Sinks {
  const { database, encryption, clock, auditLog, nudge } = options;
  let running: Promise<number> = Promise.resolve(0);

  /** Change and event in one transaction. */
  async function change(
    type: string,
    via: Via,
    work: (transaction: Transaction, now: number) => Promise<{ sink: StoredSink; details: Details }>,
  ): Promise<void> {
    await database.transaction(asSystem, async (transaction) => {
      const now = clock.now();
      const { sink, details } = await work(transaction, now);
      const event = {
        type,
        object: { type: 'audit-sink', id: sink.id },
        details: { sink: sink.name, to: originOf(sink.kind, sink.target), ...details },
      };
      await auditLog.append(transaction, unrequestedEvent({ kind: 'operator', via }, now, event));
    });
    auditLog.committed();
  }

  return {
    async add(wanted, via) {
      const { target, from } = wanted;
      const secret = target.kind === 'webhook' ? newSecret() : null;
      await change('audit.sink-added', via, async (transaction, now) => {
        const sink = storedSink(wanted, now);
        if (!(await insertSink(transaction, encryption, sink, { secret, from, now }))) {
          throw new AuditLogError('audit-log.sink-exists');
        }
        return {
          sink,
          details: {
            format: sink.format,
            addresses: sink.withAddresses,
            ...(sink.authorities === null ? {} : { ownAuthorities: true }),
            ...(from === null ? {} : { from }),
          },
        };
      });
      nudge();
      return { secret };
    },
    remove: (name, via) =>
      change('audit.sink-removed', via, async (transaction) => {
        const sink = await known(transaction, name);
        await deleteSink(transaction, sink.id);
        return { sink, details: {} };
      }),
    async list() {
      const sinks = await database.transaction(asSystem, readSinks);
      const now = clock.now();
      return sinks.map((sink) => ({
        ...sink,
        secondsBehind: sink.oldest === null ? 0 : Math.max(0, (now - sink.oldest.getTime()) / 1000),
      }));
    },
    async test(name, signal) {
      const { sink, secret } = await database.transaction(asSystem, async (transaction) => {
        const found = await known(transaction, name);
        return { sink: found, secret: await readSecret(transaction, encryption, found) };
      });
      const now = clock.now();
      const body = `${JSON.stringify({ type: 'strongroom.sink-test', sink: name, sentAt: new Date(now).toISOString() })}\n`;
      const message = { id: `test-${newUuid(now)}`, secret, body, from: 0 };
      // Into files of its own: the job may be writing into the others.
      const problem = await send({ ...sink, name: `${name}-test` }, message, now, signal);
      if (problem !== null) throw new AuditLogError('audit-log.undelivered', { detail: `${problem}.` });
    },
    async retry(name, via) {
      let count = 0;
      await change('audit.sink-retried', via, async (transaction) => {
        const sink = await known(transaction, name);
        count = await makeDue(transaction, sink.id);
        return { sink, details: { batches: count } };
      });
      nudge();
      return count;
    },
    deliver(signal) {
      // Replicas are kept apart by the job's lease, callers within this process here.
      running = running.catch(() => 0).then(() => deliverDue(options, signal));
      return running;
    },
  };
}

type Details = Readonly<Record<string, string | number | boolean>>;

function storedSink({ name, format, target, withAddresses }: NewSink, now: number): StoredSink {
  const shared = { id: newUuid(now), name, format, withAddresses, kind: target.kind };
  return target.kind === 'webhook'
    ? {
        ...shared,
        target: webhookTarget(target.url),
        authorities: target.authorities === null ? null : authoritiesOf(target.url, target.authorities, now),
        rotateBytes: null,
        rotateDaily: false,
        keepFiles: null,
      }
    : {
        ...shared,
        target: folderTarget(target.folder),
        rotateBytes: target.rotateBytes,
        rotateDaily: target.rotateDaily,
        keepFiles: target.keepFiles,
        authorities: null,
      };
}

async function known(transaction: Transaction, name: string): Promise<StoredSink> {
  const sink = await readSink(transaction, name);
  if (sink === undefined) throw new AuditLogError('audit-log.unknown-sink');
  return sink;
}
