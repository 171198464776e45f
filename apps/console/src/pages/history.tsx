import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import type { OldVersion } from '@strongroom/client';
import { useEffect, useRef, useState } from 'react';
import { useFormats } from '../app/formats.ts';
import { queries, spaceChanged, vault } from '../app/session.ts';
import { useMemory } from '../app/spaces.ts';
import { note } from '../app/toasts.ts';
import { Problem } from '../design/form.tsx';
import { Button, Notice, Skeleton } from '../design/parts.tsx';
import { useMessages } from '../messages/messages.ts';
import { Difference } from './difference.tsx';
import { Detail, MemoryText, useMayWrite, useMemoryParams } from './memory.tsx';

export function HistoryPage() {
  const { space, memory: id } = useMemoryParams();
  const messages = useMessages();
  const { history } = messages;
  const memory = useMemory(space, id);
  const versions = useQuery({
    queryKey: ['memory', space, id, 'versions', memory.data?.version],
    queryFn: () => vault('versions', space, id),
    enabled: memory.isSuccess,
  });
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${history.title} · ${messages.name}`;
    heading.current?.focus({ preventScroll: true });
  }, [history, messages.name]);
  const error = memory.error ?? versions.error;
  return (
    <Detail space={space}>
      <h1 ref={heading} tabIndex={-1} className="memory-title">
        {history.title}
      </h1>
      {error !== null ? (
        <Problem error={error} />
      ) : versions.data === undefined ? (
        <Skeleton lines={6} className="skeleton-text" />
      ) : (
        <Versions versions={versions.data} />
      )}
    </Detail>
  );
}

function Versions({ versions }: { readonly versions: readonly OldVersion[] }) {
  const { space, memory: id } = useMemoryParams();
  const messages = useMessages();
  const { history, common } = messages;
  const { moment } = useFormats();
  const mayWrite = useMayWrite(space);
  const navigate = useNavigate();
  const newest = versions[0]!.version;
  const [chosen, setChosen] = useState(newest);
  const index = versions.findIndex(({ version }) => version === chosen);
  const shown = versions[index] ?? versions[0]!;
  const before = versions[index + 1];
  const restoring = useMutation({
    async mutationFn() {
      const { text, title, kind, tags } = shown.document!;
      const input = { text, tags, ...(title === undefined ? {} : { title }), ...(kind === undefined ? {} : { kind }) };
      return vault('update', space, id, newest, input);
    },
    async onSuccess(saved) {
      queries.setQueryData(['memory', space, id], saved);
      await spaceChanged(space).catch(() => undefined);
      note(history.restored);
      void navigate({ to: '/spaces/$space/memories/$memory', params: { space, memory: id } });
    },
  });
  return (
    <div className="history">
      <ol className="history-list" aria-label={history.list}>
        {versions.map(({ version, writtenAt }) => (
          <li key={version}>
            <button
              type="button"
              className="history-item"
              aria-pressed={version === chosen}
              onClick={() => setChosen(version)}
            >
              <span>
                {history.version(version)}
                {version === newest ? <span className="label">{history.current}</span> : null}
              </span>
              <time dateTime={writtenAt}>{moment(writtenAt)}</time>
            </button>
          </li>
        ))}
      </ol>
      <section className="history-version" aria-live="polite">
        {shown.document === null ? (
          <Notice tone="problem">{history.unreadable}</Notice>
        ) : (
          <>
            <p className="conflict-title">{shown.document.title ?? common.untitled}</p>
            <p className="quiet">{before === undefined ? history.first : history.compared}</p>
            {before?.document === null || before === undefined ? (
              <MemoryText text={shown.document.text} />
            ) : (
              <Difference before={before.document.text} after={shown.document.text} which="both" />
            )}
          </>
        )}
        <Problem error={restoring.error} />
        {mayWrite && shown.version !== newest && shown.document !== null ? (
          <Button busy={restoring.isPending} icon="history" onClick={() => restoring.mutate()}>
            {history.restore}
          </Button>
        ) : null}
      </section>
    </div>
  );
}
