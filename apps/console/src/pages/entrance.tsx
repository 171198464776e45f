/** What stands in front of the vault: setting up, signing in and unlocking share this frame. */
import { useEffect, type ReactNode } from 'react';
import { Dial, Mark } from '../design/dial.tsx';
import { useEntranceMessages } from '../messages/messages.ts';

export function Entrance(props: { readonly title: string; readonly turning?: boolean; readonly children: ReactNode }) {
  const { title, turning = false, children } = props;
  const messages = useEntranceMessages();
  useEffect(() => {
    document.title = `${title} · ${messages.name}`;
  }, [title, messages.name]);
  return (
    <div className="entrance">
      <aside className="door">
        <Dial turning={turning} numbered className="door-dial" />
        <p className="door-words">
          <span className="door-name">
            <Mark /> {messages.name}
          </span>
          <span>{messages.promise}</span>
        </p>
      </aside>
      <main className="entrance-main">
        <div className="entrance-form">
          <h1>{title}</h1>
          {children}
        </div>
      </main>
    </div>
  );
}
