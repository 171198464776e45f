/** Dialogs and progress: loaded with the pages behind the door, where alone they are needed. */
import { AlertDialog } from '@base-ui/react/alert-dialog';
import { Dialog } from '@base-ui/react/dialog';
import { Progress } from '@base-ui/react/progress';
import type { ReactNode, RefObject } from 'react';
import { useMessages } from '../messages/messages.ts';
import { Icon } from './icon.tsx';
import { Button } from './parts.tsx';

/** `total` null: it goes on, nobody knows how long. */
export function ProgressBar(props: {
  readonly label: string;
  readonly done: number;
  readonly total: number | null;
  readonly text?: string;
}) {
  const { label, done, total, text } = props;
  return (
    <Progress.Root className="progress" value={total === null ? null : done} max={Math.max(1, total ?? 1)}>
      <div className="progress-words">
        <Progress.Label>{label}</Progress.Label>
        <span className="numbers">{text}</span>
      </div>
      <Progress.Track className="progress-track">
        <Progress.Indicator className="progress-bar" />
      </Progress.Track>
    </Progress.Root>
  );
}

export function Modal(props: {
  readonly open: boolean;
  readonly onClose: () => void;
  readonly title: string;
  readonly children: ReactNode;
  /** What takes the focus; the first control when absent. */
  readonly focus?: RefObject<HTMLElement | null>;
}) {
  const { open, onClose, title, children, focus } = props;
  const { common } = useMessages();
  return (
    <Dialog.Root open={open} onOpenChange={(next) => (next ? undefined : onClose())}>
      <Dialog.Portal>
        <Dialog.Backdrop className="backdrop" />
        <Dialog.Popup className="dialog" {...(focus === undefined ? {} : { initialFocus: focus })}>
          <header className="dialog-header">
            <Dialog.Title>{title}</Dialog.Title>
            <Dialog.Close className="button button-quiet button-icon" aria-label={common.close}>
              <Icon name="clear" />
            </Dialog.Close>
          </header>
          {children}
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

export function Confirm(props: {
  readonly open: boolean;
  readonly title: string;
  readonly lead: string;
  readonly action: string;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}) {
  const { open, title, lead, action, onConfirm, onClose } = props;
  const { common } = useMessages();
  return (
    <AlertDialog.Root open={open} onOpenChange={(next) => (next ? undefined : onClose())}>
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className="backdrop" />
        <AlertDialog.Popup className="dialog dialog-small">
          <AlertDialog.Title>{title}</AlertDialog.Title>
          <AlertDialog.Description>{lead}</AlertDialog.Description>
          <div className="row row-end">
            <AlertDialog.Close className="button button-plain">{common.cancel}</AlertDialog.Close>
            <Button look="danger" onClick={onConfirm}>
              {action}
            </Button>
          </div>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
