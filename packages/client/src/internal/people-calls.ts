/** The server's routes about accounts, people and sharing, as functions. */
import type {
  Deleted,
  Deletion,
  DeletionPlan,
  EmailChange,
  PasswordChange,
  PlannedDeparture,
  RecoveryCodeRenewal,
  RecoveryFinish,
  RecoveryStart,
} from '@strongroom/authentication/wire';
import type { Removal, RoleChange } from '@strongroom/authorization/wire';
import type { Uuid } from '@strongroom/kernel';
import type { OwnKey, Rotation, SpaceMemberChange } from '@strongroom/memories/wire';
import { parseAccountRecord, type AccountRecord } from '@strongroom/sealing';
import { ClientError } from '../errors.ts';
import {
  readAccount,
  readSpace,
  readStarted,
  type RemoteAccount,
  type RemoteSpace,
  type RemoteStarted,
} from './answers.ts';
import { count, encoded, fields, flag, id, list, page, text, textOrNull, type Fields, type Page } from './expect.ts';
import type { Http } from './http.ts';

export interface RemoteMember {
  readonly account: Uuid;
  readonly displayName: string | null;
  readonly role: string;
  /** As the server says. Base64url. */
  readonly publicKey: string | null;
}

export interface RemoteSpaceMember extends RemoteMember {
  readonly epochs: readonly number[];
}

export interface RemoteInvitation {
  readonly id: Uuid;
  readonly role: string;
  readonly invitedBy: Uuid;
  readonly createdAt: string;
  readonly expiresAt: string;
}

export type RemoteDeparture = Omit<PlannedDeparture, 'space'> & { readonly space: Uuid };
export type RemoteDeletionPlan = Omit<DeletionPlan, 'spaces'> & { readonly spaces: readonly RemoteDeparture[] };
/** What the server gives to somebody whose account it deleted. */
export type DeletionCertificate = Deleted;

const texts = (from: Fields, name: string): string[] => {
  const value = from[name];
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) throw bad(name);
  return value;
};

const bad = (name: string): ClientError => new ClientError('client.bad-answer', { detail: `Check "${name}".` });

const readMember = (from: Fields): RemoteMember => ({
  account: id(from, 'account'),
  displayName: textOrNull(from, 'displayName'),
  role: text(from, 'role'),
  publicKey: textOrNull(from, 'publicKey'),
});

function readSpaceMember(from: Fields): RemoteSpaceMember {
  const { epochs } = from;
  if (!Array.isArray(epochs) || !epochs.every((epoch) => Number.isSafeInteger(epoch))) throw bad('epochs');
  return { ...readMember(from), epochs };
}

function readDeparture(from: Fields): RemoteDeparture {
  const outcome = text(from, 'outcome');
  if (outcome !== 'delete' && outcome !== 'hand-over' && outcome !== 'leave') throw bad('outcome');
  return {
    space: id(from, 'space'),
    role: text(from, 'role'),
    memories: count(from, 'memories'),
    authored: count(from, 'authored'),
    otherMembers: count(from, 'otherMembers'),
    outcome,
  };
}

export function readCertificate(value: unknown): DeletionCertificate {
  const from = fields(value, 'certificate');
  const destroyed = fields(from['destroyed'], 'destroyed');
  const keys = text(destroyed, 'keys');
  if (keys !== 'queued' && keys !== 'rows') throw bad('keys');
  return {
    account: id(from, 'account'),
    eventId: text(from, 'eventId'),
    deletedAt: text(from, 'deletedAt'),
    destroyed: {
      sessions: count(destroyed, 'sessions'),
      invitations: count(destroyed, 'invitations'),
      spaces: count(destroyed, 'spaces'),
      spacesLeft: count(destroyed, 'spacesLeft'),
      memories: count(destroyed, 'memories'),
      tenant: flag(destroyed, 'tenant'),
      keys,
    },
    remains: texts(from, 'remains'),
    entry: encoded(from, 'entry'),
    leafHash: encoded(from, 'leafHash'),
  };
}

export function accountLifeCalls(http: Http) {
  return {
    endOtherSessions: async (): Promise<number> =>
      count(fields(await http.json({ method: 'DELETE', path: '/v1/sessions', repeatable: true })), 'ended'),

    /** Not repeated by itself: the first success makes the current secret a wrong one. */
    changePassword: async (body: PasswordChange): Promise<{ token: string | null; account: RemoteAccount }> => {
      const answer = fields(await http.json({ method: 'PUT', path: '/v1/account/password', body, repeatable: false }));
      return { token: textOrNull(answer, 'token'), account: readAccount(answer['account']) };
    },

    renewRecoveryCode: async (body: RecoveryCodeRenewal): Promise<RemoteAccount> =>
      readAccount(await http.json({ method: 'PUT', path: '/v1/account/recovery-code', body, repeatable: true })),

    changeEmail: async (body: EmailChange): Promise<RemoteAccount> =>
      readAccount(await http.json({ method: 'PUT', path: '/v1/account/email', body, repeatable: true })),

    startRecovery: async (
      body: RecoveryStart,
    ): Promise<{ token: string; expiresAt: string; record: AccountRecord }> => {
      const answer = fields(await http.json({ method: 'POST', path: '/v1/recovery', body, repeatable: false }));
      return {
        token: text(answer, 'token'),
        expiresAt: text(answer, 'expiresAt'),
        record: parseAccountRecord(answer['record']),
      };
    },

    finishRecovery: async (body: RecoveryFinish): Promise<RemoteStarted> =>
      readStarted(await http.json({ method: 'PUT', path: '/v1/recovery', body, repeatable: false })),

    deletionPlan: async (): Promise<RemoteDeletionPlan> => {
      const answer = fields(await http.json({ method: 'GET', path: '/v1/account/deletion-plan', repeatable: true }));
      return {
        sessions: count(answer, 'sessions'),
        invitations: count(answer, 'invitations'),
        spaces: list(answer, 'spaces', readDeparture),
        tenantEnds: flag(answer, 'tenantEnds'),
        lastOwner: flag(answer, 'lastOwner'),
        remains: texts(answer, 'remains'),
      };
    },

    deleteAccount: async (body: Deletion): Promise<DeletionCertificate> =>
      readCertificate(await http.json({ method: 'POST', path: '/v1/account/deletion', body, repeatable: false })),
  };
}

export function peopleCalls(http: Http) {
  return {
    invitations: async (cursor?: string): Promise<Page<RemoteInvitation>> =>
      page(
        await http.json({ method: 'GET', path: '/v1/invitations', query: { cursor }, repeatable: true }),
        (from) => ({
          id: id(from, 'id'),
          role: text(from, 'role'),
          invitedBy: id(from, 'invitedBy'),
          createdAt: text(from, 'createdAt'),
          expiresAt: text(from, 'expiresAt'),
        }),
      ),

    withdrawInvitation: async (invitation: Uuid): Promise<void> => {
      await http.send({ method: 'DELETE', path: `/v1/invitations/${invitation}`, repeatable: false });
    },

    members: async (cursor?: string): Promise<Page<RemoteMember>> =>
      page(await http.json({ method: 'GET', path: '/v1/members', query: { cursor }, repeatable: true }), readMember),

    changeRole: async (account: Uuid, body: RoleChange): Promise<void> => {
      await http.json({ method: 'PUT', path: `/v1/members/${account}`, body, repeatable: true });
    },

    removeMember: async (account: Uuid, endingSpaces?: number): Promise<Removal> => {
      const path = `/v1/members/${account}`;
      const query = { endingSpaces };
      const answer = fields(await http.json({ method: 'DELETE', path, query, repeatable: false }));
      return {
        account: id(answer, 'account'),
        endedSpaces: count(answer, 'endedSpaces'),
        inheritedSpaces: count(answer, 'inheritedSpaces'),
      };
    },
  };
}

export function sharingCalls(http: Http) {
  return {
    spaceMembers: async (space: Uuid): Promise<RemoteSpaceMember[]> =>
      list(
        fields(await http.json({ method: 'GET', path: `/v1/spaces/${space}/members`, repeatable: true })),
        'items',
        readSpaceMember,
      ),

    putSpaceMember: async (space: Uuid, account: Uuid, body: SpaceMemberChange): Promise<RemoteSpaceMember> => {
      const path = `/v1/spaces/${space}/members/${account}`;
      return readSpaceMember(fields(await http.json({ method: 'PUT', path, body, repeatable: true })));
    },

    leaveSpace: async (space: Uuid, account: Uuid): Promise<void> => {
      await http.send({ method: 'DELETE', path: `/v1/spaces/${space}/members/${account}`, repeatable: false });
    },

    rotateSpace: async (space: Uuid, body: Rotation): Promise<RemoteSpace> => {
      const path = `/v1/spaces/${space}/rotation`;
      return readSpace(fields(await http.json({ method: 'POST', path, body, repeatable: true })));
    },

    takeSpaceKey: async (space: Uuid, epoch: number, body: OwnKey): Promise<void> => {
      await http.send({ method: 'PUT', path: `/v1/spaces/${space}/keys/${epoch}`, body, repeatable: true });
    },
  };
}
