import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { changePassword, useSession } from '../app/session.ts';
import { note } from '../app/toasts.ts';
import { VaultError } from '../app/vault-connection.ts';
import { isLongEnough, NewPassword } from '../design/new-password.tsx';
import { Button, Notice, PasswordField } from '../design/parts.tsx';
import { errorText, useMessages } from '../messages/messages.ts';
import { AccountPart } from './account-part.tsx';
import { Form } from './entrance.tsx';

export function ChangePasswordPage() {
  const messages = useMessages();
  const { password: words } = messages;
  const session = useSession();
  const navigate = useNavigate();
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const [tried, setTried] = useState(false);
  const currentField = useRef<HTMLInputElement>(null);
  const nextField = useRef<HTMLInputElement>(null);
  const change = useMutation({
    mutationFn: () => changePassword(current, next),
    onSuccess() {
      note(words.done);
      void navigate({ to: '/account' });
    },
    onError(error) {
      if (!isWrongPassword(error)) return;
      setCurrent('');
      currentField.current?.focus();
    },
  });
  const same = next !== '' && next === current;
  const submit = () => {
    if (change.isPending) return;
    setTried(true);
    if (current === '') currentField.current?.focus();
    else if (!isLongEnough(next) || same) nextField.current?.focus();
    else change.mutate();
  };
  const wrong = isWrongPassword(change.error);
  return (
    <AccountPart title={words.title} lead={words.lead} turning={change.isPending}>
      <Form onSubmit={submit}>
        {/* For password managers: they keep by account. */}
        <input
          className="visually-hidden"
          type="email"
          autoComplete="username"
          value={session.phase === 'open' ? session.account.email : ''}
          readOnly
          tabIndex={-1}
          aria-hidden="true"
        />
        <PasswordField
          label={words.current}
          value={current}
          onChange={setCurrent}
          autoComplete="current-password"
          required
          inputRef={currentField}
          error={wrong && current === '' ? words.wrong : null}
        />
        <NewPassword
          label={words.next}
          value={next}
          onChange={setNext}
          inputRef={nextField}
          tried={tried}
          error={tried && same ? words.same : null}
        />
        <p className="quiet">{words.code}</p>
        {change.error === null || wrong ? null : (
          <Notice tone="problem" live>
            {errorText(messages, change.error)}
          </Notice>
        )}
        <div className="row">
          <Button look="primary" type="submit" busy={change.isPending}>
            {change.isPending ? words.busy : words.submit}
          </Button>
        </div>
      </Form>
    </AccountPart>
  );
}

/** As the device noticed it, or the server. */
export const isWrongPassword = (error: unknown): boolean =>
  error instanceof VaultError &&
  (error.code === 'client.wrong-password' || error.code === 'authentication.wrong-secret');
