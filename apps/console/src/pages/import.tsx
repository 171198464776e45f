import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Uuid } from '@strongroom/kernel';
import { useEffect, useRef, useState, type ChangeEvent, type DragEvent } from 'react';
import { useFormats } from '../app/formats.ts';
import { readFiles, stopReading } from '../app/read-files.ts';
import { writesInSpace } from '../app/roles.ts';
import { useSpaceName, useSpaces } from '../app/spaces.ts';
import { spaceChanged, vault, vaultWithProgress } from '../app/session.ts';
import { Icon } from '../design/icon.tsx';
import { ProgressBar } from '../design/dialogs.tsx';
import { Problem } from '../design/form.tsx';
import { Button, Choice, Notice, Page } from '../design/parts.tsx';
import { errorText, useMessages } from '../messages/messages.ts';
import type { ImportPreview, Progress, SourceFile, VaultCalls } from '../vault/protocol.ts';
import { useKindName } from './kinds.ts';

type Outcome = ReturnType<VaultCalls['runImport']>;

export function ImportPage() {
  const messages = useMessages();
  const { import: words } = messages;
  const [preview, setPreview] = useState<ImportPreview | null>(null);
  const [outcome, setOutcome] = useState<{ readonly result: Outcome; readonly space: Uuid } | null>(null);
  const reading = useMutation({
    mutationFn: (files: readonly SourceFile[]) => readFiles(files),
    onSuccess: setPreview,
  });
  useEffect(() => stopReading, []);
  const again = () => {
    setPreview(null);
    setOutcome(null);
    reading.reset();
  };
  return (
    <Page title={words.title} lead={words.lead}>
      {outcome !== null ? (
        <Result {...outcome} onAgain={again} />
      ) : preview !== null ? (
        <Preview preview={preview} onOther={again} onDone={(result, space) => setOutcome({ result, space })} />
      ) : (
        <>
          <FileChooser busy={reading.isPending} onFiles={(files) => reading.mutate(files)} />
          <Problem error={reading.error} />
        </>
      )}
    </Page>
  );
}

const namedFiles = (files: FileList | readonly File[]): SourceFile[] =>
  [...files]
    // Folders of notes hold pictures and settings too; only what somebody chose one by one is worth a complaint.
    .filter((file) => file.webkitRelativePath === '' || /\.(?:md|markdown|json|jsonl)$/i.test(file.name))
    .map((file) => ({ name: file.webkitRelativePath === '' ? file.name : file.webkitRelativePath, file }));

function FileChooser({
  busy,
  onFiles,
}: {
  readonly busy: boolean;
  readonly onFiles: (files: readonly SourceFile[]) => void;
}) {
  const { import: words } = useMessages();
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const take = (chosen: FileList | null) => {
    if (chosen !== null && chosen.length > 0 && !busy) onFiles(namedFiles(chosen));
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files);
  };
  const chosen = (event: ChangeEvent<HTMLInputElement>) => {
    take(event.target.files);
    event.target.value = '';
  };
  return (
    <div
      className="drop"
      data-over={over}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <Icon name="import" />
      <div className="row row-center">
        <Button look="primary" busy={busy} onClick={() => files.current?.click()}>
          {busy ? words.reading : words.choose}
        </Button>
        <Button disabled={busy} onClick={() => folder.current?.click()}>
          {words.chooseFolder}
        </Button>
      </div>
      <p className="quiet">{words.drop}</p>
      <p className="quiet">{words.known}</p>
      <input
        ref={files}
        type="file"
        multiple
        hidden
        data-testid="import-files"
        accept=".json,.jsonl,.md,.markdown"
        onChange={chosen}
      />
      <input
        ref={(input) => {
          folder.current = input;
          input?.setAttribute('webkitdirectory', '');
        }}
        type="file"
        multiple
        hidden
        data-testid="import-folder"
        onChange={chosen}
      />
    </div>
  );
}

interface PreviewProps {
  readonly preview: ImportPreview;
  readonly onOther: () => void;
  readonly onDone: (outcome: Outcome, space: Uuid) => void;
}

function Preview({ preview, onOther, onDone }: PreviewProps) {
  const messages = useMessages();
  const { import: words, memory } = messages;
  const { number } = useFormats();
  const spaces = useSpaces();
  const able = spaces.data?.filter(({ name, role }) => name !== null && writesInSpace(role));
  const nameOf = useSpaceName();
  const kindName = useKindName();
  const [chosen, setChosen] = useState<Uuid | null>(null);
  const [progress, setProgress] = useState<Progress | null>(null);
  const space = chosen ?? able?.[0]?.id;
  const running = useMutation({
    async mutationFn(into: Uuid) {
      const result = await vaultWithProgress(setProgress, 'runImport', into);
      await spaceChanged(into).catch(() => undefined);
      return result;
    },
    onSuccess: (result, into) => onDone(result, into),
  });
  return (
    <div className="stack">
      <section className="stack">
        <h2>{words.preview}</h2>
        <div className="table-scroll" role="region" aria-label={words.preview} tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">{words.file}</th>
                <th scope="col">{words.kind}</th>
                <th scope="col" className="right">
                  {words.items}
                </th>
              </tr>
            </thead>
            <tbody>
              {preview.files.map(({ name, source, items, problem }, index) => (
                <tr key={index}>
                  <td className="file-name">
                    <bdi>{name}</bdi>
                    {problem === null ? null : <span className="field-error">{errorText(messages, problem)}</span>}
                  </td>
                  <td>{source === null ? words.unknownKind : memory.sources[source]}</td>
                  <td className="right numbers">{number(items)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </section>
      {preview.sample.length === 0 ? null : (
        <section className="stack">
          <h2>{words.sample}</h2>
          <ul className="samples">
            {preview.sample.map(({ heading, excerpt, kind }, index) => (
              <li key={index}>
                <span className="entry-heading">{heading}</span>
                <span className="entry-excerpt">{excerpt}</span>
                <span className="entry-labels">{kindName(kind)}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {preview.items === 0 ? <Notice tone="plain">{words.nothing}</Notice> : null}
      {able?.length === 0 ? <Notice tone="plain">{messages.sharing.nowhere}</Notice> : null}
      <Problem error={running.error} />
      {running.isPending ? (
        <div className="stack">
          <ProgressBar
            label={words.running}
            done={progress?.done ?? 0}
            total={preview.items}
            text={words.progress(progress?.done ?? 0, preview.items)}
          />
          <Button onClick={() => void vault('stopImport')}>{words.stop}</Button>
        </div>
      ) : (
        <div className="row row-bottom">
          {able === undefined || able.length < 2 || space === undefined ? null : (
            <Choice
              label={words.into}
              value={space}
              options={able.map((each) => [each.id, nameOf(each)] as const)}
              onChange={(value) => setChosen(value)}
            />
          )}
          {preview.items === 0 ? null : (
            <Button look="primary" icon="import" disabled={space === undefined} onClick={() => running.mutate(space!)}>
              {words.start(preview.items)}
            </Button>
          )}
          <Button look="quiet" onClick={onOther}>
            {words.other}
          </Button>
        </div>
      )}
    </div>
  );
}

function Result({
  result,
  space,
  onAgain,
}: {
  readonly result: Outcome;
  readonly space: Uuid;
  readonly onAgain: () => void;
}) {
  const messages = useMessages();
  const { import: words } = messages;
  const { number } = useFormats();
  const counts = [
    [words.created, result.created],
    [words.updated, result.updated],
    [words.unchanged, result.unchanged],
    [words.deleted, result.deleted],
    [words.failed, result.failed.length],
  ] as const;
  return (
    <div className="stack">
      <Notice tone={result.failed.length > 0 ? 'problem' : 'good'} live>
        {result.stopped ? words.stopped : words.done}
      </Notice>
      <dl className="counts">
        {counts
          .filter(([name, count]) => count > 0 || name === words.created)
          .map(([name, count]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd className="numbers">{number(count)}</dd>
            </div>
          ))}
      </dl>
      {result.failed.length === 0 ? null : (
        <ul className="samples">
          {result.failed.slice(0, 20).map(({ key, code }) => (
            <li key={key}>
              <bdi className="file-name">{key}</bdi>
              <span className="entry-excerpt">{errorText(messages, { code })}</span>
            </li>
          ))}
        </ul>
      )}
      <div className="row">
        <Link to="/spaces/$space" params={{ space }} className="button button-primary">
          <span>{words.look}</span>
        </Link>
        <Button onClick={onAgain}>{words.again}</Button>
      </div>
    </div>
  );
}
