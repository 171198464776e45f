import { useMutation } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { lookAtSpaces } from '../app/follow-spaces.ts';
import { useFormats } from '../app/formats.ts';
import { useAccountRole } from '../app/people.ts';
import { makesSpaces } from '../app/roles.ts';
import { createSpace, useSpaceName, useSpaces } from '../app/spaces.ts';
import { queries } from '../app/session.ts';
import { Modal } from '../design/dialogs.tsx';
import { Form, Problem, Submit } from '../design/form.tsx';
import { Button, Empty, Page, Skeleton, TextField } from '../design/parts.tsx';
import { useMessages } from '../messages/messages.ts';
import { OwnFingerprint } from './compare.tsx';

export function SpacesPage() {
  const messages = useMessages();
  const { spaces: words } = messages;
  const spaces = useSpaces();
  const nameOf = useSpaceName();
  const { day } = useFormats();
  const [creating, setCreating] = useState(false);
  // Somebody who looks at the list wants to see what was shared in the meantime.
  useEffect(() => {
    if (queries.getQueryState(['spaces'])?.status === 'success') void lookAtSpaces().catch(() => undefined);
  }, []);
  const makes = makesSpaces(useAccountRole() ?? 'guest');
  const create = (
    <Button look="primary" icon="spaces" onClick={() => setCreating(true)}>
      {words.create}
    </Button>
  );
  return (
    <Page title={words.title} lead={words.lead} {...(makes ? { actions: create } : {})}>
      {spaces.error !== null ? (
        <div className="stack">
          <Problem error={spaces.error} />
          <Button onClick={() => void queries.resetQueries({ queryKey: ['spaces'] })}>
            {messages.common.tryAgain}
          </Button>
        </div>
      ) : spaces.data === undefined ? (
        <Skeleton lines={4} />
      ) : spaces.data.length === 0 ? (
        makes ? (
          <Empty title={words.empty} lead={words.emptyLead} />
        ) : (
          <NothingShared />
        )
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

/** Somebody who makes no spaces of their own waits for others: what they need for that stands here. */
function NothingShared() {
  const { sharing } = useMessages();
  return (
    <>
      <Empty title={sharing.noSpace} lead={sharing.noSpaceLead} />
      <section className="panel">
        <p>{sharing.noSpaceFingerprint}</p>
        <OwnFingerprint />
      </section>
    </>
  );
}

function CreateSpace({ open, onClose }: { readonly open: boolean; readonly onClose: () => void }) {
  const messages = useMessages();
  const { spaces: words, common } = messages;
  const field = useRef<HTMLInputElement>(null);
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
    <Modal open={open} onClose={onClose} title={words.create} focus={field}>
      <Form onSubmit={submit}>
        <TextField
          label={words.name}
          value={name}
          onChange={setName}
          inputRef={field}
          maxLength={200}
          autoComplete="off"
          error={needName && name.trim() === '' ? words.needName : null}
        />
        <Problem error={creation.error} />
        <div className="row row-end">
          <Button onClick={onClose}>{common.cancel}</Button>
          <Submit words={words} pending={creation.isPending} />
        </div>
      </Form>
    </Modal>
  );
}
