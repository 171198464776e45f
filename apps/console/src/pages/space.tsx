/** A space: search and list on one side, the memory that is open on the other. */
import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useParams, useRouterState } from '@tanstack/react-router';
import type { Uuid } from '@strongroom/kernel';
import { useDeferredValue, useEffect, useMemo, useRef, type KeyboardEvent } from 'react';
import { deletions, queries, searchText, vault } from '../app/session.ts';
import { useFollow, useOpenedSoFar, useRows, useSpaceName, useSpaces, useUnreadableCount } from '../app/spaces.ts';
import { useStore } from '../app/store.ts';
import { Icon } from '../design/icon.tsx';
import { Button, Empty, Notice, Skeleton } from '../design/parts.tsx';
import { errorText, useMessages } from '../messages/messages.ts';
import type { Row } from '../vault/protocol.ts';
import { Ledger, type LedgerHandle } from './ledger.tsx';
import { GoneSpace, ManageLink, useReadOnly, WaitingSpace } from './space-states.tsx';

/** Results shown for one search; who needs more needs another word. */
const MOST_RESULTS = 200;

export function SpacePage() {
  const { space } = useParams({ from: '/app/spaces/$space' });
  const detail = useRouterState({ select: (state) => state.location.pathname !== `/spaces/${space}` });
  useFollow(space as Uuid);
  const spaces = useSpaces();
  const here = spaces.data?.find(({ id }) => id === space);
  if (spaces.data !== undefined && here === undefined) return <GoneSpace />;
  if (here?.name === null && here.pending !== null) return <WaitingSpace pending={here.pending} />;
  return (
    <div className="split" data-detail={detail}>
      <ListPane space={space as Uuid} key={space} detail={detail} />
      <div className="split-detail">
        <Outlet />
      </div>
    </div>
  );
}

function ListPane({ space, detail }: { readonly space: Uuid; readonly detail: boolean }) {
  // The one main heading is that of what is being read.
  const Title = detail ? 'h2' : 'h1';
  const messages = useMessages();
  const { home, status } = messages;
  const spaces = useSpaces();
  const nameOf = useSpaceName();
  const rows = useRows(space);
  const text = useStore(searchText);
  const hidden = useStore(deletions.hidden);
  const soFar = useOpenedSoFar();
  const unreadable = useUnreadableCount();
  const search = useSearch(space, text);
  const ledger = useRef<LedgerHandle>(null);
  const { memory } = useParams({ strict: false });
  const here = spaces.data?.find(({ id }) => id === space);
  const searching = text.trim() !== '';
  const source = searching ? search.data : rows.data;
  const shown = useMemo(() => source?.filter(({ id }) => !hidden.has(id)), [source, hidden]);

  useEffect(() => {
    if (memory === undefined) document.title = `${nameOf(here)} · ${messages.name}`;
  }, [memory, here, nameOf, messages.name]);

  const move = (event: KeyboardEvent) => {
    if (event.key !== 'ArrowDown') return;
    event.preventDefault();
    ledger.current?.focus();
  };

  return (
    <section className="list-pane" aria-label={home.list}>
      <header className="list-header">
        <div className="list-heading">
          <Title className="list-title">{here === undefined ? '\u00a0' : nameOf(here)}</Title>
          <ManageLink space={space} />
        </div>
        <div className="search">
          <Icon name="search" />
          <input
            id="search"
            type="search"
            className="search-input"
            placeholder={home.search}
            aria-label={home.searchIn(nameOf(here))}
            value={text}
            onChange={(event) => searchText.set(event.target.value)}
            onKeyDown={move}
            autoComplete="off"
            spellCheck={false}
          />
          {text === '' ? (
            <kbd aria-hidden="true">/</kbd>
          ) : (
            <button type="button" className="search-clear" aria-label={home.clear} onClick={() => searchText.set('')}>
              <Icon name="clear" />
            </button>
          )}
        </div>
        <p className="list-count numbers" role="status">
          {shown === undefined
            ? '\u00a0'
            : soFar !== null
              ? status.readingSpace(soFar)
              : searching
                ? shown.length === MOST_RESULTS
                  ? home.foundMany(MOST_RESULTS)
                  : home.found(shown.length)
                : home.count(shown.length)}
        </p>
      </header>
      {unreadable > 0 && !searching ? <Notice tone="problem">{status.unreadable(unreadable)}</Notice> : null}
      {rows.isError ? (
        <div className="pad stack">
          <Notice tone="problem" live>
            {home.failed}. {errorText(messages, rows.error)}
          </Notice>
          <Button onClick={() => void queries.resetQueries({ queryKey: ['rows', space] })}>
            {messages.common.tryAgain}
          </Button>
        </div>
      ) : shown === undefined ? (
        <div className="ledger-skeleton">
          {Array.from({ length: 7 }, (_, index) => (
            <Skeleton key={index} lines={3} />
          ))}
        </div>
      ) : shown.length === 0 ? (
        <Nothing space={space} query={searching ? text.trim() : null} />
      ) : (
        <Ledger rows={shown} ref={ledger} current={memory} resetKey={searching ? text : ''} />
      )}
    </section>
  );
}

function useSearch(space: Uuid, text: string) {
  const query = useDeferredValue(text.trim());
  return useQuery<readonly Row[]>({
    queryKey: ['search', space, query],
    queryFn: () => vault('search', space, query, MOST_RESULTS),
    enabled: query !== '',
    // What is typed is not kept longer than it is looked at.
    gcTime: 10_000,
    placeholderData: (before) => before,
  });
}

function Nothing({ space, query }: { readonly space: Uuid; readonly query: string | null }) {
  const { home, navigation, sharing } = useMessages();
  const readOnly = useReadOnly(space);
  if (query !== null) return <Empty title={home.noMatch(query)} lead={home.noMatchLead} />;
  if (readOnly) return <Empty title={home.empty} lead={sharing.emptyViewer} />;
  return (
    <Empty title={home.empty} lead={home.emptyLead}>
      <Link to="/spaces/$space/write" params={{ space }} className="button button-primary">
        <Icon name="write" />
        <span>{navigation.write}</span>
      </Link>
      <Link to="/import" className="button button-plain">
        <Icon name="import" />
        <span>{navigation.import}</span>
      </Link>
    </Empty>
  );
}

/** Beside the list while no memory is open. */
export function NothingOpen() {
  const { home } = useMessages();
  const space = useParams({ from: '/app/spaces/$space' }).space as Uuid;
  const rows = useRows(space);
  const readOnly = useReadOnly(space);
  // The list says already that nothing is here.
  if (rows.data?.length === 0) return null;
  return (
    <div className="nothing-open">
      <p>{home.pick}</p>
      {readOnly ? null : <p className="quiet">{home.pickHint}</p>}
    </div>
  );
}
