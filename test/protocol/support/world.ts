// The whole house in this process, behind its real HTTP server on a free port: quick enough for hundreds of small cases.

import type { FastifyInstance } from 'fastify'
import { join } from 'node:path'
import { parseGrants } from '../../../src/access/grants.ts'
import { type House, openHouse } from '../../../src/flow/house.ts'
import { createLog } from '../../../src/kit/log.ts'
import { loadSettings } from '../../../src/kit/settings/settings.ts'
import type { Principal } from '../../../src/model/access.ts'
import { createServer } from '../../../src/serve/server.ts'
import type { Content } from '../../support/content.ts'
import type { Credentials } from '../../support/protocol.ts'
import { scratch } from '../../support/scratch.ts'
import { expectStatus } from '../../support/transfer.ts'
import { layAdvisories } from './advisories.ts'
import { type Asker, askerOf } from './asker.ts'

export interface WorldOptions {
  policy?: 'balanced' | 'observe'
  /** `postgres://…`; SQLite in the data folder where left out. */
  database?: string
  /** A data folder to take up again. */
  folder?: string
  /** Nothing is ever examined, so that all that is pushed stays pending. */
  idle?: boolean
  env?: Record<string, string>
}

export interface World extends AsyncDisposable {
  house: House
  app: FastifyInstance
  folder: string
  /** As it was opened, to open it again. */
  options: WorldOptions
  host: string
  port: number
  /** Every line that the server logged, at the lowest level. */
  log: string[]
  /** May do everything, but does not pass the gate by it. */
  admin: Asker
  anonymous: Asker
  /** Somebody whom another world over the same records knows. */
  as: (other: Asker) => Asker
  addUser: (name: string, ...grants: string[]) => Promise<Asker>
  addRobot: (name: string, ...grants: string[]) => Promise<Asker>
  /** Pushes as the administrator; waits for the verdict. Out: the decision. */
  push: (repository: string, content: Content, tag?: string) => Promise<string>
  decision: (image: string) => Promise<string>
}

/** In: empty records, or the records of before where a folder is given. Out: a world over them. */
export type OpenWorld = (options?: WorldOptions) => Promise<World>

/** What a suite runs over. */
export interface Records {
  /** As the names of the tests say it. */
  name: 'SQLite' | 'PostgreSQL'
  open: OpenWorld
}

export const actor = { principal: 'system', address: 'local' }
const adminCredentials: Credentials = { username: 'admin', password: 'the-admin-of-this-test' }
const everything: Principal = { kind: 'user', name: 'admin', grants: [{ action: 'admin', pattern: '' }] }

/** In: the suite's stack. Out: the world, closed with the stack or before. */
export async function openWorld(stack: AsyncDisposableStack, options: WorldOptions = {}): Promise<World> {
  const folder = options.folder ?? (await scratch(stack, 'protocol'))
  if (options.folder === undefined) await layAdvisories(join(folder, 'data'))
  const log: string[] = []
  const house = await openHouse(settingsOf(folder, options), createLog({ level: 'trace', write: (line) => void log.push(line) }))
  await house.admin
  const app = await createServer(house)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const port = (app.server.address() as { port: number }).port
  house.bound(port)
  if (options.idle === true) await house.runner.stop()
  else await house.start()
  const close = once(async () => {
    app.server.closeAllConnections()
    await app.close()
    await house.close()
  })
  stack.defer(close)
  return {
    house,
    app,
    folder,
    options: { ...options, folder },
    host: `127.0.0.1:${port}`,
    port,
    log,
    ...actionsOf(house, port),
    [Symbol.asyncDispose]: close,
  }
}

function settingsOf(folder: string, options: WorldOptions) {
  const env = {
    LAZARET_LISTEN: '127.0.0.1:0',
    LAZARET_DATA: join(folder, 'data'),
    LAZARET_ADMIN_PASSWORD: adminCredentials.password,
    LAZARET_POLICY: options.policy ?? 'balanced',
    LAZARET_OFFLINE: 'true',
    ...(options.idle === true ? { LAZARET_GATE_WAIT_SECONDS: '0' } : {}),
    ...(options.database === undefined ? {} : { LAZARET_DATABASE: options.database }),
    ...options.env,
  }
  return loadSettings({ env, cwd: folder })
}

function actionsOf(house: House, port: number): Pick<World, 'admin' | 'anonymous' | 'as' | 'addUser' | 'addRobot' | 'push' | 'decision'> {
  const admin = askerOf(port, adminCredentials)
  const decision = async (image: string) => (await house.queries.verdicts.verdict(everything, { image, waitSeconds: 60 })).decision
  return {
    admin,
    anonymous: askerOf(port),
    as: (other) => askerOf(port, other.credentials),
    decision,
    async addUser(name, ...grants) {
      const password = `the-password-of-${name}`
      await house.accounts.addUser(actor, { name, password, grants: parseGrants(grants) })
      return askerOf(port, { username: name, password })
    },
    async addRobot(name, ...grants) {
      const { token } = await house.accounts.addRobot(actor, { name, grants: parseGrants(grants) })
      return askerOf(port, { username: name, password: token })
    },
    async push(repository, content, tag) {
      expectStatus(await admin.push(repository, content, tag), 201)
      return decision(`${repository}@${content.root.digest}`)
    },
  }
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => (done ??= work())
}
