import { useMutation } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useFormats } from '../app/formats.ts';
import { createSpace, useSpaceName, useSpaces } from '../app/spaces.ts';
import { queries } from '../app/session.ts';
import { Modal } from '../design/dialogs.tsx';
import { Button, Empty, Notice, Page, Skeleton, TextField } from '../design/parts.tsx';
import { errorText, useMessages } from '../messages/messages.ts';
import { Form } from './entrance.tsx';

export function SpacesPage() {
  const messages = useMessages();
  const { spaces: words } = messages;
  const spaces = useSpaces();
  const nameOf = useSpaceName();
  const { day } = useFormats();
  const [creating, setCreating] = useState(false);
  const create = (
    <Button look="primary" icon="spaces" onClick={() => setCreating(true)}>
      {words.create}
    </Button>
  );
  return (
    <Page title={words.title} lead={words.lead} actions={create}>
      {spaces.error !== null ? (
        <div className="stack">
          <Notice tone="problem" live>
            {errorText(messages, spaces.error)}
          </Notice>
          <Button onClick={() => void queries.resetQueries({ queryKey: ['spaces'] })}>
            {messages.common.tryAgain}
          </Button>
        </div>
      ) : spaces.data === undefined ? (
        <Skeleton lines={4} />
      ) : spaces.data.length === 0 ? (
        <Empty title={words.empty} lead={words.emptyLead} />
      ) : (
        <ul className="cards">
          {spaces.data.map((space) => (
            <li key={space.id}>
              <Link to="/spaces/$space" params={{ space: space.id }} className="card">
                <span className="card-title">{nameOf(space)}</span>
                <span className="quiet">
                  {words.roles[space.role] ?? space.role} · {words.created} {day(space.createdAt)}
                </span>
              </Link>
            </li>
          ))}
        </ul>
      )}
      <CreateSpace open={creating} onClose={() => setCreating(false)} />
    </Page>
  );
}

function CreateSpace({ open, onClose }: { readonly open: boolean; readonly onClose: () => void }) {
  const messages = useMessages();
  const { spaces: words, common } = messages;
  const [name, setName] = useState('');
  const [needName, setNeedName] = useState(false);
  const navigate = useNavigate();
  const creation = useMutation({
    mutationFn: () => createSpace(name.trim()),
    onSuccess(space) {
      setName('');
      onClose();
      void navigate({ to: '/spaces/$space', params: { space: space.id } });
    },
  });
  const submit = () => {
    if (name.trim() === '') setNeedName(true);
    else if (!creation.isPending) creation.mutate();
  };
  return (
    <Modal open={open} onClose={onClose} title={words.create}>
      <Form onSubmit={submit}>
        <TextField
          label={words.name}
          value={name}
          onChange={setName}
          maxLength={200}
          autoComplete="off"
          error={needName && name.trim() === '' ? words.needName : null}
        />
        {creation.error === null ? null : (
          <Notice tone="problem" live>
            {errorText(messages, creation.error)}
          </Notice>
        )}
        <div className="row row-end">
          <Button onClick={onClose}>{common.cancel}</Button>
          <Button look="primary" type="submit" busy={creation.isPending}>
            {creation.isPending ? words.busy : words.submit}
          </Button>
        </div>
      </Form>
    </Modal>
  );
}
