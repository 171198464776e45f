/** The address of the vault itself leads to the first space. */
import { Navigate } from '@tanstack/react-router';
import { useSpaces } from '../app/spaces.ts';
import { Problem } from '../design/form.tsx';
import { Button, Page, Skeleton } from '../design/parts.tsx';
import { useMessages } from '../messages/messages.ts';

export function Start() {
  const spaces = useSpaces();
  const messages = useMessages();
  if (spaces.error !== null) {
    return (
      <Page title={messages.home.failed}>
        <Problem error={spaces.error} />
        <Button onClick={() => void spaces.refetch()}>{messages.common.tryAgain}</Button>
      </Page>
    );
  }
  if (spaces.data === undefined) return <Skeleton lines={6} className="pad" />;
  const first = spaces.data[0];
  return first === undefined ? (
    <Navigate to="/spaces" replace />
  ) : (
    <Navigate to="/spaces/$space" params={{ space: first.id }} replace />
  );
}
