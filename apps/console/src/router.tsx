/** Which address shows what. Everything behind the lock is a child of `app`. */
import { createRootRoute, createRoute, createRouter, Link, Navigate, Outlet } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { start, useSession } from './app/session.ts';
import { rememberWanted, wantedPath } from './app/wanted.ts';
import { Button, Notice, Skeleton } from './design/parts.tsx';
import { useEntranceMessages } from './messages/messages.ts';
import { Entrance } from './pages/entrance.tsx';
import { fetchShell } from './pages/inside.ts';
import { lazyPage } from './pages/lazy-page.tsx';
import { SignIn } from './pages/sign-in.tsx';
import { Unlock } from './pages/unlock.tsx';

function Gate() {
  const { phase } = useSession();
  const { unreachable, common } = useEntranceMessages();
  // Nothing to read yet, and soon over: the dial alone, at its later place, so that nothing moves.
  if (phase === 'starting') {
    return (
      <Entrance title={'\u00a0'} turning>
        <Skeleton lines={4} />
      </Entrance>
    );
  }
  if (phase === 'unreachable') {
    return (
      <Entrance title={unreachable.title}>
        <Notice tone="problem" live>
          {unreachable.lead}
        </Notice>
        <Button look="primary" onClick={() => void start()}>
          {common.tryAgain}
        </Button>
      </Entrance>
    );
  }
  return <Outlet />;
}

/** Everything inside is behind the lock; what was open is there again after unlocking. */
function Inside() {
  const now = useSession();
  if (now.phase === 'signed-out') {
    rememberWanted(now.notice === 'signed-out' ? '/' : location.pathname);
    return <Navigate to="/sign-in" replace />;
  }
  if (now.phase === 'deleted') {
    return (
      <Suspense fallback={<Entrance title={'\u00a0'}>{null}</Entrance>}>
        <LazyCertificate certificate={now.certificate} />
      </Suspense>
    );
  }
  if (now.phase === 'new-code') {
    return (
      <Suspense fallback={<Entrance title={'\u00a0'}>{null}</Entrance>}>
        <LazyNewRecoveryKit account={now.account} code={now.recoveryCode} />
      </Suspense>
    );
  }
  if (now.phase === 'locked') return <Unlock account={now.account} notice={now.notice} />;
  return now.phase === 'open' ? <LazyShell /> : null;
}

/** Who is signed in already goes on to where they wanted. */
function Enter() {
  const { phase } = useSession();
  return phase === 'locked' || phase === 'open' ? <Navigate to={wantedPath()} replace /> : <SignIn />;
}

const LazyCertificate = lazy(async () => ({ default: (await import('./pages/certificate.tsx')).Certificate }));
const LazyNewRecoveryKit = lazy(async () => ({
  default: (await import('./pages/new-recovery-code.tsx')).NewRecoveryKit,
}));
const LazyShell = lazyPage(fetchShell, 'entrance', <div className="shell" />);

function NotFound() {
  const { notFound } = useEntranceMessages();
  return (
    <Entrance title={notFound.title}>
      <div>
        <Link to="/" className="button button-primary">
          <span>{notFound.home}</span>
        </Link>
      </div>
    </Entrance>
  );
}

const root = createRootRoute({ component: Gate, notFoundComponent: NotFound });

const setUp = createRoute({
  getParentRoute: () => root,
  path: '/set-up',
  component: lazyPage(async () => (await import('./pages/set-up.tsx')).SetUp, 'entrance'),
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  component: Enter,
});

const join = createRoute({
  getParentRoute: () => root,
  path: '/join',
  component: lazyPage(async () => (await import('./pages/join.tsx')).Join, 'entrance'),
});

const recover = createRoute({
  getParentRoute: () => root,
  path: '/recover',
  component: lazyPage(async () => (await import('./pages/recover.tsx')).Recover, 'entrance'),
});

const app = createRoute({ getParentRoute: () => root, id: 'app', component: Inside });

const home = createRoute({
  getParentRoute: () => app,
  path: '/',
  component: lazyPage(async () => (await import('./pages/start.tsx')).Start),
});

const spaces = createRoute({
  getParentRoute: () => app,
  path: '/spaces',
  component: lazyPage(async () => (await import('./pages/spaces.tsx')).SpacesPage),
});

const space = createRoute({
  getParentRoute: () => app,
  path: '/spaces/$space',
  component: lazyPage(async () => (await import('./pages/space.tsx')).SpacePage),
});

const nothingOpen = createRoute({
  getParentRoute: () => space,
  path: '/',
  component: lazyPage(async () => (await import('./pages/space.tsx')).NothingOpen),
});

const write = createRoute({
  getParentRoute: () => space,
  path: '/write',
  component: lazyPage(async () => (await import('./pages/editor.tsx')).WritePage),
});

const memory = createRoute({
  getParentRoute: () => space,
  path: '/memories/$memory',
  component: lazyPage(async () => (await import('./pages/memory.tsx')).MemoryPage),
});

const edit = createRoute({
  getParentRoute: () => space,
  path: '/memories/$memory/edit',
  component: lazyPage(async () => (await import('./pages/editor.tsx')).EditPage),
});

const history = createRoute({
  getParentRoute: () => space,
  path: '/memories/$memory/history',
  component: lazyPage(async () => (await import('./pages/history.tsx')).HistoryPage),
});

const spaceMembers = createRoute({
  getParentRoute: () => space,
  path: '/members',
  component: lazyPage(async () => (await import('./pages/space-members.tsx')).SpaceMembersPage),
});

const members = createRoute({
  getParentRoute: () => app,
  path: '/members',
  component: lazyPage(async () => (await import('./pages/members.tsx')).MembersPage),
});

const invite = createRoute({
  getParentRoute: () => app,
  path: '/members/invite',
  component: lazyPage(async () => (await import('./pages/invite.tsx')).InvitePage),
});

const person = createRoute({
  getParentRoute: () => app,
  path: '/members/$account',
  component: lazyPage(async () => (await import('./pages/person.tsx')).PersonPage),
});

const importRoute = createRoute({
  getParentRoute: () => app,
  path: '/import',
  component: lazyPage(async () => (await import('./pages/import.tsx')).ImportPage),
});

const exportRoute = createRoute({
  getParentRoute: () => app,
  path: '/export',
  component: lazyPage(async () => (await import('./pages/export.tsx')).ExportPage),
});

const sessions = createRoute({
  getParentRoute: () => app,
  path: '/sessions',
  component: lazyPage(async () => (await import('./pages/sessions.tsx')).SessionsPage),
});

const audit = createRoute({
  getParentRoute: () => app,
  path: '/audit',
  component: lazyPage(async () => (await import('./pages/audit.tsx')).AuditPage),
});

const account = createRoute({
  getParentRoute: () => app,
  path: '/account',
  component: lazyPage(async () => (await import('./pages/account.tsx')).AccountPage),
});

const password = createRoute({
  getParentRoute: () => app,
  path: '/account/password',
  component: lazyPage(async () => (await import('./pages/change-password.tsx')).ChangePasswordPage),
});

const recoveryCode = createRoute({
  getParentRoute: () => app,
  path: '/account/recovery-code',
  component: lazyPage(async () => (await import('./pages/new-recovery-code.tsx')).NewRecoveryCodePage),
});

const email = createRoute({
  getParentRoute: () => app,
  path: '/account/email',
  component: lazyPage(async () => (await import('./pages/change-email.tsx')).ChangeEmailPage),
});

const deletion = createRoute({
  getParentRoute: () => app,
  path: '/account/delete',
  component: lazyPage(async () => (await import('./pages/delete-account.tsx')).DeleteAccountPage),
});

const routeTree = root.addChildren([
  setUp,
  join,
  signIn,
  recover,
  app.addChildren([
    home,
    spaces,
    members,
    invite,
    person,
    space.addChildren([nothingOpen, write, memory, edit, history, spaceMembers]),
    importRoute,
    exportRoute,
    sessions,
    audit,
    account,
    password,
    recoveryCode,
    email,
    deletion,
  ]),
]);

export const router = createRouter({ routeTree, defaultPreload: 'intent' });

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
