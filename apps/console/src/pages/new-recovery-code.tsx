/** A new recovery code for whoever lost the printed one, or showed it to somebody. */
import { useNavigate } from '@tanstack/react-router';
import { finishRecoveryCode, renewRecoveryCode, useSession } from '../app/session.ts';
import { AccountName, CurrentPassword } from '../design/current-password.tsx';
import { Form, Problem, Submit } from '../design/form.tsx';
import { useMessages } from '../messages/messages.ts';
import type { AccountView } from '../vault/account-protocol.ts';
import { AccountPart } from './account-part.tsx';
import { useProvedChange } from './proved-change.ts';
import { RecoveryKit } from './recovery-kit.tsx';

export function NewRecoveryCodePage() {
  const { recoveryCode: words } = useMessages();
  const session = useSession();
  const { current, change, refused, problem } = useProvedChange({ run: renewRecoveryCode });
  const submit = () => {
    if (change.isPending) return;
    if (current.value === '') current.focus();
    else change.mutate();
  };
  return (
    <AccountPart title={words.title} lead={words.lead} turning={change.isPending}>
      <Form onSubmit={submit}>
        <AccountName email={session.phase === 'open' ? session.account.email : ''} />
        <CurrentPassword label={words.password} password={current} refused={refused === null ? null : words.wrong} />
        <p className="quiet">{words.old}</p>
        <Problem error={problem} />
        <div className="row">
          <Submit words={words} pending={change.isPending} />
        </div>
      </Form>
    </AccountPart>
  );
}

/** Takes the place of everything inside until the code is put away: it is shown this once. */
export function NewRecoveryKit({ account, code }: { readonly account: AccountView; readonly code: string }) {
  const { recoveryCode: words } = useMessages();
  const navigate = useNavigate();
  const done = () => {
    void navigate({ to: '/account' });
    finishRecoveryCode();
  };
  return (
    <RecoveryKit
      code={code}
      account={account}
      madeAt={Date.now()}
      title={words.kitTitle}
      lead={words.kitLead}
      submit={words.kitDone}
      onDone={done}
    />
  );
}
