import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { changeEmail, useSession } from '../app/session.ts';
import { note } from '../app/toasts.ts';
import { VaultError } from '../app/vault-connection.ts';
import { Button, Notice, PasswordField, TextField } from '../design/parts.tsx';
import { errorText, useMessages } from '../messages/messages.ts';
import { AccountPart } from './account-part.tsx';
import { isWrongPassword } from './change-password.tsx';
import { Form } from './entrance.tsx';

/** What is wrong with the address, as the server says. */
const ADDRESS_PROBLEMS = new Set([
  'authentication.invalid-email',
  'authentication.email-in-use',
  'pipeline.invalid-input',
]);

export function ChangeEmailPage() {
  const messages = useMessages();
  const { email: words, errors } = messages;
  const session = useSession();
  const navigate = useNavigate();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [tried, setTried] = useState(false);
  const emailField = useRef<HTMLInputElement>(null);
  const passwordField = useRef<HTMLInputElement>(null);
  const change = useMutation({
    mutationFn: () => changeEmail(email, password),
    onSuccess() {
      note(words.done(email.trim()));
      void navigate({ to: '/account' });
    },
    onError(error) {
      if (isWrongPassword(error)) {
        setPassword('');
        passwordField.current?.focus();
      } else if (isAddressProblem(error)) emailField.current?.focus();
    },
  });
  if (session.phase !== 'open') return null;
  const { account } = session;
  const same = email.trim().toLocaleLowerCase() === account.email.toLocaleLowerCase();
  const submit = () => {
    if (change.isPending) return;
    setTried(true);
    if (email.trim() === '' || same) emailField.current?.focus();
    else if (password === '') passwordField.current?.focus();
    else change.mutate();
  };
  const { error } = change;
  const addressError = isAddressProblem(error)
    ? error instanceof VaultError && error.code === 'authentication.email-in-use'
      ? words.taken
      : errors.codes['authentication.invalid-email']!
    : tried && same
      ? words.same
      : tried && email.trim() === ''
        ? errors.codes['authentication.invalid-email']!
        : null;
  return (
    <AccountPart title={words.title} lead={words.lead} turning={change.isPending}>
      <dl className="facts">
        <div>
          <dt>{words.present}</dt>
          <dd>{account.email}</dd>
        </div>
      </dl>
      <Form onSubmit={submit}>
        <TextField
          label={words.next}
          type="email"
          value={email}
          onChange={(value) => {
            setEmail(value);
            if (isAddressProblem(error)) change.reset();
          }}
          autoComplete="email"
          inputMode="email"
          required
          inputRef={emailField}
          error={addressError}
        />
        <PasswordField
          label={words.confirm}
          value={password}
          onChange={setPassword}
          autoComplete="current-password"
          required
          inputRef={passwordField}
          error={isWrongPassword(error) && password === '' ? errorText(messages, error) : null}
        />
        {error === null || isWrongPassword(error) || isAddressProblem(error) ? null : (
          <Notice tone="problem" live>
            {errorText(messages, error)}
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

const isAddressProblem = (error: unknown): boolean => error instanceof VaultError && ADDRESS_PROBLEMS.has(error.code);
