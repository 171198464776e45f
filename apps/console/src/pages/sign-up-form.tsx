/** A new account: name, address and password. Setting up and joining share it. */
import { Link } from '@tanstack/react-router';
import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { deviceName } from '../app/device-name.ts';
import { signUp } from '../app/session.ts';
import { isLongEnough, NewPassword } from '../design/new-password.tsx';
import { EmailField } from '../design/email-field.tsx';
import { Form, Problem, Submit } from '../design/form.tsx';
import { TextField } from '../design/parts.tsx';
import { useEntranceMessages } from '../messages/messages.ts';
import { Entrance } from './entrance.tsx';
import { prepareInside } from './inside.ts';

export type Started = Awaited<ReturnType<typeof signUp>>;

export interface SignUpWords {
  readonly title: string;
  readonly lead: string;
  readonly note?: string;
  readonly submit: string;
}

export function SignUpForm(props: {
  readonly invitation: string;
  readonly words: SignUpWords;
  readonly onStarted: (started: Started) => void;
  readonly onError?: (error: unknown) => void;
}) {
  const { invitation, words, onStarted, onError } = props;
  const messages = useEntranceMessages();
  const { setUp, fields } = messages;
  const [displayName, setDisplayName] = useState('');
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [tried, setTried] = useState(false);
  const first = useRef<HTMLInputElement>(null);
  const passwordField = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  const creation = useMutation({
    mutationFn() {
      prepareInside();
      return signUp({
        invitation,
        displayName,
        email,
        password,
        deviceName: deviceName(navigator.userAgent),
        spaceName: setUp.firstSpace,
      });
    },
    onSuccess: onStarted,
    ...(onError === undefined ? {} : { onError }),
  });
  const submit = () => {
    if (creation.isPending) return;
    setTried(true);
    if (!isLongEnough(password)) {
      passwordField.current?.focus();
      return;
    }
    creation.mutate();
  };
  return (
    <Entrance title={words.title} turning={creation.isPending}>
      <p className="lead">{words.lead}</p>
      {words.note === undefined ? null : <p className="quiet">{words.note}</p>}
      <Form onSubmit={submit}>
        <TextField
          label={fields.displayName}
          value={displayName}
          onChange={setDisplayName}
          autoComplete="name"
          required
          inputRef={first}
        />
        <EmailField label={fields.email} value={email} onChange={setEmail} />
        <NewPassword
          label={fields.password}
          value={password}
          onChange={setPassword}
          inputRef={passwordField}
          tried={tried}
        />
        <Problem error={creation.error} />
        <Submit words={{ submit: words.submit, busy: setUp.busy }} pending={creation.isPending} />
      </Form>
      <Link to="/sign-in" className="link">
        {setUp.haveAccount}
      </Link>
    </Entrance>
  );
}
