/**
 * PGlite's files in a folder, with syncing that reaches the disk. PGlite's own Node layer leaves out the `fsync` stream operation,
 * and its WebAssembly runtime then reports success without doing anything; `fdatasync` never reaches a stream operation at all,
 * which is why the server has to be started with `wal_sync_method=fsync`.
 */
import { fdatasyncSync, fsyncSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';
import { EmscriptenBuiltinFilesystem } from '@electric-sql/pglite/basefs';

interface NodeStream {
  /** Node's file descriptor: of a file, or of a folder that PostgreSQL syncs after creating or renaming files in it. */
  readonly nfd: number;
  readonly node: { readonly name: string; readonly parent: { readonly name: string } };
}

/** A segment has its full size from the start, and whoever commits waits for it: syncing its contents is enough, and quicker. */
const isLogSegment = ({ node }: NodeStream): boolean =>
  node.parent.name === 'pg_wal' && /^[0-9A-F]{24}$/.test(node.name);

/** The parts of Emscripten's Node file system used here; every PGlite instance has objects of its own. */
interface NodeFileSystem {
  readonly stream_ops: { fsync?: (stream: NodeStream) => number };
  /** Turns a Node error into the error number that PostgreSQL sees. */
  tryFSOperation<Result>(operation: () => Result): Result;
}

interface EmscriptenModule {
  readonly NODEFS: NodeFileSystem;
  readonly FS: {
    mkdirTree(path: string): void;
    mount(type: NodeFileSystem, options: { readonly root: string }, mountpoint: string): void;
  };
}

type StartOptions = Parameters<EmscriptenBuiltinFilesystem['init']>[1];

export class FolderFilesystem extends EmscriptenBuiltinFilesystem {
  readonly #root: string;
  readonly #durable: boolean;

  /** `root` must exist. Without `durable`, syncing is left out as PGlite does. */
  constructor(root: string, durable: boolean) {
    super(root);
    this.#root = root;
    this.#durable = durable;
  }

  override async init(pglite: PGlite, options: StartOptions): Promise<{ emscriptenOpts: StartOptions }> {
    this.pg = pglite;
    const mount = (anyModule: unknown): void => {
      const { FS, NODEFS } = anyModule as EmscriptenModule;
      if (this.#durable) {
        NODEFS.stream_ops.fsync = (stream) =>
          NODEFS.tryFSOperation(() => {
            if (isLogSegment(stream)) fdatasyncSync(stream.nfd);
            else fsyncSync(stream.nfd);
            return 0;
          });
      }
      FS.mkdirTree(PGlite.paths.PGDATA);
      FS.mount(NODEFS, { root: this.#root }, PGlite.paths.PGDATA);
    };
    return { emscriptenOpts: { ...options, preRun: [...(options.preRun ?? []), mount] } };
  }

  override async closeFs(): Promise<void> {
    (this.pg?.Module.FS as unknown as { quit(): void } | undefined)?.quit();
  }
}
