/** Somebody leaves a tenant for good: what becomes of their spaces. For the rooms of accounts and roles, which know no spaces. */
import {
  assignSpaceRole,
  ranksAtLeast,
  removeAllSpaceRoles,
  removeSpaceRole,
  spaceMembers,
  spaceRolesOf,
  type SpaceDeparture,
  type SpaceMembership,
  type TenantMember,
} from '@strongroom/authorization';
import type { Clock, Uuid } from '@strongroom/kernel';
import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { MemoriesError } from './errors.ts';
import { eraseAuthored } from './internal/erase-authored.ts';
import { deleteKeys, markRotationDue } from './internal/key-store.ts';
import { lockSpace } from './internal/sequence.ts';
import { tables, type SpacePlace } from './internal/tables.ts';

export interface Departures {
  /** What would happen, in the order of the spaces' ids. */
  plan(transaction: Transaction, member: TenantMember): Promise<readonly SpaceDeparture[]>;
  /**
   * Removed by others: what they wrote stays, and spaces that would be without an owner go to whoever ranks highest in them, the
   * longest-standing first.
   */
  remove(transaction: Transaction, member: TenantMember): Promise<readonly SpaceDeparture[]>;
  /**
   * Of an account that is deleted: what it wrote goes with it. Of the spaces that would be without an owner, those in `deleteSpaces` are deleted
   * for everybody; throws `memories.owner-needed` for the others, and `memories.space-not-found` for one that is none of them.
   */
  erase(
    transaction: Transaction,
    member: TenantMember,
    deleteSpaces: readonly Uuid[],
  ): Promise<readonly SpaceDeparture[]>;
}

export const departures = ({ clock }: { readonly clock: Clock }): Departures => ({
  plan,

  async remove(transaction, member) {
    const planned = await lockAndPlan(transaction, member);
    for (const departure of planned) {
      const place = { tenant: member.tenant, space: departure.space };
      if (departure.outcome === 'delete') {
        await deleteSpace(transaction, place);
        continue;
      }
      if (departure.outcome === 'hand-over') await crownHeir(transaction, place, member.account);
      await leave(transaction, place, member.account);
    }
    return planned;
  },

  async erase(transaction, member, deleteSpaces) {
    const planned = await lockAndPlan(transaction, member);
    const orphaned = planned.filter(({ outcome }) => outcome === 'hand-over').map(({ space }) => space);
    if (!deleteSpaces.every((space) => orphaned.includes(space))) throw new MemoriesError('memories.space-not-found');
    const undecided = orphaned.filter((space) => !deleteSpaces.includes(space));
    if (undecided.length > 0) throw new MemoriesError('memories.owner-needed', { members: { spaces: undecided } });
    const done: SpaceDeparture[] = [];
    for (const departure of planned) {
      const place = { tenant: member.tenant, space: departure.space };
      if (departure.outcome === 'leave') {
        await eraseAuthored(transaction, place, member.account, clock.now());
        await leave(transaction, place, member.account);
        done.push(departure);
      } else {
        await deleteSpace(transaction, place);
        done.push({ ...departure, outcome: 'delete' });
      }
    }
    return done;
  },
});

async function plan(transaction: Transaction, { tenant, account }: TenantMember): Promise<readonly SpaceDeparture[]> {
  const roles = await spaceRolesOf(transaction, { tenant, account });
  const spaces = [...roles.keys()].toSorted();
  const members = await spaceMembers(transaction, { tenant, spaces });
  const counts = await countMemories(transaction, { tenant, account }, spaces);
  return spaces.map((space) => {
    const others = members.filter((member) => member.space === space && member.account !== account);
    const role = roles.get(space)!;
    const { memories = 0, authored = 0 } = counts.get(space) ?? {};
    return { space, role, memories, authored, otherMembers: others.length, outcome: outcomeOf(role, others) };
  });
}

function outcomeOf(role: SpaceMembership['role'], others: readonly SpaceMembership[]): SpaceDeparture['outcome'] {
  if (others.length === 0) return 'delete';
  return role === 'owner' && !others.some((other) => other.role === 'owner') ? 'hand-over' : 'leave';
}

/** With every space locked, so that what is planned is what will be done. */
async function lockAndPlan(transaction: Transaction, member: TenantMember): Promise<readonly SpaceDeparture[]> {
  const spaces = [...(await spaceRolesOf(transaction, member)).keys()].toSorted();
  for (const space of spaces) await lockSpace(transaction, { tenant: member.tenant, space });
  return plan(transaction, member);
}

async function countMemories(
  transaction: Transaction,
  { tenant, account }: TenantMember,
  spaces: readonly Uuid[],
): Promise<ReadonlyMap<Uuid, { memories: number; authored: number }>> {
  if (spaces.length === 0) return new Map();
  const rows = await tables(transaction)
    .selectFrom('memories as memory')
    .innerJoin('memory_versions as current', (join) =>
      join
        .onRef('current.tenant_id', '=', 'memory.tenant_id')
        .onRef('current.space_id', '=', 'memory.space_id')
        .onRef('current.memory_id', '=', 'memory.id')
        .onRef('current.version', '=', 'memory.version'),
    )
    .select([
      'memory.space_id as space',
      sql<number>`count(*)::integer`.as('memories'),
      sql<number>`(count(*) filter (where current.author_id = ${account}))::integer`.as('authored'),
    ])
    .where('memory.tenant_id', '=', tenant)
    .where('memory.space_id', 'in', spaces)
    .groupBy('memory.space_id')
    .execute();
  return new Map(rows.map(({ space, ...counts }) => [space, counts]));
}

async function crownHeir(transaction: Transaction, { tenant, space }: SpacePlace, leaving: Uuid): Promise<void> {
  const members = await spaceMembers(transaction, { tenant, spaces: [space] });
  const [first, ...others] = members.filter((member) => member.account !== leaving);
  // The longest-standing of those nobody outranks.
  const heir = others.reduce((best, other) => (ranksAtLeast(best.role, other.role) ? best : other), first!);
  await assignSpaceRole(transaction, { tenant, space, account: heir.account, role: 'owner' });
}

async function leave(transaction: Transaction, place: SpacePlace, account: Uuid): Promise<void> {
  await removeSpaceRole(transaction, { ...place, account });
  await deleteKeys(transaction, place, [account]);
  await markRotationDue(transaction, place);
}

/** With its keys, its memories and their versions: foreign keys see to that. */
async function deleteSpace(transaction: Transaction, place: SpacePlace): Promise<void> {
  await removeAllSpaceRoles(transaction, place);
  await tables(transaction)
    .deleteFrom('spaces')
    .where('tenant_id', '=', place.tenant)
    .where('id', '=', place.space)
    .execute();
}
