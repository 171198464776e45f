/** What a command does in the folder of a stopped server is in the audit log as if the server had done it. */
import type { Unrequested } from '@strongroom/audit-log';
import type { Strongroom } from 'strongroom';

type Services = Pick<Strongroom['services'], 'auditLog' | 'clock' | 'database'>;
type Transaction = Parameters<Services['auditLog']['append']>[0];

/** Does the work and records it, in one transaction. `now`: milliseconds since the epoch, the time of the event. */
export async function recorded<Result>(
  { auditLog, clock, database }: Services,
  work: (transaction: Transaction, now: number) => Promise<readonly [result: Result, event: Unrequested]>,
): Promise<Result> {
  // Loaded with the service, which few commands need.
  const { unrequestedEvent } = await import('@strongroom/audit-log');
  return database.transaction({ kind: 'system' }, async (transaction) => {
    const now = clock.now();
    const [result, event] = await work(transaction, now);
    await auditLog.append(transaction, unrequestedEvent({ kind: 'operator', via: 'command-line' }, now, event));
    return result;
  });
}
