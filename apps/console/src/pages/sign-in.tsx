import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { deviceName } from '../app/device-name.ts';
import { signIn, useSession } from '../app/session.ts';
import { EmailField } from '../design/email-field.tsx';
import { Form, Problem, Submit } from '../design/form.tsx';
import { Notice } from '../design/parts.tsx';
import { useEntranceMessages } from '../messages/messages.ts';
import { Entrance } from './entrance.tsx';
import { prepareInside } from './inside.ts';
import { CurrentPassword, useTypedPassword } from '../design/current-password.tsx';

export function SignIn() {
  const messages = useEntranceMessages();
  const { signIn: words, recover, fields } = messages;
  const session = useSession();
  const [email, setEmail] = useState('');
  const password = useTypedPassword();
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  const entry = useMutation({
    mutationFn() {
      prepareInside();
      return signIn({ email, password: password.value, deviceName: deviceName(navigator.userAgent) });
    },
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
        <EmailField label={fields.email} value={email} onChange={setEmail} inputRef={first} />
        <CurrentPassword label={fields.password} password={password} />
        <Problem error={entry.error} />
        <Submit words={words} pending={entry.isPending} />
      </Form>
      <Link to="/recover" className="link">
        {recover.link}
      </Link>
      <p className="quiet">{words.noAccount}</p>
    </Entrance>
  );
}
