import type { Manifest } from '@strongroom/kernel';
import type { Route } from '@strongroom/pipeline';
import { asSystem } from '@strongroom/storage';
import { dataMap } from './internal/data-map.ts';
import { migrations } from './internal/migrations.ts';
import { accountRoute } from './internal/routes/account.ts';
import { inviteRoute } from './internal/routes/invitations.ts';
import { endSessionRoute, listSessionsRoute, reauthenticationRoute, signOutRoute } from './internal/routes/sessions.ts';
import { signInParametersRoute, signInRoute } from './internal/routes/sign-in.ts';
import { signUpRoute } from './internal/routes/sign-up.ts';
import { purgeSessions } from './internal/sessions.ts';
import { PURGE_EVERY_SECONDS } from './lifetimes.ts';
import type { AuthenticationServices } from './services.ts';

export const manifest = {
  name: 'authentication',
  migrations,
  dataMap,
  permissions: {
    'account.read': 'See your own profile and sealed account record.',
    'session.manage': 'List and end your own sessions and prove your password again.',
    'invitation.create': 'Invite somebody into the tenant, up to your own role.',
  },
  auditEvents: {
    'account.created': { title: 'Somebody signed up with an invitation' },
    'session.created': { title: 'Somebody signed in, or tried to' },
    'session.ended': { title: 'A session was ended by its account' },
    'session.reauthenticated': { title: 'Somebody proved their password again, or tried to' },
    'invitation.created': { title: 'Somebody was invited into the tenant' },
  },
  routes: [
    signUpRoute,
    signInParametersRoute,
    signInRoute,
    listSessionsRoute,
    signOutRoute,
    endSessionRoute,
    reauthenticationRoute,
    accountRoute,
    inviteRoute,
  ],
  jobs: [
    {
      name: 'authentication.purge-sessions',
      everySeconds: PURGE_EVERY_SECONDS,
      run: ({ database, clock }) =>
        database.transaction(asSystem, (transaction) => purgeSessions(transaction, clock.now())),
    },
  ],
} as const satisfies Manifest<Route<AuthenticationServices>, AuthenticationServices>;
