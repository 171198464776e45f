/** IndexedDB with promises: the two shapes of waiting that it needs. */

export function settled<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(request.error ?? new Error('The request failed.')));
  });
}

/** Resolves when the transaction is durable as far as the browser says; rejects when it was undone. */
export function finished(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.addEventListener('complete', () => resolve());
    transaction.addEventListener('abort', () => reject(transaction.error ?? new Error('The transaction was undone.')));
    transaction.addEventListener('error', () => reject(transaction.error ?? new Error('The transaction failed.')));
  });
}

/** One of an older version loses what it holds. */
export function openDatabase(name: string, stores: readonly string[], version = 1): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, version);
    request.addEventListener('upgradeneeded', () => {
      // The list shrinks with each one.
      for (const store of Array.from(request.result.objectStoreNames)) request.result.deleteObjectStore(store);
      for (const store of stores) request.result.createObjectStore(store);
    });
    request.addEventListener('success', () => {
      const database = request.result;
      // Another tab signs out and deletes it: not to be held up by this one.
      database.addEventListener('versionchange', () => database.close());
      resolve(database);
    });
    request.addEventListener('error', () => reject(request.error ?? new Error('The database does not open.')));
    request.addEventListener('blocked', () => reject(new Error('The database is in use.')));
  });
}

export function deleteDatabase(name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    request.addEventListener('success', () => resolve());
    request.addEventListener('blocked', () => resolve());
    request.addEventListener('error', () => reject(request.error ?? new Error('The database was not deleted.')));
  });
}
