/** Sharing spaces: keys sealed to people this device knows, and to nobody else. */
import { fromBase64Url, toBase64Url, type Clock, type Uuid } from '@strongroom/kernel';
import {
  createSpaceKey,
  sameFingerprint,
  sealSpaceName,
  shareSpaceKey,
  type AccountKeys,
  type PublicIdentity,
} from '@strongroom/sealing';
import type { Api } from './api.ts';
import { ClientError } from './errors.ts';
import type { RemoteSpace } from './internal/answers.ts';
import type { OpenSpace, PendingKey } from './internal/open-space.ts';
import type { RemoteMember, RemoteSpaceMember } from './internal/people-calls.ts';
import { fingerprintOrNull } from './internal/space-keys.ts';
import type { TrustStore } from './trust-store.ts';
import type { Person, SpacePerson, Trust } from './vault-types.ts';

export type Role = 'owner' | 'admin' | 'member' | 'viewer' | 'guest';

/** What sharing needs of an unlocked vault. */
export interface Sharing {
  readonly api: Api;
  readonly keys: AccountKeys;
  readonly trust: TrustStore;
  readonly clock: Clock;
}

async function trustIn({ keys, trust }: Sharing, { account, publicKey }: RemoteMember): Promise<Trust> {
  if (account === keys.account) return publicKey === toBase64Url(keys.publicKey) ? 'self' : 'changed';
  const known = await trust.key(account);
  if (known === null) return 'unknown';
  if (known.publicKey !== publicKey) return 'changed';
  return known.compared ? 'compared' : 'accepted';
}

async function personOf(sharing: Sharing, member: RemoteMember): Promise<Person> {
  const { account, displayName, role, publicKey } = member;
  const fingerprint = await fingerprintOrNull(account, publicKey);
  return { account, displayName, role, fingerprint, trust: await trustIn(sharing, member) };
}

async function remoteMembers(api: Api): Promise<RemoteMember[]> {
  const members: RemoteMember[] = [];
  let cursor: string | undefined;
  do {
    const page = await api.members(cursor);
    members.push(...page.items);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return members;
}

export async function listPeople(sharing: Sharing): Promise<Person[]> {
  return Promise.all((await remoteMembers(sharing.api)).map((member) => personOf(sharing, member)));
}

export async function listSpacePeople(sharing: Sharing, space: Uuid): Promise<SpacePerson[]> {
  const members = await sharing.api.spaceMembers(space);
  return Promise.all(members.map(async (member) => ({ ...(await personOf(sharing, member)), epochs: member.epochs })));
}

/**
 * Remembers somebody's key, which must have this fingerprint; it replaces what was remembered before. Throws `client.fingerprint-differs` and
 * `client.unknown-member`.
 */
export async function trustKey(
  sharing: Sharing,
  account: Uuid,
  fingerprint: string,
  options: { readonly compared: boolean; readonly pending: readonly PendingKey[] },
): Promise<void> {
  const shown: { readonly publicKey: string | null }[] = options.pending.filter((key) => key.account === account);
  if (shown.length === 0) {
    const members = await remoteMembers(sharing.api);
    shown.push(...members.filter((member) => member.account === account));
  }
  if (shown.length === 0) throw new ClientError('client.unknown-member');
  for (const { publicKey } of shown) {
    const actual = await fingerprintOrNull(account, publicKey);
    if (publicKey === null || actual === null || !sameFingerprint(actual, fingerprint)) continue;
    const since = new Date(sharing.clock.now()).toISOString();
    await sharing.trust.putKey(account, { publicKey, compared: options.compared, since });
    return;
  }
  throw new ClientError('client.fingerprint-differs');
}

/** Throws `client.unknown-key` or `client.key-changed`, with the account and the fingerprint that the server shows now. */
async function known(sharing: Sharing, member: RemoteMember): Promise<PublicIdentity> {
  const { account, publicKey } = member;
  const trust = await trustIn(sharing, member);
  if (trust === 'unknown' || trust === 'changed' || publicKey === null) {
    const code = trust === 'unknown' ? 'client.unknown-key' : 'client.key-changed';
    throw new ClientError(code, {
      members: { account, fingerprint: await fingerprintOrNull(account, publicKey) },
    });
  }
  return { account, publicKey: fromBase64Url(publicKey) };
}

/** Adds somebody with the keys they are to have, or gives them another role. */
export async function share(
  sharing: Sharing,
  space: OpenSpace,
  account: Uuid,
  role: Role,
  history: boolean,
): Promise<RemoteSpaceMember> {
  const { api, keys } = sharing;
  const already = (await api.spaceMembers(space.id)).find((member) => member.account === account);
  const member = already ?? (await remoteMembers(api)).find((one) => one.account === account);
  if (member === undefined) throw new ClientError('client.unknown-member');
  const held = already?.epochs ?? [];
  const wanted = space.keys.epochs.filter(
    (epoch) => !held.includes(epoch) && (history || epoch === space.remote.epoch),
  );
  // Even if only the role changes: nobody gets more rights through a key that was exchanged.
  const recipient = await known(sharing, member);
  const sealed = await Promise.all(
    wanted.map(async (epoch) => ({
      epoch,
      sealedKey: await shareSpaceKey(keys, space.id, epoch, space.keys.wrapping(epoch), recipient),
    })),
  );
  return api.putSpaceMember(space.id, account, { role, keys: sealed });
}

/** A new key for everybody who stays; those in `removed` have none of it. Answers with the space as it is then. */
export async function rotate(sharing: Sharing, space: OpenSpace, removed: readonly Uuid[]): Promise<RemoteSpace> {
  const { api, keys } = sharing;
  const { name } = space;
  if (name === null) throw new ClientError('client.cannot-open');
  const members = await api.spaceMembers(space.id);
  const staying = members.filter(({ account }) => account !== keys.account && !removed.includes(account));
  const recipients = await Promise.all(staying.map((member) => known(sharing, member)));
  const epoch = space.remote.epoch + 1;
  const { spaceKey, wrapping } = await createSpaceKey(keys, space.id, epoch);
  const shared = await Promise.all(
    recipients.map(async (recipient) => ({
      account: recipient.account,
      sealedKey: await shareSpaceKey(keys, space.id, epoch, wrapping, recipient),
    })),
  );
  const sealedName = await sealSpaceName(spaceKey, name);
  const remote = await api.rotateSpace(space.id, {
    epoch,
    removed: [...removed],
    sealedName,
    wrappedKey: wrapping,
    keys: shared,
  });
  // What came back must be what was sent: the next memory is sealed under it.
  const own = remote.keys.find((key) => key.epoch === epoch);
  if (remote.id !== space.id || remote.epoch !== epoch || own?.wrappedKey !== wrapping || own.sharedBy !== null) {
    throw new ClientError('client.bad-answer', { detail: 'Check "keys".' });
  }
  return remote;
}
