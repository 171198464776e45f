import { Toast } from '@base-ui/react/toast';
import { toasts } from '../app/toasts.ts';
import { useEntranceMessages } from '../messages/messages.ts';
import { Icon } from './icon.tsx';

function List() {
  const { toasts: shown } = Toast.useToastManager();
  const { common } = useEntranceMessages();
  return shown.map((toast) => (
    <Toast.Root
      key={toast.id}
      toast={toast}
      className="toast"
      data-problem={toast.type === 'problem'}
      swipeDirection={['down', 'right']}
    >
      <Toast.Content className="toast-content">
        <Toast.Title className="toast-title" />
        <Toast.Action className="toast-action" />
        <Toast.Close className="toast-close" aria-label={common.close}>
          <Icon name="clear" />
        </Toast.Close>
      </Toast.Content>
    </Toast.Root>
  ));
}

export function Toasts() {
  return (
    <Toast.Provider toastManager={toasts} limit={3}>
      <Toast.Portal>
        <Toast.Viewport className="toasts">
          <List />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  );
}
