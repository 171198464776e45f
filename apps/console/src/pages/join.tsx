/** Behind an invitation link: a new account in somebody else's vault. */
import { useMutation } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { clearAddress, dropInvitation, readInvitation } from '../app/invitation.ts';
import { signOut, useSession } from '../app/session.ts';
import { VaultError } from '../app/vault-connection.ts';
import { Button, Notice } from '../design/parts.tsx';
import { useEntranceMessages } from '../messages/messages.ts';
import { Entrance } from './entrance.tsx';
import { RecoveryKit } from './recovery-kit.tsx';
import { SignUpForm, type Started } from './sign-up-form.tsx';

export function Join() {
  const [invitation] = useState(readInvitation);
  const [started, setStarted] = useState<Started | null>(null);
  const [invalid, setInvalid] = useState(false);
  const { join } = useEntranceMessages();
  const session = useSession();
  const navigate = useNavigate();
  useEffect(clearAddress, []);
  if (started !== null) {
    const open = () => {
      dropInvitation();
      started.finish();
      void navigate({ to: '/', replace: true });
    };
    return <RecoveryKit code={started.recoveryCode} account={started.account} onDone={open} />;
  }
  if (invitation === null) {
    return (
      <Entrance title={join.title}>
        <Notice tone="plain">{join.missing}</Notice>
        <Link to="/sign-in" className="link">
          {join.signIn}
        </Link>
      </Entrance>
    );
  }
  if (invalid) return <Invalid />;
  if (session.phase === 'open' || session.phase === 'locked') return <SignedIn name={session.account.displayName} />;
  const refused = (error: unknown) => {
    if (!(error instanceof VaultError) || error.code !== 'authentication.invalid-invitation') return;
    dropInvitation();
    setInvalid(true);
  };
  // A bare token, of an older version, knows nobody.
  const { title, lead, submit, inviter } = join;
  const words = { title, lead, submit, ...(invitation.includes('.') ? { note: inviter } : {}) };
  return <SignUpForm invitation={invitation} words={words} onStarted={setStarted} onError={refused} />;
}

function Invalid() {
  const { join } = useEntranceMessages();
  return (
    <Entrance title={join.invalidTitle}>
      <Notice tone="problem" live>
        {join.invalidLead}
      </Notice>
      <p className="lead">{join.invalidNext}</p>
      <div>
        <Link to="/sign-in" className="button button-plain">
          <span>{join.signIn}</span>
        </Link>
      </div>
    </Entrance>
  );
}

/** One browser holds one session: joining would silently put another account in its place. */
function SignedIn({ name }: { readonly name: string }) {
  const { join } = useEntranceMessages();
  const leaving = useMutation({ mutationFn: signOut });
  return (
    <Entrance title={join.title}>
      <Notice tone="plain" live>
        {join.signedIn(name)}
      </Notice>
      <div className="row">
        <Link to="/" className="button button-primary">
          <span>{join.stay}</span>
        </Link>
        <Button busy={leaving.isPending} onClick={() => leaving.mutate()}>
          {join.signOut}
        </Button>
      </div>
    </Entrance>
  );
}
