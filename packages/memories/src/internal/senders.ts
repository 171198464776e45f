import type { Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import type { Senders } from './answers.ts';
import type { MemoriesServices } from './routes.ts';
import type { SpaceRow } from './space-store.ts';

/** Of keys that were shared and not taken over yet: who shared them, as the accounts' room knows them. Usually nobody. */
export async function sendersOf(
  { services, transaction }: { readonly services: MemoriesServices; readonly transaction: Transaction },
  rows: readonly SpaceRow[],
): Promise<Senders> {
  const senders = new Set<Uuid>(rows.flatMap(({ keys }) => keys.flatMap(({ sender }) => sender ?? [])));
  if (senders.size === 0) return new Map();
  const accounts = [...senders];
  const names = await services.profiles.displayNames(transaction, accounts);
  const keys = await services.profiles.publicKeys(transaction, accounts);
  return new Map(
    accounts.map((account) => [
      account,
      { displayName: names.get(account) ?? null, publicKey: keys.get(account) ?? null },
    ]),
  );
}
