/** Two people, or two tabs, changed the same memory. Both texts are shown, and nothing is overwritten before somebody decides. */
import { useMutation } from '@tanstack/react-query';
import type { OpenedMemory } from '@strongroom/client';
import type { Uuid } from '@strongroom/kernel';
import { useEffect, useRef } from 'react';
import type { Draft } from '../app/drafts.ts';
import { useFormats } from '../app/formats.ts';
import { queries, spaceChanged, vault } from '../app/session.ts';
import { VaultError } from '../app/vault-connection.ts';
import { Problem } from '../design/form.tsx';
import { Button } from '../design/parts.tsx';
import { useMessages } from '../messages/messages.ts';
import { inputOf, newest } from '../app/memory-input.ts';
import { Difference } from './difference.tsx';
import { MemoryText } from './memory.tsx';

interface ConflictProps {
  readonly space: Uuid;
  readonly mine: Draft;
  /** Null when it was deleted. */
  readonly theirs: OpenedMemory | null;
  readonly onMerge: (draft: Draft) => void;
  /** It was changed once more while somebody was deciding. */
  readonly onStale: (theirs: OpenedMemory | null) => void;
  /** Null: there is nothing left to show. */
  readonly onDone: (memory: Uuid | null) => void;
}

export function Conflict({ space, mine, theirs, onMerge, onStale, onDone }: ConflictProps) {
  const messages = useMessages();
  const { conflict, common } = messages;
  const { moment } = useFormats();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const keep = useMutation({
    mutationFn: () =>
      theirs === null
        ? vault('remember', space, inputOf(mine))
        : vault('update', space, theirs.id, theirs.version, inputOf(mine)),
    async onSuccess(saved) {
      queries.setQueryData(['memory', space, saved.id], saved);
      await spaceChanged(space).catch(() => undefined);
      onDone(saved.id);
    },
    async onError(error) {
      if (theirs !== null && error instanceof VaultError && error.code === 'memories.conflict')
        onStale(await newest(space, theirs.id));
    },
  });
  const take = async () => {
    await spaceChanged(space).catch(() => undefined);
    onDone(theirs?.id ?? null);
  };
  const merge = () => {
    if (theirs === null) return;
    const text = `${mine.text}\n\n${conflict.mergeMarker}\n\n${theirs.document.text}`;
    onMerge({ ...mine, text, baseVersion: theirs.version });
  };
  return (
    <div className="conflict">
      <h1 className="memory-title" ref={heading} tabIndex={-1}>
        {conflict.title}
      </h1>
      <p className="quiet">{theirs === null ? conflict.leadDeleted : conflict.lead}</p>
      <div className="conflict-sides">
        <section className="conflict-side">
          <h2>{conflict.mine}</h2>
          <p className="conflict-title">{mine.title === '' ? common.untitled : mine.title}</p>
          {theirs === null ? (
            <MemoryText text={mine.text} />
          ) : (
            <Difference before={theirs.document.text} after={mine.text} which="after" />
          )}
        </section>
        {theirs === null ? null : (
          <section className="conflict-side">
            <h2>{conflict.theirs(theirs.version)}</h2>
            <p className="conflict-title">
              {theirs.document.title ?? common.untitled} · {moment(theirs.writtenAt)}
            </p>
            <Difference before={theirs.document.text} after={mine.text} which="before" />
          </section>
        )}
      </div>
      {theirs === null ? null : (
        <p className="conflict-key quiet">
          <ins>{conflict.added}</ins>
          <del>{conflict.removed}</del>
        </p>
      )}
      <Problem error={keep.error} />
      <div className="row">
        <Button look="primary" busy={keep.isPending} onClick={() => keep.mutate()}>
          {theirs === null ? conflict.keepAsNew : conflict.keepMine}
        </Button>
        <Button onClick={() => void take()}>{theirs === null ? conflict.discard : conflict.takeTheirs}</Button>
        {theirs === null ? null : <Button onClick={merge}>{conflict.merge}</Button>}
      </div>
    </div>
  );
}
