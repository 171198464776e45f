import { useMutation } from '@tanstack/react-query';
import type { Uuid } from '@strongroom/kernel';
import { useState } from 'react';
import { datedName, download } from '../app/download.ts';
import { vault } from '../app/session.ts';
import { useSpaceName, useSpaces } from '../app/spaces.ts';
import { Problem } from '../design/form.tsx';
import { Button, Choice, Notice, Page } from '../design/parts.tsx';
import { useMessages } from '../messages/messages.ts';

export function ExportPage() {
  const messages = useMessages();
  const { export: words } = messages;
  const spaces = useSpaces();
  const nameOf = useSpaceName();
  const [chosen, setChosen] = useState<Uuid | null>(null);
  const [format, setFormat] = useState<'jsonl' | 'markdown'>('jsonl');
  const space = chosen ?? spaces.data?.[0]?.id;
  const writing = useMutation({
    mutationFn: (from: Uuid) => vault('export', from, format),
    onSuccess: ({ file }) => download(file, `${datedName('strongroom')}.${format === 'jsonl' ? 'jsonl' : 'zip'}`),
  });
  const formats = [
    ['jsonl', words.jsonl, words.jsonlLead],
    ['markdown', words.markdown, words.markdownLead],
  ] as const;
  return (
    <Page title={words.title} lead={words.lead}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (space !== undefined && !writing.isPending) writing.mutate(space);
        }}
      >
        {spaces.data === undefined || space === undefined ? null : (
          <Choice
            label={words.space}
            value={space}
            options={spaces.data.map((each) => [each.id, nameOf(each)] as const)}
            onChange={(value) => setChosen(value)}
          />
        )}
        <fieldset className="options">
          <legend className="field-label">{words.format}</legend>
          {formats.map(([value, name, lead]) => (
            <label key={value} className="option">
              <input
                type="radio"
                name="format"
                value={value}
                checked={format === value}
                onChange={() => setFormat(value)}
              />
              <span>
                <span className="option-name">{name}</span>
                <span className="quiet">{lead}</span>
              </span>
            </label>
          ))}
        </fieldset>
        <Notice tone="problem">{words.warning}</Notice>
        <Problem error={writing.error} />
        {writing.data === undefined ? null : (
          <Notice tone="good" live>
            {words.done(writing.data.memories)} {writing.data.leftOut > 0 ? words.leftOut(writing.data.leftOut) : ''}
          </Notice>
        )}
        <div>
          <Button look="primary" icon="export" type="submit" busy={writing.isPending} disabled={space === undefined}>
            {writing.isPending ? words.busy : words.submit}
          </Button>
        </div>
      </form>
    </Page>
  );
}
