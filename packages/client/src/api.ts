/** The server's routes as functions. Thin: what is sealed, opened or searched is `Vault`'s business. */
import type { NewInvitation, Reauthentication, SignIn, SignUp } from '@strongroom/authentication/wire';
import type { Uuid } from '@strongroom/kernel';
import type { Batch, MemoryUpdate, NewMemory, NewSpace } from '@strongroom/memories/wire';
import {
  readAccount,
  readChange,
  readRemoved,
  readSession,
  readSignInParameters,
  readSpace,
  readStarted,
  readVersion,
  readWritten,
  type RemoteAccount,
  type RemoteChange,
  type RemoteRemoved,
  type RemoteSession,
  type RemoteSpace,
  type RemoteStarted,
  type RemoteVersion,
  type RemoteWritten,
} from './internal/answers.ts';
import { accountLifeCalls, peopleCalls, sharingCalls } from './internal/people-calls.ts';
import { count, fields, id, list, page, text, textOrNull, type Page } from './internal/expect.ts';
import { createHttp, type Http, type HttpOptions } from './internal/http.ts';

export type ApiOptions = HttpOptions;

export interface PageOptions {
  readonly cursor?: string | undefined;
  readonly limit?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Changes extends Page<RemoteChange> {
  readonly sequence: number;
}

export type Api = ReturnType<typeof createApi>;

export function createApi(options: ApiOptions) {
  const http = createHttp(options);
  return {
    ...accountCalls(http),
    ...spaceCalls(http),
    ...memoryCalls(http),
    ...accountLifeCalls(http),
    ...peopleCalls(http),
    ...sharingCalls(http),
    /** For routes that have no function here. */
    http,
    /** The same server with another session; null for none. */
    withToken: (token: string | null) => createApi({ ...options, token }),
  };
}

function accountCalls(http: Http) {
  return {
    /** Creates an account. Not repeated by itself: the invitation is used up by the first success. */
    signUp: async (body: SignUp): Promise<RemoteStarted> =>
      readStarted(await http.json({ method: 'POST', path: '/v1/accounts', body, repeatable: false })),

    signInParameters: async (email: string) =>
      readSignInParameters(
        await http.json({ method: 'POST', path: '/v1/sign-in/parameters', body: { email }, repeatable: true }),
      ),

    signIn: async (body: SignIn): Promise<RemoteStarted> =>
      readStarted(await http.json({ method: 'POST', path: '/v1/sessions', body, repeatable: false })),

    account: async (): Promise<RemoteAccount> =>
      readAccount(await http.json({ method: 'GET', path: '/v1/account', repeatable: true })),

    sessions: async (cursor?: string): Promise<Page<RemoteSession>> =>
      page(await http.json({ method: 'GET', path: '/v1/sessions', query: { cursor }, repeatable: true }), readSession),

    endSession: async (session: Uuid | 'current'): Promise<void> => {
      await http.send({ method: 'DELETE', path: `/v1/sessions/${session}`, repeatable: true });
    },

    /** Answers with the session's new token, which replaces the old one; null when it went into the cookie. */
    reauthenticate: async (body: Reauthentication): Promise<{ token: string | null; until: string }> => {
      const answer = fields(await http.json({ method: 'POST', path: '/v1/reauthentication', body, repeatable: false }));
      return { token: textOrNull(answer, 'token'), until: text(answer, 'reauthenticatedUntil') };
    },

    invite: async (body: NewInvitation): Promise<{ id: Uuid; token: string; role: string; expiresAt: string }> => {
      const answer = fields(await http.json({ method: 'POST', path: '/v1/invitations', body, repeatable: false }));
      return {
        id: id(answer, 'id'),
        token: text(answer, 'token'),
        role: text(answer, 'role'),
        expiresAt: text(answer, 'expiresAt'),
      };
    },
  };
}

function spaceCalls(http: Http) {
  return {
    createSpace: async (body: NewSpace): Promise<RemoteSpace> =>
      readSpace(fields(await http.json({ method: 'POST', path: '/v1/spaces', body, repeatable: true }))),

    spaces: async ({ signal, ...query }: PageOptions = {}): Promise<Page<RemoteSpace>> =>
      page(await http.json({ method: 'GET', path: '/v1/spaces', query, repeatable: true, signal }), readSpace),

    space: async (space: Uuid): Promise<RemoteSpace> =>
      readSpace(fields(await http.json({ method: 'GET', path: `/v1/spaces/${space}`, repeatable: true }))),
  };
}

const memoriesOf = (space: Uuid): string => `/v1/spaces/${space}/memories`;

function memoryCalls(http: Http) {
  return {
    createMemory: async (space: Uuid, body: NewMemory): Promise<RemoteWritten> =>
      readWritten(fields(await http.json({ method: 'POST', path: memoriesOf(space), body, repeatable: true }))),

    updateMemory: async (space: Uuid, memory: Uuid, body: MemoryUpdate): Promise<RemoteWritten> => {
      const path = `${memoriesOf(space)}/${memory}`;
      return readWritten(fields(await http.json({ method: 'PUT', path, body, repeatable: true })));
    },

    deleteMemory: async (space: Uuid, memory: Uuid, expectedVersion: number): Promise<RemoteRemoved> => {
      const path = `${memoriesOf(space)}/${memory}`;
      const query = { expectedVersion };
      return readRemoved(fields(await http.json({ method: 'DELETE', path, query, repeatable: true })));
    },

    /** All or none; answers in the order of the items. */
    writeBatch: async (space: Uuid, body: Batch, signal?: AbortSignal): Promise<RemoteWritten[]> => {
      const path = `${memoriesOf(space)}/batch`;
      return list(
        fields(await http.json({ method: 'POST', path, body, repeatable: true, signal })),
        'items',
        readWritten,
      );
    },

    memory: async (space: Uuid, memory: Uuid): Promise<RemoteVersion> => {
      const path = `${memoriesOf(space)}/${memory}`;
      return readVersion(fields(await http.json({ method: 'GET', path, repeatable: true })));
    },

    memories: async (space: Uuid, { signal, ...query }: PageOptions = {}): Promise<Page<RemoteVersion>> =>
      page(await http.json({ method: 'GET', path: memoriesOf(space), query, repeatable: true, signal }), readVersion),

    versions: async (
      space: Uuid,
      memory: Uuid,
      { signal, ...query }: PageOptions = {},
    ): Promise<Page<RemoteVersion>> => {
      const path = `${memoriesOf(space)}/${memory}/versions`;
      return page(await http.json({ method: 'GET', path, query, repeatable: true, signal }), readVersion);
    },

    changes: async (
      space: Uuid,
      { signal, ...query }: { after: number; limit?: number | undefined; signal?: AbortSignal | undefined },
    ): Promise<Changes> => {
      const path = `/v1/spaces/${space}/changes`;
      const answer = await http.json({ method: 'GET', path, query, repeatable: true, signal });
      return { ...page(answer, readChange), sequence: count(fields(answer), 'sequence') };
    },
  };
}
