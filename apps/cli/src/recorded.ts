/** What a command does in the folder of a stopped server is in the audit log as if the server had done it. */
import { newUuid } from '@strongroom/kernel';
import type { Strongroom } from 'strongroom';

type Services = Pick<Strongroom['services'], 'auditLog' | 'clock' | 'database'>;
type Append = Services['auditLog']['append'];
type Transaction = Parameters<Append>[0];
type Event = Parameters<Append>[1];

/** What is to be said of it; nothing about anybody in particular unless told. */
export type Recorded = Pick<Event, 'type'> & Partial<Pick<Event, 'object' | 'subjects' | 'details' | 'digests'>>;

/** Does the work and records it, in one transaction. `now`: milliseconds since the epoch, the time of the event. */
export function recorded<Result>(
  { auditLog, clock, database }: Services,
  work: (transaction: Transaction, now: number) => Promise<readonly [result: Result, event: Recorded]>,
): Promise<Result> {
  return database.transaction({ kind: 'system' }, async (transaction) => {
    const now = clock.now();
    const [result, event] = await work(transaction, now);
    await auditLog.append(transaction, {
      outcome: 'success',
      context: {
        requestId: newUuid(now),
        actor: { kind: 'operator', via: 'command-line' },
        addressPrefix: null,
        receivedAt: now,
      },
      tenant: null,
      object: null,
      subjects: [],
      details: {},
      ...event,
    });
    return result;
  });
}
