import { keepPreviousData, useInfiniteQuery, useMutation } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { type AuditFilter, auditQuery, FIRST_FILTER, isFirst, NO_FILTER } from '../app/audit-filter.ts';
import { useFormats } from '../app/formats.ts';
import { useAccountRole, useMembers, useNameOf } from '../app/people.ts';
import { readsAudit } from '../app/roles.ts';
import { useSession, vault, vaultWithProgress } from '../app/session.ts';
import { Dial } from '../design/dial.tsx';
import { Icon } from '../design/icon.tsx';
import { ProgressBar } from '../design/dialogs.tsx';
import { Problem } from '../design/form.tsx';
import { Button, Notice, Page, Skeleton } from '../design/parts.tsx';
import { errorText, useMessages } from '../messages/messages.ts';
import type { AuditEntryView } from '../vault/audit-protocol.ts';
import type { Progress, VerdictView } from '../vault/protocol.ts';
import { AuditFilterFields, NothingShown } from './audit-filter.tsx';
import { CertificateCheck } from './certificate-check.tsx';

export function AuditPage() {
  const { audit } = useMessages();
  const role = useAccountRole();
  if (role !== null && !readsAudit(role)) {
    return (
      <Page title={audit.title} lead={audit.lead}>
        <Notice tone="plain">{audit.notYours}</Notice>
      </Page>
    );
  }
  return <Log />;
}

function Log() {
  const { audit, auditFilter: words } = useMessages();
  const section = useRef<HTMLElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const goOnAt = useRef<number | null>(null);
  const [filter, setFilter] = useState(FIRST_FILTER);
  const pages = useInfiniteQuery({
    queryKey: ['audit', auditQuery(filter)],
    queryFn: ({ pageParam }) => vault('auditPage', auditQuery(filter), pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    placeholderData: keepPreviousData,
    // The log grows all the time.
    staleTime: 0,
  });
  const entries = pages.data?.pages.flatMap((page) => page.entries) ?? [];
  const people = pages.data?.pages.flatMap((page) => page.people) ?? [];
  const accounts = new Map(people.map(({ pseudonym, account }) => [pseudonym, account]));
  const nameOf = useActorName(accounts);
  /** For buttons that are gone afterwards: what they changed begins at the heading. */
  const choose = (next: AuditFilter) => {
    setFilter(next);
    heading.current?.focus();
  };
  const lines = () => section.current?.querySelectorAll<HTMLElement>('.event summary') ?? [];
  const showOlder = () => {
    goOnAt.current = lines().length;
    void pages.fetchNextPage();
  };
  // Reading goes on where the older entries begin, which is above the button.
  useEffect(() => {
    if (pages.isFetchingNextPage || goOnAt.current === null) return;
    lines()[goOnAt.current]?.focus();
    goOnAt.current = null;
  }, [pages.isFetchingNextPage]);
  return (
    <Page title={audit.title} lead={audit.lead}>
      <Check />
      <section className="stack" aria-labelledby="audit-entries" aria-busy={pages.isFetching} ref={section}>
        <h2 id="audit-entries" ref={heading} tabIndex={-1}>
          {audit.entries}
        </h2>
        <AuditFilterFields
          filter={filter}
          onChange={setFilter}
          onAllObjects={() => choose({ ...filter, object: null })}
        />
        <div className="filters-result">
          <p role="status" className="quiet">
            {pages.data === undefined || pages.isPlaceholderData ? null : entries.length === 0 ? (
              <span className="visually-hidden">{words.none}</span>
            ) : (
              <>
                {(pages.hasNextPage ? words.newest : words.count)(entries.length)}
                {filter.show === 'changes' ? ` ${words.readingHidden}` : null}
              </>
            )}
          </p>
          {isFirst(filter) ? null : (
            <Button look="quiet" onClick={() => choose(FIRST_FILTER)}>
              {words.reset}
            </Button>
          )}
        </div>
        {pages.error !== null ? (
          <Problem error={pages.error} />
        ) : pages.isPending ? (
          <Skeleton lines={8} />
        ) : entries.length === 0 ? (
          <NothingShown filter={filter} onEverything={() => choose(NO_FILTER)} />
        ) : (
          <Timeline
            entries={entries}
            nameOf={nameOf}
            onPerson={(actor) => choose({ ...filter, person: accounts.get(actor) ?? actor })}
            onObject={(object) => choose({ ...filter, object })}
          />
        )}
        {pages.hasNextPage ? (
          <Button busy={pages.isFetchingNextPage} onClick={showOlder}>
            {audit.older}
          </Button>
        ) : null}
      </section>
      <CertificateCheck />
    </Page>
  );
}

/** Whoever acted, as they are called here. `accounts`: behind the log's pseudonyms, of people who are not forgotten. */
function useActorName(accounts: ReadonlyMap<string, string>): (entry: AuditEntryView) => string {
  const { audit, auditFilter, members: words } = useMessages();
  const session = useSession();
  const members = useMembers();
  const nameOf = useNameOf();
  const own = session.phase === 'open' ? session.account.id : null;
  return ({ actorKind, actor }) => {
    if (actorKind === 'anonymous') return audit.somebody;
    if (actorKind !== 'account' || actor === null) return audit.system;
    const account = accounts.get(actor);
    if (account === undefined) return words.gone;
    if (account === own) return audit.you;
    if (members.data === undefined) return audit.member;
    const member = members.data.find((one) => one.account === account);
    return member === undefined ? auditFilter.former : nameOf(member);
  };
}

function Check() {
  const messages = useMessages();
  const { audit } = messages;
  const [progress, setProgress] = useState<Progress | null>(null);
  const check = useMutation({ mutationFn: () => vaultWithProgress(setProgress, 'verifyAudit') });
  const verdict = check.data;
  return (
    <section className="verdict" data-ok={verdict === undefined ? 'unknown' : verdict.ok} aria-live="polite">
      <Dial turning={check.isPending} className="verdict-dial" />
      <div className="stack">
        {check.isPending ? (
          // What comes of it is read out, not every number on the way.
          <div aria-live="off">
            <ProgressBar
              label={audit.checking}
              done={progress?.done ?? 0}
              total={progress?.total ?? null}
              text={progress === null || progress.total === null ? '' : audit.progress(progress.done, progress.total)}
            />
          </div>
        ) : verdict === undefined ? null : (
          <Verdict verdict={verdict} />
        )}
        {check.error === null ? null : <Notice tone="problem">{errorText(messages, check.error)}</Notice>}
        <div>
          <Button
            look={verdict === undefined ? 'primary' : 'plain'}
            icon="check"
            busy={check.isPending}
            onClick={() => check.mutate()}
          >
            {audit.check}
          </Button>
        </div>
      </div>
    </section>
  );
}

function Verdict({ verdict }: { readonly verdict: VerdictView }) {
  const { audit } = useMessages();
  const { moment } = useFormats();
  const { ok, size, root, signedAt, withheldEntries, findings, rememberedSize } = verdict;
  return (
    <>
      <h2 className="verdict-title">
        <Icon name={ok ? 'check' : 'warning'} /> {ok ? audit.good : audit.bad}
      </h2>
      <p>
        {ok
          ? `${audit.goodLead(size)} ${rememberedSize === null ? audit.goodFirst : audit.goodBefore(rememberedSize)}`
          : audit.badLead}
        {withheldEntries > 0 ? ` ${audit.withheld(withheldEntries)}` : ''}
      </p>
      {findings.length === 0 ? null : (
        <ul className="samples">
          {findings.slice(0, 20).map(({ where, what }) => (
            <li key={`${where} ${what}`}>
              <span className="entry-heading">{where}</span>
              <span className="entry-excerpt">{what}</span>
            </li>
          ))}
        </ul>
      )}
      <dl className="facts">
        {signedAt === null ? null : (
          <div>
            <dt>{audit.signed}</dt>
            <dd>{moment(signedAt)}</dd>
          </div>
        )}
        <div>
          <dt>{audit.root}</dt>
          <dd className="code">{root}</dd>
        </div>
      </dl>
    </>
  );
}

interface TimelineProps {
  readonly entries: readonly AuditEntryView[];
  readonly nameOf: (entry: AuditEntryView) => string;
  /** With the log's pseudonym. */
  readonly onPerson: (actor: string) => void;
  readonly onObject: (object: NonNullable<AuditFilter['object']>) => void;
}

function Timeline({ entries, ...rest }: TimelineProps) {
  const { day } = useFormats();
  const days = Map.groupBy(entries, ({ occurredAt }) => day(occurredAt));
  return [...days].map(([name, group]) => (
    <section key={name} className="timeline">
      <h3 className="timeline-day">{name}</h3>
      <ul>
        {inRuns(group).map((run) => (
          <Event key={run[0]!.index} run={run} {...rest} />
        ))}
      </ul>
    </section>
  ));
}

/** The same thing done several times in a row is one line. */
export function inRuns(entries: readonly AuditEntryView[]): AuditEntryView[][] {
  const runs: AuditEntryView[][] = [];
  for (const entry of entries) {
    const first = runs.at(-1)?.[0];
    const same =
      first?.type === entry.type &&
      first.outcome === entry.outcome &&
      first.actor === entry.actor &&
      first.sessionId === entry.sessionId;
    if (same) runs.at(-1)!.push(entry);
    else runs.push([entry]);
  }
  return runs;
}

type EventProps = Omit<TimelineProps, 'entries'> & { readonly run: readonly AuditEntryView[] };

function Event({ run, nameOf, onPerson, onObject }: EventProps) {
  const { audit, auditFilter: words } = useMessages();
  const { clock } = useFormats();
  // Of hundreds in a row, the facts are drawn when somebody asks for them.
  const [isOpen, setOpen] = useState(false);
  const { occurredAt, type, outcome, actor } = run[0]!;
  return (
    <li className="event">
      <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
        <summary>
          <time className="numbers" dateTime={occurredAt}>
            {clock(occurredAt)}
          </time>
          <span className="event-what">
            {audit.events[type] ?? type}
            {run.length > 1 ? <span className="event-times numbers">× {run.length}</span> : null}
            {outcome === 'success' ? null : (
              <span className="label label-problem">{audit.outcomes[outcome] ?? outcome}</span>
            )}
          </span>
          <span className="quiet event-who">{nameOf(run[0]!)}</span>
        </summary>
        {isOpen ? run.map((entry) => <EventFacts key={entry.index} entry={entry} onObject={onObject} />) : null}
        {isOpen && actor !== null ? (
          <div className="event-way">
            <Button onClick={() => onPerson(actor)}>
              {words.onlyPerson}
              <span className="visually-hidden">: {nameOf(run[0]!)}</span>
            </Button>
          </div>
        ) : null}
      </details>
    </li>
  );
}

interface EventFactsProps extends Pick<EventProps, 'onObject'> {
  readonly entry: AuditEntryView;
}

function EventFacts({ entry, onObject }: EventFactsProps) {
  const { audit, auditFilter: words } = useMessages();
  const { clock, number } = useFormats();
  const { index, occurredAt, type, outcome, reason, sessionId, objectType, objectId, addressPrefix, details } = entry;
  const object = objectType === null ? null : `${objectType} ${objectId ?? ''}`;
  const facts: readonly (readonly [string, string | null])[] = [
    [audit.number, `${number(index)}, ${clock(occurredAt)}`],
    [audit.type, type],
    [audit.outcome, `${audit.outcomes[outcome] ?? outcome}${reason === null ? '' : ` (${reason})`}`],
    [audit.session, sessionId],
    [audit.object, object],
    [audit.network, addressPrefix],
    [audit.details, details === '{}' || details === '' ? null : details],
  ];
  return (
    <>
      <dl className="facts">
        {facts.map(([name, value]) =>
          value === null ? null : (
            <div key={name}>
              <dt>{name}</dt>
              <dd className="code">{value}</dd>
            </div>
          ),
        )}
      </dl>
      {object === null || objectId === null ? null : (
        <div className="event-way">
          <Button onClick={() => onObject({ id: objectId, name: object })}>
            {words.onlyObject}
            <span className="visually-hidden">: {object}</span>
          </Button>
        </div>
      )}
    </>
  );
}
