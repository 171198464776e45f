/** The open vault: what stands around every page. */
import { Menu } from '@base-ui/react/menu';
import { Link, Outlet, useLocation, useNavigate, useParams, type LinkProps } from '@tanstack/react-router';
import type { Uuid } from '@strongroom/kernel';
import { useEffect, useState } from 'react';
import { clockAhead, watchClock } from '../app/clock.ts';
import { hasDrafts } from '../app/drafts.ts';
import { useFollowSpaces } from '../app/follow-spaces.ts';
import { useFormats } from '../app/formats.ts';
import { watchIdle } from '../app/idle.ts';
import { commandOf, isTyping } from '../app/keys.ts';
import { useAccountRole } from '../app/people.ts';
import { preferences } from '../app/preferences.ts';
import { makesSpaces, writesInSpace } from '../app/roles.ts';
import { farewell, lock, onTabMessage, reachable, tellActive, trustDamaged, withoutCache } from '../app/session.ts';
import { useSpaceName, useSpaces } from '../app/spaces.ts';
import { useStore } from '../app/store.ts';
import { Mark } from '../design/dial.tsx';
import { Icon, type IconName } from '../design/icon.tsx';
import { useMessages } from '../messages/messages.ts';
import { focusSearch } from '../app/focus-search.ts';
import { Commands } from './commands.tsx';
import { fetchAllPages } from './lazy-page.tsx';
import { Shortcuts } from './shortcuts.tsx';
import { useReadOnly } from './space-states.tsx';
import { type Tool, useTools } from './tools.ts';

const MINUTE = 60_000;
/** Milliseconds until the other pages are fetched: what somebody came for goes first. */
const REST_LATER = 2_000;

export function Shell() {
  const { common } = useMessages();
  const [dialog, setDialog] = useState<'commands' | 'shortcuts' | null>(null);
  const { pathname } = useLocation();
  useIdleLock();
  useEffect(watchClock, []);
  useFollowSpaces();
  useEffect(() => {
    const timer = setTimeout(() => void fetchAllPages(), REST_LATER);
    return () => clearTimeout(timer);
  }, []);
  useFarewell();
  useKeys(setDialog);
  return (
    <div className="shell" data-area={pathname.startsWith('/spaces/') ? 'memories' : 'page'}>
      <a className="skip" href="#content">
        {common.skip}
      </a>
      <Sidebar onCommands={() => setDialog('commands')} />
      <div className="content">
        <Strips />
        <main id="content" className="content-main" tabIndex={-1}>
          <Outlet />
        </main>
      </div>
      <BottomBar />
      <Commands
        open={dialog === 'commands'}
        onClose={() => setDialog(null)}
        onShortcuts={() => setDialog('shortcuts')}
      />
      <Shortcuts open={dialog === 'shortcuts'} onClose={() => setDialog(null)} />
    </div>
  );
}

function Sidebar({ onCommands }: { readonly onCommands: () => void }) {
  const { navigation, name, keys } = useMessages();
  const tools = useTools();
  const spaces = useSpaces();
  const nameOf = useSpaceName();
  return (
    <nav className="sidebar" aria-label={navigation.label}>
      <Link to="/" className="brand">
        <Mark /> <span>{name}</span>
      </Link>
      <WriteLink className="button button-primary sidebar-write" />
      <h2 className="sidebar-heading">{navigation.spaces}</h2>
      <ul className="sidebar-list sidebar-spaces">
        {spaces.data?.map((space) => (
          <li key={space.id}>
            <Link
              to="/spaces/$space"
              params={{ space: space.id }}
              className="nav"
              activeOptions={{ exact: false }}
              title={nameOf(space)}
            >
              <span className="nav-dot" aria-hidden="true" data-letter={firstLetter(nameOf(space))} />
              <span className="nav-text">{nameOf(space)}</span>
            </Link>
          </li>
        ))}
        <li>
          <NavLink to="/spaces" icon="spaces" exact>
            {navigation.manageSpaces}
          </NavLink>
        </li>
      </ul>
      <ul className="sidebar-list sidebar-tools">
        {tools.map(({ to, icon, name: text }) => (
          <li key={to}>
            <NavLink to={to} icon={icon}>
              {text}
            </NavLink>
          </li>
        ))}
      </ul>
      <div className="sidebar-foot">
        <button type="button" className="nav" onClick={onCommands}>
          <Icon name="commands" />
          <span className="nav-text">{navigation.commands}</span>
          <kbd>{keys.control} K</kbd>
        </button>
        <button type="button" className="nav" onClick={() => void lock()}>
          <Icon name="lock" />
          <span className="nav-text">{navigation.lock}</span>
        </button>
      </div>
    </nav>
  );
}

/** Tells spaces apart where there is no room for their names. */
const firstLetter = (name: string): string => Array.from(name.trim())[0]?.toLocaleUpperCase() ?? '';

function NavLink(props: {
  readonly to: NonNullable<LinkProps['to']>;
  readonly icon: IconName;
  readonly children: string;
  readonly exact?: boolean;
}) {
  const { to, icon, children, exact = false } = props;
  return (
    <Link to={to} className="nav" activeOptions={{ exact }} title={children}>
      <Icon name={icon} />
      <span className="nav-text">{children}</span>
    </Link>
  );
}

/** The space on the screen, or the first one to write in. */
function useCurrentSpace(): string | undefined {
  const { space } = useParams({ strict: false });
  const spaces = useSpaces();
  const first = spaces.data?.find(({ name, role }) => name !== null && writesInSpace(role)) ?? spaces.data?.[0];
  return space ?? first?.id;
}

function WriteLink({ className }: { readonly className: string }) {
  const { navigation, sharing } = useMessages();
  const space = useCurrentSpace();
  const readOnly = useReadOnly(space as Uuid);
  const makes = makesSpaces(useAccountRole() ?? 'guest');
  const inside = (
    <>
      <Icon name={readOnly ? 'show' : 'write'} />
      <span>{readOnly ? sharing.readOnly : navigation.write}</span>
    </>
  );
  // Nowhere to write, and no way to make a place for it.
  if (space === undefined && !makes) return <span />;
  if (space === undefined) {
    return (
      <Link to="/spaces" className={className}>
        {inside}
      </Link>
    );
  }
  return (
    <Link to="/spaces/$space/write" params={{ space }} className={className} data-read-only={readOnly}>
      {inside}
    </Link>
  );
}

/** Phones: the three things done most, and the rest in a menu. */
function BottomBar() {
  const { navigation } = useMessages();
  const tools = useTools();
  const navigate = useNavigate();
  const spaces = useSpaces();
  const nameOf = useSpaceName();
  const rest: readonly Tool[] = [{ to: '/spaces', icon: 'spaces', name: navigation.manageSpaces }, ...tools];
  return (
    <nav className="bottom" aria-label={navigation.label}>
      <Link to="/" className="bottom-item">
        <Icon name="memories" />
        <span>{navigation.memories}</span>
      </Link>
      <WriteLink className="bottom-item" />
      <Menu.Root>
        <Menu.Trigger className="bottom-item">
          <Icon name="more" />
          <span>{navigation.more}</span>
        </Menu.Trigger>
        <Menu.Portal>
          <Menu.Positioner side="top" align="end" sideOffset={8} className="menu-position">
            <Menu.Popup className="menu">
              {spaces.data?.map((space) => (
                <Menu.Item
                  key={space.id}
                  className="menu-item"
                  onClick={() => void navigate({ to: '/spaces/$space', params: { space: space.id } })}
                >
                  <span className="nav-dot" aria-hidden="true" />
                  {nameOf(space)}
                </Menu.Item>
              ))}
              <Menu.Separator className="menu-line" />
              {rest.map(({ to, icon, name }) => (
                <Menu.Item key={to} className="menu-item" onClick={() => void navigate({ to })}>
                  <Icon name={icon} />
                  {name}
                </Menu.Item>
              ))}
              <Menu.Separator className="menu-line" />
              <Menu.Item className="menu-item" onClick={() => void lock()}>
                <Icon name="lock" />
                {navigation.lock}
              </Menu.Item>
            </Menu.Popup>
          </Menu.Positioner>
        </Menu.Portal>
      </Menu.Root>
    </nav>
  );
}

function Strips() {
  const { status, clock } = useMessages();
  const online = useStore(reachable);
  const noCache = useStore(withoutCache);
  const noTrust = useStore(trustDamaged);
  const ahead = useStore(clockAhead);
  const { span } = useFormats();
  return (
    <div role="status" className="strips">
      {online ? null : <p className="strip strip-warning">{status.offline}</p>}
      {ahead === 0 ? null : (
        <p className="strip strip-warning">{(ahead > 0 ? clock.ahead : clock.behind)(span(Math.abs(ahead)))}</p>
      )}
      {noTrust ? <p className="strip strip-warning">{status.trustDamaged}</p> : null}
      {noCache ? <p className="strip">{status.noCache}</p> : null}
    </div>
  );
}

function useIdleLock(): void {
  useEffect(() => {
    const watch = watchIdle({
      limit: () => preferences.get().lockAfter * MINUTE,
      onIdle: () => void lock('idle'),
      onActive: tellActive,
      target: document,
    });
    onTabMessage.active = () => watch.touch();
    return () => {
      watch.stop();
      onTabMessage.active = () => undefined;
    };
  }, []);
}

/** The page goes away: what was deleted is deleted now, and who has not saved is asked. */
function useFarewell(): void {
  useEffect(() => {
    const ask = (event: BeforeUnloadEvent) => {
      if (hasDrafts()) event.preventDefault();
    };
    const leave = ({ persisted }: PageTransitionEvent) => farewell(persisted);
    window.addEventListener('beforeunload', ask);
    window.addEventListener('pagehide', leave);
    return () => {
      window.removeEventListener('beforeunload', ask);
      window.removeEventListener('pagehide', leave);
    };
  }, []);
}

function useKeys(show: (dialog: 'commands' | 'shortcuts') => void): void {
  const navigate = useNavigate();
  const space = useCurrentSpace();
  const { memory } = useParams({ strict: false });
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const typing = isTyping(event.target);
      const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
      const command = commandOf({ key, ctrlKey, metaKey, altKey, shiftKey, typing }, preferences.get().letterKeys);
      if (command === null || event.defaultPrevented) return;
      if (command === 'edit' && (space === undefined || memory === undefined)) return;
      event.preventDefault();
      if (command === 'palette') show('commands');
      else if (command === 'help') show('shortcuts');
      else if (command === 'lock') void lock();
      else if (command === 'search')
        focusSearch(
          () => void (space === undefined ? undefined : navigate({ to: '/spaces/$space', params: { space } })),
        );
      else if (space === undefined) void navigate({ to: '/spaces' });
      else if (command === 'write') void navigate({ to: '/spaces/$space/write', params: { space } });
      else if (memory !== undefined)
        void navigate({ to: '/spaces/$space/memories/$memory/edit', params: { space, memory } });
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, [navigate, space, memory, show]);
}
