/** Which address shows what. Everything behind the lock is a child of `app`. */
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Link,
  Navigate,
  Outlet,
} from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { start, useSession } from './app/session.ts';
import { useSpaces } from './app/spaces.ts';
import { rememberWanted, wantedPath } from './app/wanted.ts';
import { Button, Notice, Page, Skeleton } from './design/parts.tsx';
import { errorText, useMessages } from './messages/messages.ts';
import { Entrance } from './pages/entrance.tsx';
import { SignIn } from './pages/sign-in.tsx';
import { Unlock } from './pages/unlock.tsx';

function Gate() {
  const { phase } = useSession();
  const { unreachable, common } = useMessages();
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
  if (now.phase === 'locked') return <Unlock account={now.account} notice={now.notice} />;
  return now.phase === 'open' ? (
    <Suspense fallback={<div className="shell" />}>
      <LazyShell />
    </Suspense>
  ) : null;
}

/** Who is signed in already goes on to where they wanted. */
function Enter() {
  const { phase } = useSession();
  return phase === 'locked' || phase === 'open' ? <Navigate to={wantedPath()} replace /> : <SignIn />;
}

const LazyCertificate = lazy(async () => ({ default: (await import('./pages/certificate.tsx')).Certificate }));
const LazyShell = lazy(async () => ({ default: (await import('./pages/shell.tsx')).Shell }));

function Start() {
  const spaces = useSpaces();
  const messages = useMessages();
  if (spaces.error !== null) {
    return (
      <Page title={messages.home.failed}>
        <Notice tone="problem" live>
          {errorText(messages, spaces.error)}
        </Notice>
        <Button onClick={() => void spaces.refetch()}>{messages.common.tryAgain}</Button>
      </Page>
    );
  }
  if (spaces.data === undefined) return <Skeleton lines={6} className="pad" />;
  const first = spaces.data[0];
  return first === undefined ? (
    <Navigate to="/spaces" replace />
  ) : (
    <Navigate to="/spaces/$space" params={{ space: first.id }} replace />
  );
}

function NotFound() {
  const { notFound } = useMessages();
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
  component: lazyRouteComponent(() => import('./pages/set-up.tsx'), 'SetUp'),
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  component: Enter,
});

const join = createRoute({
  getParentRoute: () => root,
  path: '/join',
  component: lazyRouteComponent(() => import('./pages/join.tsx'), 'Join'),
});

const recover = createRoute({
  getParentRoute: () => root,
  path: '/recover',
  component: lazyRouteComponent(() => import('./pages/recover.tsx'), 'Recover'),
});

const app = createRoute({ getParentRoute: () => root, id: 'app', component: Inside });

const home = createRoute({ getParentRoute: () => app, path: '/', component: Start });

const spaces = createRoute({
  getParentRoute: () => app,
  path: '/spaces',
  component: lazyRouteComponent(() => import('./pages/spaces.tsx'), 'SpacesPage'),
});

const space = createRoute({
  getParentRoute: () => app,
  path: '/spaces/$space',
  component: lazyRouteComponent(() => import('./pages/space.tsx'), 'SpacePage'),
});

const nothingOpen = createRoute({
  getParentRoute: () => space,
  path: '/',
  component: lazyRouteComponent(() => import('./pages/space.tsx'), 'NothingOpen'),
});

const write = createRoute({
  getParentRoute: () => space,
  path: '/write',
  component: lazyRouteComponent(() => import('./pages/editor.tsx'), 'WritePage'),
});

const memory = createRoute({
  getParentRoute: () => space,
  path: '/memories/$memory',
  component: lazyRouteComponent(() => import('./pages/memory.tsx'), 'MemoryPage'),
});

const edit = createRoute({
  getParentRoute: () => space,
  path: '/memories/$memory/edit',
  component: lazyRouteComponent(() => import('./pages/editor.tsx'), 'EditPage'),
});

const history = createRoute({
  getParentRoute: () => space,
  path: '/memories/$memory/history',
  component: lazyRouteComponent(() => import('./pages/history.tsx'), 'HistoryPage'),
});

const spaceMembers = createRoute({
  getParentRoute: () => space,
  path: '/members',
  component: lazyRouteComponent(() => import('./pages/space-members.tsx'), 'SpaceMembersPage'),
});

const members = createRoute({
  getParentRoute: () => app,
  path: '/members',
  component: lazyRouteComponent(() => import('./pages/members.tsx'), 'MembersPage'),
});

const invite = createRoute({
  getParentRoute: () => app,
  path: '/members/invite',
  component: lazyRouteComponent(() => import('./pages/invite.tsx'), 'InvitePage'),
});

const person = createRoute({
  getParentRoute: () => app,
  path: '/members/$account',
  component: lazyRouteComponent(() => import('./pages/person.tsx'), 'PersonPage'),
});

const importRoute = createRoute({
  getParentRoute: () => app,
  path: '/import',
  component: lazyRouteComponent(() => import('./pages/import.tsx'), 'ImportPage'),
});

const exportRoute = createRoute({
  getParentRoute: () => app,
  path: '/export',
  component: lazyRouteComponent(() => import('./pages/export.tsx'), 'ExportPage'),
});

const sessions = createRoute({
  getParentRoute: () => app,
  path: '/sessions',
  component: lazyRouteComponent(() => import('./pages/sessions.tsx'), 'SessionsPage'),
});

const audit = createRoute({
  getParentRoute: () => app,
  path: '/audit',
  component: lazyRouteComponent(() => import('./pages/audit.tsx'), 'AuditPage'),
});

const account = createRoute({
  getParentRoute: () => app,
  path: '/account',
  component: lazyRouteComponent(() => import('./pages/account.tsx'), 'AccountPage'),
});

const password = createRoute({
  getParentRoute: () => app,
  path: '/account/password',
  component: lazyRouteComponent(() => import('./pages/change-password.tsx'), 'ChangePasswordPage'),
});

const email = createRoute({
  getParentRoute: () => app,
  path: '/account/email',
  component: lazyRouteComponent(() => import('./pages/change-email.tsx'), 'ChangeEmailPage'),
});

const deletion = createRoute({
  getParentRoute: () => app,
  path: '/account/delete',
  component: lazyRouteComponent(() => import('./pages/delete-account.tsx'), 'DeleteAccountPage'),
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
