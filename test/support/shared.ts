// The collection of public data that lies beside some checkouts. What needs it is left out by name where it is missing.

import { join } from 'node:path'

/** In: a path in the collection. Out: where it would be; whether it is there is for the caller to see. */
export function sharedData(...path: string[]): string {
  return join(import.meta.dirname, '../../../shared/data', ...path)
}
