import type { Manifest } from '@strongroom/kernel';
import type { Route } from '@strongroom/pipeline';
import { asSystem } from '@strongroom/storage';
import { dataMap } from './internal/data-map.ts';
import { eraseQueued } from './internal/erasure-queue.ts';
import { purgeInvitations } from './internal/invitations.ts';
import { migrations } from './internal/migrations.ts';
import { accountRoute } from './internal/routes/account.ts';
import { deleteAccountRoute, deletionPlanRoute } from './internal/routes/deletion.ts';
import { changeEmailRoute } from './internal/routes/email.ts';
import { inviteRoute, listInvitationsRoute, withdrawInvitationRoute } from './internal/routes/invitations.ts';
import { changePasswordRoute } from './internal/routes/password.ts';
import { renewRecoveryCodeRoute } from './internal/routes/recovery-code.ts';
import { finishRecoveryRoute, startRecoveryRoute } from './internal/routes/recovery.ts';
import {
  endOthersRoute,
  endSessionRoute,
  listSessionsRoute,
  reauthenticationRoute,
  signOutRoute,
} from './internal/routes/sessions.ts';
import { signInParametersRoute, signInRoute } from './internal/routes/sign-in.ts';
import { signUpRoute } from './internal/routes/sign-up.ts';
import { purgeSessions } from './internal/sessions.ts';
import { ERASURE_EVERY_SECONDS, PURGE_EVERY_SECONDS } from './lifetimes.ts';
import type { AccountLifeServices } from './services.ts';

export const manifest = {
  name: 'authentication',
  migrations,
  dataMap,
  permissions: {
    'account.read': 'See your own profile and sealed account record.',
    'account.manage': 'Change your own password, recovery code and e-mail address, and delete your account.',
    'session.manage': 'List and end your own sessions and prove your password again.',
    'invitation.create': 'Invite somebody into the tenant, up to your own role; see and withdraw open invitations.',
  },
  auditEvents: {
    'account.created': {
      title: 'Somebody signed up with an invitation',
      class: 'security',
      retention: 'security',
      ocsf: 'user-management/create',
    },
    'account.password-changed': {
      title: 'Somebody changed their password, or tried to',
      class: 'security',
      retention: 'security',
      ocsf: 'user-management/password-change',
    },
    'account.email-changed': {
      title: 'Somebody changed the e-mail address they sign in with',
      class: 'security',
      retention: 'security',
      ocsf: 'user-management/update',
    },
    'account.recovery-code-renewed': {
      title: 'Somebody made a new recovery code for their account, or tried to',
      class: 'security',
      retention: 'security',
      ocsf: 'user-management/update',
    },
    'account.recovery-started': {
      title: 'Somebody proved their recovery code, or tried to',
      class: 'sign-in',
      retention: 'security',
      ocsf: 'authentication/preauth',
    },
    'account.recovered': {
      title: 'Somebody set a new password with the recovery code',
      class: 'security',
      retention: 'security',
      ocsf: 'user-management/password-reset',
    },
    'account.deleted': {
      title: 'Somebody deleted their account',
      class: 'security',
      retention: 'security',
      ocsf: 'user-management/delete',
    },
    'session.created': {
      title: 'Somebody signed in, or tried to',
      class: 'sign-in',
      retention: 'security',
      ocsf: 'authentication/logon',
    },
    'session.ended': {
      title: 'A session was ended by its account',
      class: 'sign-in',
      retention: 'security',
      ocsf: 'authentication/logoff',
    },
    'session.others-ended': {
      title: 'Somebody ended all their other sessions',
      class: 'sign-in',
      retention: 'security',
      ocsf: 'authentication/logoff',
    },
    'session.reauthenticated': {
      title: 'Somebody proved their password again, or tried to',
      class: 'sign-in',
      retention: 'security',
      ocsf: 'authentication/logon',
    },
    'invitation.created': {
      title: 'Somebody was invited into the tenant',
      class: 'permission',
      retention: 'security',
      ocsf: 'entity-management/create',
    },
    'invitation.withdrawn': {
      title: 'An open invitation was withdrawn',
      class: 'permission',
      retention: 'security',
      ocsf: 'entity-management/delete',
    },
  },
  routes: [
    signUpRoute,
    signInParametersRoute,
    signInRoute,
    listSessionsRoute,
    signOutRoute,
    endSessionRoute,
    reauthenticationRoute,
    endOthersRoute,
    accountRoute,
    changePasswordRoute,
    renewRecoveryCodeRoute,
    changeEmailRoute,
    startRecoveryRoute,
    finishRecoveryRoute,
    deletionPlanRoute,
    deleteAccountRoute,
    inviteRoute,
    listInvitationsRoute,
    withdrawInvitationRoute,
  ],
  jobs: [
    {
      name: 'authentication.purge-sessions',
      everySeconds: PURGE_EVERY_SECONDS,
      run: ({ database, clock }) =>
        database.transaction(asSystem, async (transaction) => {
          await purgeSessions(transaction, clock.now());
          await purgeInvitations(transaction, clock.now());
        }),
    },
    {
      name: 'authentication.erase-deleted',
      everySeconds: ERASURE_EVERY_SECONDS,
      run: (services) => eraseQueued(services),
    },
  ],
} as const satisfies Manifest<Route<AccountLifeServices>, AccountLifeServices>;
