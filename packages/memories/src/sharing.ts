/** Members of a space: who they are, adding them with the keys they are to have, taking over a shared key, leaving. */
import { assignSpaceRole, ranksAtLeast, removeSpaceRole, spaceMembers, type Role } from '@strongroom/authorization';
import { toBase64Url, type Uuid } from '@strongroom/kernel';
import { audited, inSpace, notAudited } from '@strongroom/pipeline';
import type { Transaction } from '@strongroom/storage';
import { z } from 'zod';
import { MemoriesError } from './errors.ts';
import { deleteKeys, epochsOf, insertSharedKeys, markRotationDue, takeKey } from './internal/key-store.ts';
import { pageLimit, sharingLimit } from './internal/limits.ts';
import { defineRoute, type MemoriesServices } from './internal/routes.ts';
import { lockSpace, lockSpaceFor } from './internal/sequence.ts';
import type { SpacePlace } from './internal/tables.ts';
import {
  keyPath,
  MAXIMUM_SHARING_BODY_BYTES,
  MAXIMUM_SPACE_MEMBERS,
  ownKey,
  spaceMember,
  spaceMemberChange,
  spaceMemberList,
  spaceMemberPath,
  spacePath,
  type SpaceMember,
} from './wire.ts';

interface Knowing {
  readonly services: MemoriesServices;
  readonly transaction: Transaction;
}

async function memberAnswers({ services, transaction }: Knowing, place: SpacePlace): Promise<SpaceMember[]> {
  const members = await spaceMembers(transaction, { tenant: place.tenant, spaces: [place.space] });
  const accounts = members.map(({ account }) => account);
  const names = await services.profiles.displayNames(transaction, accounts);
  const publicKeys = await services.profiles.publicKeys(transaction, accounts);
  const epochs = await epochsOf(transaction, place);
  return members.map(({ account, role }) => {
    const publicKey = publicKeys.get(account);
    return {
      account,
      displayName: names.get(account) ?? null,
      role,
      publicKey: publicKey === undefined ? null : toBase64Url(publicKey),
      epochs: [...(epochs.get(account) ?? [])],
    };
  });
}

const list = defineRoute({
  method: 'GET',
  path: '/v1/spaces/{space}/members',
  summary: 'Who is in a space, with which role, which public key and which of its keys',
  input: { path: spacePath },
  output: spaceMemberList,
  access: inSpace('space.read'),
  assurance: 'session',
  limit: [pageLimit],
  audit: notAudited('Shows names and roles that members of a space know of each other anyway.'),
  async handler(call) {
    const place = { tenant: call.account().tenant, space: call.path.space };
    return { body: { items: await memberAnswers(call, place), next: null } };
  },
});

/** The server cannot see whether the keys open; what it can see to is that nobody is a member without a key of the current epoch. */
const put = defineRoute({
  method: 'PUT',
  path: '/v1/spaces/{space}/members/{account}',
  summary: 'Add a member of the tenant to a space with the keys sealed to them, or change their role',
  input: { path: spaceMemberPath, body: spaceMemberChange },
  output: spaceMember,
  access: inSpace('space.share'),
  assurance: 'session',
  limit: [sharingLimit],
  audit: audited('space.shared'),
  bodyLimit: MAXIMUM_SHARING_BODY_BYTES,
  async handler(call) {
    const { tenant, account: by } = call.account();
    const { space, account } = call.path;
    const { role, keys } = call.body;
    const place = { tenant, space };
    call.record({ object: { type: 'space', id: space }, subjects: [account], details: { role, keys: keys.length } });
    const { epoch } = await lockSpaceFor(call.transaction, place, { account: by, permission: 'space.share' });
    const members = await spaceMembers(call.transaction, { tenant, spaces: [space] });
    const before = rankCheck(members, by, account, role);
    if (before === undefined && members.length >= MAXIMUM_SPACE_MEMBERS) throw new MemoriesError('memories.space-full');
    const held = (await epochsOf(call.transaction, place)).get(account) ?? [];
    const given = keys.map((key) => key.epoch);
    if (given.some((one) => one > epoch) || ![...held, ...given].includes(epoch)) {
      throw new MemoriesError('memories.stale-epoch', { members: { currentEpoch: epoch } });
    }
    await assignSpaceRole(call.transaction, { tenant, space, account, role });
    const shared = keys.map((key) => ({ account, ...key }));
    await insertSharedKeys(call.transaction, place, { sender: by, now: call.services.clock.now() }, shared);
    call.record({ details: { before: before ?? null } });
    const answer = (await memberAnswers(call, place)).find((member) => member.account === account);
    return { status: before === undefined ? 201 : 200, body: answer! };
  },
});

/** The role that `account` has so far. Throws `memories.role-too-high`. */
export function rankCheck(
  members: readonly { readonly account: Uuid; readonly role: Role }[],
  by: Uuid,
  account: Uuid,
  role?: Role,
): Role | undefined {
  const own = members.find((member) => member.account === by)?.role;
  const theirs = members.find((member) => member.account === account)?.role;
  if (own === undefined) throw new MemoriesError('memories.space-not-found');
  const allowed =
    (theirs === undefined || ranksAtLeast(own, theirs)) && (role === undefined || ranksAtLeast(own, role));
  if (!allowed) throw new MemoriesError('memories.role-too-high');
  return theirs;
}

const take = defineRoute({
  method: 'PUT',
  path: '/v1/spaces/{space}/keys/{epoch}',
  summary: 'Put your own wrapping of a key in place of the one that was shared with you',
  input: { path: keyPath, body: ownKey },
  output: z.null(),
  access: inSpace('space.read'),
  assurance: 'session',
  limit: [sharingLimit],
  audit: audited('space.key-taken'),
  async handler(call) {
    const { tenant, account } = call.account();
    const { space, epoch } = call.path;
    call.record({ object: { type: 'space', id: space }, subjects: [account], details: { epoch } });
    await takeKey(call.transaction, { tenant, space }, { account, epoch, wrappedKey: call.body.wrappedKey });
    return { body: null };
  },
});

const leave = defineRoute({
  method: 'DELETE',
  path: '/v1/spaces/{space}/members/{account}',
  summary: 'Leave a space: only your own account can be named. The others are told to change its key',
  input: { path: spaceMemberPath },
  output: z.null(),
  access: inSpace('space.read'),
  assurance: 'session',
  limit: [sharingLimit],
  audit: audited('space.left'),
  async handler(call) {
    const { tenant, account: by } = call.account();
    const { space, account } = call.path;
    const place = { tenant, space };
    call.record({ object: { type: 'space', id: space }, subjects: [by] });
    if (account !== by) throw new MemoriesError('memories.rotation-required');
    await lockSpace(call.transaction, place);
    await removeSpaceRole(call.transaction, { tenant, space, account });
    await deleteKeys(call.transaction, place, [account]);
    await markRotationDue(call.transaction, place);
    return { body: null };
  },
});

export const sharingRoutes = [list, put, take, leave];
