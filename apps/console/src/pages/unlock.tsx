import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { signOut, unlock } from '../app/session.ts';
import { Button, Notice, PasswordField } from '../design/parts.tsx';
import { errorText, useMessages } from '../messages/messages.ts';
import { Entrance, Form } from './entrance.tsx';
import type { AccountView } from '../vault/account-protocol.ts';

export function Unlock({ account, notice }: { readonly account: AccountView; readonly notice: 'idle' | null }) {
  const messages = useMessages();
  const { unlock: words, recover, fields } = messages;
  const [password, setPassword] = useState('');
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => {
    first.current?.focus();
    // What stands behind the door is fetched while somebody types.
    void import('./shell.tsx');
    void import('./space.tsx');
  }, []);
  const opening = useMutation({
    mutationFn: () => unlock(password),
    onError() {
      setPassword('');
      first.current?.focus();
    },
  });
  const leaving = useMutation({ mutationFn: signOut });
  const submit = () => {
    if (!opening.isPending && password !== '') opening.mutate();
  };
  return (
    <Entrance title={words.title} turning={opening.isPending}>
      <p className="lead">{words.lead(account.displayName)}</p>
      {notice === 'idle' && opening.isIdle ? (
        <Notice tone="plain" live>
          {words.idle}
        </Notice>
      ) : null}
      <Form onSubmit={submit}>
        {/* For password managers: they fill in by account. */}
        <input
          className="visually-hidden"
          type="email"
          autoComplete="username"
          value={account.email}
          readOnly
          tabIndex={-1}
          aria-hidden="true"
        />
        <PasswordField
          label={fields.password}
          value={password}
          onChange={setPassword}
          autoComplete="current-password"
          required
          inputRef={first}
        />
        {opening.error === null ? null : (
          <Notice tone="problem" live>
            {errorText(messages, opening.error)}
          </Notice>
        )}
        <Button look="primary" type="submit" busy={opening.isPending}>
          {opening.isPending ? words.busy : words.submit}
        </Button>
      </Form>
      <Link to="/recover" className="link">
        {recover.link}
      </Link>
      <Button look="quiet" busy={leaving.isPending} onClick={() => leaving.mutate()}>
        {words.signOut}
      </Button>
    </Entrance>
  );
}
