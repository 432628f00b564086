// The registry under test, as clients see it.

import type { Credentials, Protocol } from './protocol.ts'

export interface Registry {
  /** `127.0.0.1:PORT` */
  host: string
  /** Somebody who may pull, push and delete below `shop/`. */
  developer: Credentials
  protocol: (credentials?: Credentials) => Protocol
}
