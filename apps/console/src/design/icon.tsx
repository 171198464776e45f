/** Icons drawn for this console on a grid of 20, one stroke of 1.5. Decoration only: what they mean stands beside them in words. */

const PATHS = {
  search: 'M8.8 14.6a5.8 5.8 0 1 0 0-11.6 5.8 5.8 0 0 0 0 11.6ZM13 13l4 4',
  write: 'M3.5 16.5l.9-3.6L13.6 3.7a1.4 1.4 0 0 1 2 0l.7.7a1.4 1.4 0 0 1 0 2L7.1 15.6l-3.6.9ZM11.8 5.5l2.7 2.7',
  import: 'M10 3v9m0 0 3.4-3.4M10 12 6.6 8.6M3.5 13v2.5a1.5 1.5 0 0 0 1.5 1.5h10a1.5 1.5 0 0 0 1.5-1.5V13',
  export: 'M10 12V3m0 0 3.4 3.4M10 3 6.6 6.4M3.5 13v2.5a1.5 1.5 0 0 0 1.5 1.5h10a1.5 1.5 0 0 0 1.5-1.5V13',
  sessions: 'M3.5 4.5h13v8.5h-13zM7.5 16.5h5M10 13v3.5',
  audit: 'M5 2.5h7.5L16 6v11.5H5zM12.3 2.7V6.2h3.5M7.6 11.4l1.8 1.8 3.3-3.6',
  account: 'M10 10.2a3.4 3.4 0 1 0 0-6.8 3.4 3.4 0 0 0 0 6.8ZM3.8 17c.7-2.9 3.2-4.4 6.2-4.4s5.5 1.5 6.2 4.4',
  spaces: 'M3 5.2h14v3.4H3zM4.2 8.6v8h11.6v-8M8 12h4',
  lock: 'M4.5 9h11v8h-11zM6.8 9V6.4a3.2 3.2 0 0 1 6.4 0V9M10 12v2',
  clear: 'M5.5 5.5l9 9m0-9-9 9',
  back: 'M12 4.5 6.5 10l5.5 5.5',
  history: 'M4 10a6 6 0 1 0 2-4.5M4 3.5v3.2h3.2M10 6.8V10l2.4 1.6',
  delete: 'M4 5.8h12M8 5.6V3.5h4v2.1M5.5 5.8l.7 11.2h7.6l.7-11.2M8.6 9v5M11.4 9v5',
  more: 'M4.5 9.6v.8M4.1 10h.8M10 9.6v.8M9.6 10h.8M15.5 9.6v.8M15.1 10h.8',
  memories: 'M4 4.5h12M4 8.2h12M4 11.8h8M4 15.5h10',
  print: 'M6 7.5V3h8v4.5M6 14H3.5V7.5h13V14H14M6 12h8v5H6z',
  check: 'M4 10.5l4 4 8-9',
  warning: 'M10 3.2 17.5 16.5h-15zM10 8v4M10 14.3v.1',
  show: 'M2.5 10S5.3 5 10 5s7.5 5 7.5 5-2.8 5-7.5 5-7.5-5-7.5-5ZM10 12.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4Z',
  hide: 'M3.5 3.5l13 13M8.2 5.2A8 8 0 0 1 10 5c4.7 0 7.5 5 7.5 5a12 12 0 0 1-2.2 2.7M12.9 14.3A8 8 0 0 1 10 15c-4.7 0-7.5-5-7.5-5a12 12 0 0 1 3-3.3',
  commands: 'M4 6l4 4-4 4M10 14.5h6',
  file: 'M5 2.5h7.5L16 6v11.5H5zM12.3 2.7V6.2h3.5',
  members:
    'M7.5 9.6a2.9 2.9 0 1 0 0-5.8 2.9 2.9 0 0 0 0 5.8ZM2.5 16.4c.5-2.7 2.5-4.1 5-4.1s4.5 1.4 5 4.1M12.6 4.1a2.7 2.7 0 0 1 0 5.2M14.6 12.6c1.6.5 2.6 1.8 2.9 3.8',
  invite:
    'M8 9.6a2.9 2.9 0 1 0 0-5.8 2.9 2.9 0 0 0 0 5.8ZM3 16.4c.5-2.7 2.5-4.1 5-4.1 1.3 0 2.4.3 3.3 1M14.5 11.5v5.5M11.8 14.2h5.5',
  key: 'M7 13.2a3.7 3.7 0 1 0 0-7.4 3.7 3.7 0 0 0 0 7.4ZM10.7 9.5h6.8M14.8 9.5v3M17.5 9.5v2.2',
  copy: 'M7.5 7.5h9v9h-9zM12.5 7.5v-4h-9v9h4',
  open: 'M5.5 8l4.5 4.5L14.5 8',
  next: 'M8 4.5l5.5 5.5L8 15.5',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
