import { Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { clearAddress, readInvitation } from '../app/invitation.ts';
import { Notice } from '../design/parts.tsx';
import { useEntranceMessages } from '../messages/messages.ts';
import { Entrance } from './entrance.tsx';
import { RecoveryKit } from './recovery-kit.tsx';
import { SignUpForm, type Started } from './sign-up-form.tsx';

export function SetUp() {
  const [invitation] = useState(readInvitation);
  const [started, setStarted] = useState<Started | null>(null);
  const messages = useEntranceMessages();
  const navigate = useNavigate();
  useEffect(clearAddress, []);
  if (started !== null) {
    const open = () => {
      started.finish();
      void navigate({ to: '/', replace: true });
    };
    return <RecoveryKit code={started.recoveryCode} account={started.account} onDone={open} />;
  }
  if (invitation === null) {
    return (
      <Entrance title={messages.setUp.title}>
        <Notice tone="plain">{messages.setUp.missing}</Notice>
        <Link to="/sign-in" className="link">
          {messages.setUp.haveAccount}
        </Link>
      </Entrance>
    );
  }
  return <SignUpForm invitation={invitation} words={messages.setUp} onStarted={setStarted} />;
}
