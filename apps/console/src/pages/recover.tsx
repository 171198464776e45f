/** The way in for whoever lost the password and has the code. */
import { useMutation } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { deviceName } from '../app/device-name.ts';
import { recover, useSession } from '../app/session.ts';
import { VaultError } from '../app/vault-connection.ts';
import { isLongEnough, Meter, NewPassword } from '../design/new-password.tsx';
import { EmailField } from '../design/email-field.tsx';
import { Form, Problem, Submit } from '../design/form.tsx';
import { TextField } from '../design/parts.tsx';
import { useEntranceMessages } from '../messages/messages.ts';
import { Entrance } from './entrance.tsx';
import { prepareInside } from './inside.ts';
import { RecoveryKit } from './recovery-kit.tsx';

/** Nine groups of four, hyphens and spaces left out (docs/format/sealing.md). */
const CODE_CHARACTERS = 36;

const charactersIn = (code: string): number => code.replaceAll(/[-\s]/g, '').length;

type Recovered = Awaited<ReturnType<typeof recover>>;

export function Recover() {
  const session = useSession();
  const { recover: words } = useEntranceMessages();
  const navigate = useNavigate();
  const [recovered, setRecovered] = useState<Recovered | null>(null);
  if (recovered === null) {
    const known = session.phase === 'locked' ? session.account.email : '';
    return <RecoverForm email={known} onRecovered={setRecovered} />;
  }
  const open = () => {
    recovered.finish();
    void navigate({ to: '/', replace: true });
  };
  const { recoveryCode, account } = recovered;
  return (
    <RecoveryKit
      code={recoveryCode}
      account={account}
      madeAt={Date.now()}
      title={words.kitTitle}
      lead={words.kitLead}
      onDone={open}
    />
  );
}

function RecoverForm(props: { readonly email: string; readonly onRecovered: (recovered: Recovered) => void }) {
  const { email: known, onRecovered } = props;
  const messages = useEntranceMessages();
  const { recover: words, fields, newPassword } = messages;
  const [email, setEmail] = useState(known);
  const [code, setCode] = useState('');
  const [password, setPassword] = useState('');
  const [tried, setTried] = useState(false);
  const emailField = useRef<HTMLInputElement>(null);
  const codeField = useRef<HTMLInputElement>(null);
  const passwordField = useRef<HTMLInputElement>(null);
  useEffect(() => (known === '' ? emailField : codeField).current?.focus(), [known]);
  const opening = useMutation({
    mutationFn() {
      prepareInside();
      return recover({ email, recoveryCode: code, newPassword: password, deviceName: deviceName(navigator.userAgent) });
    },
    onSuccess: onRecovered,
    onError(error) {
      (isMistyped(error) ? codeField : emailField).current?.focus();
    },
  });
  const count = charactersIn(code);
  const mistyped = isMistyped(opening.error) || (tried && count !== CODE_CHARACTERS);
  const submit = () => {
    if (opening.isPending) return;
    setTried(true);
    if (email.trim() === '') emailField.current?.focus();
    else if (count !== CODE_CHARACTERS) codeField.current?.focus();
    else if (!isLongEnough(password)) passwordField.current?.focus();
    else opening.mutate();
  };
  return (
    <Entrance title={words.title} turning={opening.isPending}>
      <p className="lead">{words.lead}</p>
      <Form onSubmit={submit}>
        <EmailField
          label={fields.email}
          value={email}
          onChange={setEmail}
          inputRef={emailField}
          error={tried && email.trim() === '' ? messages.errors.codes['authentication.invalid-email']! : null}
        />
        <TextField
          label={words.code}
          value={code}
          onChange={(value) => {
            setCode(value);
            if (isMistyped(opening.error)) opening.reset();
          }}
          className="field-code"
          autoComplete="off"
          autoCapitalize="characters"
          autoCorrect="off"
          spellCheck={false}
          required
          inputRef={codeField}
          hint={words.codeHint}
          error={mistyped ? messages.errors.codes['sealing.invalid-recovery-code']! : null}
        />
        <Meter
          value={count}
          most={CODE_CHARACTERS}
          words={count >= CODE_CHARACTERS ? words.codeWhole : words.codeCount(count)}
        />
        <NewPassword
          label={newPassword.label}
          value={password}
          onChange={setPassword}
          inputRef={passwordField}
          tried={tried}
        />
        {opening.error === null || isMistyped(opening.error) ? null : <Problem error={opening.error} />}
        <Submit words={words} pending={opening.isPending} />
      </Form>
      <p className="quiet">{words.lost}</p>
      <Link to="/sign-in" className="link">
        {words.back}
      </Link>
    </Entrance>
  );
}

const isMistyped = (error: unknown): boolean =>
  error instanceof VaultError && error.code === 'sealing.invalid-recovery-code';
