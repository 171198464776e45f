import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect } from 'react';
import { signOut, unlock } from '../app/session.ts';
import { Form, Problem, Submit } from '../design/form.tsx';
import { Button, Notice } from '../design/parts.tsx';
import { useEntranceMessages } from '../messages/messages.ts';
import { Entrance } from './entrance.tsx';
import { prepareInside } from './inside.ts';
import type { AccountView } from '../vault/account-protocol.ts';
import { AccountName, CurrentPassword, useTypedPassword } from '../design/current-password.tsx';

export function Unlock({ account, notice }: { readonly account: AccountView; readonly notice: 'idle' | null }) {
  const messages = useEntranceMessages();
  const { unlock: words, recover, fields } = messages;
  const password = useTypedPassword();
  const { field } = password;
  useEffect(() => {
    field.current?.focus();
    // What stands behind the door is fetched while somebody types.
    prepareInside();
  }, [field]);
  const opening = useMutation({
    mutationFn: () => unlock(password.value),
    onError: password.again,
  });
  const leaving = useMutation({ mutationFn: signOut });
  const submit = () => {
    if (!opening.isPending && password.value !== '') opening.mutate();
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
        <AccountName email={account.email} />
        <CurrentPassword label={fields.password} password={password} />
        <Problem error={opening.error} />
        <Submit words={words} pending={opening.isPending} />
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
