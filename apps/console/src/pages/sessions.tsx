import { useMutation, useQuery } from '@tanstack/react-query';
import type { RemoteSession } from '@strongroom/client';
import { useState } from 'react';
import { useFormats } from '../app/formats.ts';
import { queries, signOut, vault } from '../app/session.ts';
import { note } from '../app/toasts.ts';
import { Icon } from '../design/icon.tsx';
import { Confirm } from '../design/dialogs.tsx';
import { Problem } from '../design/form.tsx';
import { Button, Page, Skeleton } from '../design/parts.tsx';
import { errorText, useMessages } from '../messages/messages.ts';

export function SessionsPage() {
  const messages = useMessages();
  const { sessions: words, otherSessions: others } = messages;
  const sessions = useQuery({ queryKey: ['sessions'], queryFn: () => vault('sessions'), refetchOnMount: 'always' });
  const [asked, setAsked] = useState<RemoteSession | null>(null);
  const ending = useMutation({
    mutationFn: async (session: RemoteSession) => (session.current ? signOut() : vault('endSession', session.id)),
    async onSuccess(_answer, session) {
      if (session.current) return;
      note(words.ended);
      await queries.invalidateQueries({ queryKey: ['sessions'] });
    },
    onError: (error) => note(errorText(messages, error), 'problem'),
  });
  const endingOthers = useMutation({
    mutationFn: () => vault('endOtherSessions'),
    async onSuccess(count) {
      note(others.ended(count));
      await queries.invalidateQueries({ queryKey: ['sessions'] });
    },
    onError: (error) => note(errorText(messages, error), 'problem'),
  });
  const [askedOthers, setAskedOthers] = useState(false);
  const more = (sessions.data?.length ?? 0) > 1;
  const endOthers = more ? (
    <Button busy={endingOthers.isPending} onClick={() => setAskedOthers(true)}>
      {others.end}
    </Button>
  ) : undefined;
  const nameOf = (session: RemoteSession): string => session.deviceName ?? words.unnamed;
  return (
    <Page title={words.title} lead={words.lead} actions={endOthers}>
      {sessions.error !== null ? (
        <div className="stack">
          <Problem error={sessions.error} />
          <div>
            <Button onClick={() => void sessions.refetch()}>{messages.common.tryAgain}</Button>
          </div>
        </div>
      ) : sessions.data === undefined ? (
        <Skeleton lines={6} />
      ) : (
        <ul className="cards cards-one">
          {thisOneFirst(sessions.data).map((session) => (
            <li key={session.id}>
              <SessionCard session={session} name={nameOf(session)} onEnd={() => setAsked(session)} />
            </li>
          ))}
        </ul>
      )}
      <Confirm
        open={asked !== null}
        title={words.confirmTitle}
        lead={asked === null ? '' : words.confirmLead(nameOf(asked))}
        action={words.end}
        onClose={() => setAsked(null)}
        onConfirm={() => {
          if (asked !== null) ending.mutate(asked);
          setAsked(null);
        }}
      />
      <Confirm
        open={askedOthers}
        title={others.title}
        lead={others.lead}
        action={others.end}
        onClose={() => setAskedOthers(false)}
        onConfirm={() => {
          setAskedOthers(false);
          endingOthers.mutate();
        }}
      />
    </Page>
  );
}

const thisOneFirst = (sessions: readonly RemoteSession[]): readonly RemoteSession[] =>
  sessions.toSorted((left, right) => Number(right.current) - Number(left.current));

function SessionCard({
  session,
  name,
  onEnd,
}: {
  readonly session: RemoteSession;
  readonly name: string;
  readonly onEnd: () => void;
}) {
  const { sessions: words } = useMessages();
  const { moment } = useFormats();
  return (
    <div className="card card-row">
      <Icon name={session.transport === 'cookie' ? 'sessions' : 'commands'} />
      <div className="card-body">
        <h2 className="card-title">
          {name} {session.current ? <span className="label label-strong">{words.current}</span> : null}
        </h2>
        <dl className="facts">
          <div>
            <dt>{words.lastSeen}</dt>
            <dd>{moment(session.lastSeenAt)}</dd>
          </div>
          <div>
            <dt>{words.since}</dt>
            <dd>
              {moment(session.createdAt)} · {session.transport === 'cookie' ? words.browser : words.commandLine}
            </dd>
          </div>
          <div>
            <dt>{words.expires}</dt>
            <dd>{moment(session.expiresAt)}</dd>
          </div>
        </dl>
      </div>
      <Button onClick={onEnd}>
        {words.end}
        <span className="visually-hidden">: {name}</span>
      </Button>
    </div>
  );
}
