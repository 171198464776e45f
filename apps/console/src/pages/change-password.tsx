import { useRef, useState } from 'react';
import { changePassword, useSession } from '../app/session.ts';
import { note } from '../app/toasts.ts';
import { AccountName, CurrentPassword } from '../design/current-password.tsx';
import { Form, Problem, Submit } from '../design/form.tsx';
import { isLongEnough, NewPassword } from '../design/new-password.tsx';
import { useMessages } from '../messages/messages.ts';
import { AccountPart } from './account-part.tsx';
import { useProvedChange } from './proved-change.ts';

export function ChangePasswordPage() {
  const { password: words } = useMessages();
  const session = useSession();
  const [next, setNext] = useState('');
  const [tried, setTried] = useState(false);
  const nextField = useRef<HTMLInputElement>(null);
  const { current, change, refused, problem } = useProvedChange({
    run: (password) => changePassword(password, next),
    onDone: () => note(words.done),
    backTo: '/account',
  });
  const same = next !== '' && next === current.value;
  const submit = () => {
    if (change.isPending) return;
    setTried(true);
    if (current.value === '') current.focus();
    else if (!isLongEnough(next) || same) nextField.current?.focus();
    else change.mutate();
  };
  return (
    <AccountPart title={words.title} lead={words.lead} turning={change.isPending}>
      <Form onSubmit={submit}>
        <AccountName email={session.phase === 'open' ? session.account.email : ''} />
        <CurrentPassword label={words.current} password={current} refused={refused === null ? null : words.wrong} />
        <NewPassword
          label={words.next}
          value={next}
          onChange={setNext}
          inputRef={nextField}
          tried={tried}
          error={tried && same ? words.same : null}
        />
        <p className="quiet">{words.code}</p>
        <Problem error={problem} />
        <div className="row">
          <Submit words={words} pending={change.isPending} />
        </div>
      </Form>
    </AccountPart>
  );
}
