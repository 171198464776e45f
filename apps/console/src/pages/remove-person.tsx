/** Taking somebody out of the vault cannot be undone, so it is typed. */
import { useMutation } from '@tanstack/react-query';
import type { Uuid } from '@strongroom/kernel';
import { useRef, useState } from 'react';
import { membersChanged } from '../app/people.ts';
import { vault } from '../app/session.ts';
import { useSpaceName } from '../app/spaces.ts';
import { note } from '../app/toasts.ts';
import { VaultError } from '../app/vault-connection.ts';
import { Modal } from '../design/dialogs.tsx';
import { Form, Problem } from '../design/form.tsx';
import { Button, Notice, TextField } from '../design/parts.tsx';
import { useMessages } from '../messages/messages.ts';
import { useProof } from './proof.tsx';

const same = (left: string, right: string): boolean =>
  left.trim().normalize('NFC').toLocaleLowerCase() === right.trim().normalize('NFC').toLocaleLowerCase();

export function RemovePerson(props: {
  readonly account: Uuid;
  readonly name: string;
  readonly onClose: () => void;
  readonly onRemoved: () => void;
}) {
  const { account, name, onClose, onRemoved } = props;
  const messages = useMessages();
  const { members: words, common } = messages;
  const spaceName = useSpaceName();
  const field = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState('');
  const [wrong, setWrong] = useState(false);
  /** Spaces that would be deleted, as the server counted them; somebody agreed to that number when it is sent. */
  const [ending, setEnding] = useState(0);
  const { withProof, dialog } = useProof();
  const removing = useMutation({
    mutationFn: () => withProof(() => vault('removeMember', account, ending)),
    onSuccess(removal) {
      if (removal === null) return;
      const { rotated, due } = removal;
      note([words.removed(name), ...(rotated > 0 ? [words.rotated(rotated)] : [])].join(' '));
      if (due.length > 0) note(words.rotationLeft(due.map(spaceName).join(', ')), 'problem');
      void membersChanged();
      onRemoved();
    },
    onError(error) {
      const count = error instanceof VaultError ? error.members['endingSpaces'] : undefined;
      if (typeof count === 'number') setEnding(count);
    },
  });
  const counted = removing.error instanceof VaultError && removing.error.code === 'authorization.spaces-would-end';
  const submit = () => {
    if (!same(typed, name)) setWrong(true);
    else if (!removing.isPending) removing.mutate();
  };
  return (
    <>
      <Modal open onClose={onClose} title={words.removeTitle(name)} focus={field}>
        <p className="quiet">{words.removeLead(name)}</p>
        <Form onSubmit={submit}>
          <TextField
            label={words.removeType(name)}
            value={typed}
            onChange={setTyped}
            inputRef={field}
            autoComplete="off"
            spellCheck={false}
            error={wrong && !same(typed, name) ? words.removeTypeWrong : null}
          />
          {ending > 0 ? (
            <Notice tone="problem" live>
              {words.removeEnding(ending)}
            </Notice>
          ) : null}
          {removing.error === null || counted ? null : <Problem error={removing.error} />}
          <div className="row row-end">
            <Button onClick={onClose}>{common.cancel}</Button>
            <Button look="danger" type="submit" busy={removing.isPending}>
              {removing.isPending ? words.removing : ending > 0 ? words.removeAnyway : words.remove}
            </Button>
          </div>
        </Form>
      </Modal>
      {dialog}
    </>
  );
}
