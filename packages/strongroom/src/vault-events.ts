/** Events that belong to no request: what the operator asked for on the machine, and what a job brought to its end. */
import { type AuditLog, unrequestedEvent } from '@strongroom/audit-log';
import type { Actor, Clock } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';

export interface VaultEventServices {
  readonly auditLog: AuditLog;
  readonly clock: Clock;
}

/** For events of work that outlives the command it began with: `operator` is the one who asks here and now. */
export interface OperatorEventServices extends VaultEventServices {
  readonly operator: () => Actor;
}

export interface VaultEvent<Type extends string> {
  readonly type: Type;
  readonly outcome: 'success' | 'failure';
  readonly actor: Actor;
  readonly details: Readonly<Record<string, string | number | boolean>>;
}

export async function appendVaultEvent<Type extends string>(
  { auditLog, clock }: VaultEventServices,
  transaction: Transaction,
  { actor, ...event }: VaultEvent<Type>,
): Promise<void> {
  await auditLog.append(transaction, unrequestedEvent(actor, clock.now(), event));
}
