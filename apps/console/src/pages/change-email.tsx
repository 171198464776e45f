import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { changeEmail, useSession } from '../app/session.ts';
import { createStore, useStore } from '../app/store.ts';
import { noteWithWay } from '../app/toasts.ts';
import { VaultError } from '../app/vault-connection.ts';
import { CurrentPassword } from '../design/current-password.tsx';
import { EmailField } from '../design/email-field.tsx';
import { Form, Problem, Submit } from '../design/form.tsx';
import { useErrorText, useMessages } from '../messages/messages.ts';
import { AccountPart } from './account-part.tsx';
import { useProvedChange } from './proved-change.ts';

/** What is wrong with the address, as the server says. */
const ADDRESS_PROBLEMS = new Set([
  'authentication.invalid-email',
  'authentication.email-in-use',
  'pipeline.invalid-input',
]);

/** The address that somebody wants back; not in the page's own address, which browsers write down. */
const wantedBack = createStore('');

export function ChangeEmailPage() {
  const { email: words, errors } = useMessages();
  const errorText = useErrorText();
  const session = useSession();
  const navigate = useNavigate();
  const [email, setEmail] = useState('');
  const [tried, setTried] = useState(false);
  const emailField = useRef<HTMLInputElement>(null);
  const before = useRef('');
  const present = session.phase === 'open' ? session.account.email : '';
  const { current, change, refused, problem } = useProvedChange({
    async run(password) {
      before.current = present;
      await changeEmail(email, password);
    },
    onDone() {
      // No mail is sent that could be answered: whoever mistyped takes it back here, and the password proves it again.
      noteWithWay(words.done(email.trim()), words.back, () => {
        wantedBack.set(before.current);
        void navigate({ to: '/account/email' });
      });
    },
    backTo: '/account',
    onRefused(error) {
      if (isAddressProblem(error)) emailField.current?.focus();
    },
  });
  const former = useStore(wantedBack);
  const { focus } = current;
  const toPassword = useRef(focus);
  useEffect(() => {
    if (former === '') return;
    setEmail(former);
    wantedBack.set('');
    toPassword.current();
  }, [former]);
  if (session.phase !== 'open') return null;
  const same = email.trim().toLocaleLowerCase() === present.toLocaleLowerCase();
  const submit = () => {
    if (change.isPending) return;
    setTried(true);
    if (email.trim() === '' || same) emailField.current?.focus();
    else if (current.value === '') current.focus();
    else change.mutate();
  };
  const inAddress = isAddressProblem(problem);
  const addressError = inAddress
    ? problem instanceof VaultError && problem.code === 'authentication.email-in-use'
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
          <dd>{present}</dd>
        </div>
      </dl>
      <Form onSubmit={submit}>
        <EmailField
          label={words.next}
          value={email}
          onChange={(value) => {
            setEmail(value);
            if (inAddress) change.reset();
          }}
          autoComplete="email"
          inputRef={emailField}
          error={addressError}
        />
        <CurrentPassword
          label={words.confirm}
          password={current}
          refused={refused === null ? null : errorText(refused)}
        />
        <p className="quiet">{words.kit}</p>
        <Problem error={inAddress ? null : problem} />
        <div className="row">
          <Submit words={words} pending={change.isPending} />
        </div>
      </Form>
    </AccountPart>
  );
}

const isAddressProblem = (error: unknown): boolean => error instanceof VaultError && ADDRESS_PROBLEMS.has(error.code);
