/** What the page asks of the worker about other people. Everything here survives structured cloning. */
import type { Person, RemoteInvitation, Role, Space, SpacePerson } from '@strongroom/client';
import type { Uuid } from '@strongroom/kernel';

export interface InvitationView {
  readonly id: Uuid;
  /** What stands behind the # of the link: the server's token, and the own key beside it. */
  readonly code: string;
  readonly role: string;
  readonly expiresAt: string;
}

export interface RemovalView {
  /** How many spaces got a new key. */
  readonly rotated: number;
  /** Spaces that still need one: of somebody whose key is not known here, or whose name does not open. */
  readonly due: readonly Space[];
}

export interface PeopleCalls {
  /** Proves the password again, for five minutes. */
  prove(password: string): void;
  /** The own one. */
  fingerprint(): string;

  members(): readonly Person[];
  changeRole(account: Uuid, role: Role): void;
  /** Rejects with `authorization.spaces-would-end` until that number of spaces is named. */
  removeMember(account: Uuid, endingSpaces: number): RemovalView;
  invite(role: Role): InvitationView;
  invitations(): readonly RemoteInvitation[];
  withdrawInvitation(invitation: Uuid): void;

  /** `compared` false: taken as the server shows it. */
  trust(account: Uuid, fingerprint: string, compared: boolean): void;

  spaceMembers(space: Uuid): readonly SpacePerson[];
  shareSpace(space: Uuid, account: Uuid, role: Role, history: boolean): void;
  /** Removes and changes the key; with nobody to remove, it changes the key. */
  unshareSpace(space: Uuid, accounts: readonly Uuid[]): Space;
  leaveSpace(space: Uuid): void;
}
