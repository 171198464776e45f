import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useFormats } from '../app/formats.ts';
import { useAccountRole } from '../app/people.ts';
import { readsAudit } from '../app/roles.ts';
import { vault, vaultWithProgress } from '../app/session.ts';
import { Dial } from '../design/dial.tsx';
import { Icon } from '../design/icon.tsx';
import { ProgressBar } from '../design/dialogs.tsx';
import { Problem } from '../design/form.tsx';
import { Button, Empty, Notice, Page, Skeleton } from '../design/parts.tsx';
import { errorText, useMessages } from '../messages/messages.ts';
import { CertificateCheck } from './certificate-check.tsx';
import type { AuditEntryView, Progress, VerdictView } from '../vault/protocol.ts';

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
  const messages = useMessages();
  const { audit } = messages;
  const pages = useInfiniteQuery({
    queryKey: ['audit'],
    queryFn: ({ pageParam }) => vault('auditPage', pageParam),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.older ?? undefined,
    refetchOnMount: 'always',
  });
  const entries = pages.data?.pages.flatMap((page) => page.entries) ?? [];
  const sessions = useQuery({ queryKey: ['sessions'], queryFn: () => vault('sessions') });
  // The log knows people by pseudonyms; what was done in this very session says which one is the own.
  const here = sessions.data?.find(({ current }) => current)?.id;
  const own = entries.find(({ actor, sessionId }) => actor !== null && sessionId === here)?.actor ?? null;
  return (
    <Page title={audit.title} lead={audit.lead}>
      <Check />
      <section className="stack" aria-labelledby="audit-entries">
        <h2 id="audit-entries">{audit.entries}</h2>
        {pages.error !== null ? (
          <Problem error={pages.error} />
        ) : pages.isPending ? (
          <Skeleton lines={8} />
        ) : entries.length === 0 ? (
          <Empty title={audit.empty} />
        ) : (
          <Timeline entries={entries} own={own} />
        )}
        {pages.hasNextPage ? (
          <Button busy={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
            {audit.older}
          </Button>
        ) : null}
      </section>
      <CertificateCheck />
    </Page>
  );
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
          <ProgressBar
            label={audit.checking}
            done={progress?.done ?? 0}
            total={progress?.total ?? null}
            text={progress === null || progress.total === null ? '' : audit.progress(progress.done, progress.total)}
          />
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
  /** The own pseudonym, where it is known. */
  readonly own: string | null;
}

function Timeline({ entries, own }: TimelineProps) {
  const { day } = useFormats();
  const days = Map.groupBy(entries, ({ occurredAt }) => day(occurredAt));
  return [...days].map(([name, group]) => (
    <section key={name} className="timeline">
      <h3 className="timeline-day">{name}</h3>
      <ul>
        {inRuns(group).map((run) => (
          <Event key={run[0]!.index} run={run} own={own} />
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

function Event({ run, own }: { readonly run: readonly AuditEntryView[]; readonly own: string | null }) {
  const { audit } = useMessages();
  const { clock } = useFormats();
  const { occurredAt, type, outcome, actorKind, actor } = run[0]!;
  const person = actor === own ? audit.you : audit.member;
  const who = actorKind === 'account' ? person : actorKind === 'anonymous' ? audit.somebody : audit.system;
  return (
    <li className="event">
      <details>
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
          <span className="quiet event-who">{who}</span>
        </summary>
        {run.map((entry) => (
          <EventFacts key={entry.index} entry={entry} />
        ))}
      </details>
    </li>
  );
}

function EventFacts({ entry }: { readonly entry: AuditEntryView }) {
  const { audit } = useMessages();
  const { clock, number } = useFormats();
  const { index, occurredAt, type, outcome, reason, sessionId, objectType, objectId, addressPrefix, details } = entry;
  const facts: readonly (readonly [string, string | null])[] = [
    [audit.number, `${number(index)}, ${clock(occurredAt)}`],
    [audit.type, type],
    [audit.outcome, `${audit.outcomes[outcome] ?? outcome}${reason === null ? '' : ` (${reason})`}`],
    [audit.session, sessionId],
    [audit.object, objectType === null ? null : `${objectType} ${objectId ?? ''}`],
    [audit.network, addressPrefix],
    [audit.details, details === '{}' || details === '' ? null : details],
  ];
  return (
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
  );
}
