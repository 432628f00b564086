import { randomFillSync } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Principal } from '../model/access.ts'

/** What is known of a request under way, for its line in the log and its figures. */
export interface RequestNote {
  id: string
  address: string
  /** Whether one of `trustedProxies` handed it on: then its X-Forwarded- headers count. */
  byProxy: boolean
  /** Of performance.now(). */
  startedAt: number
  socket: Socket
  /** Undefined until it is known. */
  principal: Pick<Principal, 'kind' | 'name'> | undefined
  /** Its kind, where it was told already. */
  route: string | undefined
  /** What it was refused with. */
  error: unknown
}

const noteKey = Symbol('request note')
type Noted = IncomingMessage & { [noteKey]?: RequestNote }

export function keepNote(message: IncomingMessage, note: RequestNote): void {
  ;(message as Noted)[noteKey] = note
}

export function noteOf(message: IncomingMessage): RequestNote | undefined {
  return (message as Noted)[noteKey]
}

export function noteError(message: IncomingMessage, error: unknown): void {
  const note = noteOf(message)
  if (note !== undefined) note.error = error
}

export function notePrincipal(message: IncomingMessage, principal: Pick<Principal, 'kind' | 'name'>, route?: string): void {
  const note = noteOf(message)
  if (note === undefined) return
  note.principal = principal
  note.route = route
}

/**
 * In: a request. Out: its id: the `x-request-id` that it came with, where that is 1 to 128 letters, digits and `.:_-`; else a new
 * one, which the request then has, so that who asks again gets the same. It holds no count, which would tell how much others ask.
 */
export function requestIdOf(message: IncomingMessage): string {
  const given = message.headers['x-request-id']
  if (typeof given === 'string' && /^[A-Za-z0-9.:_-]{1,128}$/.test(given)) return given
  const id = newId()
  message.headers['x-request-id'] = id
  return id
}

const idBytes = 12
const pool = Buffer.alloc(idBytes * 1024)
let used = pool.length

/** Random bytes in advance, and one flat string: randomUUID puts its text together from 20 pieces, which costs 4 µs once it is written. */
function newId(): string {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += idBytes
  return pool.toString('hex', used - idBytes, used)
}
