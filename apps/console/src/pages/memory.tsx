import { Link, useNavigate, useParams } from '@tanstack/react-router';
import type { Uuid } from '@strongroom/kernel';
import { useEffect, useMemo, useRef, type ReactNode } from 'react';
import { useFormats } from '../app/formats.ts';
import { splitLinks } from '../app/links.ts';
import { useAuthorName } from '../app/people.ts';
import { writesInSpace } from '../app/roles.ts';
import { deletions, deleteWithUndo } from '../app/session.ts';
import { useMemory, useRows, useSpaces } from '../app/spaces.ts';
import { useStore } from '../app/store.ts';
import { Icon } from '../design/icon.tsx';
import { Button, Notice, Skeleton } from '../design/parts.tsx';
import { errorText, useMessages } from '../messages/messages.ts';
import { headingAndExcerpt } from '../vault/rows.ts';
import { useKindName } from './kinds.ts';

export function useMayWrite(space: Uuid): boolean {
  const role = useSpaces().data?.find(({ id }) => id === space)?.role;
  return role !== undefined && writesInSpace(role);
}

export function useMemoryParams(): { space: Uuid; memory: Uuid } {
  const { space, memory } = useParams({ strict: false });
  return { space: space as Uuid, memory: memory as Uuid };
}

export function MemoryPage() {
  const { space, memory: id } = useMemoryParams();
  const messages = useMessages();
  const { memory: words } = messages;
  const { moment } = useFormats();
  const kindName = useKindName();
  const rows = useRows(space);
  const memory = useMemory(space, id);
  const hidden = useStore(deletions.hidden);
  const mayWrite = useMayWrite(space);
  const navigate = useNavigate();
  const heading = useRef<HTMLHeadingElement>(null);
  const opened = memory.data;
  const author = useAuthorName(space, opened?.author);
  const title = opened?.document.title ?? null;

  useEffect(() => {
    if (opened === undefined) return;
    document.title = `${headingAndExcerpt(opened.document.title, opened.document.text).heading} · ${messages.name}`;
    heading.current?.focus({ preventScroll: true });
  }, [opened?.id, messages.name]);

  if (rows.isPending || (rows.isSuccess && memory.isPending)) {
    return (
      <Detail space={space}>
        <Skeleton lines={8} className="skeleton-text" />
      </Detail>
    );
  }
  if (opened === undefined || hidden.has(id)) {
    return (
      <Detail space={space}>
        <h1 ref={heading} tabIndex={-1} className="memory-title">
          {words.missing}
        </h1>
        <p className="quiet">{words.missingLead}</p>
        {memory.error === null || hidden.has(id) ? null : (
          <Notice tone="problem">{errorText(messages, memory.error)}</Notice>
        )}
      </Detail>
    );
  }

  const { document: content, version, writtenAt } = opened;
  const { heading: name } = headingAndExcerpt(content.title, content.text);
  const remove = () => {
    deleteWithUndo({ space, id, version, heading: name });
    void navigate({ to: '/spaces/$space', params: { space } });
  };
  return (
    <Detail
      space={space}
      actions={
        <>
          {mayWrite ? (
            <Link
              to="/spaces/$space/memories/$memory/edit"
              params={{ space, memory: id }}
              className="button button-plain"
            >
              <Icon name="write" />
              <span>{words.edit}</span>
            </Link>
          ) : null}
          <Link
            to="/spaces/$space/memories/$memory/history"
            params={{ space, memory: id }}
            className="button button-quiet"
          >
            <Icon name="history" />
            <span>{words.history}</span>
          </Link>
          {mayWrite ? (
            <Button look="quiet" icon="delete" onClick={remove}>
              {words.delete}
            </Button>
          ) : null}
        </>
      }
    >
      <article className="memory" key={id}>
        <h1 ref={heading} tabIndex={-1} className={title === null ? 'visually-hidden' : 'memory-title'}>
          {name}
        </h1>
        <p className="memory-line">
          {content.kind === undefined ? null : <span className="label">{kindName(content.kind)}</span>}
          {content.tags.map((tag) => (
            <span key={tag} className="label label-tag">
              {tag}
            </span>
          ))}
        </p>
        <MemoryText text={content.text} />
        <dl className="facts memory-facts">
          <div>
            <dt>{words.written}</dt>
            <dd>{moment(content.createdAt)}</dd>
          </div>
          <div>
            <dt>{words.changed}</dt>
            <dd>
              {moment(writtenAt)} · {words.version(version)}
              {author === null ? null : ` · ${author}`}
            </dd>
          </div>
          {content.source === undefined ? null : (
            <div>
              <dt>{words.source}</dt>
              <dd>{words.sources[content.source.name] ?? content.source.name}</dd>
            </div>
          )}
        </dl>
      </article>
    </Detail>
  );
}

/** Frame of everything that is shown beside the list. */
export function Detail(props: { readonly space: Uuid; readonly actions?: ReactNode; readonly children: ReactNode }) {
  const { space, actions, children } = props;
  const { common, memory } = useMessages();
  return (
    <div className="detail">
      <div className="detail-bar" role="group" aria-label={memory.actions}>
        <Link
          to="/spaces/$space"
          params={{ space }}
          className="button button-quiet detail-back"
          aria-label={common.back}
        >
          <Icon name="back" />
        </Link>
        <span className="detail-actions">{actions}</span>
      </div>
      <div className="detail-body">{children}</div>
    </div>
  );
}

/** Text as it was written, line by line. Addresses can be followed; nothing else in it means anything to the page. */
export function MemoryText({ text }: { readonly text: string }) {
  const pieces = useMemo(() => splitLinks(text), [text]);
  return (
    <div className="memory-text" dir="auto">
      {pieces.map((piece, index) =>
        'address' in piece ? (
          <a key={index} href={piece.address} target="_blank" rel="noopener noreferrer nofollow">
            {piece.text}
          </a>
        ) : (
          <span key={index}>{piece.text}</span>
        ),
      )}
    </div>
  );
}
