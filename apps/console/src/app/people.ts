/** Reading other people through the worker. What others do is looked up whenever such a page is opened. */
import { useQuery } from '@tanstack/react-query';
import type { Person, Role, Space } from '@strongroom/client';
import type { Uuid } from '@strongroom/kernel';
import { currentMessages, errorText, useMessages } from '../messages/messages.ts';
import { seesMembers } from './roles.ts';
import { queries, spaceChanged, useSession, vault } from './session.ts';
import { note, noteWithWay } from './toasts.ts';

/** Of somebody who may not see the others, the answer is not asked for. */
export function useMembers() {
  const role = useAccountRole();
  return useQuery({
    queryKey: ['members'],
    queryFn: () => vault('members'),
    enabled: role !== null && seesMembers(role),
    refetchOnMount: 'always',
  });
}

export const useInvitations = (wanted: boolean) =>
  useQuery({
    queryKey: ['invitations'],
    queryFn: () => vault('invitations'),
    enabled: wanted,
    refetchOnMount: 'always',
  });

export const useSpaceMembers = (space: Uuid) =>
  useQuery({
    queryKey: ['space-members', space],
    queryFn: () => vault('spaceMembers', space),
    refetchOnMount: 'always',
  });

/** Who wrote something, where that is somebody else; asked for only then. Null while it is not known. */
export function useAuthorName(space: Uuid, author: Uuid | undefined): string | null {
  const session = useSession();
  const own = session.phase === 'open' ? session.account.id : undefined;
  const others = useQuery({
    queryKey: ['space-members', space],
    queryFn: () => vault('spaceMembers', space),
    enabled: author !== undefined && author !== own,
  });
  const nameOf = useNameOf();
  if (author === undefined || author === own || others.data === undefined) return null;
  return nameOf(others.data.find(({ account }) => account === author));
}

export const useOwnFingerprint = () => useQuery({ queryKey: ['fingerprint'], queryFn: () => vault('fingerprint') });

/** As it was at sign-in; null while the vault is closed. */
export function useAccountRole(): string | null {
  const session = useSession();
  return session.phase === 'open' ? session.account.role : null;
}

/** The own role in the vault: as the list says when it was read, since somebody may have changed it after sign-in. */
export function useOwnRole(): string {
  const session = useSession();
  const members = useMembers();
  if (session.phase !== 'open') return 'guest';
  const { id, role } = session.account;
  return members.data?.find(({ account }) => account === id)?.role ?? role;
}

/** How somebody is called; accounts that are gone have no name. */
export function useNameOf(): (person: Pick<Person, 'displayName'> | undefined) => string {
  const { members } = useMessages();
  return (person) => person?.displayName ?? members.gone;
}

export const membersChanged = (): Promise<unknown> =>
  Promise.all([
    queries.invalidateQueries({ queryKey: ['members'] }),
    queries.invalidateQueries({ queryKey: ['invitations'] }),
    queries.invalidateQueries({ queryKey: ['space-members'] }),
    queries.invalidateQueries({ queryKey: ['spaces'] }),
  ]);

/** Somebody's key is known from now on: what they shared opens with the next look at the spaces. */
export async function trust(account: Uuid, fingerprint: string, compared: boolean): Promise<void> {
  await vault('trust', account, fingerprint, compared);
  await membersChanged();
}

const noteWithUndo = (title: string, undo: () => Promise<unknown>): void =>
  noteWithWay(title, currentMessages().members.undo, () => {
    undo().catch((error: unknown) => note(errorText(currentMessages(), error), 'problem'));
  });

interface RoleChange {
  readonly account: Uuid;
  readonly name: string;
  readonly before: string;
  readonly role: Role;
}

/** In the vault. The note takes it back; within the minutes for which the password was proved that needs nothing more. */
export async function changeRole({ account, name, before, role }: RoleChange): Promise<void> {
  const { members, spaces } = currentMessages();
  const give = async (next: Role, say: (name: string, role: string) => string): Promise<string> => {
    await vault('changeRole', account, next);
    await membersChanged();
    return say(name, spaces.roles[next] ?? next);
  };
  const done = await give(role, members.roleChanged);
  noteWithUndo(done, async () => note(await give(before as Role, members.roleBack)));
}

/** In a space. */
export async function changeSpaceRole(space: Uuid, { account, name, before, role }: RoleChange): Promise<void> {
  const { sharing, spaces } = currentMessages();
  const give = async (next: Role, say: (name: string, role: string) => string): Promise<string> => {
    // No former keys with it: somebody who was not to read the past gets no more of it with another role.
    await vault('shareSpace', space, account, next, false);
    await membersChanged();
    return say(name, spaces.roles[next] ?? next);
  };
  const done = await give(role, sharing.roleChanged);
  noteWithUndo(done, async () => note(await give(before as Role, sharing.roleBack)));
}

export async function unshareSpace(space: Uuid, accounts: readonly Uuid[]): Promise<Space> {
  const changed = await vault('unshareSpace', space, accounts);
  await Promise.all([membersChanged(), spaceChanged(space)]);
  return changed;
}
