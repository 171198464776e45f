/**
 * What can be said of one entry by itself: what its columns hash to, and whether its opening opens. The rest of the log is not needed for it, so threads
 * can share this part of a verification, which is most of it.
 */
import { type EventColumns, eventLeaf, opens } from './entry.ts';
import { AuditLogError } from './errors.ts';
import type { CheckedEntry, Finding, LogEntry } from './log-source.ts';

/** Events of the log about itself: some of them say what became of other entries. */
const OWN_TYPES = 'audit.';

/** `known`: the hash of the event's columns, where it was computed from these already. */
export function checkEntry(
  { index, leafHash, event, addressPrefix, isErased }: LogEntry,
  known?: Uint8Array,
): CheckedEntry {
  if (typeof event === 'string') return { index, leafHash, state: event, computed: null, remark: null };
  const findings: Finding[] = [];
  const commitment = event.addressCommitment;
  const where = `event ${index}, column address_prefix`;
  if (commitment === null && addressPrefix !== null) {
    findings.push({ where, what: 'a value is stored that was never logged' });
  }
  if (commitment !== null && addressPrefix !== null && !opens(commitment, addressPrefix)) {
    findings.push({ where, what: 'salt or value are not those that were logged' });
  }
  const computed = known ?? leafOf(event, (what) => findings.push({ where: `event ${index}`, what }));
  const lacks = commitment === null || addressPrefix !== null ? null : isErased === true ? 'key' : 'opening';
  const isRemarkable = findings.length > 0 || lacks !== null || event.type.startsWith(OWN_TYPES);
  return { index, leafHash, state: 'event', computed, remark: isRemarkable ? { event, lacks, findings } : null };
}

function leafOf(event: EventColumns, report: (what: string) => void): Uint8Array | null {
  try {
    return eventLeaf(event);
  } catch (error) {
    if (!(error instanceof AuditLogError)) throw error;
    report(error.message);
    return null;
  }
}
