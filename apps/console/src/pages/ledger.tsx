/** The list of memories as a ledger: the date in the margin, one entry under the other. Only what is on the screen is in the document. */
import { Link } from '@tanstack/react-router';
import { Fragment, useEffect, useImperativeHandle, useRef, useState, type KeyboardEvent, type Ref } from 'react';
import { flushSync } from 'react-dom';
import { useFormats } from '../app/formats.ts';
import { visibleRange } from '../app/visible-range.ts';
import { useMessages } from '../messages/messages.ts';
import type { Row, Span } from '../vault/protocol.ts';
import { useKindName } from './kinds.ts';

/** Height of an entry in rem; fixed, so that the scroll bar tells the truth about 10,000 of them. Matches `--entry` in the styles. */
const ENTRY = 6.25;

export interface LedgerHandle {
  /** To the entry that has the focus among the entries, or the first one. */
  readonly focus: () => void;
}

interface LedgerProps {
  readonly rows: readonly Row[];
  readonly current: string | undefined;
  /** Another key begins at the top again. */
  readonly resetKey: string;
  readonly ref: Ref<LedgerHandle>;
}

export function Ledger({ rows, current, resetKey, ref }: LedgerProps) {
  const { home } = useMessages();
  const scroller = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(0);
  const [view, setView] = useState({ top: 0, height: 0 });
  const height = ENTRY * rem();
  const { first, end } = visibleRange({ ...view, entry: height, count: rows.length });

  const look = () => {
    const { scrollTop, clientHeight } = scroller.current!;
    setView((before) =>
      before.top === scrollTop && before.height === clientHeight ? before : { top: scrollTop, height: clientHeight },
    );
  };

  useEffect(() => {
    const watch = new ResizeObserver(look);
    watch.observe(scroller.current!);
    return () => watch.disconnect();
  }, []);

  useEffect(() => {
    setActive(0);
    scroller.current?.scrollTo({ top: 0 });
  }, [resetKey]);

  const focusAt = (index: number) => {
    const frame = scroller.current!;
    const bounded = Math.max(0, Math.min(rows.length - 1, index));
    const start = bounded * height;
    if (start < frame.scrollTop) frame.scrollTop = start;
    else if (start + height > frame.scrollTop + frame.clientHeight)
      frame.scrollTop = start + height - frame.clientHeight;
    // Drawn at once, so that the entry is there to be focused.
    flushSync(() => {
      setActive(bounded);
      look();
    });
    list.current?.querySelector<HTMLElement>(`[data-index="${bounded}"]`)?.focus({ preventScroll: true });
  };
  useImperativeHandle(ref, () => ({ focus: () => focusAt(active) }));

  const press = (event: KeyboardEvent) => {
    const page = Math.max(1, Math.floor(view.height / height) - 1);
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: active + page,
      PageUp: active - page,
      Home: 0,
      End: rows.length - 1,
    };
    const target = steps[event.key];
    if (target === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    if (event.key === 'ArrowUp' && active === 0) document.querySelector<HTMLElement>('#search')?.focus();
    else focusAt(target);
  };

  // The entry that Tab reaches must be in the document even when somebody scrolled away from it.
  const seen = Math.min(Math.ceil(view.top / height), end - 1);
  const tabbable = active >= first && active < end ? active : seen;

  return (
    <div className="ledger" ref={scroller} onScroll={look}>
      <div
        className="ledger-entries"
        role="list"
        aria-label={home.list}
        ref={list}
        style={{ height: rows.length * height }}
        onKeyDown={press}
      >
        {rows.slice(first, end).map((row, position) => (
          <Entry
            key={row.id}
            row={row}
            index={first + position}
            count={rows.length}
            start={(first + position) * height}
            current={row.id === current}
            tabbable={first + position === tabbable}
            onFocus={setActive}
          />
        ))}
      </div>
    </div>
  );
}

interface EntryProps {
  readonly row: Row;
  readonly index: number;
  readonly count: number;
  readonly start: number;
  readonly current: boolean;
  readonly tabbable: boolean;
  readonly onFocus: (index: number) => void;
}

function Entry({ row, index, count, start, current, tabbable, onFocus }: EntryProps) {
  const { margin } = useFormats();
  const kindName = useKindName();
  const [day, year] = margin(row.createdAt);
  const labels = [...(row.kind === null ? [] : [kindName(row.kind)]), ...row.tags];
  return (
    <div
      role="listitem"
      aria-posinset={index + 1}
      aria-setsize={count}
      className="entry-place"
      style={{ transform: `translateY(${start}px)` }}
    >
      <Link
        to="/spaces/$space/memories/$memory"
        params={{ space: row.space, memory: row.id }}
        className="entry"
        data-index={index}
        aria-current={current ? 'true' : undefined}
        tabIndex={tabbable ? 0 : -1}
        onFocus={() => onFocus(index)}
      >
        <span className="entry-date">
          <time dateTime={row.createdAt}>{day}</time>
          <span>{year}</span>
        </span>
        <span className="entry-body">
          <span className="entry-heading">
            <Marked text={row.heading} spans={row.marks?.heading} />
          </span>
          <span className="entry-excerpt">
            <Marked text={row.excerpt} spans={row.marks?.excerpt} />
          </span>
          <span className="entry-labels">{labels.join(' · ')}</span>
        </span>
      </Link>
    </div>
  );
}

function Marked({ text, spans = [] }: { readonly text: string; readonly spans: readonly Span[] | undefined }) {
  return (
    <>
      {spans.map(([start, end], index) => (
        <Fragment key={start}>
          {text.slice(spans[index - 1]?.[1] ?? 0, start)}
          <mark>{text.slice(start, end)}</mark>
        </Fragment>
      ))}
      {text.slice(spans.at(-1)?.[1] ?? 0)}
    </>
  );
}

/** Pixels of one rem: people make the letters larger, and the entries with them. */
const rem = (): number => Number.parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
