import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { deviceName } from '../app/device-name.ts';
import { signIn, useSession } from '../app/session.ts';
import { Button, Notice, PasswordField, TextField } from '../design/parts.tsx';
import { errorText, useMessages } from '../messages/messages.ts';
import { Entrance, Form } from './entrance.tsx';

export function SignIn() {
  const messages = useMessages();
  const { signIn: words, recover, fields } = messages;
  const session = useSession();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  const entry = useMutation({
    mutationFn: () => signIn({ email, password, deviceName: deviceName(navigator.userAgent) }),
    onError: () => first.current?.focus(),
  });
  const submit = () => {
    if (!entry.isPending) entry.mutate();
  };
  return (
    <Entrance title={words.title} turning={entry.isPending}>
      <p className="lead">{words.lead}</p>
      {session.phase === 'signed-out' && session.notice !== null && entry.isIdle ? (
        <Notice tone="plain" live>
          {session.notice === 'ended' ? words.ended : words.signedOut}
        </Notice>
      ) : null}
      <Form onSubmit={submit}>
        <TextField
          label={fields.email}
          type="email"
          value={email}
          onChange={setEmail}
          autoComplete="username"
          required
          inputMode="email"
          inputRef={first}
        />
        <PasswordField
          label={fields.password}
          value={password}
          onChange={setPassword}
          autoComplete="current-password"
          required
        />
        {entry.error === null ? null : (
          <Notice tone="problem" live>
            {errorText(messages, entry.error)}
          </Notice>
        )}
        <Button look="primary" type="submit" busy={entry.isPending}>
          {entry.isPending ? words.busy : words.submit}
        </Button>
      </Form>
      <Link to="/recover" className="link">
        {recover.link}
      </Link>
      <p className="quiet">{words.noAccount}</p>
    </Entrance>
  );
}
