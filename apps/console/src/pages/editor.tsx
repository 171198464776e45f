/** Writing and editing. What is typed is kept until it is saved, whatever happens in between. */
import { useMutation } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import type { OpenedMemory } from '@strongroom/client';
import type { Uuid } from '@strongroom/kernel';
import { useEffect, useRef, useState, type KeyboardEvent } from 'react';
import { dropDraft, keepDraft, readDraft, type Draft } from '../app/drafts.ts';
import { queries, spaceChanged, vault } from '../app/session.ts';
import { useMemory } from '../app/spaces.ts';
import { note } from '../app/toasts.ts';
import { VaultError } from '../app/vault-connection.ts';
import { Problem } from '../design/form.tsx';
import { Button, Choice, Notice, Skeleton, TextField } from '../design/parts.tsx';
import { errorText, useMessages } from '../messages/messages.ts';
import { inputOf, newest } from '../app/memory-input.ts';
import { Conflict } from './conflict.tsx';
import { KINDS, useKindName } from './kinds.ts';
import { Detail, useMemoryParams } from './memory.tsx';
import { ReadOnly, useReadOnly } from './space-states.tsx';

const EMPTY: Draft = { title: '', text: '', kind: '', tags: '', baseVersion: 0 };

const draftOf = ({ document, version }: OpenedMemory): Draft => ({
  title: document.title ?? '',
  text: document.text,
  kind: document.kind ?? '',
  tags: document.tags.join(', '),
  baseVersion: version,
});

export function WritePage() {
  const { space } = useParams({ strict: false });
  const readOnly = useReadOnly(space as Uuid);
  if (readOnly) return <ReadOnly />;
  return <Editor key={space} space={space as Uuid} memory={null} start={EMPTY} />;
}

export function EditPage() {
  const { space, memory: id } = useMemoryParams();
  const memory = useMemory(space, id);
  const readOnly = useReadOnly(space);
  // What is on the screen stays when somebody else changes the memory meanwhile: that is a conflict to be shown, not to be swallowed.
  const [start, setStart] = useState<Draft | null>(null);
  useEffect(() => {
    if (start === null && memory.data !== undefined) setStart(draftOf(memory.data));
  }, [start, memory.data]);
  if (readOnly) return <ReadOnly />;
  if (start === null) {
    return (
      <Detail space={space}>
        {memory.error === null ? <Skeleton lines={8} className="skeleton-text" /> : <Problem error={memory.error} />}
      </Detail>
    );
  }
  return <Editor key={id} space={space} memory={id} start={start} />;
}

interface EditorProps {
  readonly space: Uuid;
  /** Null for a new one. */
  readonly memory: Uuid | null;
  readonly start: Draft;
}

function Editor({ space, memory, start }: EditorProps) {
  const messages = useMessages();
  const { editor } = messages;
  const [kept] = useState(() => readDraft(space, memory));
  const [draft, setDraft] = useState(kept ?? start);
  const [needText, setNeedText] = useState(false);
  /** Null: deleted elsewhere. Undefined: no conflict. */
  const [theirs, setTheirs] = useState<OpenedMemory | null | undefined>(undefined);
  const textField = useRef<HTMLTextAreaElement>(null);
  /** What went wrong, and the buttons. */
  const ending = useRef<HTMLDivElement>(null);
  const navigate = useNavigate();

  /** What is on the screen; null once the person went elsewhere. */
  const onScreen = useRef<Draft | null>(draft);

  useEffect(() => {
    document.title = `${memory === null ? editor.newTitle : editor.editTitle} · ${messages.name}`;
    textField.current?.focus();
  }, [memory, editor, messages.name]);

  useEffect(() => {
    onScreen.current = draft;
    return () => {
      onScreen.current = null;
    };
  }, [draft]);

  const change = (part: Partial<Draft>) => {
    const next = { ...draft, ...part };
    setDraft(next);
    if (isSame(next, start)) dropDraft(space, memory);
    else keepDraft(space, memory, next);
  };

  const leave = (id: Uuid | null): Promise<void> => {
    dropDraft(space, memory);
    return id === null
      ? navigate({ to: '/spaces/$space', params: { space } })
      : navigate({ to: '/spaces/$space/memories/$memory', params: { space, memory: id } });
  };

  const saving = useMutation({
    mutationFn: (sent: Draft) =>
      memory === null
        ? vault('remember', space, inputOf(sent))
        : vault('update', space, memory, sent.baseVersion, inputOf(sent)),
    async onSuccess(saved, sent) {
      queries.setQueryData(['memory', space, saved.id], saved);
      await spaceChanged(space).catch(() => undefined);
      note(editor.saved);
      const here = onScreen.current;
      // The save is under way until the editor is gone: a second one would store a new memory twice.
      if (here === null) dropIfSent(space, memory, sent);
      else if (isSame(here, sent)) await leave(saved.id);
      else await goOn(saved, here);
    },
    async onError(error) {
      if (memory === null || !(error instanceof VaultError)) return;
      if (error.code === 'memories.conflict') setTheirs(await newest(space, memory));
      else if (['memories.deleted', 'memories.not-found', 'client.unknown-memory'].includes(error.code))
        setTheirs(null);
    },
  });

  /** Something was typed while what was sent was under way: it becomes the next version, and is not saved yet. */
  const goOn = async (saved: OpenedMemory, here: Draft): Promise<void> => {
    const { version: baseVersion } = saved;
    dropDraft(space, memory);
    keepDraft(space, saved.id, { ...here, baseVersion });
    if (memory !== null) setDraft((now) => ({ ...now, baseVersion }));
    else
      await navigate({
        to: '/spaces/$space/memories/$memory/edit',
        params: { space, memory: saved.id },
        replace: true,
      });
  };

  // On a phone the end of the form lies below what is seen.
  useEffect(() => {
    if (saving.error !== null) ending.current?.scrollIntoView({ block: 'nearest' });
  }, [saving.error]);

  const save = () => {
    if (saving.isPending) return;
    if (draft.text.trim() === '') {
      setNeedText(true);
      textField.current?.focus();
      return;
    }
    saving.mutate(draft);
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      save();
    }
  };

  if (theirs !== undefined && memory !== null) {
    return (
      <Detail space={space}>
        <Conflict
          space={space}
          mine={draft}
          theirs={theirs}
          onMerge={(merged) => {
            setDraft(merged);
            keepDraft(space, memory, merged);
            setTheirs(undefined);
            saving.reset();
          }}
          onStale={setTheirs}
          onDone={(id) => void leave(id)}
        />
      </Detail>
    );
  }

  return (
    <Detail space={space}>
      <form
        className="editor"
        noValidate
        onKeyDown={press}
        onSubmit={(event) => {
          event.preventDefault();
          save();
        }}
      >
        <h1 className="visually-hidden">{memory === null ? editor.newTitle : editor.editTitle}</h1>
        {kept === null ? null : <Notice tone="plain">{editor.keptDraft}</Notice>}
        <input
          className="editor-title"
          aria-label={editor.title}
          placeholder={editor.title}
          value={draft.title}
          onChange={(event) => change({ title: event.target.value })}
          maxLength={500}
          dir="auto"
        />
        <textarea
          className="editor-text"
          ref={textField}
          aria-label={editor.text}
          placeholder={editor.textHint}
          value={draft.text}
          onChange={(event) => change({ text: event.target.value })}
          aria-invalid={needText && draft.text.trim() === ''}
          aria-describedby={needText ? 'need-text' : undefined}
          dir="auto"
        />
        {needText && draft.text.trim() === '' ? (
          <p className="field-error" id="need-text">
            {editor.needText}
          </p>
        ) : null}
        <div className="editor-labels">
          <KindChoice value={draft.kind} onChange={(kind) => change({ kind })} />
          <TextField
            label={editor.tags}
            hint={editor.tagsHint}
            value={draft.tags}
            onChange={(tags) => change({ tags })}
            autoComplete="off"
          />
        </div>
        <div className="stack" ref={ending}>
          {saving.error === null ? null : (
            <Notice tone="problem" live>
              {editor.failed} {errorText(messages, saving.error)}
            </Notice>
          )}
          <div className="row">
            <Button look="primary" type="submit" busy={saving.isPending}>
              {saving.isPending ? editor.busy : editor.submit}
            </Button>
            <Button look="quiet" onClick={() => void leave(memory)}>
              {editor.discard}
            </Button>
            <span className="quiet editor-shortcut">{editor.shortcut}</span>
          </div>
        </div>
      </form>
    </Detail>
  );
}

function KindChoice({ value, onChange }: { readonly value: string; readonly onChange: (kind: string) => void }) {
  const { editor, kinds } = useMessages();
  const kindName = useKindName();
  const known = KINDS.some((kind) => kind === value) || value === '';
  const options: (readonly [string, string])[] = [
    ['', kinds.none],
    ...KINDS.map((kind) => [kind, kindName(kind)] as const),
  ];
  // A word that an import brought along stays a choice.
  if (!known) options.push([value, value]);
  return <Choice label={editor.kind} value={value} options={options} onChange={onChange} />;
}

/** Somebody who went elsewhere stays there, and what they have begun to write since stays too. */
function dropIfSent(space: Uuid, memory: Uuid | null, sent: Draft): void {
  const kept = readDraft(space, memory);
  if (kept !== null && isSame(kept, sent)) dropDraft(space, memory);
}

const isSame = (left: Draft, right: Draft): boolean =>
  left.title === right.title && left.text === right.text && left.kind === right.kind && left.tags === right.tags;
